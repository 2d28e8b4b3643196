"""Sections and return times against closed forms, conserved quantities and Kac's lemma."""

from __future__ import annotations

import numpy as np
import pytest

from takens.dynamics.return_times import return_times
from takens.dynamics.sections import poincare_section, stroboscopic_section
from takens.errors import EquationError, SettingError
from takens.systems import ArrayRule, Flow, orbit, system

CIRCLE = {"name": "circle", "equations": {"x": "y", "y": "-x"}, "initial": [1.0, 0.0], "period": 2 * np.pi}


def test_a_circle_crosses_where_it_should() -> None:
    circle = system(CIRCLE)
    up = poincare_section(circle, "x = 0.5", count=20)
    # x = cos(t) grows through 1/2 at -pi/3 + 2 pi k.
    assert up.times == pytest.approx(2 * np.pi * np.arange(1, 21) - np.pi / 3, abs=1e-8)
    assert up.states[:, 1] == pytest.approx(np.full(20, np.sqrt(0.75)), abs=1e-8)
    assert up.intervals == pytest.approx(np.full(19, 2 * np.pi), abs=1e-8)
    both = poincare_section(circle, ([1.0, 0.0], 0.5), count=10, direction=0)
    assert both.times[::2] == pytest.approx(2 * np.pi * np.arange(5) + np.pi / 3, abs=1e-8)
    timed = poincare_section(circle, "x - 0.5", count=1000, duration=20.0)
    assert len(timed) == 3


def test_lorenz_maxima_lie_on_a_cusp() -> None:
    section = poincare_section(system("Lorenz63"), "x*y = beta*z", count=1500, direction=-1, transient=20)
    x, y, z = section.states.T
    assert np.abs(x * y - 8 / 3 * z).max() < 1e-6
    before, after = section.first_return("z")
    order = np.argsort(before)
    before, after = before[order], after[order]
    top = before[after.argmax()]
    left, right = before < top - 0.5, before > top + 0.5
    assert np.polyfit(before[left], after[left], 1)[0] > 1
    assert np.polyfit(before[right], after[right], 1)[0] < -1
    # Nearly one-dimensional: points with near arguments have near values.
    close = np.diff(before[left]) < 0.02
    assert np.median(np.abs(np.diff(after[left]))[close]) < 0.05
    with pytest.raises(SettingError, match="no state"):
        section.first_return("w")


def test_energy_on_a_section_of_henon_and_heiles() -> None:
    henon = system("HenonHeiles")
    names = henon.states
    assert names == ("x", "y", "px", "py")
    section = poincare_section(henon, "x = 0", count=200)
    x, y, px, py = section.states.T
    energy = (px**2 + py**2 + x**2 + y**2) / 2 + x**2 * y - y**3 / 3
    assert np.abs(x).max() < 1e-10
    assert (px > 0).all()
    assert np.ptp(energy) < 1e-8


def test_stroboscope_on_a_forced_oscillator() -> None:
    # x'' + 2 d x' + x = cos(w t) settles on a cos(w t) + b sin(w t).
    d, w = 0.2, 1.3
    forced = system({"equations": {"x": "v", "v": "cos(1.3*t) - x - 0.4*v"}, "initial": [0.0, 0.0]})
    a, b = np.array([1 - w * w, 2 * d * w]) / ((1 - w * w) ** 2 + (2 * d * w) ** 2)
    for phase in (0.0, 0.25):
        section = stroboscopic_section(forced, 2 * np.pi / w, count=5, transient=40, phase=phase)
        angle = 2 * np.pi * phase
        assert section.states[:, 0] == pytest.approx(np.full(5, a * np.cos(angle) + b * np.sin(angle)), abs=1e-8)
    assert section.times[0] == pytest.approx(40.25 * 2 * np.pi / w)


def test_refusals() -> None:
    lorenz = system("Lorenz63")
    for surface in ("z == 27", "z = 27 = x", "= 27", "z >= 27"):
        with pytest.raises(SettingError, match="surface"):
            poincare_section(lorenz, surface)
    with pytest.raises(EquationError):
        poincare_section(lorenz, "q = 27")
    with pytest.raises(SettingError, match="flow"):
        stroboscopic_section(system("Henon"), 1.0)
    with pytest.raises(SettingError, match="period"):
        stroboscopic_section(lorenz, -1.0)
    with pytest.raises(SettingError, match="ball"):
        return_times(lorenz, [0, 0, 0], -1.0)
    with pytest.raises(SettingError, match="centre"):
        return_times(lorenz, [0, 0], 1.0)


def test_kac_on_the_logistic_map() -> None:
    """The density 1 / (pi sqrt(x (1 - x))) gives every interval its measure, and that the mean return time."""
    logistic = system("Logistic", r=4.0)
    covered = 0
    for centre in (0.1, 0.3, 0.5, 0.7, 0.9):
        low, high = centre - 0.01, centre + 0.01
        measure = 2 / np.pi * (np.arcsin(np.sqrt(high)) - np.arcsin(np.sqrt(low)))
        found = return_times(logistic, [centre], 0.01, duration=400_000, initial=[0.2345])
        assert float(found) == pytest.approx(1 / measure, rel=0.06)
        assert found.details["measure"] == pytest.approx(measure, rel=0.06)
        covered += found.interval[0] <= 1 / measure <= found.interval[1]
    assert covered >= 4


def test_returns_of_a_rotation_take_three_times() -> None:
    golden = (np.sqrt(5) - 1) / 2
    angles = (0.123 + golden * np.arange(50_000)) % 1.0
    found = return_times(angles[:, None], [0.5], 0.04)
    # The three-gap theorem: two times and their sum.
    times = np.unique(found.details["times"])
    assert len(times) == 3
    assert times[2] == times[0] + times[1]
    assert float(found) == pytest.approx(1 / 0.08, rel=1e-3)


def test_times_in_small_sets_are_exponential() -> None:
    states = orbit(system("Henon"), system("Henon").initial, np.arange(1000.0, 401_000.0))
    times = return_times(states, states[12_345], 0.02).details["times"]
    assert len(times) > 1000
    late = times[times > 20] - 20  # an exponential time has no memory; soon after a visit there are correlations
    assert late.std() == pytest.approx(late.mean(), rel=0.15)


def test_a_flow_returns_to_a_ball_once_around() -> None:
    found = return_times(system(CIRCLE), [1.0, 0.0], 0.5, duration=1000.0)
    angle = 2 * np.arcsin(0.25)  # half of the arc within the ball
    assert found.details["times"] == pytest.approx(np.full(len(found.details["times"]), 2 * np.pi), abs=1e-6)
    assert found.details["measure"] == pytest.approx(2 * angle / (2 * np.pi), abs=1e-7)
    assert found.unit == "time units"
    never = return_times(system(CIRCLE), [3.0, 0.0], 0.5, duration=50.0)
    assert (never.value, never.admissible) == (None, False)
    rule = ArrayRule(("x", "y"), lambda t, x, p: np.stack([x[..., 1], -x[..., 0]], axis=-1))
    coded = return_times(Flow("array", rule, {}, [1.0, 0.0], period=6.28), [1.0, 0.0], 0.5, duration=40.0)
    assert coded.details["measure"] == pytest.approx(2 * angle / (2 * np.pi), abs=1e-6)
    assert not coded.admissible
