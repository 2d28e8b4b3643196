"""The verdict: chaos is found, noise and cycles are never called chaotic, and every step shows its evidence."""

from __future__ import annotations

import json

import numpy as np
import pytest
from systems import autoregressive, henon, logistic, lorenz63

import takens
from takens import Series
from takens.errors import SettingError
from takens.estimate import Estimate
from takens.measures import REGISTRY, measure_series
from takens.measures.verdict import CHAOTIC, INSUFFICIENT, LINEAR, NONSTATIONARY, PERIODIC, verdict


@pytest.mark.parametrize(
    "x",
    [
        lambda: Series.from_array(lorenz63(10_000)[:, 0], interval=0.02),
        lambda: henon(2000)[:, 0],
        lambda: logistic(2000),
    ],
    ids=["lorenz", "henon", "logistic"],
)
def test_chaos_is_found(x):
    found = verdict(x())
    assert found.classes == (CHAOTIC,)
    assert "uncalibrated" in found.sentence
    assert [step.question for step in found.steps][-1] == "Is it chaotic?"
    for step in found.steps:
        assert step.evidence
        assert step.threshold
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(text)["classes"] == [CHAOTIC]
    assert "exponent" in str(found).lower()


def test_cycles_are_not_chaos():
    t = np.arange(3000)
    noise = np.random.default_rng(0).normal(size=3000)
    for level in (0, 0.3):
        assert verdict(np.sin(0.0712 * t) + level * noise).classes == (PERIODIC,)
    torus = np.sin(0.0712 * np.arange(5000)) + np.sin(0.0712 * 2**0.5 * np.arange(5000))
    assert CHAOTIC not in verdict(torus).classes


def test_drift_short_and_constant_data():
    noise = np.random.default_rng(0).normal(size=2000)
    assert verdict(noise + np.arange(2000) / 500).classes == (NONSTATIONARY,)
    assert verdict(noise[:50]).classes == (INSUFFICIENT,)
    assert verdict(np.ones(500)).classes == (INSUFFICIENT,)
    assert verdict(np.round(noise / 3)).classes == (INSUFFICIENT,)
    assert "gap" not in verdict(noise[:50]).sentence


def noise_of(seed, longest=5000):
    rng = np.random.default_rng(seed)
    length, phi = int(rng.integers(200, longest + 1)), float(rng.choice([0, 0.3, 0.6, 0.8, 0.9, 0.95]))
    return autoregressive(length, phi, seed)


def test_linear_noise_is_never_chaotic_in_a_few_runs():
    found = [verdict(noise_of(seed, 1200), seed=seed).classes for seed in range(20)]
    assert not any(CHAOTIC in classes for classes in found)
    assert sum(LINEAR in classes for classes in found) >= 15


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_linear_noise_is_never_chaotic():
    found = [verdict(noise_of(seed), seed=seed).classes for seed in range(200)]
    assert not any(CHAOTIC in classes for classes in found)
    assert sum(LINEAR in classes for classes in found) >= 160


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_sine_and_noise_is_never_chaotic():
    for seed in range(100):
        rng = np.random.default_rng(seed)
        t = np.arange(int(rng.integers(300, 3000)))
        x = np.sin(2 * np.pi * t / rng.uniform(6, 80)) + 10 ** rng.uniform(-3, 0) * rng.normal(size=len(t))
        assert CHAOTIC not in verdict(x, seed=seed).classes


def test_known_estimates_are_used_and_not_computed_again():
    x = np.random.default_rng(0).normal(size=400)
    known = measure_series(x)
    first, second = verdict(x), verdict(x, estimates=known)
    assert first == second
    forged = {"surrogate_test": Estimate("surrogate_test", None, admissible=False, reason="forged")}
    assert verdict(x, estimates=forged).classes == (INSUFFICIENT,)


def test_measures_of_several_channels():
    values = np.stack([autoregressive(300, 0.5), np.ones(300)], axis=1)
    series = Series.from_array(values, channels=("a", "b"))
    calls = []
    found = measure_series(series, only=["autocorrelation", "permutation_entropy"], progress=lambda *c: calls.append(c))
    assert list(found) == [f"{m}[{c}]" for c in "ab" for m in ("autocorrelation", "permutation_entropy")]
    assert found["autocorrelation[a]"].admissible
    assert found["autocorrelation[b]"].reason == "the channel is constant"
    assert [c[1:] for c in calls] == [(i, 4) for i in range(4)]
    with pytest.raises(SettingError, match="no measure 'entropy'"):
        measure_series(series, only=["entropy"])
    with pytest.raises(SettingError, match="one channel"):
        verdict(series)
    with pytest.raises(SettingError, match="one trajectory"):
        measure_series([series, series])


def test_a_failing_measure_is_one_inadmissible_estimate(monkeypatch):
    from dataclasses import replace

    def broken(channel, **settings):
        raise ZeroDivisionError("on purpose")

    monkeypatch.setitem(REGISTRY, "autocorrelation", replace(REGISTRY["autocorrelation"], function=broken))
    found = measure_series(autoregressive(300), only=["autocorrelation"])["autocorrelation"]
    assert not found.admissible
    assert "on purpose" in found.reason


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_measure_is_reproducible_pure_and_documented(name):
    x = autoregressive(1200, 0.6)
    before = x.copy()
    measure = getattr(takens, name)
    first, second = measure(x, seed=3), measure(x, seed=3)
    np.testing.assert_array_equal(x, before)
    assert first.to_dict(details=True) == second.to_dict(details=True)
    assert measure.__doc__
    assert first.reference
    json.dumps(first.to_dict(details=True), allow_nan=False)
    for data in (np.ones(600), np.full(600, np.nan), np.arange(3.0)):
        refused = measure(data)
        assert not refused.admissible
        assert refused.reason
    holes = x.copy()
    holes[[5, 100]] = np.nan
    assert measure(holes).settings["rows"] != "all"
