"""The past of a delay equation: as a function, as a grid of states, and as pieces of polynomials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .rule import Array

LEAST_PANELS, PANELS_A_PERIOD = 16, 8
"""Panels of the grid of a past: at least so many, and so many a typical period."""
MOST_PANELS = 4096
"""Panels into which a past that is given as a function is divided at most."""


@dataclass(frozen=True)
class Grid:
    """The times at which the state in full holds the past `lag` of a delay equation.

    The past is divided into equal `panels`, each with `degree` + 1 Chebyshev points, ends included and shared:
    panels degree + 1 points in all, of which the first is now. A solution that is smooth on a panel is resolved with an
    error of about (panel / (4 r))^(degree + 1), r the distance of its nearest singularity in the complex plane.
    """

    lag: float
    panels: int
    degree: int

    @classmethod
    def suited(cls, lag: float, period: float | None, degree: int) -> Grid:
        """At least 16 panels, and 8 a typical period."""
        wanted = 0 if period is None else int(np.ceil(PANELS_A_PERIOD * lag / period))
        return cls(lag, max(LEAST_PANELS, wanted), degree)

    @property
    def points(self) -> int:
        """The number of points."""
        return self.panels * self.degree + 1

    @property
    def times(self) -> Array:
        """The times `(point,)` before now: 0 down to -lag."""
        from .native.delay_run import nodes

        ends = np.linspace(-self.lag, 0.0, self.panels + 1)
        inner = ends[:-1, None] + nodes(self.degree)[:-1] * (self.lag / self.panels)
        return np.append(inner.ravel(), 0.0)[::-1]

    def pieces(self, values: Array, now: float) -> Array:
        """Pieces of history up to `now` from states `(point, state)` at the times, newest first."""
        from .native.delay_run import fitted

        ascending = values[::-1]
        index = np.arange(self.panels)[:, None] * self.degree + np.arange(self.degree + 1)
        return fitted(now + np.linspace(-self.lag, 0.0, self.panels + 1), ascending[index], self.degree)


def from_function(past: Callable[[Array], Array], lag: float, degree: int, tolerance: float) -> Array:
    """Pieces of history before 0 from a function of time that gives states `(time, state)`.

    Panels are halved until the polynomials agree with the function between their points, to a tenth of the tolerance.
    """
    from .native.delay_run import looked_up

    grid = Grid(lag, 1, degree)
    while True:
        values = past(grid.times)
        pieces = grid.pieces(values, 0.0)
        between = np.linspace(-lag, 0.0, 8 * grid.panels + 3)[1:-1]
        exact = past(between)
        gap = np.abs(looked_up(pieces, between, values.shape[1]) - exact)
        if np.all(gap <= 0.1 * tolerance * (1 + np.abs(exact))) or grid.panels >= MOST_PANELS:
            return pieces
        grid = Grid(lag, 2 * grid.panels, degree)
