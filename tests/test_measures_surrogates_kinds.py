"""Kinds of surrogates: what each must keep exactly, what it must destroy, and published properties."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from systems import autoregressive, henon, lorenz63, roessler

from takens import Series
from takens.errors import DataError, SettingError
from takens.measures import surrogates
from takens.measures.kernels.surrogates import argsort_rows, local_prediction, recurrence_signatures
from takens.measures.surrogates.irregular import lomb_scargle_waves
from takens.measures.surrogates.testing import NULLS
from takens.neighbours import nearest


def rng(seed=0):
    return np.random.default_rng(seed)


def periodogram(x):
    return np.abs(np.fft.rfft(x, axis=-1)) ** 2


@pytest.mark.parametrize(
    "x",
    [
        rng().normal(size=5000),
        np.round(rng(1).normal(size=3000), 1),
        1e8 + rng(2).normal(size=3000),
        np.repeat([0.0, -0.0, 1e-300, -1e-300, 1e300], 50),
        np.exp(20 * rng(3).normal(size=2000)),
        np.zeros(10),
        np.arange(100.0)[::-1] - 50,
    ],
    ids=["normal", "ties", "offset", "extreme", "outliers", "constant", "falling"],
)
def test_rows_are_sorted(x):
    order = np.empty((2, len(x)), dtype=np.int64)
    argsort_rows(np.stack([x, -x]), order, np.empty((2, len(x), 2), dtype=np.uint32))
    np.testing.assert_array_equal(x[order[0]], np.sort(x))
    np.testing.assert_array_equal(-x[order[1]], np.sort(-x))
    assert (np.sort(order, axis=1) == np.arange(len(x))).all()


def test_prediction_kernel_against_the_neighbour_search():
    x = henon(300)[:, 0]
    m, delay, horizon, k = 2, 2, 1, 3
    points = np.stack([x[:-3], x[2:-1]], axis=1)
    own = np.arange(0, len(points), 7)
    _, where = nearest(points, points[own], k=k, theiler=3, exclude=own)
    expected = np.mean((x[3:][where].mean(axis=1) - x[3:][own]) ** 2)
    assert local_prediction(x[None], m, delay, horizon, k, own)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [400, 401])
def test_fourier_keeps_mean_and_spectrum_exactly(n):
    x = 100 + autoregressive(n, 0.9)
    copies = surrogates.fourier(x, 5, rng())
    np.testing.assert_allclose(copies.mean(axis=1), x.mean(), rtol=1e-12)
    np.testing.assert_allclose(periodogram(copies), np.tile(periodogram(x), (5, 1)), rtol=1e-8, atol=1e-9)
    assert np.abs(np.corrcoef(np.vstack([x, copies]))[0, 1:]).max() < 0.7


def test_truncated_fourier_keeps_the_trend():
    t = np.arange(1000)
    x = np.sin(2 * np.pi * t / 1000) * 5 + rng().normal(size=1000)
    copies = surrogates.truncated_fourier(x, 5, rng(), lowest=0.01)
    np.testing.assert_allclose(np.fft.rfft(copies)[:, :10], np.tile(np.fft.rfft(x)[:10], (5, 1)), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(periodogram(copies), np.tile(periodogram(x), (5, 1)), rtol=1e-7, atol=1e-7)
    slow = surrogates.iaaft(x, 3, rng(), lowest=0.01)
    np.testing.assert_array_equal(np.sort(slow, axis=1), np.tile(np.sort(x), (3, 1)))
    assert (np.array([np.corrcoef(row, x)[0, 1] for row in slow]) > 0.9).all()
    with pytest.raises(SettingError, match="lowest"):
        surrogates.truncated_fourier(x, 1, rng(), lowest=0.5)


def test_shuffles_keep_values_and_blocks_keep_neighbours():
    x = autoregressive(1000, 0.9)
    for copies in (surrogates.shuffle(x, 3, rng()), surrogates.block_shuffle(x, 3, rng(), block=50)):
        np.testing.assert_array_equal(np.sort(copies, axis=1), np.tile(np.sort(x), (3, 1)))
    follower = dict(zip(x, np.roll(x, -1), strict=True))
    for row in copies:
        kept = sum(follower[a] == b for a, b in pairwise(row))
        # Twenty blocks have nineteen seams, which rarely join neighbours again.
        assert 980 <= kept < 998
    with pytest.raises(SettingError, match="block"):
        surrogates.block_shuffle(x, 1, rng(), block=501)


def test_aaft_is_whiter_than_iaaft():
    x = np.exp(autoregressive(1000, 0.9))
    goal = periodogram(x - x.mean())

    def misfit(copies):
        return np.mean(np.abs(periodogram(copies - x.mean()) - goal).sum(axis=1) / goal.sum())

    first, second = surrogates.aaft(x, 20, rng()), surrogates.iaaft(x, 20, rng())
    np.testing.assert_array_equal(np.sort(first, axis=1), np.tile(np.sort(x), (20, 1)))
    assert misfit(second) < 0.5 * misfit(first)


def test_normal_scores_undo_a_monotone_function():
    x = autoregressive(2000, 0.5)
    np.testing.assert_array_equal(surrogates.normal_scores(np.exp(x)), surrogates.normal_scores(x))
    assert np.corrcoef(surrogates.normal_scores(x**3), x)[0, 1] > 0.998


def test_cross_spectra_are_kept():
    e = rng().normal(size=(600, 2))
    x = np.stack([np.convolve(e[:, 0], np.ones(5), "same"), np.roll(e[:, 0], 3) + 0.5 * e[:, 1]], axis=1)
    x[:, 1] = np.exp(x[:, 1])

    def cross(z):
        waves = np.fft.rfft(z - x.mean(axis=0), axis=-2)
        return waves[..., 0] * np.conj(waves[..., 1])

    exact = surrogates.multivariate_fourier(x, 4, rng())
    np.testing.assert_allclose(cross(exact), np.tile(cross(x), (4, 1)), rtol=1e-7, atol=1e-6)
    near = surrogates.multivariate_iaaft(x, 4, rng())
    for row in near:
        np.testing.assert_array_equal(np.sort(row, axis=0), np.sort(x, axis=0))
        assert np.abs(cross(row) - cross(x)).sum() < 0.2 * np.abs(cross(x)).sum()
    apart = np.stack([surrogates.iaaft(x[:, c], 1, rng(c))[0] for c in (0, 1)], axis=1)
    assert np.abs(cross(apart) - cross(x)).sum() > 0.8 * np.abs(cross(x)).sum()


def test_cycles_are_shuffled_whole():
    t = np.arange(1000)
    height = np.repeat(rng().uniform(0.5, 2, 21), 50)[:1000]
    x = height * np.sin(2 * np.pi * t / 50 - 0.1)
    starts = surrogates.cycle_starts(x, 50.0)
    np.testing.assert_allclose(np.diff(starts), 50, atol=5)
    copies = surrogates.cycle_shuffle(x, 5, rng(), period=50.0)
    np.testing.assert_array_equal(np.sort(copies, axis=1), np.tile(np.sort(x), (5, 1)))
    assert not np.array_equal(copies[0], x)
    np.testing.assert_array_equal(copies[:, : starts[0]], np.tile(x[: starts[0]], (5, 1)))
    with pytest.raises(DataError, match="cycles"):
        surrogates.cycle_shuffle(x[:160], 1, rng(), period=50.0)


def test_pseudo_periodic_keeps_the_cycle_of_roessler():
    x = roessler(1500)[:, 0]
    copies = surrogates.pseudo_periodic(x, 3, rng(), embedding_dimension=3, delay=15)
    assert set(copies.ravel()) <= set(x)
    for row in copies:
        peak = np.argmax(periodogram(row - row.mean()))
        assert abs(peak - np.argmax(periodogram(x - x.mean()))) <= 2


def test_twin_surrogates_follow_the_attractor_and_twins_have_equal_columns():
    x = np.tile(np.round(np.sin(2 * np.pi * np.arange(20) / 20), 6), 30)
    copies = surrogates.twin(x, 5, rng(), embedding_dimension=2, delay=5)
    # All points of a phase are twins, so each copy is the cycle from another phase.
    for row in copies:
        np.testing.assert_allclose(row[20:], row[:-20], atol=1e-9)
    points = rng().integers(0, 3, size=(60, 2)).astype(float)
    matrix = np.abs(points[:, None] - points[None]).max(axis=2) <= 1.0
    words = rng().integers(0, 2**64, size=60, dtype=np.uint64)
    same = recurrence_signatures(points, 1.0, words)
    np.testing.assert_array_equal(same[:, None] == same[None], (matrix[:, None] == matrix[None]).all(axis=2))
    with pytest.raises(DataError, match="twin"):
        surrogates.twin(rng().normal(size=300), 1, rng(), embedding_dimension=4, delay=1)


def test_irregular_surrogates_keep_values_times_and_spectrum():
    t = np.sort(rng().uniform(0, 200, 200))
    x = np.exp(np.sin(t / 3) + 0.5 * rng(1).normal(size=200))
    copies, misfit = surrogates.lomb_scargle(t, x, 3, rng())
    np.testing.assert_array_equal(np.sort(copies, axis=1), np.tile(np.sort(x), (3, 1)))
    assert (misfit < 0.15).all()
    # The waves give the periodogram of SciPy.
    from scipy.signal import lombscargle

    frequency = np.array([0.01, 0.05, 0.3])
    cosine, sine = lomb_scargle_waves(t, frequency)
    z = x - x.mean()
    power = ((z @ cosine) ** 2 + (z @ sine) ** 2) / 2
    np.testing.assert_allclose(power, lombscargle(t, z, 2 * np.pi * frequency), rtol=1e-8)
    with pytest.raises(SettingError, match="increasing"):
        surrogates.lomb_scargle(t[::-1], x, 1, rng())


@pytest.mark.parametrize("method", NULLS)
def test_every_method_tests(method):
    x = lorenz63(900, 0.05)[:, 0] + 0.01 * rng().normal(size=900)
    estimate = surrogates.surrogate_test(
        Series.from_array(x), method=method, surrogates=19, statistic=lambda row: np.mean(np.diff(row) ** 3)
    )
    if not estimate.admissible:
        assert method in ("twin", "lomb_scargle")
        assert ("twin" if method == "twin" else "spectrum") in estimate.reason
        return
    assert 1 / 20 <= float(estimate) <= 1
    assert estimate.settings["null"] == NULLS[method]
    assert len(estimate.details["holm"]) == 1


def test_irregular_times_choose_their_method_and_unknown_methods_are_named():
    x, t = autoregressive(80), np.arange(80) + rng().uniform(-0.4, 0.4, 80)
    found = surrogates.surrogate_test(Series(t, x), surrogates=19)
    assert found.settings["method"] == "lomb_scargle"
    assert found.chosen["method"] == "times are irregular"
    assert found.settings["misfit"] < 0.2
    refused = surrogates.surrogate_test(Series(t, x), method="iaaft")
    assert "regular sampling" in refused.reason
    gap = np.delete(np.arange(200.0), slice(120, 125))
    kept = surrogates.surrogate_test(Series(gap, autoregressive(195)), surrogates=19)
    assert kept.settings["rows"] == "longest gap-free stretch, 120 of 195"
    assert kept.value == surrogates.surrogate_test(autoregressive(195)[:120], surrogates=19).value
    for many in ("multivariate_fourier", "multivariate_iaaft"):
        with pytest.raises(SettingError, match="several channels"):
            surrogates.surrogate_test(henon(200)[:, 0], method=many)
    with pytest.raises(SettingError, match="no method"):
        surrogates.surrogate_test(henon(200)[:, 0], method="magic")
    with pytest.raises(SettingError, match="missing"):
        surrogates.iaaft(np.append(henon(50)[:, 0], np.nan), 1, rng())


def test_power_on_lorenz_and_each_statistic_by_itself():
    x = lorenz63(1500, 0.05)[:, 0]
    estimate = surrogates.surrogate_test(x, surrogates=39)
    assert float(estimate) <= 0.05
    # x is symmetric in time only by its cube; its predictability gives it away.
    assert estimate.details["adjusted"][1] <= 0.05
