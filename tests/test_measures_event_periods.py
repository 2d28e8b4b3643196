"""Periods of events: closed forms, false alarms on Poisson events, and intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest

from takens.errors import DataError, SettingError
from takens.measures.event_periods import event_period, phase_fold, phase_locking, z_squared


def pulsed(seed, events=300, period=7.3, depth=0.8, span=1000.0):
    """Events of the rate 1 + depth cos(2 pi t / period), by thinning."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, span, 4 * events)
    kept = t[rng.random(len(t)) * (1 + depth) < 1 + depth * np.cos(2 * np.pi * t / period)]
    return np.sort(kept[:events])


def test_z_squared_of_known_events():
    clock = 5.0 * np.arange(40)
    # All in phase: each harmonic gives 2 N.
    np.testing.assert_allclose(z_squared(clock, np.array([0.2, 0.4]), 1), [80, 80])
    np.testing.assert_allclose(z_squared(clock, np.array([0.2]), 3), [240])
    # Two opposite phases cancel at the fundamental and agree at its octave.
    np.testing.assert_allclose(z_squared(clock, np.array([0.1]), 1), [0], atol=1e-9)
    np.testing.assert_allclose(z_squared(clock, np.array([0.1]), 2), [80])


def test_phases_are_folded():
    phase, counts = phase_fold([0.0, 2.5, 5.0, 7.6, -1.0], 5.0, bins=4)
    np.testing.assert_allclose(phase, [0, 0.5, 0, 0.52, 0.8])
    assert counts.tolist() == [2, 0, 2, 1]
    with pytest.raises(SettingError, match="period"):
        phase_fold([1.0], 0.0)


def test_z_squared_is_chi_squared_at_random_phases():
    rng = np.random.default_rng(0)
    z = np.array([z_squared(rng.uniform(0, 100, 50), np.array([0.31]), 2)[0] for _ in range(4000)])
    assert z.mean() == pytest.approx(4, abs=0.15)
    assert z.var() == pytest.approx(8, rel=0.12)


def test_p_values_of_a_known_period_are_uniform():
    rng = np.random.default_rng(1)
    p = np.array([phase_locking(rng.uniform(0, 100, 12), 3.0).value for _ in range(4000)])
    for level in (0.01, 0.05, 0.5):
        # Four standard errors.
        assert np.mean(p <= level) == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 4000))


def test_the_period_is_found_and_its_interval_covers():
    inside = []
    for seed in range(60):
        estimate = event_period(pulsed(seed), unit="s")
        assert estimate.admissible
        inside.append(estimate.interval[0] <= 7.3 <= estimate.interval[1])
    assert estimate.unit == "s"
    assert estimate.value == pytest.approx(7.3, rel=0.01)
    # Nominal 0.9; four standard errors of 60 runs are 15 %.
    assert np.mean(inside) >= 0.8
    locked = phase_locking(pulsed(0), 7.3).details
    assert locked["strength"] == pytest.approx(0.4, abs=0.1)
    assert abs((locked["preferred_phase"] + 0.5) % 1 - 0.5) < 0.08


def test_sharp_pulses_need_harmonics():
    rng = np.random.default_rng(3)
    pulses = np.sort(np.concatenate([10.0 * rng.choice(200, 40, replace=False) + rng.normal(0, 0.2, 40),
                                     rng.uniform(0, 2000, 160)]))  # fmt: skip
    several = event_period(pulses, shortest=4.0, longest=50.0, harmonics=5)
    assert several.admissible
    assert several.value == pytest.approx(10, rel=0.002)
    assert several.details["p_value"] < event_period(pulses, shortest=4.0, longest=50.0).details["p_value"]


@pytest.mark.parametrize("harmonics", [1, 3])
def test_random_events_have_no_period(harmonics):
    rng = np.random.default_rng(2)
    alarms = [event_period(np.sort(rng.uniform(0, 200, 60)), harmonics=harmonics).admissible for _ in range(300)]
    # 5 % nominal and conservative; four standard errors are 5 %.
    assert np.mean(alarms) <= 0.1


def test_bad_events():
    with pytest.raises(DataError, match="10 events"):
        event_period(np.arange(5.0))
    with pytest.raises(DataError, match="increasing"):
        event_period(np.arange(20.0)[::-1])
    with pytest.raises(SettingError, match="shortest"):
        event_period(np.arange(20.0), shortest=30.0)
    assert "random times" in event_period(np.sort(np.random.default_rng(0).uniform(0, 100, 50))).reason
