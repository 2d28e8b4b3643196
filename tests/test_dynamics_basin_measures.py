"""Basin entropy and uncertainty exponents: closed forms, a Cantor boundary of known dimension, intervals that hold."""

from __future__ import annotations

import numpy as np
import pytest

from takens.dynamics.basin_measures import basin_entropy, sampled_uncertainty_exponent, uncertainty_exponent
from takens.dynamics.basins import basins
from takens.errors import SettingError
from takens.systems import system

CANTOR = 1 - np.log(2) / np.log(3)
REPELLER = system({
    "name": "Cantor repeller", "kind": "map", "initial": [0.1],
    "equations": {
        "x": "x/2 - 1 if x < 0 else x/2 + 1 if x > 1 else 3*x if x <= 1/3 else 3*x - 2 if x >= 2/3 "
             "else -1 if x < 0.5 else 2",
    },
})  # fmt: skip
"""Orbits leave the unit interval through the middle thirds, to one side or the other: boundaries on a Cantor set."""


def half_plane(n: int, at: float, slope: float = 0.0) -> np.ndarray:
    x, y = np.meshgrid(np.arange(n) + 0.5, np.arange(n) + 0.5, indexing="ij")
    return (x > at + slope * y).astype(int)


def test_the_entropy_of_a_straight_boundary() -> None:
    found = basin_entropy(half_plane(100, 42), 5)  # the boundary leaves 2 of 5 columns of a box on one side
    inside = -(0.4 * np.log(0.4) + 0.6 * np.log(0.6))
    assert found.details["boundary_basin_entropy"] == pytest.approx(inside)
    assert found.value == pytest.approx(inside / 20)
    assert not found.details["fractal"]
    assert found.details["boundary_boxes"] == 20
    assert basin_entropy(np.zeros((40, 40), dtype=int)).value == 0


def test_the_entropy_of_random_labels_is_that_of_their_shares() -> None:
    labels = np.random.default_rng(0).integers(0, 3, (600, 600))
    found = basin_entropy(labels, 20)
    bias = 2 / (2 * 400)  # Miller and Madow: (labels - 1) / (2 cells of a box)
    assert found.value == pytest.approx(np.log(3) - bias, abs=3 * found.details["standard_error"] + 1e-4)
    assert found.details["fractal"]
    line = basin_entropy(np.random.default_rng(0).integers(0, 2, 4000), 100)
    assert line.value == pytest.approx(np.log(2) - 1 / 200, abs=2e-3)


def test_undecided_states_make_an_entropy_doubtful() -> None:
    labels = half_plane(100, 42)
    labels[:, :5] = -2
    assert not basin_entropy(labels).admissible


@pytest.mark.parametrize("slope", [0.0, 0.37, 1.0])
def test_a_smooth_boundary_has_exponent_one(slope: float) -> None:
    found = uncertainty_exponent(half_plane(400, 120.0, slope))
    assert found.value == pytest.approx(1.0, abs=0.02)
    circle = np.hypot(*np.meshgrid(np.linspace(-1, 1, 400), np.linspace(-1, 1, 400))) < 0.613
    assert uncertainty_exponent(circle).value == pytest.approx(1.0, abs=0.05)


def test_without_a_boundary_there_is_no_exponent() -> None:
    found = uncertainty_exponent(np.zeros((64, 64), dtype=int))
    assert found.value is None
    assert not found.admissible
    noise = uncertainty_exponent(np.random.default_rng(0).integers(0, 2, (400, 400)))
    assert noise.value == pytest.approx(0.0, abs=0.02)


def test_a_cantor_boundary_has_the_exponent_of_its_dimension() -> None:
    found = basins(REPELLER, {"x": (0.0, 1.0)}, 20_000)
    assert sorted(round(one.centre[0]) for one in found.attractors) == [-2, 2]
    x = found.axes[0][1].copy()  # brute force
    for _ in range(200):
        x = REPELLER.rhs(0, x[:, None])[:, 0]
    right = int(found.reached([[1.5]])[0])
    assert np.array_equal(found.labels == right, x > 1)
    exponent = uncertainty_exponent(found)
    assert exponent.value == pytest.approx(CANTOR, abs=0.04)
    assert basin_entropy(found, 10).details["boundary_basin_entropy"] > 0


def test_random_pairs_find_the_same_exponent_far_below_any_grid() -> None:
    found = basins(REPELLER, {"x": (0.0, 1.0)}, 200)
    exponent = sampled_uncertainty_exponent(
        found.reached, {"x": (0.0, 1.0)}, samples=1000, scales=3.0 ** -np.arange(2.0, 13)
    )
    assert exponent.value == pytest.approx(CANTOR, abs=0.03)
    assert exponent.interval is not None
    assert exponent.interval[1] - exponent.interval[0] < 0.1


def test_the_interval_of_random_pairs_holds_its_level() -> None:
    def side(x: np.ndarray) -> np.ndarray:
        return x[:, 0] + 0.3 * x[:, 1] > 0.6

    held = []
    for seed in range(60):
        found = sampled_uncertainty_exponent(
            side, [(0, 1), (0, 1)], scales=np.geomspace(0.01, 0.1, 8), samples=3000, seed=seed
        )
        assert found.interval is not None
        held.append(found.interval[0] <= 1 <= found.interval[1])
    assert 0.85 <= np.mean(held) <= 1.0


def test_small_grids_and_bad_scales_are_refused() -> None:
    with pytest.raises(SettingError):
        uncertainty_exponent(np.zeros((10, 100), dtype=int))
    with pytest.raises(SettingError):
        basin_entropy(np.zeros((8, 8), dtype=int), 5)
    with pytest.raises(SettingError):
        sampled_uncertainty_exponent(lambda x: x[:, 0] > 0, [(1, 0)])
    with pytest.raises(SettingError):
        sampled_uncertainty_exponent(lambda x: x[:, 0] > 0, [(0, 1)], scales=[0.0, 0.1])
