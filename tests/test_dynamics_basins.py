"""Basins of attraction: symmetric systems, brute force, maps with escape, continuation over a parameter."""

from __future__ import annotations

import numpy as np
import pytest

from takens.dynamics.attractor_continuation import attractor_continuation
from takens.dynamics.basins import basin_fractions, basins, shares, wilson
from takens.errors import InsufficientData, SettingError
from takens.systems import evolve, system

DOUBLE_WELL = system({"name": "double well", "equations": {"x": "y", "y": "x - x**3 - d*y"}, "parameters": {"d": 0.2},
                      "initial": [1, 0], "period": 5.0})  # fmt: skip
NEWTON = system({
    "name": "Newton", "kind": "map", "initial": [1.0, 0.0],
    "auxiliary": {"a": "x**2 - y**2", "b": "2*x*y", "m": "3*(a**2 + b**2)"},
    "equations": {"x": "x - ((x*a - y*b - 1)*a + (x*b + y*a)*b)/m", "y": "y - ((x*b + y*a)*a - (x*a - y*b - 1)*b)/m"},
})  # fmt: skip
PENDULUM = system({
    "name": "magnetic pendulum", "period": 6.0, "initial": [0.3, 0.2, 0.0, 0.0], "parameters": {"h": 0.3},
    "auxiliary": {
        "p": "1/((x - 1)**2 + y**2 + h**2)**1.5", "q": "1/((x + 0.5)**2 + (y - sqrt(0.75))**2 + h**2)**1.5",
        "r": "1/((x + 0.5)**2 + (y + sqrt(0.75))**2 + h**2)**1.5", "s": "p + q + r",
    },
    "equations": {
        "x": "u", "y": "v", "u": "-0.5*x - 0.2*u + (1 - x)*p - (x + 0.5)*q - (x + 0.5)*r",
        "v": "-0.5*y - 0.2*v - y*p - (y - sqrt(0.75))*q - (y + sqrt(0.75))*r",
    },
})  # fmt: skip


def test_both_wells_attract_one_half() -> None:
    found = basins(DOUBLE_WELL, {"x": (-2, 2), "y": (-2, 2)}, 60)
    assert [one.kind for one in found.attractors] == ["fixed point"] * 2
    assert sorted(round(one.centre[0], 6) for one in found.attractors) == [-1, 1]
    labels = found.labels
    assert (labels >= 0).all()
    assert np.array_equal(labels, 1 - labels[::-1, ::-1])  # the equations do not change under x, y -> -x, -y
    assert found.fractions[0].value == 0.5
    # An orbit of less energy than the saddle stays in its well.
    x, y = np.meshgrid(found.axes[0][1], found.axes[1][1], indexing="ij")
    trapped = y**2 / 2 - x**2 / 2 + x**4 / 4 < 0
    right = int(found.reached([[1.0, 0.0]])[0])
    assert trapped.any()
    assert np.array_equal(labels[trapped] == right, x[trapped] > 0)


def test_newton_basins_are_those_of_the_complex_iteration() -> None:
    found = basins(NEWTON, {"x": (-1.5, 1.5), "y": (-1.5, 1.5)}, 80)
    roots = np.exp(2j * np.pi * np.arange(3) / 3)
    ends = np.array([one.centre[0] + 1j * one.centre[1] for one in found.attractors])
    assert len(ends) == 3
    order = np.argmin(np.abs(ends[:, None] - roots), axis=1)
    z = found.axes[0][1][:, None] + 1j * found.axes[1][1]
    for _ in range(300):
        z = z - (z**3 - 1) / (3 * z**2)
    assert np.array_equal(order[found.labels], np.argmin(np.abs(z[..., None] - roots), axis=-1))


def test_newton_fractions_are_a_third_each_in_a_disc() -> None:
    found = basin_fractions(NEWTON, {"x": (-1.5, 1.5), "y": (-1.5, 1.5)}, 3000)
    inside = np.hypot(*found.states.T) < 1.5
    for share in shares(found.labels[inside], "disc").values():
        assert share.interval is not None
        assert share.interval[0] - 0.01 < 1 / 3 < share.interval[1] + 0.01


def test_the_henon_map_has_one_attractor_and_escape() -> None:
    henon = system("Henon")
    found = basins(henon, {"x": (-2, 2), "y": (-2, 2)}, 60)
    assert [one.kind for one in found.attractors] == ["chaotic"]
    assert found.attractors[0].exponent == pytest.approx(0.4192, abs=0.05)
    x, y = np.meshgrid(found.axes[0][1], found.axes[1][1], indexing="ij")
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(2000):
            x, y = 1 - 1.4 * x * x + y, 0.3 * x
    assert np.array_equal(found.labels == -1, ~(np.abs(x) < 10))
    assert set(found.fractions) == {0, -1}


def test_the_magnetic_pendulum_has_three_symmetric_basins_in_a_slice() -> None:
    found = basins(PENDULUM, {"x": (-1.5, 1.5), "y": (-1.5, 1.5)}, 30, initial=[0.0, 0.0, 0.0, 0.0])
    assert [one.kind for one in found.attractors] == ["fixed point"] * 3
    mirrored = found.labels[:, ::-1]
    on_axis = int(found.reached([[1.0, 0.0, 0.0, 0.0]])[0])
    assert np.array_equal(found.labels == on_axis, mirrored == on_axis)
    truth = evolve(PENDULUM, [[0.3, 1.1, 0, 0], [-0.9, 0.2, 0, 0]], [200.0])[:, 0]
    for label, end in zip(found.reached([[0.3, 1.1, 0, 0], [-0.9, 0.2, 0, 0]]), truth, strict=True):
        assert np.allclose(found.attractors[label].centre, end, atol=1e-3)


def test_coexisting_attractors_of_lorenz_are_those_of_long_orbits() -> None:
    lorenz = system("Lorenz63", rho=24.4)
    found = basin_fractions(lorenz, {"x": (-20, 20), "y": (-20, 20), "z": (0, 40)}, 120)
    assert sorted(one.kind for one in found.attractors) == ["chaotic", "fixed point", "fixed point"]
    ends = evolve(lorenz, found.states, 2500 + 0.37 * np.arange(40))
    c = np.sqrt(8 / 3 * 23.4)
    still = [np.abs(ends - [s * c, s * c, 23.4]).max(axis=(1, 2)) < 4 for s in (1, -1)]
    for number, one in enumerate(found.attractors):
        truth = ~(still[0] | still[1]) if one.kind == "chaotic" else still[0 if one.centre[0] > 0 else 1]
        assert np.array_equal(found.labels == number, truth), str(one)
    assert sum(share.value for share in found.fractions.values()) == pytest.approx(1)


def test_a_chaotic_transient_that_ends_is_no_attractor() -> None:
    found = basin_fractions(system("Lorenz63", rho=22.5), {"x": (-20, 20), "y": (-20, 20), "z": (0, 40)}, 100)
    assert [one.kind for one in found.attractors] == ["fixed point"] * 2
    assert np.mean(found.labels >= 0) > 0.9
    for share in found.fractions.values():  # which of the two chaos ends in is chance, and the two are alike
        assert share.interval is not None
        assert share.value < 0.1 or share.interval[0] < 0.5 < share.interval[1]


def test_cycles_and_tori_are_told_apart() -> None:
    cycle = system({"name": "cycle", "equations": {"x": "x - w*y - x*(x**2 + y**2)", "y": "w*x + y - y*(x**2 + y**2)"},
                    "parameters": {"w": 2.0}, "initial": [0.5, 0.0], "period": 3.0})  # fmt: skip
    found = basin_fractions(cycle, {"x": (-2, 2), "y": (-2, 2)}, 50)
    assert [one.kind for one in found.attractors] == ["cycle"]
    assert found.attractors[0].period == pytest.approx(np.pi, abs=1e-3)
    torus = basin_fractions(
        system({"name": "circle", "kind": "map", "initial": [1.0, 0.0],
                "auxiliary": {"r": "sqrt(x**2 + y**2)", "g": "(1 + r)/(2*r)"},
                "equations": {"x": "g*(x*cos(1) - y*sin(1))", "y": "g*(x*sin(1) + y*cos(1))"}}),
        {"x": (0.5, 2), "y": (0.5, 2)}, 40,
    )  # fmt: skip
    assert [one.kind for one in torus.attractors] == ["quasi-periodic"]
    logistic = basin_fractions(system("Logistic", r=3.5), {"x": (0.05, 0.95)}, 40)
    assert [(one.kind, one.period) for one in logistic.attractors] == [("cycle", 4.0)]


def test_a_forced_flow_is_followed_from_period_to_period() -> None:
    duffing = system("Duffing", delta=0.2, gamma=0.05, omega=1.0)
    with pytest.raises(SettingError, match="depends on time"):
        basin_fractions(duffing, {"x": (-2, 2), "y": (-2, 2)}, 20)
    with pytest.raises(SettingError, match="does not repeat"):
        basin_fractions(duffing, {"x": (-2, 2), "y": (-2, 2)}, 20, interval=6.0)
    found = basin_fractions(duffing, {"x": (-2, 2), "y": (-2, 2)}, 60, interval=2 * np.pi)
    assert {one.kind for one in found.attractors} == {"cycle"}
    assert all(one.period == pytest.approx(2 * np.pi) for one in found.attractors)
    assert len(found.attractors) == 2


def test_a_conservative_system_is_refused() -> None:
    free = system({"equations": {"x": "y", "y": "-x"}, "initial": [1, 0], "period": 6.3})
    with pytest.raises(InsufficientData, match="volumes are conserved"):
        basin_fractions(free, {"x": (-1, 1), "y": (-1, 1)}, 200)
    line = system({"equations": {"x": "0*x", "y": "-y"}, "initial": [1, 0], "period": 1.0})  # each x rests
    with pytest.raises(InsufficientData, match="more than 25"):
        basin_fractions(line, {"x": (-1, 1), "y": (-1, 1)}, 200)


def test_the_intervals_of_shares_hold_their_level() -> None:
    rng = np.random.default_rng(0)
    for share in (0.05, 0.5):
        found = [wilson(k / 100, 100) for k in rng.binomial(100, share, 2000)]
        assert np.mean([low <= share <= high for low, high in found]) == pytest.approx(0.95, abs=0.02)
    assert wilson(0.0, 100)[0] == 0
    assert wilson(0.0, 100)[1] == pytest.approx(0.037, abs=1e-3)


def test_a_pitchfork_splits_one_attractor_into_two() -> None:
    fork = system({"equations": {"x": "mu*x - x**3"}, "parameters": {"mu": 1.0}, "initial": [0.1], "period": 2.0})
    mu = np.array([-1.0, -0.5, 0.2, 0.5, 1.0])
    found = attractor_continuation(fork, "mu", mu, {"x": (-2, 2)}, samples=100)
    assert [len(each) for each in found.attractors] == [1, 1, 2, 2, 2]
    for value, each in zip(mu, found.attractors, strict=True):
        centres = sorted(float(one.centre[0]) for one in each.values())
        assert np.allclose(centres, [0] if value < 0 else [-np.sqrt(value), np.sqrt(value)], atol=1e-4)
    assert np.allclose(found.fractions.sum(axis=1), 1)
    both = [number for number in range(found.fractions.shape[1]) if found.span(number)[1] == 1.0]
    assert len(both) == 2
    signs = [[np.sign(each[n].centre[0]) for each in found.attractors[2:]] for n in both]
    assert all(len(set(row)) == 1 for row in signs)  # matched, not swapped


def test_the_attractors_of_lorenz_over_rho() -> None:
    rho = [20.0, 24.4, 28.0]
    box = {"x": (-20, 20), "y": (-20, 20), "z": (0, 40)}
    found = attractor_continuation(system("Lorenz63"), "rho", rho, box, samples=100)
    kinds = [sorted(one.kind for one in each.values()) for each in found.attractors]
    assert kinds == [["fixed point"] * 2, ["chaotic", "fixed point", "fixed point"], ["chaotic"]]
    fixed = list(found.attractors[0])
    assert sorted(found.attractors[1]) == sorted([*fixed, *found.attractors[2]])
    assert (found.fractions[0, fixed] > 0.3).all()
    assert (found.fractions[2, fixed] == 0).all()
    assert found.escaped.max() == 0


@pytest.mark.parametrize(
    "wrong", [{"box": {}}, {"box": {"z": (0, 1)}}, {"box": {"x": (1, 0)}}, {"resolution": 0}, {"interval": 0.5},
              {"transient": -1}, {"closeness": 0}, {"rounds": -1}]
)  # fmt: skip
def test_unfit_settings_are_refused(wrong: dict) -> None:
    with pytest.raises(SettingError):
        basins(system("Henon"), **{"box": {"x": (-1, 1)}, **wrong})
