"""Manifolds of saddles against closed forms, and against what invariance means."""

from __future__ import annotations

import numpy as np
import pytest

from takens.dynamics.cycles import cycles
from takens.dynamics.fixed_points import fixed_points
from takens.dynamics.manifolds import backwards, manifold
from takens.errors import SettingError
from takens.systems import ArrayRule, Map, orbit, system


def distance(points: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """From each point `(point, 2)` to the chords of a curve."""
    start, chord = curve[:-1], np.diff(curve, axis=0)
    found = np.empty(len(points))
    for i, point in enumerate(points):
        share = np.clip(((point - start) * chord).sum(axis=1) / np.maximum((chord**2).sum(axis=1), 1e-300), 0, 1)
        found[i] = np.linalg.norm(start + share[:, None] * chord - point, axis=1).min()
    return found


@pytest.mark.parametrize("signs", [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_a_linear_map_has_straight_lines(signs: tuple[int, int]) -> None:
    turn = np.array([[0.8, 0.6], [-0.6, 0.8]])
    matrix = turn @ np.diag([2.5 * signs[0], 0.3 * signs[1]]) @ turn.T
    texts = [f"({row[0]!r})*x + ({row[1]!r})*y" for row in matrix.tolist()]
    linear = system({"kind": "map", "equations": dict(zip("xy", texts, strict=True)), "initial": [0.0, 0.0]})
    for column, kind, value in ((0, "unstable", 2.5 * signs[0]), (1, "stable", 0.3 * signs[1])):
        found = manifold(linear, [0.0, 0.0], kind, length=3.0)
        assert found.eigenvalue == pytest.approx(value)
        assert found.ended == ("length", "length")
        for curve in found.branches:
            assert np.abs(curve @ turn[:, 1 - column]).max() < 1e-12
            along = curve @ turn[:, column]
            assert (np.diff(np.abs(along)) > 0).all()
            assert np.abs(along[-1]) == pytest.approx(3.0, abs=0.004)
            assert np.abs(np.diff(along)).max() <= 0.003 + 1e-12


def test_a_map_with_curved_manifolds_in_closed_form() -> None:
    """x' = 2x, y' = y/2 + 3 x^2 has the unstable manifold y = 6/7 x^2, and the stable one x = 0."""
    curved = system({"kind": "map", "equations": {"x": "2*x", "y": "0.5*y + 3*x**2"}, "initial": [0.0, 0.0]})
    unstable = manifold(curved, [0.0, 0.0], length=5.0)
    for curve in unstable.branches:
        assert np.abs(curve[:, 1] - 6 / 7 * curve[:, 0] ** 2).max() < 1e-10
    stable = manifold(curved, [0.0, 0.0], "stable", length=5.0)
    assert np.abs(stable.branches[0][:, 0]).max() < 1e-12


def test_henon_is_invariant() -> None:
    henon = system("Henon")
    saddle = fixed_points(henon).points[1]
    unstable = manifold(henon, saddle, length=30.0, spacing=0.005, bend=0.1)
    whole = np.concatenate([unstable.branches[0][::-1], unstable.branches[1]])
    # Images of points whose images are within the length lie on the curve, up to the sagitta of a chord.
    inner = np.concatenate([branch[: len(branch) // 4 : 7] for branch in unstable.branches])
    assert distance(henon.rhs(0.0, inner), whole).max() < 1e-4
    fine = manifold(henon, saddle, length=30.0, spacing=0.001, bend=0.03)
    dense = np.concatenate([fine.branches[0][::-1], fine.branches[1]])
    assert distance(inner[::5], dense).max() < 2e-6
    # Its closure is the attractor.
    attractor = orbit(henon, henon.initial, np.arange(1000.0, 1200.0))
    assert distance(attractor, whole).max() < 0.02


def test_stable_manifolds_arrive() -> None:
    henon = system("Henon")
    saddle = fixed_points(henon).points[1]
    stable = manifold(henon, saddle, "stable", length=8.0)
    for curve in stable.branches:
        states = curve[::50]
        for _ in range(12):
            states = henon.rhs(0.0, states)
        assert np.linalg.norm(states - saddle, axis=1).max() < 1e-3
    # The same without equations: derivatives are differences.
    rule = ArrayRule(("x", "y"), lambda t, x, p: henon.rhs(t, x))
    coded = manifold(Map("array", rule, {}, henon.initial), saddle, "stable", length=2.0)
    assert distance(coded.branches[0][::100], stable.branches[0]).max() < 3e-5  # a chord's sagitta


def test_a_point_of_a_cycle() -> None:
    henon = system("Henon")
    two = cycles(henon, 2).orbits[0]
    found = manifold(henon, two.states[0], length=2.0, period=2)
    assert found.eigenvalue == pytest.approx(two.multipliers[0].real)
    curve = np.concatenate([found.branches[0][::-1], found.branches[1]])
    assert distance(henon.rhs(0.0, henon.rhs(0.0, found.branches[0][:50:5])), curve).max() < 1e-4


def test_what_escapes_says_so() -> None:
    henon = system("Henon")
    outer = fixed_points(henon).points[0]
    found = manifold(henon, outer, length=100.0)
    assert sorted(found.ended) == ["length", "length"]
    assert max(np.abs(branch).max() for branch in found.branches) > 40
    blow = system({"equations": {"x": "x + x**3", "y": "-y"}, "initial": [0.1, 0.0]})
    assert manifold(blow, [0.0, 0.0], length=3.0).ended == ("length", "length")
    assert manifold(blow, [0.0, 0.0], length=1e9).ended == ("diverges", "diverges")


def test_separatrices_of_double_well_and_pendulum() -> None:
    well = system({"equations": {"x": "y", "y": "x - x**3"}, "initial": [0.1, 0.0]})
    for kind in ("unstable", "stable"):
        found = manifold(well, [0.0, 0.0], kind, length=2.5)
        for curve in found.branches:
            x, y = curve.T
            assert np.abs(y**2 / 2 - x**2 / 2 + x**4 / 4).max() < 1e-10
            assert np.abs(x).max() == pytest.approx(np.sqrt(2), abs=1e-5)
    pendulum = system({"equations": {"q": "p", "p": "-sin(q)"}, "initial": [0.1, 0.0]})
    found = manifold(pendulum, [np.pi, 0.0], length=5.0)
    for curve in found.branches:
        assert np.abs(np.abs(curve[:, 1]) - 2 * np.abs(np.cos(curve[:, 0] / 2))).max() < 1e-9
    assert np.abs(np.diff(found.branches[0], axis=0)).max() <= 0.005


def test_a_heteroclinic_ends_at_a_fixed_point() -> None:
    damped = system({"equations": {"x": "x - x**3", "y": "-y"}, "initial": [0.1, 0.0]})
    found = manifold(damped, [0.0, 0.0], length=5.0)
    assert found.ended == ("fixed point", "fixed point")
    assert sorted(branch[-1, 0] for branch in found.branches) == pytest.approx([-1, 1], abs=1e-6)
    assert found.lengths == pytest.approx((1, 1), abs=1e-6)


def test_lorenz_origin_unstable_branches_mirror() -> None:
    found = manifold(system("Lorenz63"), [0.0, 0.0, 0.0], length=200.0)
    first, second = found.branches
    assert found.eigenvalue == pytest.approx((-11 + np.sqrt(1201)) / 2)
    rows = min(len(first), len(second))
    assert np.abs(first[:rows] * [-1, -1, 1] - second[:rows]).max() < 1e-5


def test_backwards_undoes_a_flow() -> None:
    lorenz = system("Lorenz63")
    end = orbit(lorenz, lorenz.initial, np.array([0.0, 0.5]), tolerance=1e-13)[1]
    back = orbit(backwards(lorenz), end, np.array([0.0, 0.5]), tolerance=1e-13)[1]
    assert back == pytest.approx(lorenz.initial, abs=1e-8)


def test_refusals() -> None:
    lorenz = system("Lorenz63")
    with pytest.raises(SettingError, match="2 stable directions"):
        manifold(lorenz, [0, 0, 0], "stable", length=10.0)
    with pytest.raises(SettingError, match="no fixed point"):
        manifold(lorenz, [1, 2, 3], length=10.0)
    with pytest.raises(SettingError, match="kinds"):
        manifold(lorenz, [0, 0, 0], "centre", length=10.0)
    with pytest.raises(SettingError, match="backwards"):
        backwards(system("Henon"))
