"""The motion of a known system, drawn as suits it: a portrait, a picture over time and place, or a course in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError
from .attractors import smooth
from .orbits import fitting, portrait_figure, under_title
from .style import COLOURS, WIDTH, canvas, named, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..systems.base import System

Array = NDArray[np.float64]
MANY = 12
"""This many states of one name, x1 to x12, are places along a line."""
ROWS = 500
"""Samples of a picture over time and place, or of a course in time."""
STEPS = 120
"""The same of a map, which has no steps between its iterations."""
AROUND = ("#0d2b4a", "#1d5c9e", "#9dbad6", "#f4f1ea", "#e8b48f", "#c2571a", "#6b2f0e")
"""From below zero over nothing to above it."""
ANGLES = ("theta", "phi")


def system_figure(system: System, states: ArrayLike) -> Figure:
    """An orbit `states (time, state)` of a system, sampled every `system.dt`, with its equations where they are short.

    Fields and lattices are drawn over time and place, one state that moves at random over time, one with a memory
    against its value a quarter of a period later, the others as phase portraits. Raises `DataError` as
    `portrait_figure` does.
    """
    orbit = np.asarray(states, dtype=float)
    equations = system.text()
    if orbit.ndim != 2 or len(orbit) < 3 or not np.isfinite(orbit).all():
        raise DataError(f"an orbit has shape (time, state) and is finite, this one is {orbit.shape}")
    if lines_of_places(system.states):
        orbit = orbit[:STEPS] if system.stepwise else orbit
        return place_figure(orbit, system.states, system.default_dt(), title=system.name, equations=equations)
    if orbit.shape[1] > 1 or not smooth(orbit):
        return portrait_figure(orbit, system.states, title=system.name, equations=equations)
    if system.kind in ("diffusion", "jump"):
        return _course(orbit[:ROWS, 0], system)
    later = max(1, round((system.period or 100 * system.default_dt()) / system.default_dt() / 4))
    name = system.states[0]
    names = (f"{name}(t)", f"{name}(t + {later * system.default_dt():.3g})")
    pairs = np.column_stack([orbit[:-later, 0], orbit[later:, 0]])
    return portrait_figure(pairs, names, title=system.name, equations=equations)


def lines_of_places(names: tuple[str, ...]) -> dict[str, slice]:
    """The states that are places along a line, by name: u1, u2, ..., u64 are "u", at least `MANY` of them."""
    found: dict[str, slice] = {}
    start = 0
    stems = [name.rstrip("0123456789") for name in names]
    for k in range(1, len(names) + 1):
        if k == len(names) or stems[k] != stems[start]:
            if k - start >= MANY:
                found[stems[start]] = slice(start, k)
            start = k
    return found


@styled
def place_figure(
    states: ArrayLike, names: tuple[str, ...], dt: float = 1.0, *, title: str = "", equations: str = ""
) -> Figure:
    """Fields or lattices `states (time, state)` as colours over time and place, the first `ROWS` samples, `dt` apart.

    One panel for each name with at least `MANY` places, at most three. Angles are drawn as their sine. Raises
    `DataError` where there is none.
    """
    orbit = np.asarray(states, dtype=float)[:ROWS]
    lines = lines_of_places(tuple(names))
    if not lines:
        raise DataError(f"no {MANY} states are places along a line")
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    shown, words = list(lines.items())[:3], fitting(equations)
    figure = Figure(figsize=(WIDTH, 1.2 + 2.0 * len(shown) + 0.17 * len(words)), layout="constrained")
    axes = figure.subplots(len(shown), 1, squeeze=False, sharex=True)[:, 0]
    for ax, (name, part) in zip(axes, shown, strict=True):
        values = np.sin(orbit[:, part]) if name in ANGLES else orbit[:, part]
        size = float(np.abs(values).max()) or 1.0
        both = values.min() < -0.1 * size
        shades = LinearSegmentedColormap.from_list("place", AROUND if both else AROUND[3:])
        extent = (0.0, dt * len(values), 0.5, values.shape[1] + 0.5)
        image = ax.imshow(values.T, cmap=shades, vmin=-size if both else float(values.min()),
                          vmax=size if both else float(values.max()), origin="lower", aspect="auto",
                          interpolation="antialiased", extent=extent)  # fmt: skip
        ax.set_ylabel("place")
        bar = figure.colorbar(image, ax=ax, pad=0.015, aspect=18)
        bar.outline.set_visible(False)
        bar.set_label(f"sin {name}" if name in ANGLES else named(name, "", 18))
    axes[-1].set_xlabel("time")
    under_title(axes[0], title, words)
    return figure


@styled
def _course(values: Array, system: System) -> Figure:
    """One state over time."""
    words = fitting(system.text())
    figure, axes = canvas(2.6 + 0.17 * len(words))
    ax = axes[0, 0]
    drawn = "steps-post" if system.kind == "jump" else "default"
    ax.plot(
        system.default_dt() * np.arange(len(values)), values, color=COLOURS["accent"], linewidth=0.8, drawstyle=drawn
    )
    ax.set(xlabel="time", ylabel=named(system.states[0], "", 18))
    under_title(ax, system.name, words)
    return figure
