"""Iterated maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike

from ...errors import SettingError
from ..base import Report, Request, System
from ..rule import Array

if TYPE_CHECKING:
    from ..reading import Reading


@final
@dataclass(frozen=True, eq=False, repr=False)
class Map(System):
    """An iterated map, x_(n+1) = f(x_n, n, p)."""

    kind: ClassVar[str] = "map"
    methods: ClassVar[tuple[str, ...]] = ("iteration",)
    stepwise: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("equations", "auxiliary", "lattice")

    @classmethod
    def read(cls, reading: Reading) -> Map:
        """A map from its definition; `n` is the step."""
        rule = reading.rule(time="n")
        found = cls(rule=rule, **reading.common(rule.states))
        reading.check_values(rule, found.rhs(0.0, found.initial).tolist())
        return found

    def divergence(self, t: ArrayLike, x: ArrayLike, /, **parameters: ArrayLike) -> Array:
        """log |det J| `(...)`, the logarithm of the growth of volumes in one step; -inf where the map is singular."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.linalg.slogdet(self.jacobian(t, x, **parameters))[1]

    def text(self) -> str:
        """The equations as plain text, `x[n+1] = ...`, a line each; on the right x is x[n]."""
        return self.rule.lines("{}[n+1]")

    def latex(self) -> str:
        """The equations as a LaTeX `aligned` environment, with the step as an index."""
        return self.rule.latex(kind="map")

    def trajectory(self, request: Request, initial: Array, report: Report | None = None) -> tuple[Array, Array]:
        """Iterations, rounded as plain double arithmetic rounds them."""
        if request.step is not None:
            raise SettingError("a map has no steps to choose", place=self.name, remedy="Leave step out.")
        if self.rule.program is None:
            from ..arrays import map_orbit

            return map_orbit(self, request, initial)
        from ..native.integrate import march

        course = march(
            self.rule.program, initial, self.values_of_parameters(), request.length, substeps=int(request.dt),
            skipped=int(request.transient), report=report,
        )  # fmt: skip
        return request.times, course.states

    def trajectories(
        self,
        request: Request,
        initial: Array,
        parameters: Mapping[str, Array],
        *,
        threads: int | None = None,
        report: Report | None = None,
    ) -> tuple[Array, Array]:
        """Many members at once in vectors, see `ensembles`; few one by one."""
        from ..ensembles import trajectories

        found = trajectories(self, request, initial, parameters, threads=threads, report=report)
        if found is None:
            return super().trajectories(request, initial, parameters, threads=threads, report=report)
        return request.times, found

    def carried(
        self, phase: Array, vectors: Array, start: float, duration: float, *, tolerance: float = 1e-9
    ) -> tuple[Array, Array, float]:
        """By the tangent map v' = J v; the growth of volumes is log |det J|, NaN for more than 4 states."""
        from ..variational import carried

        found = carried(self, phase, vectors, start, duration, tolerance)
        if found is None:
            from ..arrays import map_carried

            ends, moved, volumes = map_carried(self, phase[None], vectors[None], start, duration)
            found = ends[0], moved[0], float(volumes[0])
        return found
