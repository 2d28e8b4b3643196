"""`takens exponents`, `invariants`: what can be asked of a law of motion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import SettingError
from .laws import PARAMETER, SYSTEM, law_and_system
from .options import Manner, manner
from .pictures import picture, wants_picture

if TYPE_CHECKING:
    from ..executor import Row
    from ..tasks import Task


DETERMINISTIC = ("flow", "map", "delayed", "field")
"""The kinds of systems that have exponents."""


@click.command(short_help="Lyapunov exponents of a known system or a saved law.")
@SYSTEM
@click.option("--duration", type=float, help="Time, or iterations, to average over; of a LAW in the data's time.")
@click.option("--count", type=click.IntRange(min=1), help="How many; all, or 6 of a LAW with more than 12 states.")
@PARAMETER
@manner
def exponents(name: str, duration: float | None, count: int | None, pairs: tuple[str, ...], manner: Manner) -> None:
    """The Lyapunov spectrum of a system, or of the motion that a saved LAW has learned, with its error.

    OUT receives the numbers as JSON or, ending in .png, .svg or .pdf, a picture of how they converge. Those of a LAW
    are per unit of time of its data.

    \b
    Examples:
      takens exponents Lorenz63 --parameter rho=28
      takens exponents Lorenz96 --count 5 --out convergence.png
      takens fit examples/sunspots.csv --model nvar --out sunspots.law
      takens exponents sunspots.law
    """
    from ..dynamics import lyapunov_spectrum
    from ..inspection import exponents as of_law

    law, system = law_and_system(name, pairs)
    progress = manner.progress()
    known: dict[str, Any] = {
        "duration": duration, "count": count, "seed": manner.seed,
        "report": lambda share: progress("integrating", share),
    }  # fmt: skip
    try:
        found = lyapunov_spectrum(system, **known) if law is None else of_law(law, system, **known)
    finally:
        progress.close()
    errors = found.details["standard_error"]
    lines = [f"{value:12.6g} +- {error:.2g} {found.unit}" for value, error in zip(found.value, errors, strict=True)]
    known = {key: found.details[key] for key in ("kaplan_yorke_dimension", "sum", "divergence") if key in found.details}
    lines += [
        f"{key.replace('kaplan_yorke', 'Kaplan-Yorke').replace('_', ' ')}: {value:.6g}" for key, value in known.items()
    ]
    document = {**found.to_dict(), "standard_error": errors, **known}
    if wants_picture(manner):
        from ..figures import convergence_figure

        picture(manner, "", convergence_figure(found))
        manner.tell(document, lines)
    else:
        manner.result(document, lines)


@click.command(short_help="Exponents, dimensions and period of systems, computed here.")
@click.argument("names", metavar="NAME|FILE.toml...", nargs=-1)
@click.option("--everything", is_flag=True, help="All deterministic systems of the catalogue.")
@click.option("--duration", type=float, help="Time, or iterations, to average over.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes; one a processor by default.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask cluster to use instead, such as tcp://host:8786.")
@click.option("--limit", type=float, default=600.0, show_default=True, help="Seconds for one system.")
@click.option("--retry", is_flag=True, help="Try again what failed before.")
@manner
def invariants(
    names: tuple[str, ...],
    everything: bool,
    duration: float | None,
    workers: int | None,
    scheduler: str | None,
    limit: float,
    retry: bool,
    manner: Manner,
) -> None:
    """Lyapunov spectrum, dimensions and period of systems, each with its error, computed and kept.

    OUT is a folder: it receives a file for each system and invariants.json with all of them. The same command goes on
    where an interrupted one stopped; the default is takens-invariants.

    \b
    Examples:
      takens invariants Lorenz63 Henon mine.toml
      takens invariants --everything --out catalogue-invariants
    """
    from ..executor import run_tasks
    from ..store import Store

    folder = manner.out or Path("takens-invariants")
    tasks = _tasks(names, everything, {"seed": manner.seed} | ({"duration": duration} if duration else {}))
    progress = manner.progress()
    try:
        rows = run_tasks(
            tasks, Store(folder / "tasks"), workers=workers, scheduler=scheduler, limit=limit, retry=retry,
            report=progress,
        )  # fmt: skip
    finally:
        progress.close()
    document = {"systems": {row.task.label: _entry(row) for row in rows}}
    from json import dumps

    from ..io.atomic import atomic_text

    atomic_text(folder / "invariants.json", dumps(document, indent=1, sort_keys=True) + "\n")
    manner.tell(document, [_line(row) for row in rows])
    manner.remark(f"Written: {folder / 'invariants.json'}")


def _tasks(names: tuple[str, ...], everything: bool, settings: dict[str, Any]) -> list[Task]:
    """A task for each system that was named."""
    from ..dynamics.invariants import invariants_task
    from ..systems import names as catalogue
    from ..systems.definition import read_toml, system

    if everything == bool(names):
        raise SettingError("which systems?", place="takens invariants", remedy="Name some, or give --everything.")
    found = []
    for name in catalogue() if everything else names:
        law = system(Path(name) if name.endswith(".toml") else name)
        if law.kind in DETERMINISTIC:
            table = read_toml(Path(name)) if name.endswith(".toml") else None
            found.append(invariants_task(law.name, table, **settings))
        elif not everything:
            raise SettingError(
                f"a {law.kind} has no invariants here",
                place=name,
                remedy=f"Those of kind {', '.join(DETERMINISTIC)} have.",
            )
    return found


def _entry(row: Row) -> dict[str, Any]:
    """What is kept of one system: its numbers, or the reason of the failure."""
    if row.failed:
        return {"failed": row.failed}
    kept: dict[str, Any] = _shortened(row.outcome["result"])
    return {**kept, "seconds": row.outcome["seconds"]}


def _shortened(value: Any) -> Any:
    """Numbers with seven digits, more than any of their errors leaves; the files of the tasks hold all of them."""
    if isinstance(value, dict):
        return {key: _shortened(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_shortened(part) for part in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _line(row: Row) -> str:
    """One system for people."""
    if row.failed:
        return f"{row.task.label}: {row.failed.splitlines()[0]}"
    found = row.outcome["result"]
    spectrum = found["lyapunov_spectrum"]
    pairs = list(zip(spectrum["value"], spectrum["standard_error"], strict=True))
    shown = ", ".join(f"{value:.4g} ({error:.1g})" for value, error in pairs[:4]) + (", ..." if len(pairs) > 4 else "")
    dimension = found.get("kaplan_yorke_dimension")
    parts = [f"exponents {shown}"] + ([f"Kaplan-Yorke {dimension['value']:.4g}"] if dimension else [])
    for key, word in (("correlation_dimension", "correlation dimension"), ("dominant_period", "period")):
        if found[key]["value"] is not None and not found[key]["reason"]:
            parts.append(f"{word} {found[key]['value']:.4g}")
    return f"{row.task.label}: {'; '.join(parts)}" + ("" if found["settled"] else "; not settled")
