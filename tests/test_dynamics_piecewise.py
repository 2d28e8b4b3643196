"""Piecewise-linear maps: their regions and cycles against closed forms, equations with proofs, and brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import takens as tk
from takens.dynamics import cycles, piecewise_cycles
from takens.dynamics.piecewise_cycles import region_cycles
from takens.dynamics.piecewise_linear import PiecewiseLinear
from takens.errors import SettingError

LYNDON = (2, 1, 2, 3, 6, 9, 18, 30, 56, 99)
"""Words of two letters and length 1, 2, ... that are smaller than all their rotations."""


def tent(peak: float) -> PiecewiseLinear:
    """The skew tent map, x / p up to p and (1 - x) / (1 - p) from there, as one unit."""
    return PiecewiseLinear([[1 / peak]], [[-1 / (1 - peak) - 1 / peak]], [[1.0]], [-peak], [0.0])


def lozi(a: float, b: float) -> PiecewiseLinear:
    """x' = 1 - a |x| + y, y' = b x, as an almost-linear network: the unit is the last state, so y comes first."""
    # |x| = 2 relu(x) - x; states (y, x)
    weights = np.array([[0.0, 0.0], [1.0, -2 * a]])
    found = PiecewiseLinear.almost_linear([0.0, a], weights, [0.0, 1.0], 1)
    linear = found.linear.copy()
    linear[0, 1] = b
    return PiecewiseLinear(linear, found.outer, found.inner, found.threshold, found.offset)


def random_network(seed: int, states: int, units: int) -> PiecewiseLinear:
    rng = np.random.default_rng(seed)
    return PiecewiseLinear.almost_linear(
        rng.uniform(0.2, 0.9, states), 1.3 * rng.normal(size=(states, states)) / np.sqrt(states),
        0.5 * rng.normal(size=states), units,
    )  # fmt: skip


def test_forms_are_those_of_the_papers() -> None:
    rng = np.random.default_rng(0)
    decay, offset, z = rng.normal(size=5), rng.normal(size=5), rng.normal(size=(40, 5))
    weights, outer, inner, shift = (rng.normal(size=s) for s in ((5, 5), (5, 7), (7, 5), (7,)))
    mixed = np.concatenate([z[:, :3], np.maximum(z[:, 3:], 0)], axis=1)
    made = PiecewiseLinear.almost_linear(decay, weights, offset, 2)
    assert np.allclose(made.values(z), decay * z + mixed @ weights.T + offset, atol=1e-13)
    plain = PiecewiseLinear.shallow(decay, outer, inner, shift, offset, clipped=False)
    hidden = np.maximum(z @ inner.T + shift, 0)
    assert np.allclose(plain.values(z), decay * z + hidden @ outer.T + offset, atol=1e-13)
    clipped = PiecewiseLinear.shallow(decay, outer, inner, shift, offset, clipped=True)
    hidden = hidden - np.maximum(z @ inner.T, 0)
    assert np.allclose(clipped.values(z), decay * z + hidden @ outer.T + offset, atol=1e-12)
    for one in (made, plain, clipped):
        slopes, shifts = one.affine(one.regions(z))
        assert np.allclose((slopes @ z[..., None])[..., 0] + shifts, one.values(z), atol=1e-12)
        system = one.system()
        near = (one.values(z + 1e-7 * np.eye(5)[1]) - one.values(z - 1e-7 * np.eye(5)[1])) / 2e-7
        assert np.allclose(system.jacobian(0.0, z)[..., 1], near, atol=1e-5)
        assert np.allclose(system.rhs(0.0, z), one.values(z))


@pytest.mark.parametrize("method", ["enumeration", "search"])
def test_all_cycles_of_the_skew_tent_map(method: str) -> None:
    """Each word of branches has one cycle: the fixed point of the composed inverse branches."""
    peak = 0.37
    states = np.random.default_rng(0).random((300, 1))
    for period in range(1, 9):
        found = region_cycles(tent(peak), period, method=method, states=states, starts=2000)
        assert len(found) == LYNDON[period - 1]
        assert found.complete == (method == "enumeration")
        expected = set()
        for word in product((0, 1), repeat=period):
            slope, shift = 1.0, 0.0
            for letter in word[::-1]:  # x = p y on the left, 1 - (1 - p) y on the right
                slope, shift = (peak * slope, peak * shift) if letter == 0 else (-(1 - peak) * slope,
                                                                                 1 - (1 - peak) * shift)  # fmt: skip
            expected.add(round(shift / (1 - slope), 9))
        points = {round(float(x), 9) for orbit in found.orbits for x in orbit.states[:, 0]}
        assert points <= expected
        for orbit in found.orbits:
            assert orbit.proved
            assert orbit.residual < 1e-12
            rights = int((orbit.states > peak).sum())
            multiplier = (1 / peak) ** (period - rights) * (-1 / (1 - peak)) ** rights
            assert orbit.multipliers[0] == pytest.approx(multiplier, rel=1e-12)


def test_lozi_map_agrees_with_proofs_from_its_equations() -> None:
    a, b = 1.7, 0.5
    made = lozi(a, b)
    equations = tk.system(
        {"name": "lozi", "kind": "map", "equations": {"y": f"{b}*x", "x": f"1 - {a}*abs(x) + y"},
         "initial": {"x": 0.1, "y": 0.1}}
    )  # fmt: skip
    z = np.random.default_rng(1).normal(size=(30, 2))
    assert np.allclose(made.values(z), equations.rhs(0.0, z))
    fixed = region_cycles(made, 1)
    right, left = 1 / (1 + a - b), 1 / (1 - a - b)
    assert np.allclose(sorted(float(o.states[0, 1]) for o in fixed.orbits), [left, right])
    assert all(orbit.stability == "saddle" for orbit in fixed.orbits)
    for period in (1, 2, 3, 4, 5, 6):
        mine = region_cycles(made, period)
        theirs = cycles(equations, period, [[-3, -3], [3, 3]], method="search", starts=2000)
        assert mine.complete
        assert len(mine) == len(theirs) > 0 or period in (3, 5)
        for one in theirs.orbits:
            assert min(np.abs(np.sort(o.states[:, 1]) - np.sort(one.states[:, 1])).max() for o in mine.orbits) < 1e-7


@pytest.mark.parametrize("seed", range(4))
def test_enumeration_finds_what_brute_force_and_search_find(seed: int) -> None:
    made = random_network(seed, 4, 3)
    for period in (1, 2, 3):
        found = region_cycles(made, period)
        points = {tuple(np.round(o.states[0], 7)) for o in found.orbits}
        letters = [np.array(on) for on in product((False, True), repeat=3)]
        slow = set()
        for word in product(letters, repeat=period):
            slope, shift = np.eye(4), np.zeros(4)
            for on in word:
                step, move = made.affine(on)
                slope, shift = step @ slope, step @ shift + move
            z = np.linalg.solve(np.eye(4) - slope, shift)
            orbit = made.orbit(z, period + 1)
            inside = all((made.regions(x) == on).all() for x, on in zip(orbit, word, strict=False))
            if inside and not any(np.allclose(orbit[q], z, atol=1e-9) for q in range(1, period)):
                first = np.lexsort(orbit[:period].T[::-1])[0]
                slow.add(tuple(np.round(orbit[first], 7)))
        assert points == slow
        searched = region_cycles(
            made, period, method="search", states=3 * np.random.default_rng(0).normal(size=(500, 4))
        )
        assert {tuple(np.round(o.states[0], 7)) for o in searched.orbits} <= points
        if period == 1:
            assert len(searched) == len(found)


def test_search_finds_all_of_a_small_shallow_network() -> None:
    """Fixed points placed on purpose: x' = x + s(x) with s through 0 at -2, -1, 0, 1, 2 has five of them."""
    corners, heights = np.array([-1.5, -0.5, 0.5, 1.5]), np.array([0.3, -0.3, 0.3, -0.3])
    # s: slope -0.6 at the ends, between the corners straight through (corner, height)
    slopes = np.array([0.6, -0.6, 0.6, -0.6, 0.6])
    made = PiecewiseLinear([[1 + slopes[0]]], np.diff(slopes)[None], np.ones((4, 1)), -corners,
                           [heights[0] - slopes[0] * corners[0]])  # fmt: skip
    for method in ("enumeration", "search"):
        found = region_cycles(made, 1, method=method)
        assert np.allclose([o.states[0, 0] for o in found.orbits], [-2, -1, 0, 1, 2])
        assert [o.stability for o in found.orbits] == ["unstable node", "stable node"] * 2 + ["unstable node"]
        assert all(o.proved for o in found.orbits)


def test_clipped_network_with_many_regions() -> None:
    """20 hidden units, 40 borders: a search is repeated exactly by its seed, and brute force finds nothing else."""
    rng = np.random.default_rng(3)
    made = PiecewiseLinear.shallow(
        rng.uniform(0.3, 0.9, 2), 0.8 * rng.normal(size=(2, 20)), rng.normal(size=(20, 2)), rng.normal(size=20),
        0.1 * rng.normal(size=2), clipped=True,
    )  # fmt: skip
    first, again = region_cycles(made, 1, seed=1), region_cycles(made, 1, seed=1)
    assert first.method == "search"
    assert not first.complete
    assert [o.states.tolist() for o in first.orbits] == [o.states.tolist() for o in again.orbits]
    system = made.system()
    slow = tk.dynamics.fixed_points(system, [[-30, -30], [30, 30]], starts=4000)
    assert len(slow) == len(first) > 0
    assert np.allclose(slow.points, [o.states[0] for o in first.orbits], atol=1e-7)


def test_impossible_steps_are_left_out_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left of 0 the map is 1, so that no state stays there: words with two such steps need not be solved."""
    made = PiecewiseLinear([[0.0]], [[-1.9]], [[1.0]], [0.0], [1.0])
    pruned = piecewise_cycles._words(made, 13, 10_000)
    assert pruned is not None
    found = region_cycles(made, 13)
    monkeypatch.setattr(piecewise_cycles, "PRUNED", 0)
    whole = piecewise_cycles._words(made, 13, 10_000)
    assert whole is not None
    assert len(whole[1]) == 630
    assert len(pruned[1]) == 40  # of a golden mean shift: (521 - 1) / 13
    every = region_cycles(made, 13)
    assert [o.states[0, 0] for o in found.orbits] == [o.states[0, 0] for o in every.orbits]
    shallow = PiecewiseLinear.shallow(
        [0.5, 0.5], np.ones((2, 3)), [[1, 0], [0, 1], [1, 1]], [1.0, 1.0, 1.0], [0.0, 0.0], clipped=True
    )
    regions = piecewise_cycles._letters(shallow, 2, 100)
    assert regions is not None
    points = 20 * np.random.default_rng(0).uniform(-1, 1, (200_000, 2)) ** 3
    seen = np.unique(
        np.concatenate([points @ [[1, 0, 1], [0, 1, 1]] + 1, points @ [[1, 0, 1], [0, 1, 1]]], 1) > 0, axis=0
    )
    assert set(map(tuple, seen)) <= set(map(tuple, regions))
    assert len(regions) < 2 * len(seen) < 40  # of 64; those that only touch others stay
    cut, uncut = (region_cycles(shallow, 2, method="enumeration", most_words=most) for most in (1000, 5000))
    assert [o.states.tolist() for o in cut.orbits] == [o.states.tolist() for o in uncut.orbits]


def test_what_cannot_be_decided_is_said() -> None:
    line = PiecewiseLinear([[1.0, 0.0], [0.0, 0.5]], np.zeros((2, 1)), [[0.0, 1.0]], [0.0], [0.0, 0.1])
    found = region_cycles(line, 1)  # every (x, 0.2) is a fixed point
    assert not found.complete
    assert found.undecided >= 1
    border = PiecewiseLinear([[0.5]], [[-1.0]], [[1.0]], [0.0], [0.0])  # the fixed point 0 is on the border
    found = region_cycles(border, 1)
    assert len(found) == 1
    assert not found.orbits[0].proved
    assert not found.complete
    moved = PiecewiseLinear([[1.0]], np.zeros((1, 1)), [[1.0]], [0.0], [0.3])  # x + 0.3 has none
    found = region_cycles(moved, 1)
    assert len(found) == 0
    assert found.complete


def test_cost_and_arguments_are_refused() -> None:
    made = random_network(0, 6, 5)
    with pytest.raises(SettingError, match="more than 1,000 words"):
        region_cycles(made, 4, method="enumeration", most_words=1000)
    assert region_cycles(made, 4, most_words=1000, starts=20).method == "search"
    for wrong in ({"period": 0}, {"method": "guess"}, {"starts": 0}):
        with pytest.raises(SettingError):
            region_cycles(made, **wrong)
    with pytest.raises(SettingError, match="shape"):
        region_cycles(made, method="search", states=np.zeros((3, 2)))
    with pytest.raises(SettingError, match="outer has shape"):
        PiecewiseLinear(np.eye(2), np.zeros((2, 3)), np.zeros((1, 2)), [0.0], [0.0, 0.0])
    with pytest.raises(SettingError, match="offset is not finite"):
        PiecewiseLinear(np.eye(1), np.zeros((1, 1)), np.zeros((1, 1)), [0.0], [np.nan])
