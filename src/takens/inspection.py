"""What a law has learned: its numbers, exponents, fixed points, symbols and free run, beside what was observed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .dynamics import Itinerary, PiecewiseLinear, itinerary, lyapunov_spectrum, region_cycles
from .dynamics.closed_orbits import ClosedOrbit
from .dynamics.fixed_points import eigenvalues, fixed_points, stability
from .dynamics.roots import distinct, newton
from .errors import LawError, SettingError, SimulationError, TakensError
from .estimate import Estimate
from .models.base import Law, RecursiveLaw
from .models.piecewise.law import PiecewiseLinearLaw
from .models.piecewise.maps import AlmostLinearMap
from .random import generator
from .scores import Score, climate
from .series import Series, as_series
from .systems.base import System
from .systems.equations import Equations
from .wording import printed

Array = NDArray[np.float64]
Report = Callable[[str, float], object]

ROWS = 10_000
"""Most rows of the free run, and of the data that it is compared with."""
FEWEST = 200
"""Rows of data below which a free run is not compared with them."""
ALL, FEW = 12, 6
"""Up to so many states all exponents are computed, of more only a few of the largest."""
SEARCHED = 12
"""Up to so many states fixed points are looked for in a whole box, of more from the states of the free run."""
PROVED = 2
"""Up to so many states it takes no time to prove that there are no other fixed points."""
WORDS = 20_000
"""Words up to which all cycles of a piecewise-linear law are looked for, period by period up to LONGEST."""
LONGEST = 6
STILL = 1e-6
"""A run that moves by less, in units of the data's deviations, is at rest."""
MEMORIES = ("history", "residuals", "low", "high", "mean", "scale")
"""Arrays of a law that are not fitted to the motion."""


@dataclass(frozen=True)
class Rest:
    """A fixed point of a law: `values (channel,)` there, `eigenvalues (state,)` of its map or flow, `stability` in
    words, and whether it is `proved` to exist."""

    values: Array
    eigenvalues: NDArray[np.complex128]
    stability: str
    proved: bool

    __repr__ = printed


@dataclass(frozen=True, eq=False)
class Inspection:
    """What was learned, beside what was observed.

    `kind` is the class of the law, `settings` its plain fields, `numbers` how many it was fitted by, `memory` the rows
    that a forecast needs. `system` is the law as a system; `spectrum` its largest Lyapunov exponents per unit of the
    data's clock; `points` its fixed points and `complete` whether they are proved to be all; `cycles` the number of
    cycles by period where all were found; `symbols` the regions that a piecewise-linear law goes through, and `orbit
    (time, channel)` the run they are of. `generated` is the noise-free run from the end of the training data and
    `with_noise` that with the law's own noise, `observed` the data they are compared with, `scores` and `noisy` the
    climate scores of both. `equations` are those of the law where it has some. `reasons` says why something is missing.
    """

    law: Law
    kind: str
    settings: Mapping[str, Any]
    numbers: int
    memory: int
    system: System | None = None
    spectrum: Estimate | None = None
    points: tuple[Rest, ...] = ()
    complete: bool = False
    cycles: Mapping[int, int] = field(default_factory=dict)
    symbols: Itinerary | None = None
    orbit: Array | None = None
    generated: Series | None = None
    with_noise: Series | None = None
    observed: Series | None = None
    scores: Mapping[str, Score] = field(default_factory=dict)
    noisy: Mapping[str, Score] = field(default_factory=dict)
    equations: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)

    __repr__ = printed

    @property
    def at_rest(self) -> bool:
        """Whether the noise-free run comes to rest: what the law knows of the motion is then in its noise."""
        return "free run" in self.reasons


def inspect(
    law: Law, data: Series | ArrayLike | None = None, *, duration: float | None = None, seed: int = 0,
    report: Report | None = None,
) -> Inspection:  # fmt: skip
    """Everything that can be asked of a law in general: see `Inspection`.

    `data` is what its free run is compared with (None: the history the law keeps, if that has 200 rows), with the
    channels and the interval of the training data. `duration` of the average of exponents in the data's clock (None:
    50,000 intervals, fewer for more than 12 states). What does not apply is missing and has its reason; raises only for
    data that do not fit. Cost: seconds; for hundreds of states minutes.
    """
    bare = unwrapped(law)
    known: dict[str, Any] = {
        "law": law, "kind": type(bare).__name__, "settings": settings_of(bare), "numbers": numbers_of(bare),
        "memory": law.memory,
    }  # fmt: skip
    reasons: dict[str, str] = {}
    known |= _compared(law, data, seed, reasons)
    try:
        system = law.system
    except LawError as error:
        return Inspection(**known, reasons=reasons | {"system": error.cause})
    known["system"] = system
    if isinstance(system.rule, Equations):
        known["equations"] = tuple(system.text().splitlines())

    def part(what: str, share: float) -> None:
        if report is not None:
            report(what, share)

    try:
        known["spectrum"] = exponents(
            law, system, duration=duration, seed=seed, report=lambda share: part("exponents", share)
        )
    except TakensError as error:
        reasons["exponents"] = error.cause
    part("fixed points", 0.0)
    try:
        if isinstance(bare, PiecewiseLinearLaw):
            known |= _pieces_of(bare, system, seed)
        else:
            known["points"], known["complete"] = resting(bare, system)
    except TakensError as error:
        reasons["fixed points"] = error.cause
    return Inspection(**known, reasons=reasons)


def unwrapped(law: Law) -> Law:
    """The law inside of wrappers that have the same motion."""
    while type(law).__name__ == "ConformalLaw":
        law = getattr(law, "law")  # noqa: B009  what kind of law is inside is not known before
    return law


def exponents(
    law: Law,
    system: System,
    *,
    duration: float | None = None,
    count: int | None = None,
    seed: int = 0,
    report: Callable[[float], object] | None = None,
) -> Estimate:
    """The Lyapunov spectrum of a law's `system` per unit of the data's clock, with defaults that fit learned laws.

    All exponents of up to 12 states, the 6 largest of more; the average is over `duration` in the data's clock (None:
    50,000 intervals, or as many fewer as there are more than 12 states, at least 20,000).
    """
    interval, size = law.signature.interval, system.dimension
    if duration is not None and not 0 < duration < np.inf:
        raise SettingError(f"duration is {duration}", place=system.name, remedy="Give a positive time.")
    scale = interval if system.stepwise else 1.0
    steps = duration / interval if duration is not None else max(20_000.0, 50_000 / max(1, size // ALL))
    chosen = count if count is not None else size if size <= ALL else FEW
    try:
        found = lyapunov_spectrum(
            system, duration=max(1.0, round(steps)) if system.stepwise else steps * interval, count=chosen, seed=seed,
            interval=None if system.stepwise else 4 * interval, report=report,
        )  # fmt: skip
    except SimulationError as error:
        raise SettingError(
            f"the orbit leaves all numbers after {error.time:.6g} steps: {error.cause}",
            place=system.name,
            remedy="The law is not stable by itself; fit it with a larger ridge or another model.",
        ) from error
    return per_unit(found, scale, law.signature.clock.unit)


def per_unit(found: Estimate, scale: float, unit: str) -> Estimate:
    """Exponents counted in iterations that last `scale` each, per `unit` of the data's clock."""
    words = f"1/{unit}" if unit not in ("step", "time", "") else "1/step" if unit == "step" else "1/time unit"
    kept = {name: np.asarray(found.details[name]) / scale for name in
            ("standard_error", "convergence", "sum", "divergence") if name in found.details}  # fmt: skip
    ends = None if found.interval is None else (found.interval[0] / scale, found.interval[1] / scale)
    timed = {name: found.settings[name] * scale for name in ("duration", "transient", "interval")}
    return replace(
        found, value=found.value / scale, unit=words, details={**found.details, **kept},
        interval=ends, settings={**found.settings, **timed},
    )  # fmt: skip


def settings_of(law: Law) -> dict[str, Any]:
    """The plain fields of a law, and its short lists of whole numbers."""
    found: dict[str, Any] = {}
    for one in fields(law):
        value = getattr(law, one.name)
        if isinstance(value, np.ndarray) and value.dtype.kind == "i" and value.ndim == 1 and len(value) <= 16:
            found[one.name] = value.tolist()
        elif isinstance(value, bool | int | float | str) and one.name != "end":
            found[one.name] = value
    return found


def numbers_of(law: Law) -> int:
    """How many numbers were fitted: the law's own count, or all that it holds without histories and scales."""
    own = getattr(law, "size", None)
    return int(own) if isinstance(own, int) else _held(law)


def _held(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return int(value.size) if value.dtype.kind == "f" else 0
    if isinstance(value, tuple):
        return sum(map(_held, value))
    if is_dataclass(value):
        names = [one.name for one in fields(value) if one.name not in (*MEMORIES, "signature")]
        return sum(_held(getattr(value, name)) for name in names)
    return 0


def _compared(law: Law, data: Series | ArrayLike | None, seed: int, reasons: dict[str, str]) -> dict[str, Any]:
    """The free run, the data, and the scores of the run with and without noise."""
    signature = law.signature
    observed = None if data is None else _fitting(law, data)
    if observed is None and len(law.history) >= FEWEST:
        times = law.end + signature.interval * np.arange(1.0 - len(law.history), 1.0)
        observed = Series(times, law.history, signature.channels, signature.units, signature.clock, signature.name)
        observed = replace(observed, inputs=signature.inputs)
    inputs = None
    if observed is not None and signature.inputs:
        inputs = replace(observed, inputs=()).select(*signature.inputs).values[-ROWS:]
    elif signature.inputs:
        reasons["comparison"] = f"a free run needs the known inputs {', '.join(signature.inputs)}, which come with data"
        return {}
    rows = ROWS if observed is None else min(max(len(observed), 1000), ROWS)
    rows = rows if inputs is None else min(rows, len(inputs))
    generated = law.generate(rows, noise=False, seed=seed, inputs=inputs)
    noisy = law.generate(rows, seed=seed, inputs=inputs)
    found: dict[str, Any] = {"generated": generated, "with_noise": noisy}
    spread = np.std(noisy.values, axis=0) if observed is None else np.nanstd(observed.observed.values, axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    if np.ptp(generated.values[-rows // 4 :] / spread, axis=0).max() < STILL:
        reasons["free run"] = "the noise-free run comes to rest"
    if observed is None:
        reasons["comparison"] = f"the law keeps only {len(law.history)} rows of its training data"
        return found
    truth = observed.observed.rows(-ROWS)
    found["observed"] = truth
    try:
        if len(truth) < FEWEST:
            reasons["comparison"] = f"{len(truth)} rows of data; {FEWEST} are needed"
            return found
        found["scores"] = climate(generated, truth)
        found["noisy"] = climate(noisy, truth)
    except TakensError as error:
        reasons["comparison"] = error.cause
    return found


def _fitting(law: Law, data: Series | ArrayLike) -> Series:
    """Data with the channels of the law, its inputs last. Raises `LawError` where they do not fit."""
    series = as_series(data)
    if not isinstance(data, Series):
        if series.shape[1] != len(law.signature.channels):
            raise LawError(f"the law has {len(law.signature.channels)} channels, the data {series.shape[1]}")
        series = Series.from_array(
            series.values, interval=law.signature.interval, unit=law.signature.clock.unit,
            channels=law.signature.channels, units=law.signature.units,
        )  # fmt: skip
    missing = [name for name in law.signature.channels if name not in series.channels]
    if missing:
        raise LawError(
            f"the data have no channel {', '.join(missing)}", place=series.source or series.name,
            remedy=f"The law was fitted on {', '.join(law.signature.channels)}.",
        )  # fmt: skip
    series = replace(series, inputs=()).select(*law.signature.channels)
    law.signature.check(series)
    return replace(series, inputs=law.signature.inputs)


def resting(law: Law, system: System, *, proof: bool = False) -> tuple[tuple[Rest, ...], bool]:
    """The fixed points in a box around the training data, or those reached from states along the orbit of many states.

    With equations and up to 2 states they are proved to be all; with `proof` it is tried for up to 8, in up to minutes.
    """
    if system.dimension <= SEARCHED:
        method = None if proof or system.dimension <= PROVED else "search"
        found = fixed_points(system, _box(law, system), method=method, starts=500, most_boxes=20_000)
        states, complete, proved = found.points, found.complete, found.proved
    else:
        run = system.trajectory(_along(system), system.initial)[1]
        ends, arrived = newton(ClosedOrbit(system), run)
        states = distinct(ends[arrived], np.maximum(np.ptp(run, axis=0), 1e-9))
        complete, proved = False, np.zeros(len(states), dtype=bool)
    if not len(states):
        return (), complete
    spectra = eigenvalues(system.jacobian(0.0, states), stepwise=system.stepwise)
    shown = channels_at(law, system, states)
    points = [
        Rest(value, row, stability(row, stepwise=system.stepwise), bool(sure))
        for value, row, sure in zip(shown, spectra, proved, strict=True)
    ]
    return tuple(sorted(points, key=lambda point: tuple(point.values))), complete


def _box(law: Law, system: System) -> Array | None:
    """Where the training data were, widened by their range on each side; None where states are no rows of channels."""
    if not isinstance(law, RecursiveLaw):
        return None
    targets = law.signature.targets
    low, high = law.low[:targets], law.high[:targets]
    copies, rest = divmod(system.dimension, targets)
    if rest or law.init(law.history[None]).shape[-1] != len(law.signature.channels):
        return None
    margin = 2 * (high - low) / 7  # of the guard box, which is seven ranges wide
    return np.stack([np.tile(low + margin, copies), np.tile(high - margin, copies)])


def _along(system: System) -> Any:
    from .systems.base import Request

    return Request(40, 25 * system.default_dt() if not system.stepwise else 25.0)


def channels_at(law: Law, system: System, states: Array) -> Array:
    """The channels `(point, channel)` of a law at states of rest `(point, state)`."""
    targets = law.signature.targets
    if not isinstance(law, RecursiveLaw) or not system.stepwise:
        return states[:, :targets]
    shape = law.init(law.history[None]).shape[1:]
    if shape[-1:] == (len(law.signature.channels),):
        return states[:, -targets:]  # rows, the last of them now
    return np.asarray(law.step(states.reshape(len(states), *shape))[:, :targets])


def pieces_of(law: PiecewiseLinearLaw, system: System) -> tuple[PiecewiseLinear, Array]:
    """The map of a piecewise-linear law with its inputs held at the parameters of its system; its units at the end."""
    history = law.history.copy()
    for k, value in enumerate(system.parameters.values()):
        history[:, law.signature.targets + k] = value
    units, inputs = law.parted(law.init(history[None]))
    inner = law.map
    bias = inner.bias + inner.drive @ inputs[0]
    if isinstance(inner, AlmostLinearMap):
        return PiecewiseLinear.almost_linear(inner.decay, inner.weights, bias, inner.relus), units[0]
    pieces = PiecewiseLinear.shallow(
        inner.decay, inner.outer, inner.inner, inner.thresholds, bias, clipped=inner.clipped
    )
    return pieces, units[0]


def _pieces_of(law: PiecewiseLinearLaw, system: System, seed: int) -> dict[str, Any]:
    """Fixed points, cycles and symbols of a piecewise-linear law."""
    pieces, start = pieces_of(law, system)
    orbit = pieces.orbit(start, ROWS)
    sound = np.isfinite(orbit).all()
    around = orbit[:: len(orbit) // 500] if sound else generator(seed, "inspect").normal(size=(500, len(start)))
    found = region_cycles(pieces, 1, states=around, seed=seed, most_words=WORDS)
    points = tuple(
        Rest(law.values(one.states)[0], one.multipliers, one.stability, one.proved) for one in found.orbits
    )  # fmt: skip
    known: dict[str, Any] = {"points": points, "complete": found.complete}
    if sound:
        known |= {"symbols": itinerary(pieces, orbit), "orbit": law.values(orbit)}
    counted = {1: len(found)} if found.complete and isinstance(law.map, AlmostLinearMap) else {}
    for period in range(2, LONGEST + 1):
        if not counted:
            break
        try:
            more = region_cycles(pieces, period, method="enumeration", most_words=WORDS)
        except SettingError:
            break
        if not more.complete:
            break
        counted[period] = len(more)
    return known | {"cycles": counted}
