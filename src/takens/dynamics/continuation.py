"""Branches of fixed points and cycles over a parameter, and where they bifurcate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError
from ..systems.base import System
from ..wording import printed
from .closed_orbits import ClosedOrbit
from .fixed_points import eigenvalues, require_autonomous

Array = NDArray[np.float64]

CORRECTIONS = 8
"""Newton steps back to the branch; a step that needs more is halved."""


@dataclass(frozen=True)
class Bifurcation:
    """A point of a branch where its stability changes, or where it turns.

    `kind` is "fold", "branch point" (transcritical, pitchfork), "Hopf" of flows, "period doubling" and "Neimark-Sacker"
    of maps; `parameter` its value, `state (state,)`, and the `critical` eigenvalue, with positive imaginary part.
    """

    kind: str
    parameter: float
    state: Array
    critical: complex

    def __str__(self) -> str:
        return f"{self.kind} at {self.parameter:.6g}"


@dataclass(frozen=True)
class Branch:
    """Fixed points, or points of a cycle, along a curve over a parameter, in the order of the curve.

    `values (point,)` of the parameter named `parameter`, `states (point, state)`, `eigenvalues (point, state)` (of a
    map its multipliers, once around), `stable (point,)`, and `bifurcations` in order. `ended` says why the curve ends.
    """

    parameter: str
    values: Array
    states: Array
    eigenvalues: NDArray[np.complex128]
    stable: NDArray[np.bool_]
    bifurcations: tuple[Bifurcation, ...]
    ended: str

    __repr__ = printed


def continue_fixed_point(
    system: System,
    parameter: str,
    limits: tuple[float, float],
    *,
    initial: ArrayLike | None = None,
    period: int = 1,
    direction: int = 1,
    step: float | None = None,
    most_points: int = 2000,
) -> Branch:
    """The branch of fixed points through `initial (state,)` over a parameter, around folds, with its bifurcations.

    Solves F(x, p) = 0, F = f of a flow and f^period(x) - x of a map, and follows the solution by pseudo-arclength: each
    step goes along the tangent and is corrected at right angles to it. It starts at the system's own value of the
    parameter, from the root that Newton's method reaches from `initial` (None: the system's own), goes towards larger
    values (`direction` 1) or smaller ones (-1), and ends at `limits`, back at its start, or after `most_points`. `step`
    is the first and a 25th of the longest step, in units where states and limits are of size 1 (None: 0.002).

    Changes of the number of unstable eigenvalues, and of the direction of the parameter, are located by bisection on
    the branch to about 1e-10. Of several changes in one step the pairs may be missed: use a smaller `step` then. At a
    branch point the curve goes straight on; start on the other branch to follow that. Raises `SettingError` for unfit
    arguments and where no fixed point is found. Cost: about 2 ms a point. Not for non-smooth equations. Source: Keller
    (1977); Kuznetsov, Elements of Applied Bifurcation Theory (2004), ch. 10.
    """
    require_autonomous(system)
    low, high = map(float, limits)
    value = system.with_parameters(**{parameter: system.parameters.get(parameter, 0.0)}).parameters[parameter]
    first = 0.002 if step is None else float(step)
    sound = low <= value <= high and low < high and direction in (1, -1) and 0 < first < 1 and most_points > 1
    if not sound or period < 1 or (period > 1 and not system.stepwise):
        raise SettingError(
            f"limits ({low:g}, {high:g}) with {parameter} = {value:g}, direction {direction}, step {first:g}, period"
            f" {period}", place=system.name,
            remedy="The system's own value is where the branch starts; only maps have periods.",
        )  # fmt: skip
    state = system.phase(initial)
    states = [state]
    for _ in range(period - 1):
        states.append(system.rhs(0.0, states[-1]))
    course = _Course(system, parameter, period, high - low)
    found = course.corrected(np.append(np.concatenate(states), value / course.width), None)
    if found is None:
        raise SettingError(
            f"no fixed point near {state.tolist()} at {parameter} = {value:g}", place=system.name,
            remedy="Give initial=, for example a point of fixed_points.",
        )  # fmt: skip
    return course.follow(found, float(direction), first, (low, high), most_points)


@dataclass(frozen=True)
class _Course:
    """F(z) = 0 with z = (states of the cycle, parameter / width)."""

    system: System
    parameter: str
    period: int
    width: float

    def at(self, point: Array) -> ClosedOrbit:
        """The equations at the parameter of a point."""
        return ClosedOrbit(self.system.with_parameters(**{self.parameter: float(point[-1] * self.width)}), self.period)

    def slopes(self, point: Array) -> Array:
        """dF/dz `(equation, unknown)`; that by the parameter by central differences."""
        reach = 1e-6 * max(1e-3, abs(float(point[-1])))
        ahead, behind = point.copy(), point.copy()
        ahead[-1] += reach
        behind[-1] -= reach
        by = (self.at(ahead).values(point[None, :-1])[0] - self.at(behind).values(point[None, :-1])[0]) / (2 * reach)
        return np.column_stack([self.at(point).slopes(point[None, :-1])[0], by])

    def tangent(self, point: Array, along: Array) -> Array:
        """The unit tangent of the branch that has a positive product with `along`."""
        matrix = np.vstack([self.slopes(point), along])
        right = np.zeros(len(point))
        right[-1] = 1.0
        found = np.linalg.lstsq(matrix, right, rcond=None)[0]
        return np.asarray(found / np.linalg.norm(found))

    def corrected(self, point: Array, across: Array | None) -> Array | None:
        """The point of the branch in the plane at right angles to `across` (None: at the same parameter), or None."""
        normal = np.eye(len(point))[-1] if across is None else across
        base, point = point, point.copy()
        for _ in range(CORRECTIONS if across is not None else 50):
            with np.errstate(all="ignore"):
                value = np.append(self.at(point).values(point[None, :-1])[0], normal @ (point - base))
                matrix = np.vstack([self.slopes(point), normal])
            if not np.isfinite(value).all() or not np.isfinite(matrix).all():
                return None
            if across is None:
                move = np.append(np.linalg.lstsq(matrix[:-1, :-1], value[:-1], rcond=None)[0], 0.0)
            else:
                move = np.linalg.lstsq(matrix, value, rcond=None)[0]
            # A step of no length solves nothing where the derivative is 0.
            solved = np.abs(value).max() <= 1e-9 * (1 + float((np.abs(matrix) @ np.abs(point)).max()))
            point = point - move
            if solved and np.abs(move).max() <= 1e-12 * (1 + np.abs(point).max()):
                return point
        # At degenerate points Newton's method converges linearly; what counts is that the equations hold.
        close = np.abs(move).max() <= 1e-7 * (1 + np.abs(point).max())
        return point if close and np.abs(value).max() <= 1e-11 * (1 + np.abs(point).max()) else None

    def spectrum(self, point: Array) -> NDArray[np.complex128]:
        """Eigenvalues of a flow's Jacobian, or multipliers of a cycle."""
        problem = self.at(point)
        states = point[:-1].reshape(self.period, -1)
        around = np.eye(states.shape[1])
        for slope in problem.system.jacobian(0.0, states):
            around = slope @ around
        return eigenvalues(around, stepwise=self.system.stepwise)

    def growth(self, spectrum: NDArray[np.complex128]) -> Array:
        """How unstable each eigenvalue is: its real part, or its modulus less 1."""
        return np.asarray(np.abs(spectrum) - 1 if self.system.stepwise else spectrum.real)

    def signs(self, point: Array, tangent: Array) -> tuple[int, bool]:
        """What changes at bifurcations: the number of unstable eigenvalues, and where the parameter goes."""
        return int((self.growth(self.spectrum(point)) > 0).sum()), bool(tangent[-1] > 0)

    def follow(
        self, start: Array, direction: float, first: float, limits: tuple[float, float], most: int
    ) -> Branch:  # fmt: skip
        """The branch from a point."""
        along = np.eye(len(start))[-1] * direction
        points, tangents = [start], [self.tangent(start, along)]
        events: list[Bifurcation] = []
        length, ended = first, f"after {most} points"
        scale = max(1.0, float(np.abs(start[:-1]).max()))
        while len(points) < most:
            point, tangent = points[-1], tangents[-1]
            found = self._stepped(point, tangent, length * scale)
            if found is None:
                length /= 2
                if length < 1e-9:
                    ended = "no next point found"
                    break
                continue
            new, turned = found
            inside = limits[0] <= new[-1] * self.width <= limits[1]
            if not inside:
                # The last point is exactly at the limit.
                edge = limits[1] if new[-1] * self.width > limits[1] else limits[0]
                share = (edge / self.width - point[-1]) / (new[-1] - point[-1])
                trial = point + share * (new - point)
                trial[-1] = edge / self.width
                last = self.corrected(trial, None)
                new = new if last is None else last
                turned = self.tangent(new, tangent)
            events += self._located(point, tangent, new, turned)
            points.append(new)
            tangents.append(turned)
            if not inside:
                ended = f"at {self.parameter} = {edge:g}"
                break
            if len(points) > 10 and np.linalg.norm(new - start) < length * scale and turned @ tangents[0] > 0.9:
                ended = "back at its start"
                break
            length = min(25 * first, length * (1.3 if turned @ tangent > 0.995 else 0.8))
        return self._branch(points, events, ended)

    def _stepped(self, point: Array, tangent: Array, length: float) -> tuple[Array, Array] | None:
        """The next point and its tangent, or None where the step is too long."""
        found = self.corrected(point + length * tangent, tangent)
        if found is None or np.linalg.norm(found - point) > 2 * length:
            return None
        turned = self.tangent(found, tangent)
        return (found, turned) if turned @ tangent > 0.9 else None

    def _located(self, point: Array, tangent: Array, end: Array, turned: Array) -> list[Bifurcation]:
        """The bifurcations between two neighbouring points, one after the other."""
        found: list[Bifurcation] = []
        signs, final = self.signs(point, tangent), self.signs(end, turned)
        span = float(tangent @ (end - point))
        done = 0.0
        while signs != final and len(found) < 4:
            low, high = done, span
            for _ in range(45):
                middle = (low + high) / 2
                trial = self.corrected(point + middle * tangent, tangent)
                if trial is None:
                    break
                same = self.signs(trial, self.tangent(trial, tangent)) == signs
                low, high = (middle, high) if same else (low, middle)
            ends = [self.corrected(point + where * tangent, tangent) for where in (low, high)]
            if ends[0] is None or ends[1] is None:
                break
            # Just after it the signs may still be the old ones, by rounding; a little further they are not.
            done = min(span, high + 1e-7 * span)
            past = self.corrected(point + done * tangent, tangent)
            now = final if past is None or done == span else self.signs(past, self.tangent(past, tangent))
            found.append(self._named(ends[1], signs, now))
            signs = now if now != signs else final
        return found

    def _named(self, point: Array, before: tuple[int, bool], after: tuple[int, bool]) -> Bifurcation:
        spectrum = self.spectrum(point)
        distance = np.abs(self.growth(spectrum))
        critical = complex(spectrum[int(distance.argmin())])
        real = abs(critical.imag) <= 1e-5 * max(1.0, float(np.abs(spectrum).max()))
        if before[1] != after[1]:
            kind = "fold"
        elif not real or abs(after[0] - before[0]) == 2:
            kind = "Neimark-Sacker" if self.system.stepwise else "Hopf"
        elif self.system.stepwise and critical.real < 0:
            kind = "period doubling"
        else:
            kind = "branch point"
        size = self.system.dimension
        return Bifurcation(
            kind, float(point[-1] * self.width), point[:size], complex(critical.real, abs(critical.imag))
        )

    def _branch(self, points: list[Array], events: list[Bifurcation], ended: str) -> Branch:
        spectra = np.array([self.spectrum(point) for point in points])
        curve = np.array(points)
        stable = np.array([(self.growth(row) < 0).all() for row in spectra])
        values = curve[:, -1] * self.width
        return Branch(
            self.parameter, values, curve[:, : self.system.dimension], spectra, stable, tuple(events), ended
        )  # fmt: skip
