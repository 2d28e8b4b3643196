"""The matrix profile against its definition, planted motifs and anomalies, and stumpy where it is installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from systems import autoregressive

from takens import Series
from takens.errors import DataError, SettingError
from takens.measures.motifs import discord, matrix_profile, motif


def by_definition(x, window, exclusion):
    pieces = np.lib.stride_tricks.sliding_window_view(x, window)
    z = (pieces - pieces.mean(axis=1, keepdims=True)) / pieces.std(axis=1, keepdims=True)
    distance = np.sqrt(((z[:, None] - z[None]) ** 2).sum(axis=2))
    index = np.arange(len(z))
    distance[np.abs(index[:, None] - index[None]) < exclusion] = np.inf
    return distance.min(axis=1), distance.argmin(axis=1)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_profile_is_the_definition(offset):
    x = autoregressive(300, 0.9) + offset
    expected, where = by_definition(x - offset, 20, 6)
    distance, neighbour = matrix_profile(x, 20)
    np.testing.assert_allclose(distance, expected, rtol=1e-6)
    np.testing.assert_array_equal(neighbour, where)
    wide, _ = matrix_profile(x, 20, exclusion=20)
    np.testing.assert_allclose(wide, by_definition(x - offset, 20, 20)[0], rtol=1e-6)


@pytest.mark.skipif(importlib.util.find_spec("stumpy") is None, reason="stumpy is not installed")
def test_profile_is_that_of_stumpy():
    import stumpy

    x = autoregressive(2000, 0.9)
    found = stumpy.stump(x, 50)
    np.testing.assert_allclose(matrix_profile(x, 50)[0], found[:, 0].astype(float), rtol=1e-6)
    np.testing.assert_array_equal(matrix_profile(x, 50)[1], found[:, 1].astype(int))


def test_constant_stretches():
    x = np.random.default_rng(0).normal(size=200)
    x[20:50] = 3.0
    x[120:150] = 7.0
    distance, where = matrix_profile(x, 20)
    assert distance[25] == 0
    assert 120 <= where[25] <= 130 or abs(where[25] - 25) >= 6
    # A constant stretch and another differ by the norm of the other, sqrt(window).
    x[120:150] = np.random.default_rng(1).normal(size=30)
    x[23:50] = np.random.default_rng(2).normal(size=27)
    x[60:80] = 1.0
    distance, _ = matrix_profile(x, 20)
    assert distance[60] == pytest.approx(np.sqrt(20))


def test_a_planted_motif_and_a_planted_anomaly():
    x = autoregressive(1200, 0.8, 1)
    shape = 3 * autoregressive(40, 0.8, 2)
    x[200:240] = shape
    x[800:840] = 0.5 * shape + 2
    estimate = motif(Series.from_array(x, interval=0.1, unit="s"), window=40)
    np.testing.assert_allclose(estimate.details["starts"], [200, 800], atol=2)
    assert estimate.value == 1 / 40
    y = np.sin(2 * np.pi * np.arange(1500) / 50) + 0.05 * np.random.default_rng(0).normal(size=1500)
    y[700:725] = y[700:725][::-1] * 0.2
    lonely = discord(y, surrogates=19)
    assert lonely.settings["window"] == 50
    assert 640 < lonely.details["starts"][0] < 740
    assert lonely.details["profile"].argmax() == lonely.details["starts"][0]


def test_linear_noise_has_no_motif():
    small = np.mean([motif(autoregressive(300, 0.7, s), window=20, surrogates=19, seed=s).value <= 0.05
                     for s in range(100)])  # fmt: skip
    # 5 % nominal: more than 11 of 100 has probability 1 %.
    assert small <= 0.11


def test_wrong_settings():
    with pytest.raises(SettingError, match="window"):
        matrix_profile(np.arange(50.0), 2)
    with pytest.raises(DataError, match="finite"):
        matrix_profile(np.array([1.0, np.nan] * 20), 5)
    assert "four windows" in motif(autoregressive(120), window=50).reason
