"""Invariant densities and transfer operators against densities and rates in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from takens.dynamics.density import invariant_density
from takens.dynamics.transfer import transfer_operator
from takens.errors import InsufficientData, SettingError, SimulationError
from takens.systems import system

LOGISTIC = system("Logistic", r=4.0)
EDGES = np.linspace(0, 1, 51)
ARCSINE = np.diff(2 / np.pi * np.arcsin(np.sqrt(EDGES))) * 50
GAUSS = np.diff(np.log2(1 + EDGES)) * 50
DOUBLING = system({"name": "doubling", "kind": "map", "equations": {"x": "(2*x) % 1"}, "initial": [0.3]})


def scores(found, exact) -> np.ndarray:
    return (found.values - exact) / found.error


def test_the_logistic_map_has_the_arcsine_density() -> None:
    found = invariant_density(LOGISTIC, {"x": (0, 1)}, 50, length=200_000)
    z = scores(found, ARCSINE)
    assert np.sqrt(np.mean(z**2)) == pytest.approx(1.0, abs=0.35)  # the errors are neither too small nor too large
    assert np.abs(z).max() < 5
    assert (found.values * found.volume).sum() == pytest.approx(1 - found.outside)
    assert np.abs(found.values / ARCSINE - 1).max() < 0.1


def test_the_gauss_map_has_the_density_of_gauss() -> None:
    found = invariant_density(system("GaussContinuedFraction"), {"x": (0, 1)}, 50, length=200_000)
    assert np.abs(scores(found, GAUSS)).max() < 5
    assert np.abs(found.values / GAUSS - 1).max() < 0.1


@pytest.mark.parametrize("law", [DOUBLING, system("Tent", mu=2.0)], ids=["doubling", "tent"])
def test_uniform_densities_come_from_many_short_orbits(law) -> None:
    found = invariant_density(law, {"x": (0, 1)}, 50, length=100_000, members=5000, transient=5)
    z = scores(found, 1.0)
    assert np.sqrt(np.mean(z**2)) == pytest.approx(1.0, abs=0.35)
    with pytest.raises(InsufficientData, match="repels"):
        invariant_density(law, {"x": (0, 1)}, 50)


def test_the_density_of_two_independent_maps_is_the_product() -> None:
    # two independent logistic maps: the density is the product
    pair = system({"name": "pair", "kind": "map", "equations": {"x": "4*x*(1-x)", "y": "4*y*(1-y)"},
                   "initial": [0.2345, 0.6789]})  # fmt: skip
    found = invariant_density(pair, {"x": (0, 1), "y": (0, 1)}, (5, 10), length=200_000)
    coarse = [np.diff(2 / np.pi * np.arcsin(np.sqrt(np.linspace(0, 1, n + 1)))) * n for n in (5, 10)]
    assert found.values.shape == (5, 10)
    assert np.abs(found.values / np.outer(*coarse) - 1).max() < 0.08
    assert np.abs(scores(found, np.outer(*coarse))).max() < 5


def test_the_density_of_a_flow_is_that_of_its_time() -> None:
    # x = sin t spends its time as the arcsine law on (-1, 1); a part of the box is empty
    turn = system({"equations": {"x": "y", "y": "-x"}, "initial": [0.0, 1.0], "period": 2 * np.pi})
    found = invariant_density(turn, {"x": (-2, 0)}, 20, length=50_000, interval=0.777, transient=0)
    exact = np.diff(np.arcsin(np.clip(found.edges[0], -1, 1))) / np.pi / 0.1
    assert np.abs(found.values - exact).max() < 0.03
    assert found.outside == pytest.approx(0.5, abs=0.01)


def test_ulam_finds_the_same_densities_without_noise() -> None:
    for law, exact, most in ((LOGISTIC, ARCSINE, 0.2), (DOUBLING, np.ones(50), 1e-9),
                             (system("GaussContinuedFraction"), GAUSS, 0.04)):  # fmt: skip
        found = transfer_operator(law, {"x": (0, 1)}, 800, samples=200)
        coarse = found.density.values.reshape(50, 16).mean(axis=1)
        assert np.abs(coarse / exact - 1).max() < most, law.name
        assert np.abs(coarse / exact - 1).mean() < most / 5, law.name
        assert found.eigenvalue == pytest.approx(1.0, abs=1e-9)
        assert found.escape_rate == pytest.approx(0.0, abs=1e-9)


def test_ulam_is_exact_where_cells_map_to_cells() -> None:
    tent = system("Tent", mu=3.0)
    found = transfer_operator(tent, {"x": (0, 1)}, 243, samples=30)
    assert found.eigenvalue == pytest.approx(2 / 3, abs=1e-12)
    assert found.escape_rate == pytest.approx(np.log(1.5), abs=1e-12)
    assert found.matrix.shape == (243, 243)
    assert np.isin(np.round(found.matrix.sum(axis=1), 12), [0.0, 1.0]).all()
    nothing = transfer_operator(system("Logistic", r=4.0), {"x": (0.1, 0.2)}, 20)
    assert nothing.escape_rate == np.inf


def test_ulam_in_two_dimensions() -> None:
    baker = system({
        "name": "baker", "kind": "map", "initial": [0.1, 0.2],
        "equations": {"x": "(2*x) % 1", "y": "y/2 if x < 0.5 else y/2 + 0.5"},
    })  # fmt: skip
    found = transfer_operator(baker, {"x": (0, 1), "y": (0, 1)}, 32, samples=16)
    assert found.density.values == pytest.approx(np.ones((32, 32)), abs=1e-9)
    large = transfer_operator(system("Henon"), {"x": (-1.5, 1.5), "y": (-0.45, 0.45)}, 60)
    orbit = invariant_density(system("Henon"), {"x": (-1.5, 1.5), "y": (-0.45, 0.45)}, 60)
    apart = np.abs(large.density.values - orbit.values) * orbit.volume
    assert apart.sum() / 2 < 0.25  # the method smooths over a cell
    assert large.eigenvalue > 0.98


def test_unfit_settings_are_refused() -> None:
    with pytest.raises(SettingError):
        invariant_density(LOGISTIC, {"q": (0, 1)})
    with pytest.raises(SettingError):
        invariant_density(LOGISTIC, {"x": (0, 1)}, 0)
    with pytest.raises(SettingError):
        invariant_density(LOGISTIC, {"x": (0, 1)}, members=3)
    with pytest.raises(SettingError):
        transfer_operator(system("Lorenz63"), {"x": (0, 1)})
    with pytest.raises(SimulationError):
        invariant_density(system("Logistic", r=4.5), {"x": (0, 1)})
