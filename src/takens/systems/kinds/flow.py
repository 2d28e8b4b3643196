"""Ordinary differential equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike

from ...errors import SettingError, SimulationError
from ..base import Report, Request, System
from ..rule import Array

if TYPE_CHECKING:
    from ..reading import Reading


@final
@dataclass(frozen=True, eq=False, repr=False)
class Flow(System):
    """A system of ordinary differential equations, dx/dt = f(x, t, p)."""

    kind: ClassVar[str] = "flow"
    keys: ClassVar[tuple[str, ...]] = ("equations", "auxiliary", "lattice")
    methods: ClassVar[tuple[str, ...]] = (
        "Taylor", "DOP853", "Tsit5", "RK4", "Radau", "Leapfrog", "Yoshida4", "KahanLi8", "Midpoint", "Gauss4",
    )  # fmt: skip

    @classmethod
    def read(cls, reading: Reading) -> Flow:
        """A flow from its definition; `t` is the time."""
        rule = reading.rule(time="t")
        found = cls(rule=rule, **reading.common(rule.states))
        reading.check_values(rule, found.rhs(0.0, found.initial).tolist())
        return found

    def divergence(self, t: ArrayLike, x: ArrayLike, /, **parameters: ArrayLike) -> Array:
        """The trace of the Jacobian `(...)`, the rate at which volumes grow, per unit of time."""
        return self.rule.trace(t, self._states(x), self._given(parameters))

    def text(self) -> str:
        """The equations as plain text, `dx/dt = ...`, a line each."""
        return self.rule.lines("d{}/dt")

    def latex(self) -> str:
        """The equations as a LaTeX `aligned` environment, with dots for the derivatives."""
        return self.rule.latex(kind="flow")

    def trajectory(self, request: Request, initial: Array, report: Report | None = None) -> tuple[Array, Array]:
        """Sampled between steps that the method chooses, or at the end of fixed ones.

        Steps are fixed for RK4, the symplectic methods (Leapfrog, Yoshida4 and KahanLi8 of order 2, 4 and 8 for
        separable Hamiltonians, Midpoint and Gauss4 of order 2 and 4 for any) and where the request has a `step`. Radau
        is for stiff systems, see `systems.stiff`.
        """
        if request.method == "Radau":
            from ..stiff import radau

            if request.step is not None:
                raise SettingError("Radau chooses its steps", place=self.name, remedy="Leave step out.")
            return request.times, radau(self, request, initial, report)
        if self.rule.program is None:
            from ..arrays import flow_orbit

            return flow_orbit(self, request, initial)
        if request.step is None and request.method in (None, *self.methods[:3]):
            return request.times, self._sampled(request, initial, report)
        return self._stepped(request, initial, report)

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

    def _sampled(self, request: Request, initial: Array, report: Report | None) -> Array:
        from ..native.integrate import METHODS, STIFF, integrate
        from ..native.recurrence import NotAnalytic

        assert self.rule.program is not None
        names = self.methods[:2] if request.method is None else (request.method,)
        for name in names:
            try:
                return integrate(
                    self.rule.program, initial, self.values_of_parameters(), request.times, method=METHODS[name],
                    tolerance=request.tolerance, report=report,
                ).states  # fmt: skip
            except (NotAnalytic, SimulationError) as error:
                # Where one explicit method needs too many steps, so does the other, after as long a time.
                if name == names[-1] or error.remedy == STIFF:
                    raise
        raise AssertionError("unreachable")

    def _stepped(self, request: Request, initial: Array, report: Report | None) -> tuple[Array, Array]:
        from ..native.integrate import METHODS, march
        from ..native.symplectic import SYMPLECTIC, Gauss
        from ..native.taylor import Taylor

        assert self.rule.program is not None
        method = {**METHODS, **SYMPLECTIC}[request.method or "RK4"]
        if isinstance(method, Taylor):
            raise SettingError(
                f"{method.name} chooses its steps", place=self.name, remedy="Leave step out, or use RK4."
            )
        longest = request.dt if request.step is None else request.step
        substeps = int(np.ceil(request.dt / longest - 1e-9))
        step = request.dt / substeps
        skipped = int(np.ceil(request.transient / step - 1e-9))
        try:
            course = march(
                self.rule.program, initial, self.values_of_parameters(), request.length, step=step, substeps=substeps,
                skipped=skipped, tableau=method, report=report,
            )  # fmt: skip
        except SettingError as error:
            raise SettingError(error.cause, place=self.name, remedy=error.remedy) from None
        except SimulationError as error:
            if not isinstance(method, Gauss):
                raise
            raise SimulationError(
                f"{error.cause}, or the iteration of the step did not settle", time=error.time, state=error.state,
                place=self.name, remedy=f"Give a step= shorter than {step:g}.",
            ) from None  # fmt: skip
        return step * skipped + request.dt * np.arange(request.length, dtype=np.float64), course.states

    def carried(
        self, phase: Array, vectors: Array, start: float, duration: float, *, tolerance: float = 1e-9
    ) -> tuple[Array, Array, float]:
        """By the variational equations dv/dt = J v; the growth of volumes is the integral of the divergence."""
        from ..variational import carried

        found = carried(self, phase, vectors, start, duration, tolerance)
        if found is None:
            from ..arrays import flow_carried

            ends, moved, volumes = flow_carried(self, phase[None], vectors[None], start, duration, tolerance)
            found = ends[0], moved[0], float(volumes[0])
        return found
