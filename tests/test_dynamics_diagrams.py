"""Orbit diagrams: thresholds and windows that are known, events on orbits in closed form, hysteresis."""

from __future__ import annotations

import numpy as np
import pytest

from takens.dynamics.diagrams import DIVERGED, orbit_diagram, parameter_plane
from takens.dynamics.record import events, period_of
from takens.errors import SettingError
from takens.systems import system

LOGISTIC = system("Logistic")
OSCILLATOR = system({"name": "oscillator", "equations": {"x": "w*y", "y": "-w*x"}, "parameters": {"w": 1.0},
                     "initial": [1.0, 0.0], "period": 6.283})  # fmt: skip
FOLD = system({"name": "fold", "equations": {"x": "mu + x - x**3"}, "parameters": {"mu": 0.0}, "initial": [-1.0],
               "period": 1.0})  # fmt: skip


@pytest.mark.parametrize(
    ("threshold", "before", "after"),
    [(3.0, 1, 2), (1 + np.sqrt(6), 2, 4), (3.5440903, 4, 8), (3.5644073, 8, 16), (1 + np.sqrt(8), 0, 3)],
)
def test_periods_of_the_logistic_map_change_where_they_must(threshold: float, before: int, after: int) -> None:
    around = threshold + 1e-3 * np.array([-1, 1])
    found = orbit_diagram(LOGISTIC, "r", around, transient=20_000, longest=32)
    assert found.periods.tolist() == [before, after]


def test_period_doubling_accumulates_at_the_feigenbaum_point() -> None:
    r = np.linspace(3.5, 3.62, 241)
    found = orbit_diagram(LOGISTIC, "r", r, transient=20_000, longest=64, closeness=1e-5)
    doubling = np.isin(found.periods, [4, 8, 16, 32, 64])
    assert r[doubling & (r < 3.58)].max() == pytest.approx(3.5699456, abs=2e-3)
    assert (np.diff(found.periods[(r < 3.5685)]) >= 0).all()


def test_windows_and_states_of_the_logistic_map() -> None:
    found = orbit_diagram(LOGISTIC, "r", [2.5, 3.2, 3.83, 3.739, 3.9057, 3.9, 4.5], length=128, transient=5000)
    assert found.periods.tolist() == [1, 2, 3, 5, 5, 0, DIVERGED]
    assert np.allclose(found.points[0], 1 - 1 / 2.5, atol=1e-12)
    r = 3.2
    pair = (r + 1 + np.array([-1, 1]) * np.sqrt((r - 3) * (r + 1))) / (2 * r)
    assert np.allclose(np.unique(found.points[1].round(12)), pair, atol=1e-10)
    assert len(found.points[-1]) == 0
    x, y = found.pairs()
    assert len(x) == len(y) == 6 * 128


def test_exponents_of_the_logistic_map() -> None:
    found = orbit_diagram(LOGISTIC, "r", [2.5, 3.2, 4.0, 4.5], lyapunov=True, length=20_000)
    assert found.exponents is not None
    # |f'| at the fixed point is |2 - r|, and along the orbit of period two |4 + 2 r - r^2| in two steps
    exact = [np.log(0.5), np.log(abs(4 + 2 * 3.2 - 3.2**2)) / 2, np.log(2)]
    assert np.allclose(found.exponents[:3], exact, atol=1e-4)
    assert np.isnan(found.exponents[3])


def test_maxima_of_the_roessler_flow_double() -> None:
    found = orbit_diagram(system("Rossler"), "c", [2.5, 3.5, 4.0, 5.7], transient=1000, lyapunov=True)
    assert found.periods.tolist() == [1, 2, 4, 0]
    assert found.exponents is not None
    assert np.allclose(found.exponents[:3], 0, atol=0.01)
    assert found.exponents[3] == pytest.approx(0.0714, abs=0.02)
    assert found.what == "maxima"


def test_maxima_and_crossings_lie_on_the_orbit() -> None:
    found = orbit_diagram(OSCILLATOR, "w", [0.7, 1.0, 1.3], initial=[0.3, 0.4], length=50)
    for points, w in zip(found.points, found.values, strict=True):
        assert np.allclose(points[:, 0], 0.5, atol=1e-6)
        assert np.allclose(points[:, 1], 0.0, atol=1e-5)
        assert len(points) in (int(50 * w / 2 / np.pi), int(50 * w / 2 / np.pi) + 1)
    found = orbit_diagram(OSCILLATOR, "w", [1.0], initial=[0.3, 0.4], length=50, section={"x": 0.3})
    assert np.allclose(found.points[0], [0.3, 0.4], atol=1e-6)
    assert found.periods[0] == 1


def test_events_are_found_to_fourth_order() -> None:
    errors = []
    for dt in (0.2, 0.1, 0.05):
        t = 0.3 + dt * np.arange(int(30 / dt))
        samples = np.column_stack([np.sin(t), np.cos(t)])[None]
        rates = np.column_stack([np.cos(t), -np.sin(t)])[None]
        member, points = events(samples, rates, dt, 0, 0.5)
        assert (member == 0).all()
        errors.append(np.abs(points - [0.5, np.sqrt(0.75)]).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > 3.6).all()


def test_the_sections_of_a_forced_flow_are_those_of_its_solution() -> None:
    forced = system({"name": "forced", "equations": {"x": "-a*x + cos(t)"}, "parameters": {"a": 1.0}, "initial": [3.0]})
    a = np.array([1.0, 2.0])
    found = orbit_diagram(forced, "a", a, interval=2 * np.pi, length=50, transient=20 * np.pi, follow="up")
    assert np.allclose([points[:, 0] for points in found.points], (a / (1 + a**2))[:, None], atol=1e-7)
    assert found.periods.tolist() == [1, 1]


def test_hysteresis_ends_at_the_folds() -> None:
    mu = np.linspace(-0.6, 0.6, 241)
    jumps = {}
    for follow in ("up", "down"):
        found = orbit_diagram(FOLD, "mu", mu, follow=follow, length=10, transient=500, initial=[0.9])
        assert found.resting.all()
        x = np.array([points[0, 0] for points in found.points])
        assert np.allclose(mu + x - x**3, 0, atol=1e-6)
        jumps[follow] = mu[np.argmax(np.abs(np.diff(x)))]
    fold = 2 / np.sqrt(27)
    assert jumps["up"] == pytest.approx(fold, abs=0.01)
    assert jumps["down"] == pytest.approx(-fold, abs=0.01)


def test_a_flow_at_rest_shows_its_equilibrium() -> None:
    found = orbit_diagram(system("Lorenz63"), "rho", [0.5, 10.0, 28.0], transient=300)
    assert found.resting.tolist() == [True, True, False]
    assert np.allclose(found.points[0], 0, atol=1e-6)
    z = found.points[1][0, 2]
    assert z == pytest.approx(9.0, abs=1e-6)
    assert found.periods[2] == 0


def test_the_plane_agrees_with_diagrams() -> None:
    henon = system("Henon")
    a, b = np.linspace(0.2, 1.4, 7), np.array([0.0, 0.3])
    periods = parameter_plane(henon, ("a", a), ("b", b), "period", initial=[0.1, 0.1])
    exponents = parameter_plane(henon, ("a", a), ("b", b), initial=[0.1, 0.1], length=5000)
    assert periods.values.shape == exponents.values.shape == (7, 2)
    row = orbit_diagram(henon.with_parameters(b=0.3), "a", a, initial=[0.1, 0.1])
    assert np.array_equal(periods.values[:, 1], row.periods)
    assert exponents.values[-1, 1] == pytest.approx(0.4192, abs=0.02)
    # b = 0 is the logistic map: a = r (r - 2) / 4
    assert periods.values[:, 0].tolist()[:4] == [1, 1, 1, 2]


def test_period_of() -> None:
    assert period_of(np.tile([1.0, 2.0, 3.0, 2.0], 5)) == 4
    assert period_of(np.ones((6, 2))) == 1
    assert period_of(np.arange(20.0)) == 0
    assert period_of([1.0, 2.0, 1.0]) == 0
    assert period_of([1.0, 1.1, 1.0, 1.1], closeness=0.2) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"values": []}, {"values": [np.nan]}, {"parameter": "s"}, {"follow": "left"}, {"length": -1},
        {"section": {"x": 0.1}}, {"state": "q"}, {"interval": 0.5}, {"dt": 0.1},
    ],
)  # fmt: skip
def test_unfit_settings_are_refused(wrong: dict) -> None:
    with pytest.raises(SettingError):
        orbit_diagram(LOGISTIC, **{"parameter": "r", "values": [3.5], **wrong})


def test_a_flow_needs_a_scale_of_time() -> None:
    bare = system({"equations": {"x": "-a*x"}, "parameters": {"a": 1.0}, "initial": [1.0]})
    with pytest.raises(SettingError, match="typical period"):
        orbit_diagram(bare, "a", [1.0])
    with pytest.raises(SettingError, match="depends on time"):
        orbit_diagram(system("Duffing"), "gamma", [0.3], follow="up")
    with pytest.raises(SettingError):
        parameter_plane(LOGISTIC, ("r", [3.0]), ("r", [3.0]))
