"""Correlation dimensions and dominant periods of systems, against closed forms and the literature."""

from __future__ import annotations

import numpy as np
import pytest

import takens
from takens.dynamics.dimension import correlation_dimension
from takens.dynamics.period import dominant_period
from takens.errors import SettingError, SimulationError


def cycle() -> takens.System:
    """A limit cycle on the unit circle with period 2 pi."""
    return takens.system(
        {"equations": {"x": "x*(1 - x**2 - y**2) - y", "y": "y*(1 - x**2 - y**2) + x"}, "initial": [1.0, 0.0],
         "period": 2 * np.pi, "dt": 0.1}
    )  # fmt: skip


def cantor() -> takens.System:
    """A Cantor set of dimension ln 2 / ln 3 times an interval: the bits of y choose the thirds of x.

    The slope is a little less than 2, since 2 would use up the bits of a double in 50 steps.
    """
    return takens.system(
        {"kind": "map", "equations": {"x": "x/3 + (2/3 if y >= 0.5 else 0)", "y": "1.9999999*y % 1"},
         "initial": [0.1, 0.1234567]}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("system", "truth", "within"),
    [
        (takens.system("Lorenz63"), 2.055, 0.02),  # Grassberger & Procaccia 1983: 2.05 +- 0.01; Sprott 2003: 2.068
        (takens.system("Henon"), 1.22, 0.02),  # Grassberger 1983: 1.22 +- 0.01
        (takens.system("ArnoldCat"), 2.0, 0.02),  # uniform on the torus; the edges of the square cost little
        (takens.system("Tent"), 1.0, 0.01),
        (cantor(), 1 + np.log(2) / np.log(3), 0.05),
    ],
    ids=["Lorenz63", "Henon", "ArnoldCat", "Tent", "cantor"],
)
def test_correlation_dimensions(system: takens.System, truth: float, within: float) -> None:
    found = correlation_dimension(system, transient=2000 if system.stepwise else None)
    assert float(found) == pytest.approx(truth, abs=within)
    low, high = found.interval
    assert low < float(found) < high


def test_a_cycle_is_a_lattice_whose_interval_tells() -> None:
    low, high = correlation_dimension(cycle()).interval
    assert low < 1 < high


def test_what_has_no_dimension_says_so() -> None:
    rest = takens.system("Lorenz63", rho=0.5)
    found = correlation_dimension(rest, points=500, transient=500)
    assert not found.admissible
    assert "rest" in found.reason
    cycle_of_two = takens.system("Logistic", r=3.2)
    found = correlation_dimension(cycle_of_two, points=500, transient=10_000)
    assert not found.admissible
    assert "repeat" in found.reason
    many = correlation_dimension(takens.system("Lorenz96"), points=2000)
    assert not many.admissible
    assert "resolve" in many.reason
    with pytest.raises(SettingError, match="at least 500"):
        correlation_dimension(rest, points=10)
    with pytest.raises(SimulationError):
        correlation_dimension(takens.system("Henon"), points=500, initial=[10.0, 10.0])


def test_the_period_of_a_cycle_is_exact() -> None:
    found = dominant_period(cycle())
    assert float(found) == pytest.approx(2 * np.pi, rel=1e-3)
    low, high = found.interval
    assert low < 2 * np.pi < high


def test_periods_of_maps_and_of_chaos() -> None:
    assert float(dominant_period(takens.system("Logistic", r=3.2))) == pytest.approx(2, rel=1e-4)
    assert float(dominant_period(takens.system("Rossler"))) == pytest.approx(5.86, rel=0.01)
    flat = dominant_period(takens.system("Logistic"))
    assert not flat.admissible
    assert "stands out" in flat.reason
    assert not dominant_period(takens.system("Lorenz63", rho=0.5), transient=500).admissible
