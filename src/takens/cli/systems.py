"""`takens systems`, `simulate`: laws of motion that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..errors import SettingError
from .laws import PARAMETER, SYSTEM, known_system
from .options import Manner, manner
from .pictures import picture, wants_picture

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..systems.base import System

MOST_STATES = 12
"""States of more are not listed one by one, and drawn over time and place."""


@click.command(short_help="List the known systems, or show one.")
@click.argument("name", metavar="[NAME|FILE.toml|LAW]", required=False)
@click.option("--tag", metavar="TAG", multiple=True, help="Only systems with this tag; repeatable.")
@manner
def systems(name: str | None, tag: tuple[str, ...], manner: Manner) -> None:
    """List the systems of the catalogue, or show one: equations, parameters, what is known and was computed about it.

    With a name, OUT receives everything as JSON or, ending in .png, .svg or .pdf, a picture of its motion.

    \b
    Examples:
      takens systems --tag hamiltonian
      takens systems Lorenz63 --out lorenz.png
    """
    if name is not None:
        shown = known_system(name, ())
        if wants_picture(manner):
            picture(manner, "", _portrait(shown))
            manner.tell(_document(shown), _page(shown))
        else:
            manner.result(_document(shown), _page(shown))
        return
    from ..systems import names, system

    found = [system(one) for one in names()]
    tags = sorted({label for one in found for label in one.tags})
    for label in tag:
        if label not in tags:
            raise SettingError(f"no system has the tag {label!r}", place="--tag", remedy=f"Tags: {', '.join(tags)}.")
    found = [one for one in found if set(tag) <= set(one.tags)]
    width = max((len(one.name) for one in found), default=0)
    lines = [f"{one.name:<{width}}  {one.kind:9}  {one.dimension:4}  {', '.join(one.tags)}" for one in found]
    manner.result([_document(one) for one in found], lines or ["No system has all of these tags."])


@click.command(short_help="Simulate a known system.")
@SYSTEM
@click.option("--length", type=click.IntRange(min=2), default=10_000, show_default=True, help="Rows.")
@click.option("--dt", type=float, help="Time between rows; the system's own by default, 1 for a map.")
@click.option("--transient", type=float, default=0.0, show_default=True, help="Time before the first row.")
@click.option("--ensemble", type=click.IntRange(min=1), metavar="N", help="N trajectories instead of one.")
@click.option("--noise", type=float, default=0.0, show_default=True, help="Observation noise, in standard deviations.")
@click.option("--method", metavar="NAME", help="Method; an unknown one lists those of the system.")
@click.option("--tolerance", type=float, default=1e-9, show_default=True, help="Error of a step.")
@click.option("--step", type=float, help="Fixed steps of at most this length.")
@PARAMETER
@manner
def simulate(name: str, ensemble: int | None, pairs: tuple[str, ...], manner: Manner, **options: Any) -> None:
    """Simulate a system of the catalogue, or one of your own in a TOML file, and write the series.

    OUT ends in .csv or .nc; without it the series is printed as CSV. The trajectories of an ensemble start at states
    far apart on one orbit; those of a stochastic system start together and differ by their noise.

    \b
    Examples:
      takens simulate Lorenz63 --length 10000 --dt 0.02 --out lorenz.csv
      takens simulate Lorenz63 --parameter rho=24 --noise 0.05 --out noisy.nc
      takens simulate Lorenz63 --ensemble 20 --length 500 --out many.nc
    """
    from ..systems.simulate import simulate as run
    from ..systems.simulate import simulate_ensemble

    system = known_system(name, pairs)
    if ensemble is not None and manner.out is None:
        raise SettingError("an ensemble needs a file", place="--out", remedy="Give --out many.nc or many.csv.")
    progress = manner.progress()
    options |= {"seed": manner.seed, "report": lambda share: progress("simulating", share)}
    try:
        if ensemble is None:
            manner.series(run(system, **options), f"takens study {manner.out}")
            return
        made = simulate_ensemble(system, _starts(system, ensemble), members=ensemble, **options)
    finally:
        progress.close()
    from ..io.writing import write_trajectories

    assert manner.out is not None
    write_trajectories(made, manner.out)
    how = " --id trajectory" if manner.out.suffix == ".csv" else ""
    lines = [f"Written: {manner.out}", f"Next: takens study {manner.out}{how}"]
    manner.tell({"written": str(manner.out), "trajectories": len(made), "rows": len(made[0])}, lines)


def _starts(system: System, members: int) -> NDArray[np.float64] | None:
    """Initial states `(member, state)`; None where noise tells the members apart."""
    if "stochastic" in system.tags or system.kind in ("diffusion", "jump"):
        return None
    from ..systems.simulate import simulate as run

    apart = 11.0 if system.stepwise else 10.618 * (system.period or 100 * system.default_dt())
    return run(system, length=members, dt=apart, transient=10 * apart).values


def _document(system: System) -> dict[str, Any]:
    """Everything about a system as JSON."""
    return {
        "name": system.name, "kind": system.kind, "states": system.states, "parameters": dict(system.parameters),
        "equations": system.text().splitlines(), "initial": system.initial, "period": system.period, "dt": system.dt,
        "tags": system.tags, "reference": system.reference, "description": system.description,
        "known": {key: {"value": one.value, "source": one.source} for key, one in system.known.items()},
        "computed": _computed(system),
    }  # fmt: skip


def _page(system: System) -> list[str]:
    """A system for people."""
    values = ", ".join(f"{key} = {value:.6g}" for key, value in system.parameters.items()) or "none"
    pairs = [f"{key} = {value:.6g}" for key, value in zip(system.states, system.initial, strict=True)]
    start = ", ".join(pairs[:MOST_STATES]) + (", ..." if len(pairs) > MOST_STATES else "")
    lines = [f"{system.name}, a {system.kind} of dimension {system.dimension}", *system.text().splitlines()]
    lines += [f"Parameters: {values}", f"Initial state: {start}"]
    if system.period is not None:
        lines.append(f"Typical period: {system.period:.4g}, sampling interval {system.dt:.4g}")
    lines += [f"Known {_spelt(key)}: {one.value} ({one.source})" for key, one in system.known.items()]
    lines += _computed_lines(_computed(system))
    lines += [f"Tags: {', '.join(system.tags)}"] if system.tags else []
    return lines + ([f"Reference: {system.reference}"] if system.reference else [])


def _spelt(key: str) -> str:
    """The name of a measure as people write it."""
    words = key.replace("_", " ").replace("lyapunov", "Lyapunov").replace("kaplan yorke", "Kaplan-Yorke")
    return words.replace("kolmogorov sinai", "Kolmogorov-Sinai")


def _computed(system: System) -> Mapping[str, Any] | None:
    """The invariants that the package carries of a system of the catalogue at its defaults."""
    from ..systems import names
    from ..systems import system as known
    from ..systems.invariants import stored

    if system.name not in names() or dict(known(system.name).parameters) != dict(system.parameters):
        return None
    return stored(system.name)


def _computed_lines(found: Mapping[str, Any] | None) -> list[str]:
    """Stored invariants for people."""
    if found is None or "failed" in found:
        return []
    spectrum = found["lyapunov_spectrum"]
    pairs = list(zip(spectrum["value"], spectrum["standard_error"], strict=True))
    shown = ", ".join(f"{value:.5g} ({error:.1g})" for value, error in pairs[:6]) + (", ..." if len(pairs) > 6 else "")
    lines = [f"Computed Lyapunov exponents, with standard errors: {shown} {spectrum['unit']}"]
    if "kaplan_yorke_dimension" in found:
        one = found["kaplan_yorke_dimension"]
        lines.append(f"Computed Kaplan-Yorke dimension: {one['value']:.5g} ({one['standard_error']:.1g})")
    one = found["correlation_dimension"]
    if one["value"] is not None and not one["reason"]:
        low, high = one["interval"]
        lines.append(f"Computed correlation dimension: {one['value']:.4g} [{low:.4g}, {high:.4g}]")
    if not found["settled"]:
        lines.append("Its two halves differ: the orbit is a transient or intermittent; do not trust these numbers.")
    return lines


def _portrait(system: System) -> Figure:
    """A picture of the motion."""
    from ..figures import system_figure
    from ..systems.simulate import simulate as run

    many = system.dimension > MOST_STATES
    settled = 10 * system.period if many and system.period and "chaotic" in system.tags else 0.0
    transient = float(round(settled)) if system.stepwise else settled
    return system_figure(system, run(system, length=500 if many else 20_000, transient=transient).values)
