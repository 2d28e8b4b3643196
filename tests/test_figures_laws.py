"""Pictures of laws: what is on them is what was found, and nothing is drawn that is not there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import takens as tk
from takens.dynamics import PiecewiseLinear, itinerary, region_cycles
from takens.errors import DataError, InsufficientData
from takens.figures import law_figure, svg, symbolic_figure
from takens.figures.laws import _maxima
from takens.inspection import Inspection, inspect
from takens.models import NVAR, Climatology


@pytest.fixture(scope="module")
def henon() -> tk.Series:
    return tk.simulate(tk.system("Henon"), length=1500, transient=100)


@pytest.fixture(scope="module")
def learned(henon: tk.Series) -> Inspection:
    return inspect(NVAR(delays=1, degree=2, ridge=1e-12).fit(henon), henon, duration=5000)


def titles(figure: object) -> list[str]:
    return [ax.get_title(loc="left") for ax in figure.axes]  # type: ignore[attr-defined]


def test_six_panels_with_the_fixed_points_where_they_are(learned: Inspection) -> None:
    figure = law_figure(learned)
    assert titles(figure) == ["data", "free run, and fixed points", "spectrum of x", "distribution",
                              "exponents of the law", "one-step map"]  # fmt: skip
    marks = [line for line in figure.axes[1].lines if line.get_marker() == "D"]
    places = sorted(float(line.get_xdata()[0]) for line in marks)
    assert np.allclose(places, sorted(point.values[0] for point in learned.points))
    heights = [bar.get_height() for bar in figure.axes[4].patches]
    assert learned.spectrum is not None
    assert np.allclose(heights, learned.spectrum.value)
    text = svg(figure, "Henon")
    assert len(text) < 600_000
    assert svg(law_figure(learned), "Henon") == text


def test_without_data_and_without_a_system(henon: tk.Series) -> None:
    law = NVAR(delays=1, degree=2, ridge=1e-12).fit(henon)
    alone = law_figure(inspect(law, duration=2000))
    assert any("no data" in note.get_text() for note in alone.axes[0].texts)
    still = law_figure(inspect(Climatology().fit(henon), henon))
    assert any("no exponents" in note.get_text() for note in still.axes[4].texts)
    with pytest.raises(InsufficientData, match="not finite"):
        law_figure(Inspection(law, "PolynomialLaw", {}, 0, 1))


def test_exponents_of_minus_infinity(learned: Inspection) -> None:
    assert learned.spectrum is not None
    gone = replace(learned.spectrum, value=np.full(2, -np.inf))
    figure = law_figure(replace(learned, spectrum=gone))
    assert any("no finite exponent" in note.get_text() for note in figure.axes[4].texts)


def test_one_channel_and_a_run_at_rest() -> None:
    rng = np.random.default_rng(0)
    x = np.zeros(600)
    for i in range(599):
        x[i + 1] = 0.8 * x[i] + rng.normal()
    figure = law_figure(inspect(NVAR(delays=1, degree=1, ridge=1e-6).fit(x), x, duration=2000))
    assert titles(figure)[1] == "free run with noise"


def test_regions_graph_points_and_cycles() -> None:
    peak = 0.37
    tent = PiecewiseLinear([[1 / peak]], [[-1 / (1 - peak) - 1 / peak]], [[1.0]], [-peak], [0.0])
    orbit = tent.orbit([0.2345], 5000)
    symbols = itinerary(tent, orbit)
    rest = region_cycles(tent, 1).orbits
    turning = region_cycles(tent, 3).orbits
    figure = symbolic_figure(
        orbit, symbols, ["x"], points=[(one.states[0], one.stability) for one in rest],
        cycles=[one.states for one in turning],
    )  # fmt: skip
    left, right = figure.axes
    assert left.get_title(loc="left") == "2 regions visited"
    assert len(left.lines) == len(rest) + len(turning)
    cycle = turning[0].states[:, 0]
    drawn = np.column_stack(left.lines[0].get_data())
    assert np.allclose(drawn[:3], np.column_stack([cycle, np.roll(cycle, -1)]))  # on the graph of the map
    assert np.allclose(tent.values(drawn[:3, :1])[:, 0], drawn[:3, 1])
    assert f"entropy {np.log(2):.3g} of the graph" in right.get_title(loc="left")
    shares = [note.get_text() for note in right.texts if note.get_text().endswith("%")]
    assert shares == [f"{share:.0%}" for share in symbols.visits / 5000]
    assert len(right.patches) == 2  # the steps to the other region; staying is not drawn
    with pytest.raises(DataError):
        symbolic_figure(orbit[:10], symbols, ["x"])


def test_maxima_lie_on_the_parabola() -> None:
    t = 0.1 * np.arange(400)
    found = _maxima(3 * np.cos(t - 0.033))
    assert np.allclose(found, 3, atol=1e-4)
    assert len(found) == 6  # at 2 pi k + 0.033, the first of which is at the edge
