"""Branches and bifurcations against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from takens.dynamics.continuation import Branch, continue_fixed_point
from takens.errors import SettingError
from takens.systems import Flow, Map, system


def law(equations: dict[str, str], kind: str = "flow", **parameters: float) -> Flow | Map:
    table = {"kind": kind, "equations": equations, "parameters": parameters, "initial": [0.0] * len(equations)}
    return system(table)


def kinds(branch: Branch) -> list[str]:
    return [event.kind for event in branch.bifurcations]


def test_around_a_fold() -> None:
    branch = continue_fixed_point(law({"x": "r + x**2"}, r=-1.0), "r", (-1.5, 1.0), initial=[-1.0])
    assert branch.values == pytest.approx(-(branch.states[:, 0] ** 2), abs=1e-11)
    assert kinds(branch) == ["fold"]
    assert branch.bifurcations[0].parameter == pytest.approx(0, abs=1e-9)
    assert branch.bifurcations[0].state == pytest.approx([0], abs=1e-5)
    assert branch.ended == "at r = -1.5"
    assert branch.states[-1, 0] == pytest.approx(np.sqrt(1.5))
    assert (branch.stable == (branch.states[:, 0] < 0)).all()


def test_pitchfork_and_transcritical() -> None:
    pitchfork = law({"x": "r*x - x**3", "y": "-y"}, r=-1.0)
    trunk = continue_fixed_point(pitchfork, "r", (-1.0, 1.0))
    assert kinds(trunk) == ["branch point"]
    assert trunk.bifurcations[0].parameter == pytest.approx(0, abs=1e-9)
    assert np.abs(trunk.states).max() < 1e-9
    assert (trunk.stable[0], trunk.stable[-1]) == (True, False)
    arm = continue_fixed_point(
        pitchfork.with_parameters(r=0.5), "r", (-1.0, 1.0), initial=[0.7, 0.0], direction=-1, step=0.01
    )
    assert kinds(arm)[0] == "fold"
    assert arm.values == pytest.approx(arm.states[:, 0] ** 2, abs=1e-9)
    crossing = continue_fixed_point(law({"x": "r*x - x**2"}, r=-1.0), "r", (-1.0, 1.0), initial=[-1.0])
    assert kinds(crossing) == ["branch point"]
    assert crossing.states[-1, 0] == pytest.approx(1.0)


def test_hopf_of_lorenz() -> None:
    lorenz = system("Lorenz63", rho=10.0)
    away = np.sqrt(8 / 3 * 9)
    branch = continue_fixed_point(lorenz, "rho", (10.0, 40.0), initial=[away, away, 9])
    exact = 10 * (10 + 8 / 3 + 3) / (10 - 8 / 3 - 1)
    assert exact == pytest.approx(24.7368, abs=1e-4)
    assert kinds(branch) == ["Hopf"]
    hopf = branch.bifurcations[0]
    assert hopf.parameter == pytest.approx(exact, rel=1e-9)
    # The frequency there: omega^2 = beta (sigma + rho).
    assert hopf.critical.imag == pytest.approx(np.sqrt(8 / 3 * (10 + exact)), rel=1e-7)
    assert branch.states[-1] == pytest.approx([np.sqrt(8 / 3 * 39)] * 2 + [39], rel=1e-10)
    down = continue_fixed_point(lorenz, "rho", (0.5, 40.0), initial=[away, away, 9], direction=-1)
    assert down.bifurcations[0].parameter == pytest.approx(1, abs=1e-7)
    origin = continue_fixed_point(system("Lorenz63", rho=0.5), "rho", (0.5, 5.0), initial=[0, 0, 0])
    assert kinds(origin) == ["branch point"]
    assert origin.bifurcations[0].parameter == pytest.approx(1, abs=1e-9)


def test_logistic_map() -> None:
    logistic = law({"x": "r*x*(1 - x)"}, "map", r=2.0)
    branch = continue_fixed_point(logistic, "r", (0.5, 4.0), initial=[0.5])
    assert kinds(branch) == ["period doubling"]
    assert branch.bifurcations[0].parameter == pytest.approx(3, abs=1e-9)
    assert branch.bifurcations[0].critical == pytest.approx(-1)
    assert branch.states[:, 0] == pytest.approx(1 - 1 / branch.values, abs=1e-11)
    assert branch.eigenvalues[:, 0] == pytest.approx(2 - branch.values, abs=1e-9)
    start = (4.2 + np.sqrt(4.2**2 - 4 * 3.2 * 4.2 / 3.2)) / (2 * 3.2)
    two = continue_fixed_point(logistic.with_parameters(r=3.2), "r", (3.1, 3.6), initial=[start], period=2)
    assert kinds(two) == ["period doubling"]
    assert two.bifurcations[0].parameter == pytest.approx(1 + np.sqrt(6), abs=1e-8)
    three = continue_fixed_point(
        logistic.with_parameters(r=3.84), "r", (3.8, 3.9), initial=[0.149407], period=3, direction=-1
    )
    fold = next(event for event in three.bifurcations if event.kind == "fold")
    assert fold.parameter == pytest.approx(1 + np.sqrt(8), abs=1e-8)


def test_henon_and_neimark_sacker() -> None:
    henon = law({"x": "1 - a*x**2 + y", "y": "b*x"}, "map", a=0.1, b=0.3)
    branch = continue_fixed_point(henon, "a", (-0.5, 1.4), initial=[0.9, 0.3])
    # The fixed point doubles its period at a = 3 (1 - b)^2 / 4; both appear in a fold at -(1 - b)^2 / 4.
    assert kinds(branch) == ["period doubling"]
    assert branch.bifurcations[0].parameter == pytest.approx(0.3675, abs=1e-8)
    back = continue_fixed_point(henon, "a", (-0.5, 1.4), initial=[0.9, 0.3], direction=-1)
    assert kinds(back)[0] == "fold"
    assert back.bifurcations[0].parameter == pytest.approx(-0.1225, abs=1e-8)
    # x' = a x (1 - y), y' = x: the delayed logistic map turns at a = 2, with multipliers exp(i pi / 3).
    delayed = law({"x": "a*x*(1 - y)", "y": "x"}, "map", a=1.5)
    turning = continue_fixed_point(delayed, "a", (1.2, 2.2), initial=[1 / 3, 1 / 3])
    assert kinds(turning) == ["Neimark-Sacker"]
    assert turning.bifurcations[0].parameter == pytest.approx(2, abs=1e-9)
    assert np.angle(turning.bifurcations[0].critical) == pytest.approx(np.pi / 3, abs=1e-7)


def test_a_closed_branch_ends_at_its_start() -> None:
    isola = law({"x": "x**2 + r**2 - 1"}, r=0.0)
    branch = continue_fixed_point(isola, "r", (-2.0, 2.0), initial=[1.0])
    assert branch.ended == "back at its start"
    assert kinds(branch) == ["fold", "fold"]
    assert [event.parameter for event in branch.bifurcations] == pytest.approx([1, -1], abs=1e-9)


def test_refusals() -> None:
    lorenz = system("Lorenz63")
    with pytest.raises(SettingError, match="unknown parameter"):
        continue_fixed_point(lorenz, "r", (0, 1))
    with pytest.raises(SettingError, match="limits"):
        continue_fixed_point(lorenz, "rho", (30, 40))
    with pytest.raises(SettingError, match="period"):
        continue_fixed_point(lorenz, "rho", (20, 40), period=2)
    with pytest.raises(SettingError, match="no fixed point"):
        continue_fixed_point(law({"x": "1 + x**2 + r"}, r=0.0), "r", (-2, 2))
