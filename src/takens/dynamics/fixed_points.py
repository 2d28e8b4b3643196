"""Fixed points of flows and maps in a box: all of them with a proof, or those that a search finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import SettingError, SimulationError
from ..systems.base import System
from ..systems.equations import Equations
from ..systems.evolve import orbit
from ..wording import printed
from .closed_orbits import ClosedOrbit
from .contraction import unique
from .roots import Report, Roots, distinct, enclosed, newton, searched

Array = NDArray[np.float64]

PROOF_STATES = 8
"""Up to this many states a proof is tried by default; the number of boxes grows exponentially with it."""
ROUND = 1000
"""Half of the iterations, or samples, of the orbit that a default box is taken from."""


@dataclass(frozen=True)
class FixedPoints:
    """The fixed points of a system in a box.

    `points (point, state)` with `eigenvalues (point, state)` of the Jacobian there (complex; largest real part first,
    largest modulus for a map), `stability` in words (see the function of that name; "degenerate" too where a proof was
    tried and failed), `residuals (point,)`, |f(x)| of a flow and |f(x) - x| of a map.
    `proved (point,)` says which are proved to exist and to be alone near there, with `errors (point, state)`, bounds of
    the distance to the exact point. `box (2, state)` was searched by `method`, "proof" or "search"; `undecided (box, 2,
    state)` are the parts of it about which nothing was proved, after `examined` boxes. `complete` says that it is
    proved that there are no others in the box.
    """

    points: Array
    eigenvalues: NDArray[np.complex128]
    stability: tuple[str, ...]
    residuals: Array
    proved: NDArray[np.bool_]
    errors: Array
    box: Array
    undecided: Array
    examined: int
    method: str
    complete: bool

    __repr__ = printed

    def __len__(self) -> int:
        return len(self.points)

    @property
    def status(self) -> str:
        """What is known about completeness, in a sentence."""
        if self.complete:
            return f"All fixed points in the box: {len(self)}, each proved to exist, and no others."
        if self.method == "search":
            return f"{len(self)} fixed points found by a search from many points, not a proof that there are no more."
        return (
            f"{int(self.proved.sum())} fixed points proved; {len(self.undecided)} small boxes undecided, where points"
            " may be degenerate or boxes ran out."
        )


def fixed_points(
    system: System,
    box: ArrayLike | None = None,
    *,
    method: str | None = None,
    most_boxes: int = 200_000,
    starts: int = 2000,
    report: Report | None = None,
) -> FixedPoints:
    """All fixed points of a flow, f(x) = 0, or a map, f(x) = x, in `box (2, state)`, lower and upper ends.

    With equations and at most 8 states the method is "proof": branch and bound with interval arithmetic, rounded
    outwards, finds every point, proves that it exists and that the box holds no others. Where it cannot (degenerate
    points such as that of x' = x^2, whole lines of points, jumps, more than `most_boxes` boxes) parts stay `undecided`.
    Otherwise it is "search": damped Newton steps from `starts` evenly spread points, which can miss some. A proof is
    one about the parameters' values in double precision.

    The default box is the extent of an orbit of 40 periods, or 2,000 iterations of a map, enlarged by twice its width
    on each side. Fixed points elsewhere are not looked for. Raises `SettingError` for a system that depends on time
    (see `stroboscopic_section`) and for an unfit box or method. Cost: milliseconds to seconds in up to three
    dimensions, minutes at most with the default `most_boxes`. Source: Neumaier, Interval Methods for Systems of
    Equations (1990).
    """
    require_autonomous(system)
    corners = default_box(system) if box is None else checked_box(system, box)
    provable = isinstance(system.rule, Equations)
    chosen = method or ("proof" if provable and system.dimension <= PROOF_STATES else "search")
    if chosen not in ("proof", "search") or most_boxes < 1 or starts < 1:
        raise SettingError(
            f"method {chosen!r} with {most_boxes} boxes and {starts} starts", place=system.name,
            remedy='Choose "proof" or "search", and at least one box and start.',
        )  # fmt: skip
    problem = ClosedOrbit(system)
    if chosen == "proof":
        roots = with_doubtful(problem, enclosed(problem, corners[0], corners[1], most_boxes, report), corners)
    else:
        roots = searched(problem, corners[0], corners[1], starts)
    order = np.lexsort(roots.points.T[::-1])
    points = roots.points[order]
    slopes = system.jacobian(0.0, points) if len(points) else np.empty((0, system.dimension, system.dimension))
    spectrum = eigenvalues(slopes, stepwise=system.stepwise)
    with np.errstate(all="ignore"):
        residuals = np.linalg.norm(problem.values(points), axis=1) if len(points) else np.empty(0)
    words = [stability(row, stepwise=system.stepwise) for row in spectrum]
    if chosen == "proof":
        words = [word if sure else "degenerate" for word, sure in zip(words, roots.proved[order], strict=True)]
    return FixedPoints(
        points, spectrum, tuple(words), residuals,
        roots.proved[order], roots.errors[order], corners, roots.undecided, roots.examined, chosen,
        chosen == "proof" and not len(roots.undecided),
    )  # fmt: skip


def with_doubtful(problem: ClosedOrbit, roots: Roots, corners: Array) -> Roots:
    """The roots and, not proved, those that Newton's method reaches from boxes that were left undecided."""
    boxes = roots.undecided[:: max(1, len(roots.undecided) // 500)]
    ends, arrived = newton(problem, boxes.mean(axis=1))
    inside = arrived & (ends >= corners[0]).all(axis=1) & (ends <= corners[1]).all(axis=1)
    scale = corners[1] - corners[0]
    known = len(roots.points)
    found = distinct(np.concatenate([roots.points, ends[inside]]), scale)[known:]
    sound, _, errors = unique(problem, found, np.broadcast_to(1e-3 * scale, found.shape))
    errors[~sound] = np.nan
    return Roots(
        np.concatenate([roots.points, found]), np.concatenate([roots.proved, sound]),
        np.concatenate([roots.errors, errors]), roots.undecided, roots.examined,
    )  # fmt: skip


def eigenvalues(matrices: Array, *, stepwise: bool) -> NDArray[np.complex128]:
    """Eigenvalues `(point, state)` of matrices, largest real part first; largest modulus first where `stepwise`."""
    found = np.linalg.eigvals(matrices).astype(np.complex128)
    key = np.abs(found) if stepwise else found.real
    order = np.lexsort((-found.imag, -key.round(12)), axis=-1)
    return np.take_along_axis(found, order, axis=-1)


def stability(spectrum: ArrayLike, *, stepwise: bool, tolerance: float = 1e-7) -> str:
    """The type of a fixed point with these eigenvalues: of a flow, or of a map where `stepwise`.

    "stable node", "unstable node", "stable focus", "unstable focus" (a focus has complex eigenvalues), "saddle",
    "centre" (all on the imaginary axis or unit circle, none real) or "degenerate" (some are there, within `tolerance`
    of the largest).
    """
    values = np.asarray(spectrum, dtype=np.complex128)
    growth = np.abs(values) - 1 if stepwise else values.real
    scale = max(float(np.abs(values).max(initial=0.0)), 1.0 if stepwise else 1e-300)
    neutral = np.abs(growth) <= tolerance * scale
    turning = np.abs(values.imag) > tolerance * scale
    if neutral.any():
        return "centre" if (neutral & turning).all() else "degenerate"
    if (growth > 0).any() and (growth < 0).any():
        return "saddle"
    return f"{'stable' if growth[0] < 0 else 'unstable'} {'focus' if turning.any() else 'node'}"


WITHOUT = {
    "delayed": ("a system with delays", "its state is a stretch of its past, and only a few numbers are searched"),
    "diffusion": ("a system with noise", "it leaves any state that its drift would keep"),
    "jump": ("a jump process", "its next state is a matter of chance"),
    "field": ("a field", "its state is a function of space, and only a few numbers are searched"),
}
"""Kinds of system that have no fixed points to look for, and why."""


def require_autonomous(system: System) -> None:
    """Raise `SettingError` for systems that depend on time or are not flows or maps of a finite state."""
    if system.kind not in ("flow", "map"):
        what, why = WITHOUT.get(system.kind, (f"a system of kind {system.kind}", "only those of flows and maps are"))
        raise SettingError(
            f"{what} has no fixed points here: {why}", place=system.name, remedy="Ask for those of a flow or map."
        )
    if not system.autonomous:
        raise SettingError(
            "the equations depend on time, so that no state stays fixed", place=system.name,
            remedy="Make the phase of the forcing a state, or look at stroboscopic sections.",
        )  # fmt: skip


def checked_box(system: System, box: ArrayLike) -> Array:
    """A box `(2, state)`, lower and upper ends, or `SettingError`."""
    corners = np.array(box, dtype=np.float64)
    if corners.shape != (2, system.dimension) or not np.isfinite(corners).all() or not (corners[0] < corners[1]).all():
        raise SettingError(
            f"the box has shape {corners.shape}", place=system.name,
            remedy=f"Give finite lower ends and larger upper ends, (2, {system.dimension}).",
        )  # fmt: skip
    return corners


def default_box(system: System) -> Array:
    """The extent of an orbit, enlarged by twice its width on each side `(2, state)`."""
    if system.stepwise:
        times = np.arange(2 * ROUND, dtype=np.float64)
    else:
        period = system.period or 100 * system.default_dt()
        times = 40 * period * np.arange(2 * ROUND) / (2 * ROUND)
    try:
        states = orbit(system, system.initial, times)
    except SimulationError as error:
        raise SettingError(
            f"there is no orbit to take a box from: {error.cause}", place=system.name, remedy="Give box="
        ) from None
    low, high = states.min(axis=0), states.max(axis=0)
    size = np.maximum(1.0, np.maximum(np.abs(low), np.abs(high)))
    width = np.where(high - low < 1e-3 * size, size, high - low)  # an orbit at rest has no extent
    return np.stack([low - 2 * width, high + 2 * width])
