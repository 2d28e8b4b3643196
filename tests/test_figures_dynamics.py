"""Pictures of known systems: what is drawn is the result, in pixels as in SVG, and every picture stays small."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from takens import dynamics, figures
from takens.dynamics.sections import poincare_section
from takens.errors import DataError, InsufficientData
from takens.figures.style import COLOURS
from takens.systems import orbit, system

LORENZ = system("Lorenz63")
HENON = system("Henon")
ORBIT = orbit(LORENZ, LORENZ.initial, 20 + 0.02 * np.arange(2000))
DIAGRAM = dynamics.orbit_diagram(system("Logistic"), "r", np.linspace(2.8, 4, 121), lyapunov=True)
PLANES = [
    dynamics.parameter_plane(HENON, ("a", np.linspace(0.6, 1.5, 12)), ("b", np.linspace(0, 0.4, 9)), quantity)
    for quantity in ("lyapunov", "period")
]
BASINS = dynamics.basins(HENON, {"x": (-2.5, 2.5), "y": (-2.5, 2.5)}, 60)
DENSITY = dynamics.invariant_density(system("Logistic", r=3.9), {"x": (0, 1)}, 60, length=20_000)
FORK = dynamics.attractor_continuation(
    system({"name": "pitchfork", "equations": {"x": "mu*x - x**3"}, "parameters": {"mu": 1.0}, "initial": [0.1],
            "period": 2.0}), "mu", [-1.0, -0.5, 0.5, 1.0], {"x": (-2, 2)}, samples=60,
)  # fmt: skip

DRAWN = {
    "diagram": lambda: figures.orbit_diagram_figure(DIAGRAM),
    "exponents": lambda: figures.parameter_plane_figure(PLANES[0]),
    "periods": lambda: figures.parameter_plane_figure(PLANES[1]),
    "basins": lambda: figures.basins_figure(BASINS),
    "density": lambda: figures.density_figure(DENSITY),
    "plane density": lambda: figures.density_figure(
        dynamics.invariant_density(HENON, {"x": (-1.5, 1.5), "y": (-0.5, 0.5)}, 40, length=20_000)
    ),
    "continuation": lambda: figures.continuation_figure(FORK),
    "flow": lambda: figures.system_figure(LORENZ, ORBIT),
    "map": lambda: figures.system_figure(HENON, orbit(HENON, HENON.initial, np.arange(3000.0))),
    "line": lambda: figures.system_figure(system("Logistic"), orbit(system("Logistic"), [0.3], np.arange(300.0))),
    "section": lambda: figures.section_figure(poincare_section(LORENZ, "z = 27", count=300)),
    "spectrum": lambda: figures.convergence_figure(dynamics.lyapunov_spectrum(LORENZ, duration=100.0)),
}


def pixels(figure: Figure) -> np.ndarray:
    file = io.BytesIO()
    figure.savefig(file, format="rgba", dpi=160, facecolor=COLOURS["paper"])
    width, height = (figure.get_size_inches() * 160).astype(int)
    return np.frombuffer(file.getvalue(), dtype=np.uint8).reshape(height, width, 4)[..., :3].astype(int)


def near(image: np.ndarray, colour: str, within: int = 150) -> int:
    """The number of pixels whose colour is near one of the house."""
    target = [int(COLOURS[colour][k : k + 2], 16) for k in (1, 3, 5)]
    return int((np.abs(image - target).sum(axis=2) < within).sum())


@pytest.mark.parametrize("name", DRAWN)
def test_every_picture_is_small_and_has_a_title(name: str) -> None:
    figure = DRAWN[name]()
    text = figures.svg(figure, name)
    assert 3_000 < len(text) < 500_000
    assert text.count("<svg") == 1
    assert any(ax.get_title(loc="left") or ax.get_title() for ax in figure.axes)
    assert len(np.unique(pixels(figure).reshape(-1, 3), axis=0)) > 20


@pytest.mark.parametrize(("name", "colour"), [("map", "accent"), ("line", "accent"), ("section", "late")])
def test_points_are_seen_in_pixels(name: str, colour: str) -> None:
    assert near(pixels(DRAWN[name]()), colour) > 60


def test_the_diagram_shows_its_points_periods_and_exponents() -> None:
    figure = DRAWN["diagram"]()
    top, strip = figure.axes
    words = [text.get_text() for text in top.texts]
    assert "period 1" in words
    assert "period 2" in words
    assert top.get_ylabel() == "x"
    assert strip.get_xlabel() == "r"
    line = strip.lines[-1]
    assert np.allclose(line.get_xdata(), DIAGRAM.values)
    shown = np.isfinite(DIAGRAM.exponents) & (DIAGRAM.exponents > -1)
    assert np.allclose(np.asarray(line.get_ydata())[shown], DIAGRAM.exponents[shown])
    image = top.images[0].get_array()
    x, y = DIAGRAM.pairs()
    low, high, bottom, above = top.images[0].get_extent()
    column = ((x - low) / (high - low) * image.shape[1]).astype(int)
    row = ((y - bottom) / (above - bottom) * image.shape[0]).astype(int)
    assert (image[row, column, 3] > 0.2).all()  # each point is seen
    assert (image[..., 3] > 0).sum() <= len(x)  # and nothing else
    few = dynamics.orbit_diagram(system("Logistic"), "r", [2.8, 3.2], length=20)
    assert not figures.orbit_diagram_figure(few).axes[0].images
    gone = dynamics.orbit_diagram(system("Logistic"), "r", [4.5, 5.0])
    with pytest.raises(InsufficientData):
        figures.orbit_diagram_figure(gone)


def test_basins_are_drawn_the_right_way_round_with_their_shares() -> None:
    figure = DRAWN["basins"]()
    image = np.asarray(figure.axes[0].images[0].get_array())
    labels = BASINS.labels
    for label in (0, -1):  # one colour a label
        assert len(np.unique(image.transpose(1, 0, 2)[labels == label], axis=0)) == 1
    assert not np.array_equal(image[labels.T == 0][0], image[labels.T == -1][0])
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert any(f"{100 * BASINS.fractions[0].value:.1f} %" in text and "chaotic" in text for text in words)
    assert any("escapes" in text for text in words)
    line = replace(BASINS, axes=BASINS.axes[:1], labels=labels[:, 30])
    with pytest.raises(DataError):
        figures.basins_figure(line)


def test_planes_show_their_values_first_axis_along() -> None:
    image = DRAWN["exponents"]().axes[0].images[0]
    assert np.allclose(np.ma.filled(image.get_array(), np.nan), PLANES[0].values.T, equal_nan=True)
    half = 0.5 * 0.9 / 11
    assert image.get_extent()[:2] == pytest.approx([0.6 - half, 1.5 + half])


def test_portraits_refuse_what_they_cannot_draw() -> None:
    for wrong in (np.zeros((2, 2)), np.full((10, 2), np.nan), np.zeros((3, 3, 3))):
        with pytest.raises(DataError):
            figures.portrait_figure(wrong)
    with pytest.raises(DataError):
        figures.convergence_figure(BASINS.fractions[0])


def test_long_equations_are_left_out() -> None:
    drawn = figures.portrait_figure(ORBIT, equations="\n".join(["dx/dt = 1"] * 9))
    assert not any("dx/dt" in text.get_text() for text in drawn.axes[0].texts)
    assert any("dx/dt" in text.get_text() for text in DRAWN["flow"]().axes[0].texts)


def test_fields_and_lattices_are_drawn_over_time_and_place() -> None:
    shape = figures.motion.lines_of_places(("x", *(f"u{i}" for i in range(1, 13)), "c1", "c2"))
    assert shape == {"u": slice(1, 13)}
    field = system("KuramotoSivashinsky", points=32)
    values = np.random.default_rng(0).normal(size=(50, 32))
    image = figures.system_figure(field, values).axes[0].images[0]
    assert np.allclose(image.get_array(), values.T)
    assert image.get_extent() == pytest.approx([0, 50 * field.default_dt(), 0.5, 32.5])
    assert image.get_clim() == (-np.abs(values).max(), np.abs(values).max())
    with pytest.raises(DataError):
        figures.place_figure(np.zeros((5, 3)), ("x", "y", "z"))


def test_one_state_with_a_memory_is_drawn_against_a_later_one_and_a_random_one_over_time() -> None:
    blood, noise = system("MackeyGlass"), system("OrnsteinUhlenbeck")
    wave = np.sin(np.linspace(0, 60, 5000))[:, None]
    assert figures.system_figure(blood, wave).axes[0].get_ylabel().startswith("x(t + ")
    line = figures.system_figure(noise, wave).axes[0].lines[0]
    assert np.array_equal(line.get_ydata(), wave[:500, 0])


def test_a_flat_orbit_is_seen_from_where_it_is_wide() -> None:
    t = np.linspace(0, 20, 2000)
    for turn in np.linspace(0, np.pi, 7):
        flat = np.column_stack([np.cos(turn) * np.cos(t), np.sin(turn) * np.cos(t), np.sin(t)])
        drawn = figures.portrait_figure(flat).axes[0].dataLim
        assert drawn.width > 1.2
