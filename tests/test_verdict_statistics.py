"""Repeats, spreading, local linear predictions and cycle maps: against slow oracles and known answers."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, henon, logistic, lorenz63

from takens.bank.families import sources
from takens.random import generator
from takens.verdicts.cycle_map import NAMES as MAPPED
from takens.verdicts.cycle_map import cycle_map, foretold
from takens.verdicts.local_linear import NAMES as LOCAL
from takens.verdicts.local_linear import SIZES, Neighbourhoods, local_linear
from takens.verdicts.repeats import NAMES as REPEATING
from takens.verdicts.repeats import overlap, repeats
from takens.verdicts.spreading import NAMES as SPREADING
from takens.verdicts.spreading import spreading


def standard(x: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / x.std()


@pytest.fixture(scope="module")
def lorenz() -> np.ndarray:
    return standard(lorenz63(12_000)[:, 0])


def humps(cycles: int, noise: float = 0.0) -> np.ndarray:
    """A cycle of 600 samples with 12 humps that are not alike."""
    t = np.arange(600 * cycles)
    heights = generator(1, "humps").normal(size=12)
    wave = np.sin(2 * np.pi * t / 50) * heights[(t % 600) // 50]
    return standard(standard(wave) + noise * generator(2, "noise").normal(size=len(t)))


def test_overlap_is_the_correlation_of_what_overlaps() -> None:
    x = generator(0, "x").normal(size=300)
    found = overlap(x)
    assert found[0] == pytest.approx(1)
    for lag in (1, 7, 150, 260):
        a, b = x[:-lag], x[lag:]
        assert found[lag] == pytest.approx(a @ b / np.sqrt((a @ a) * (b @ b)), abs=1e-9)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
def test_a_long_cycle_repeats_itself_up_to_its_noise(noise: float) -> None:
    found = repeats(humps(4, noise), 50.0)
    assert set(found) == set(REPEATING)
    missed = noise**2 / (1 + noise**2)
    assert np.exp(found["repeat_miss"]) == pytest.approx(max(missed, 1e-5), rel=0.2)
    assert np.exp(found["repeat_lag"]) * 2400 % 600 == pytest.approx(0, abs=1)
    if noise:
        # A difference of two normal numbers: its median is 0.6745 of its standard deviation.
        assert np.exp(found["repeat_median"]) == pytest.approx(0.6745 * np.sqrt(2 * missed), rel=0.1)
        assert found["repeat_trend"] == pytest.approx(0, abs=0.15)


def test_chaos_and_noise_do_not_repeat_themselves(lorenz: np.ndarray) -> None:
    assert np.exp(repeats(lorenz, 40.0)["repeat_miss"]) > 0.3
    assert np.exp(repeats(standard(autoregressive(5000, 0.8)), 10.0)["repeat_miss_half"]) > 0.8
    assert repeats(np.linspace(-1.7, 1.7, 500), 400.0) == {}  # never falls


def test_near_states_part_at_the_pace_of_the_exponent() -> None:
    """The logistic map at 3.7 has the exponent 0.354 a step; the mean over all steps is the same as over neighbours."""
    x = standard(logistic(20_000, 3.7))
    found = spreading(x, 2.0, 1, 10)
    assert found["apart_growth_3"] / 4 == pytest.approx(0.354, rel=0.2)  # from 2 to 6 steps
    assert found["apart_growth_10"] / 14 == pytest.approx(0.354, rel=0.2)  # from 6 to 20


def test_regular_motion_stays_together_and_noise_never_is() -> None:
    t = np.arange(6000)
    torus = standard(np.sin(0.0712 * t) + np.sin(0.0712 * 2**0.5 * t))
    found = spreading(torus, 88.0, 20, 40)
    assert set(found) == set(SPREADING)
    assert found["apart_10"] < -2.5
    assert abs(found["apart_growth_10"]) < 0.3
    noise = spreading(standard(generator(0, "noise").normal(size=4000)), 3.0, 1, 5)
    assert noise["apart_1"] < -0.2  # three samples later two of five values are still the same
    assert noise["apart_3"] == pytest.approx(0, abs=0.15)
    assert spreading(torus[:30], 88.0, 20, 4) == {}


def test_local_fits_are_least_squares_of_the_nearest() -> None:
    x = standard(henon(600)[:, 0])
    one = Neighbourhoods.of(x, 3, 1, 4, [1, 3])
    assert one is not None
    errors = one.errors()
    assert errors.shape == (5, 2)  # up to a quarter of 600 states
    for row, size in enumerate(SIZES[:5]):
        missed = []
        for s in range(len(one.truth)):
            ridge = 1e-6 * (one.offset[s, :size] ** 2).sum() / 3 + 1e-14
            design = np.vstack([
                np.column_stack([np.ones(size), one.offset[s, :size]]),
                np.column_stack([np.zeros(3), np.sqrt(ridge) * np.eye(3)]),
            ])  # fmt: skip
            later = one.later[s, :size]
            fit = np.linalg.lstsq(design, np.vstack([later, np.zeros((3, 2))]), rcond=None)[0][0]
            low, high = later.min(axis=0), later.max(axis=0)
            missed.append(np.clip(fit, low - (high - low) / 2, high + (high - low) / 2) - one.truth[s])
        np.testing.assert_allclose(errors[row], np.sqrt(np.mean(np.square(missed), axis=0)) / x.std(), rtol=1e-4)


def test_a_law_is_seen_by_looking_close_and_noise_is_not(lorenz: np.ndarray) -> None:
    law = local_linear(lorenz, 40.0, 8, 40)
    assert set(law) == set(LOCAL)
    assert law["closeness_delay"] == pytest.approx(1, abs=0.15)
    assert law["local_gain_cycle"] < -1
    x = standard(autoregressive(6000, 0.9))
    linear = local_linear(x, 20.0, 5, 20)
    assert linear["closeness_delay"] == pytest.approx(0, abs=0.1)
    assert linear["few_delay"] > 0.2  # eight are few for six numbers
    assert linear["fine_gain_1"] == pytest.approx(0, abs=0.05)
    assert local_linear(x[:90], 20.0, 5, 4) == {}


def test_errors_of_a_diffusion_grow_like_a_root() -> None:
    """Ornstein-Uhlenbeck with a memory of 200 samples: variance s samples ahead is proportional to s."""
    x = standard(autoregressive(20_000, np.exp(-1 / 200)))
    found = local_linear(x, 600.0, 100, 200)
    assert found["fine_growth"] == pytest.approx(0.5, abs=0.04)
    assert found["fine_error"] == pytest.approx(0.5 * np.log(2 / 200), abs=0.15)


def test_the_next_row_is_foretold_from_the_nearest() -> None:
    given = generator(0, "given").normal(size=(60, 2))
    wanted = given[:, 0] + generator(0, "wanted").normal(size=60)
    missed = []
    for i in range(59):
        distance = (((given[:-1] - given[i]) / given[:-1].std(axis=0)) ** 2).sum(axis=1)
        distance[i] = np.inf
        missed.append(wanted[1:][np.argsort(distance)[:3]].mean() - wanted[i + 1])
    assert foretold(given, wanted) == pytest.approx(np.sqrt(np.mean(np.square(missed))) / wanted[1:].std())


def test_chaos_has_a_map_from_cycle_to_cycle_and_released_spikes_have_none() -> None:
    """The maxima of z of the Lorenz system follow a map (Lorenz 1963); spikes that noise releases do not."""
    z = standard(lorenz63(20_000)[:, 2])
    found = cycle_map(z, 37.0)
    assert set(found) == set(MAPPED)
    assert found["map_top"] < 0.25
    source = sources()["excitable FitzHugh-Nagumo"]
    settings = {"a": 1.05, "spread": 0.25, "dt": 0.15, "observable": "x"}
    spikes = standard(source.signal(settings, 8000, 1.0, 0.0, generator(3, "spikes")))
    released = cycle_map(spikes, 40.0)
    assert released["map_length"] > 0.9
    assert released["map_best"] > 0.6
    assert released["map_best"] > 2 * found["map_best"]
    assert cycle_map(z[:500], 37.0) == {}  # too few cycles
