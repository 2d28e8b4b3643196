"""Scores of long runs against dense histograms, known spectra and slow transcriptions of the published formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from systems import lorenz63, roessler

from takens.errors import DataError, InsufficientData, SettingError
from takens.scores import climate, spectral_hellinger, state_space_divergence
from takens.scores.histograms import divergence
from takens.series import Series


def dense_divergence(p: np.ndarray, q: np.ndarray, alpha: float) -> float:
    p, q = (((h + alpha) / (h.sum() + alpha * h.size)).ravel() for h in (p, q))
    return float(np.sum(p * np.log(p / q)))


def test_divergence_of_known_histograms():
    p, q = np.repeat([0, 1], [30, 10]), np.repeat([0, 1], [10, 30])
    assert divergence(p, q, 2, 1e-9) == pytest.approx(0.5 * np.log(3))
    dense = dense_divergence(np.array([30, 10, 0, 0, 0.0]), np.array([10, 30, 0, 0, 0.0]), 0.3)
    assert divergence(p, q, 5, 0.3) == pytest.approx(dense)
    assert divergence(p[:8], q, 5, 0.3) == pytest.approx(
        dense_divergence(np.array([8, 0, 0, 0, 0.0]), np.array([10, 30, 0, 0, 0.0]), 0.3)
    )


def test_state_space_divergence_agrees_with_a_dense_histogram_and_an_outside_cell():
    true, other = lorenz63(3000), lorenz63(2500, seed=1) * 1.1
    low, high = true.min(axis=0), true.max(axis=0)
    edges = [np.linspace(a, b, 11) for a, b in zip(low, high, strict=True)]
    counts = []
    for x in (true, other):
        h = np.histogramdd(x, bins=edges)[0].ravel()
        counts.append(np.append(h, len(x) - h.sum()))
    made = state_space_divergence(other, true, bins=10)
    assert made.value == pytest.approx(dense_divergence(*counts, 1e-5), rel=1e-9)
    assert made.details["outside"] == pytest.approx(counts[1][-1] / 2500)
    assert state_space_divergence(true, true).value == pytest.approx(0, abs=1e-12)


def slow_dynamix(true: np.ndarray, run: np.ndarray, bins: int) -> float:
    low, high = true.min(axis=0), true.max(axis=0)
    counts = []
    for x in (true, run):
        h = np.zeros((bins,) * true.shape[1])
        for row in x:
            cell = np.trunc(bins * (row - low) / (high - low)).astype(int)
            if (cell > 0).all() and (cell < bins).all():
                h[tuple(cell)] += 1
        counts.append(h)
    return dense_divergence(*counts, 10e-6)


def slow_gtf(true: np.ndarray, run: np.ndarray, bins: int) -> float:
    margin = 0.1 * true.std(axis=0, ddof=1)
    low, high = true.min(axis=0) - margin, true.max(axis=0) + margin
    edges = [np.linspace(a, b, bins + 1) for a, b in zip(low, high, strict=True)]
    counts = [np.histogramdd(x, bins=edges)[0] for x in (true, run)]
    return dense_divergence(*counts, 1e-5)


def slow_dendplrnn(true: np.ndarray, run: np.ndarray, bins: int) -> float:
    spread = 2 * true.std(axis=0, ddof=1)
    counts = []
    for x in (true, run):
        cell = np.trunc(bins * (x + spread) / (2 * spread)).astype(int)
        kept = cell[(cell > 0).all(axis=1) & (cell < bins).all(axis=1)]
        h = np.zeros((bins,) * true.shape[1])
        np.add.at(h, tuple(kept.T), 1)
        counts.append(h)
    return dense_divergence(*counts, 10e-6)


@pytest.mark.parametrize(
    ("legacy", "slow"), [("DynaMix", slow_dynamix), ("GTF", slow_gtf), ("dendPLRNN", slow_dendplrnn)]
)
def test_legacy_divergence_reproduces_the_published_binning(legacy, slow):
    centre = np.array([0, 0, 23.6]) if legacy == "dendPLRNN" else 0.0  # that code takes standardised data
    true, run = lorenz63(1500) - centre, (lorenz63(1200, seed=2) - centre) * 1.15
    made = state_space_divergence(run, true, legacy=legacy)
    assert made.value == pytest.approx(slow(true, run, 30), rel=1e-9)
    assert made.value != pytest.approx(state_space_divergence(run, true).value, rel=1e-3)
    assert state_space_divergence(run + 1e3, true, legacy=legacy).value == np.inf
    with pytest.raises(SettingError, match="at most"):
        state_space_divergence(
            np.ones((20, 11)), np.random.default_rng(0).random((20, 11)), legacy=legacy, method="bins"
        )


def test_the_counters_of_the_published_code_overflow():
    true, run = lorenz63(1500), np.concatenate([np.repeat(lorenz63(1500)[700:701], 70_000, axis=0), lorenz63(900)])
    value = state_space_divergence(run, true, legacy="GTF").value
    whole = slow_gtf(true, run, 30)
    assert value != pytest.approx(whole, rel=1e-4)
    low, high = true.min(axis=0), true.max(axis=0)
    margin = 0.1 * true.std(axis=0, ddof=1)
    edges = [np.linspace(a, b, 31) for a, b in zip(low - margin, high + margin, strict=True)]
    counts = [np.histogramdd(x, bins=edges)[0] % 65_536 for x in (true, run)]
    assert value == pytest.approx(dense_divergence(*counts, 1e-5), rel=1e-9)


def test_a_bad_climate_scores_badly_and_another_run_of_the_same_system_scores_near_the_floor():
    true, same = lorenz63(6000), lorenz63(6000, seed=3)
    near = state_space_divergence(same, true)
    assert near.value < 1.5 * near.floor
    for bad in (np.zeros_like(true), np.tile(true[:60], (100, 1)), true * 1e12, true[:, [1, 0, 2]] + [0, 0, 9]):
        assert state_space_divergence(bad, true).value > 3 * near.floor


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_run_that_is_not_finite_is_a_failure_and_not_a_good_score(value):
    run = lorenz63(1000).copy()
    run[700, 1] = value
    made = climate(run, lorenz63(1000, seed=4))
    assert made["state_space_divergence"].value == np.inf
    assert made["spectral_hellinger"].value == 1.0
    for result in made.values():
        assert "row 701" in result.reason
    assert made["state_space_divergence"].to_dict()["value"] is None


def test_one_channel_is_unfolded_so_that_shuffled_values_do_not_pass():
    x = lorenz63(5000)[:, 0]
    shuffled = np.random.default_rng(0).permutation(x)
    made = state_space_divergence(shuffled, x, delay=8)
    again = state_space_divergence(lorenz63(5000, seed=5)[:, 0], x, delay=8)
    assert made.value > 5 * again.value
    assert made.settings["space"] == "3 delays of 8 rows"
    slow = state_space_divergence(*(np.column_stack([y[:-16], y[8:-8], y[16:]]) for y in (shuffled, x)))
    assert made.value == pytest.approx(slow.value)
    correlation = [np.corrcoef(x[: len(x) - k], x[k:])[0, 1] for k in range(1, 60)]
    chosen = state_space_divergence(x, x).settings["space"]
    assert abs(int(chosen.split()[3]) - (1 + int(np.argmax(np.array(correlation) < 1 / np.e)))) <= 1
    with pytest.raises(InsufficientData, match="delay of 3000"):
        state_space_divergence(x, x, delay=3000)


def test_missing_truth_is_left_out_of_the_geometry_and_a_constant_channel_is_one_cell():
    true = lorenz63(2000).copy()
    holed = Series.from_array(np.where(np.arange(2000)[:, None] % 9 == 0, np.nan, true))
    kept = true[np.arange(2000) % 9 != 0]
    assert state_space_divergence(true, holed).value == pytest.approx(state_space_divergence(true, kept).value)
    flat = np.column_stack([true[:, 0], np.ones(2000)])
    assert state_space_divergence(flat, flat).value == pytest.approx(0, abs=1e-12)
    assert state_space_divergence(flat + np.array([0, 0.5]), flat).details["outside"] == 1.0


def test_spectral_hellinger_is_zero_for_equal_and_one_for_disjoint_spectra():
    t = np.arange(20_000)
    slow, fast = np.sin(2 * np.pi * 0.01 * t), np.sin(2 * np.pi * 0.3 * t)
    assert spectral_hellinger(slow, slow).value == 0.0
    assert spectral_hellinger(fast, slow).value > 0.999
    x = lorenz63(4000)
    made = spectral_hellinger(x * [2, -3, 0.5] + [1, 2, 3], x)
    assert made.value == pytest.approx(0, abs=1e-6)  # shift, scale and sign do not matter
    assert made.details["truth"].sum(axis=0) == pytest.approx(1.0)


def test_spectral_hellinger_of_known_spectra():
    # white noise against an AR(1): normalised densities 1 and (1 - a^2) / |1 - a e^(i w)|^2 on (0, pi)
    a, rng = 0.6, np.random.default_rng(12)
    white = rng.normal(size=400_000)
    red = np.empty_like(white)
    x = 0.0
    for i, e in enumerate(rng.normal(size=len(red))):
        x = a * x + e
        red[i] = x
    w = (np.arange(100_000) + 0.5) * np.pi / 100_000
    density = (1 - a**2) / np.abs(1 - a * np.exp(1j * w)) ** 2
    expected = np.sqrt(1 - np.mean(np.sqrt(density)))
    assert spectral_hellinger(red, white).value == pytest.approx(expected, abs=0.005)
    assert spectral_hellinger(red[:150_000], white).value == pytest.approx(expected, abs=0.01)


def test_legacy_hellinger_reproduces_a_transcription():
    true, run = lorenz63(3000), lorenz63(3000, seed=7)
    distances = []
    for c in range(3):
        spectra = []
        for x in (true[:, c], run[:, c]):
            z = (x - x.mean()) / x.std()
            s = gaussian_filter1d(np.abs(np.fft.rfft(z)) ** 2, 20)
            spectra.append(s / s.sum())
        distances.append(np.sqrt(np.sum((np.sqrt(spectra[0]) - np.sqrt(spectra[1])) ** 2)) / np.sqrt(2))
    assert spectral_hellinger(run, true, legacy="GTF").value == pytest.approx(np.mean(distances), rel=1e-8)
    with pytest.raises(SettingError, match="equal lengths"):
        spectral_hellinger(run[:2000], true, legacy="DynaMix")


@pytest.mark.parametrize("smoothing", [0.0, 1.0])
def test_legacy_hellinger_with_the_smoothing_of_other_data(smoothing):
    true, run = lorenz63(3000), lorenz63(3000, seed=7)
    distances = []
    for c in range(3):
        spectra = []
        for x in (true[:, c], run[:, c]):
            s = np.abs(np.fft.rfft((x - x.mean()) / x.std())) ** 2
            s = gaussian_filter1d(s, smoothing) if smoothing else s
            spectra.append(s / s.sum())
        distances.append(np.sqrt(1 - np.sqrt(spectra[0] * spectra[1]).sum()))
    made = spectral_hellinger(run, true, legacy="GTF", smoothing=smoothing)
    assert made.value == pytest.approx(np.mean(distances), rel=1e-8)


def test_legacy_hellinger_of_dysts_takes_a_hundred_bins_and_the_mean():
    true, run = lorenz63(3000) + 5, lorenz63(3000, seed=7)
    distances = []
    for c in range(3):
        p, q = (np.abs(np.fft.fft(x[:, c]))[:100] ** 2 for x in (true, run))
        distances.append(np.sqrt(1 - np.sqrt(p / p.sum() * (q / q.sum())).sum()))
    made = spectral_hellinger(run, true, legacy="dysts")
    assert made.value == pytest.approx(np.mean(distances), rel=1e-10)
    # A shift of the mean moves it, which says nothing about oscillations.
    assert made.value != pytest.approx(spectral_hellinger(run, true - 5, legacy="dysts").value, rel=0.1)
    with pytest.raises(SettingError, match="legacy"):
        spectral_hellinger(run, true, legacy="panda")


def test_the_bandwidth_is_in_frequency_and_not_in_bins():
    long = Series.from_array(lorenz63(20_000), interval=0.02)
    short = long.rows(0, 5_000)
    other = Series.from_array(roessler(20_000), interval=0.02, channels=long.channels)
    values = [spectral_hellinger(other.rows(0, n), s).value for n, s in ((20_000, long), (5_000, short))]
    assert values[0] == pytest.approx(values[1], abs=0.02)
    assert spectral_hellinger(other, long).settings["bandwidth"] == pytest.approx(0.1)
    near = spectral_hellinger(lorenz63(5_000, seed=8), short)
    assert near.value < 1.3 * near.floor < 0.2


def test_dead_runs_and_constant_truth_have_a_defined_spectrum_score():
    x = lorenz63(1000)
    flat = x.copy()
    flat[:, 1] = 3.0
    made = spectral_hellinger(flat, x)
    assert made.value == pytest.approx(1 / 3, abs=1e-6)
    assert "constant" in made.reason
    assert spectral_hellinger(x, flat).settings["channels"] == 2
    with pytest.raises(InsufficientData, match="constant"):
        spectral_hellinger(x, np.ones((1000, 3)))
    with pytest.raises(DataError, match="shape"):
        spectral_hellinger(x[:, :2], x)
