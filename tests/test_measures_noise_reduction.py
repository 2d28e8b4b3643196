"""Noise reduction: the error falls by half on Henon and Lorenz, and what has no structure is refused."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, henon, lorenz63

from takens import Series
from takens.errors import InsufficientData, SettingError
from takens.measures.noise_reduction import averaged, projected, reduce_noise
from takens.neighbours import delay_vectors, nearest


def noisy(x, share, seed=0):
    return x + share * x.std() * np.random.default_rng(seed).normal(size=len(x))


def gain(x, y, **settings):
    """How many times smaller the root mean square error is after cleaning."""
    found = reduce_noise(y, **settings)
    np.testing.assert_allclose(found.series.values + found.removed.values, y[:, None], atol=1e-12)
    return np.sqrt(np.mean((y - x) ** 2) / np.mean((found.series.values[:, 0] - x) ** 2))


@pytest.mark.parametrize("length", [2000, 5000])
def test_error_on_henon_is_halved(length):
    x = henon(length)[:, 0]
    assert gain(x, noisy(x, 0.05)) > 2


def test_error_on_lorenz_is_halved():
    x = lorenz63(10_000)[:, 0]
    y = noisy(x, 0.05)
    assert gain(x, y) > 2
    amplitude = reduce_noise(y).amplitude
    assert amplitude == pytest.approx(0.05 * x.std(), rel=0.2)


def test_simple_averages_halve_the_error_on_henon():
    x = henon(5000)[:, 0]
    assert gain(x, noisy(x, 0.05), method="simple") > 2


def test_averaging_is_the_definition():
    x = noisy(henon(300)[:, 0], 0.05)
    points = delay_vectors(x, 5, 1)
    near = nearest(points, points, k=4)[1]
    found = averaged(x, points, near, 1)
    expected = x.copy()
    for n in range(2, len(x) - 2):
        distance = [np.linalg.norm(x[n - 2 : n + 3] - x[j - 2 : j + 3]) for j in range(2, len(x) - 2)]
        expected[n] = np.mean([x[j + 2] for j in np.argsort(distance)[:4]])
    np.testing.assert_allclose(found, expected)


def test_projection_leaves_what_lies_on_a_plane():
    # A sine of any phase lies in a plane of delay space: three directions hold it exactly, noise leaves it.
    x = np.sin(0.4 * np.arange(1500)) + np.sin(0.0712 * np.arange(1500))
    points = delay_vectors(x, 8, 1)
    near = nearest(points, points, k=40)[1]
    np.testing.assert_allclose(projected(x, points, near, 1, 4), x, atol=1e-8)


@pytest.mark.parametrize(
    "noise",
    [lambda: np.random.default_rng(0).normal(size=2000), lambda: autoregressive(2000, 0.9)],
    ids=["white", "autoregressive"],
)
def test_noise_alone_is_refused(noise):
    with pytest.raises(InsufficientData, match="do not share their future"):
        reduce_noise(noise())


def test_what_cannot_be_cleaned_says_why():
    x = henon(500)[:, 0]
    with pytest.raises(SettingError, match="no method"):
        reduce_noise(x, method="magic")
    with pytest.raises(SettingError, match="do not fit"):
        reduce_noise(x, kept=6)
    with pytest.raises(SettingError, match="one channel"):
        reduce_noise(henon(500))
    with pytest.raises(InsufficientData, match="200"):
        reduce_noise(x[:100])
    with pytest.raises(InsufficientData, match="200"):
        reduce_noise(np.ones(500))
    holes = x.copy()
    holes[7] = np.nan
    with pytest.raises(InsufficientData, match="gaps"):
        reduce_noise(holes)
    with pytest.raises(InsufficientData):
        reduce_noise(np.round(x))


def test_times_names_and_units_stay():
    series = Series.from_array(noisy(henon(1000)[:, 0], 0.05), interval=0.5, unit="s", channels=("a",), units=("mV",))
    found = reduce_noise(series)
    assert found.series.channels == ("a",)
    assert found.removed.units == ("mV",)
    np.testing.assert_array_equal(found.series.times, series.times)
    assert found.settings["neighbours"] == 20
