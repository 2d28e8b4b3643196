"""Sample, approximate, fuzzy and multiscale entropies: exact values, slow oracles, short data, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erf
from systems import autoregressive, henon, logistic

import takens
from takens.checks import check_measure
from takens.errors import InsufficientData, SettingError
from takens.measures import REGISTRY
from takens.measures.base import Refused
from takens.measures.entropies import coarse_grained, template_matches
from takens.measures.entropies.templates import fuzzy_template_matches

NOISE = np.random.default_rng(0).normal(size=100_000)


@pytest.mark.parametrize("name", [name for name in REGISTRY if "multiscale" in name or name == "fuzzy_entropy"])
def test_contract(name):
    assert check_measure(REGISTRY[name])


@pytest.mark.parametrize(
    ("x", "dimension", "radius", "exact"),
    [
        ([0, 1, 5, 4, 1, 0, 1, 5, 3], 2, 0.2, np.log(2)),
        ([1, 2, 1, 2.4, 1, 4], 1, 0.5, np.log(2)),
        ([0, 20, 1, 2, 3, 4, 40, 60, 1.4, 2.4, 3.4, 80, 100, 1.4, 2.4, 3.4, 4, 120, 140, 180], 3, 0.5, np.log(4)),
    ],
)
def test_cases_by_hand(x, dimension, radius, exact):
    # The last template of m values must be left out, or these come out wrong.
    assert template_matches(np.array(x, dtype=float), dimension, 1, radius).entropy == pytest.approx(exact)


def test_exact_values_of_white_noise():
    assert -np.log(erf(0.1)) == pytest.approx(2.18513, abs=1e-5)
    normal = takens.sample_entropy(NOISE, level=0.99)
    assert float(normal) == pytest.approx(2.18513, abs=0.02)
    assert normal.interval[0] < 2.18513 < normal.interval[1]
    uniform = takens.sample_entropy(np.random.default_rng(1).random(100_000), level=0.99)
    assert float(uniform) == pytest.approx(2.18804, abs=0.02)
    assert uniform.interval[0] < 2.18804 < uniform.interval[1]


def slow_matches(x, dimension, delay, radius):
    count = len(x) - dimension * delay
    full = np.stack([x[k * delay : k * delay + count] for k in range(dimension + 1)], axis=1)

    def near(rows):
        return (np.abs(rows[:, None] - rows[None]).max(axis=2) <= radius).sum(axis=1) - 1

    return near(full[:, :-1]), near(full)


@pytest.mark.parametrize(("dimension", "delay"), [(1, 1), (2, 1), (2, 3), (3, 1), (4, 2)])
@pytest.mark.parametrize("digits", [0, 1, 12])
def test_matches_agree_with_all_pairs(dimension, delay, digits):
    # Rounded values bring ties and differences that equal the radius, which count as matches.
    x = np.round(np.random.default_rng(dimension).normal(size=400), digits)
    found = template_matches(x, dimension, delay, 0.5)
    shorter, longer = slow_matches(x, dimension, delay, 0.5)
    assert found.shorter.tolist() == shorter.tolist()
    assert found.longer.tolist() == longer.tolist()


def test_no_match_is_no_number():
    ladder = np.cumsum(np.arange(60.0))
    estimate = takens.sample_entropy(ladder, radius=0.5)
    assert estimate.value is None  # elsewhere 0, inf or NaN
    assert "radius" in estimate.reason
    with pytest.raises(InsufficientData):
        float(estimate)
    assert template_matches(ladder, 2, 1, 0.5).pairs == (0, 0)
    few = takens.sample_entropy(NOISE[:60], dimension=3)
    assert not few.admissible
    with pytest.raises(Refused):
        template_matches(np.arange(3.0), 2, 1, 1.0)
    for settings in ({"tolerance": 0.0}, {"radius": -1.0}, {"dimension": 0}, {"delay": 0}):
        with pytest.raises(SettingError):
            takens.sample_entropy(NOISE[:500], **settings)


def test_periodic_is_zero_and_delay_is_obeyed():
    period = np.tile([0.0, 1, 3, 2], 300)
    assert takens.sample_entropy(period).value == pytest.approx(0, abs=0.01)
    slow = autoregressive(3000, 0.97)
    assert takens.sample_entropy(slow, delay=20).value > takens.sample_entropy(slow).value + 0.5


@pytest.mark.parametrize(("dimension", "delay"), [(1, 1), (2, 1), (3, 1), (2, 4)])
def test_approximate_entropy_by_its_definition(dimension, delay):
    x = NOISE[:300]
    r = 0.2 * x.std()

    def phi(m):
        count = len(x) - (m - 1) * delay
        rows = np.stack([x[k * delay : k * delay + count] for k in range(m)], axis=1)
        share = (np.abs(rows[:, None] - rows[None]).max(axis=2) <= r).mean(axis=1)
        return np.log(share).mean()

    want = phi(dimension) - phi(dimension + 1)
    assert takens.approximate_entropy(x, dimension=dimension, delay=delay).value == pytest.approx(want)


@pytest.mark.parametrize("power", [2.0, 1.5])
def test_fuzzy_entropy_by_its_definition(power):
    x, r = NOISE[:200], 0.3
    totals = []
    for m in (2, 3):
        rows = np.stack([x[k : k + 198] for k in range(m)], axis=1)
        rows = rows - rows.mean(axis=1, keepdims=True)
        likeness = np.exp(-((np.abs(rows[:, None] - rows[None]).max(axis=2) / r) ** power))
        totals.append(likeness.sum() - 198)
    found = fuzzy_template_matches(x, 2, 1, r, power)
    assert found.entropy == pytest.approx(-np.log(totals[1] / totals[0]))
    assert takens.fuzzy_entropy(x, radius=r, power=power).value == pytest.approx(found.entropy)
    with pytest.raises(SettingError, match="power"):
        takens.fuzzy_entropy(x, power=0.0)


def test_coarse_graining():
    x = np.arange(10.0)
    assert coarse_grained(x, 3).tolist() == [1, 4, 7]
    assert coarse_grained(x, 3, 2).tolist() == [3, 6]
    assert coarse_grained(x, 1).tolist() == x.tolist()


def test_composite_forms_by_their_definitions():
    x = NOISE[:700]
    r = 0.15 * x.std()
    for scale in (1, 2, 3):
        parts = [template_matches(coarse_grained(x, scale, k), 2, 1, r) for k in range(scale)]
        b, a = (sum(part.pairs[i] for part in parts) for i in (0, 1))
        want = {
            "multiscale_entropy": parts[0].entropy,
            "composite_multiscale_entropy": np.mean([part.entropy for part in parts]),
            "refined_composite_multiscale_entropy": -np.log(a / b),
        }
        for name, value in want.items():
            assert REGISTRY[name](x, scales=3).value[scale - 1] == pytest.approx(value)


def pink(n, seed=0):
    rng = np.random.default_rng(seed)
    frequency = np.fft.rfftfreq(n)[1:]
    spectrum = rng.normal(size=len(frequency)) + 1j * rng.normal(size=len(frequency))
    return np.fft.irfft(np.concatenate([[0], spectrum / np.sqrt(frequency)]), n)


def test_white_noise_falls_with_the_scale_and_pink_noise_does_not():
    white = takens.multiscale_entropy(NOISE[:20_000], scales=10)
    assert (np.diff(white.value) < 0).all()
    # Means of k normal values have standard deviation 1 / sqrt k: -ln erf(0.075 sqrt k), exactly.
    exact = -np.log(erf(0.075 * np.sqrt(np.arange(1, 11))))
    np.testing.assert_allclose(white.value, exact, atol=0.06)
    flat = takens.multiscale_entropy(pink(20_000), scales=10)
    assert np.ptp(flat.value[1:]) < 0.25
    assert white.admissible
    assert flat.admissible


def test_curves_end_where_nothing_matches():
    short = takens.multiscale_entropy(NOISE[:220], scales=20)
    assert not short.admissible
    assert np.isfinite(short.value).all()
    with pytest.raises(SettingError, match="scales"):
        takens.multiscale_entropy(NOISE[:220], scales=100)


@pytest.mark.parametrize(
    ("make", "exact"),
    [
        (lambda n, s: np.random.default_rng(s).normal(size=n), 2.18513),
        (lambda n, s: autoregressive(n, 0.5, seed=s), None),
        (lambda n, s: logistic(n, seed=s), None),
        (lambda n, s: henon(n, seed=s)[:, 0], None),
    ],
    ids=["normal", "autoregressive", "logistic", "henon"],
)
def test_interval_of_sample_entropy_covers(make, exact):
    truth = exact or np.mean([takens.sample_entropy(make(50_000, 500 + s)).value for s in range(3)])
    ends = [takens.sample_entropy(make(2000, s), level=0.95).interval for s in range(150)]
    assert 0.90 <= np.mean([low <= truth <= high for low, high in ends]) <= 1


@pytest.mark.long
@pytest.mark.parametrize("name", ["multiscale_entropy", "refined_composite_multiscale_entropy", "fuzzy_entropy"])
def test_intervals_cover(name):
    settings = {} if name == "fuzzy_entropy" else {"scales": 3}
    one, n = REGISTRY[name], 1500
    longest = 8000 if name == "fuzzy_entropy" else 20_000
    truth = np.mean([one(autoregressive(longest, 0.5, seed=400 + s), **settings).value for s in range(12)], axis=0)
    hits = []
    for seed in range(150):
        low, high = one(autoregressive(n, 0.5, seed=seed), level=0.95, **settings).interval
        hits.append((low <= truth) & (truth <= high))
    assert (np.mean(hits, axis=0) >= 0.90).all()
