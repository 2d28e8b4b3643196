"""`takens benchmark run|status|table|compare|export`: models x systems x regimes x seeds, each cell once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import DataError, SettingError
from .failures import Interrupted
from .options import Manner, manner
from .studying import refuse_unwritable

if TYPE_CHECKING:
    import pandas as pd

    from ..benchmark import Spec

SPEC = click.argument("spec", metavar="SPEC.toml", type=click.Path(path_type=Path))
REGIME = click.option("--regime", metavar="NAME", help="Only this regime.")


@click.group()
def benchmark() -> None:
    """Compare models on systems and series: every cell is done once and kept.

    \b
    Examples:
      takens benchmark run examples/benchmark.toml --out small --workers 1
      takens benchmark status examples/benchmark.toml --out small
      takens benchmark table examples/benchmark.toml --out small
    """


@benchmark.command(short_help="Do the cells that are not done yet.")
@SPEC
@click.option("--workers", type=click.IntRange(min=1), help="Processes; one a processor by default.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask cluster to use instead, such as tcp://host:8786.")
@click.option("--retry", is_flag=True, help="Try again what failed before.")
@manner
def run(spec: Path, workers: int | None, scheduler: str | None, retry: bool, manner: Manner) -> None:
    """Do all cells of the benchmark in SPEC.toml that the folder OUT does not hold yet.

    OUT receives cells/ (a file a cell) and table.parquet. Ctrl-C keeps what is finished; the same command goes on from
    there. A cell that fails, takes too long or too much memory is a row with its reason.

    \b
    Example:
      takens benchmark run examples/benchmark.toml --out small --workers 1
    """
    from ..benchmark import benchmark as perform
    from ..benchmark import read_spec, table_of
    from ..benchmark.table import write_table

    wanted = read_spec(spec)
    out = folder(wanted, manner)
    refuse_unwritable(out)
    progress = manner.progress()
    try:
        rows = perform(wanted, out, workers=workers, scheduler=scheduler, retry=retry, report=progress)
    except KeyboardInterrupt as stop:
        kept = f"Interrupted. Finished cells are kept in {out / 'cells'}.\n  Run the same command again to go on."
        raise Interrupted(kept, stop) from None
    finally:
        progress.close()
    table = table_of(rows)
    write_table(table, out / "table.parquet")
    failed = int((table["failed"] != "").sum())
    document = {"table": str(out / "table.parquet"), "cells": len(table), "failed": failed}
    told = [f"{len(table)} cells, {failed} failed.", f"Written: {out / 'table.parquet'}"]
    manner.tell(document, [*told, f"Next: takens benchmark table {spec} --out {out}"])


@benchmark.command(short_help="How far a benchmark is.")
@SPEC
@manner
def status(spec: Path, manner: Manner) -> None:
    """How many cells of the benchmark are finished, failed and open, and why cells failed.

    \b
    Example:
      takens benchmark status examples/benchmark.toml --out small
    """
    from ..benchmark import read_spec
    from ..benchmark import status as found

    wanted = read_spec(spec)
    now = found(wanted, folder(wanted, manner))
    lines = [f"{now.finished} finished, {now.failed} failed, {now.open} open"]
    lines += [f"  {count} x {reason}" for reason, count in now.reasons]
    document = {"finished": now.finished, "failed": now.failed, "open": now.open, "reasons": dict(now.reasons)}
    manner.tell(document, lines)


@benchmark.command(short_help="Medians of every score, with intervals.")
@SPEC
@REGIME
@manner
def table(spec: Path, regime: str | None, manner: Manner) -> None:
    """Medians over systems of every score for each model, with 90 % bootstrap intervals, failures and costs.

    \b
    Example:
      takens benchmark table examples/benchmark.toml --out small --regime clean
    """
    from ..benchmark import summary

    rows = summary(part(cells(spec, manner), regime), seed=manner.seed)
    lines = []
    for name in dict.fromkeys(row["regime"] for row in rows):
        lines += [f"{name}:", f"  {'model':22s} {'valid time':>18s} {'CRPS':>20s} {'D_stsp':>18s} {'D_H':>18s}   fit s"]
        ranked = sorted((r for r in rows if r["regime"] == name), key=lambda r: -_middle(r.get("valid_time"), -1.0))
        lines += [_line(row) for row in ranked]
    manner.tell({"rows": rows}, lines)


@benchmark.command(short_help="Which differences are more than chance.")
@SPEC
@REGIME
@click.option("--score", default="valid_time", show_default=True, help="The score that is compared.")
@manner
def compare(spec: Path, regime: str | None, score: str, manner: Manner) -> None:
    """Mean ranks of the models over systems, the critical difference, and corrected tests of all pairs.

    \b
    Example:
      takens benchmark compare examples/benchmark.toml --out small --score crps
    """
    from ..benchmark import compare as made
    from ..benchmark.table import SCORES

    if score not in SCORES:
        raise SettingError(f"no score {score!r}", place="--score", remedy=f"Scores: {', '.join(SCORES)}.")
    found = made(part(cells(spec, manner), regime), score)
    lines = [f"{found.score} on {found.systems} systems; Friedman p = {found.friedman:.2g}; "
             f"ranks that differ by less than {found.critical_difference:.2f} may be chance"]  # fmt: skip
    for i, name in enumerate(found.models):
        worse = [other for j, other in enumerate(found.models) if j > i and found.p[i, j] < 0.05]
        told = f"better than {', '.join(worse)} (p < 0.05)" if worse else ""
        lines.append(f"  {found.ranks[i]:5.2f}  {name:22s} {told}")
    document = {
        "score": found.score, "systems": found.systems, "friedman": found.friedman, "models": found.models,
        "ranks": found.ranks, "critical_difference": found.critical_difference, "p": found.p, "better": found.better,
    }  # fmt: skip
    manner.tell(document, lines)


@benchmark.command(short_help="The leaderboard as one HTML page.")
@SPEC
@manner
def report(spec: Path, manner: Manner) -> None:
    """Write report.html into OUT: leaderboards by regime with figures, every system, every failure.

    \b
    Example:
      takens benchmark report examples/benchmark.toml --out small
    """
    from ..benchmark import read_spec
    from ..io.atomic import atomic_text
    from ..report.leaderboard import render_benchmark

    wanted = read_spec(spec)
    target = folder(wanted, manner) / "report.html"
    atomic_text(target, render_benchmark(wanted.name, cells(spec, manner)))
    manner.tell({"report": str(target)}, [f"Report: {target}"])


@benchmark.command(short_help="Write the table to a file.")
@SPEC
@click.option("--to", "target", metavar="FILE", type=click.Path(path_type=Path), help="A .parquet or .csv file.")
@manner
def export(spec: Path, target: Path | None, manner: Manner) -> None:
    """Write the table of the cells that are done to a .parquet or .csv file.

    \b
    Example:
      takens benchmark export examples/benchmark.toml --out small --to small.csv
    """
    from ..benchmark.table import write_table

    if target is None:
        raise SettingError("where to?", place="--to", remedy="Give a name that ends in .parquet or .csv.")
    found = cells(spec, manner)
    write_table(found, target)
    manner.tell({"written": str(target), "cells": len(found)}, [f"Written: {target}"])


def folder(spec: Spec, manner: Manner) -> Path:
    """The folder of the benchmark: that of --out, or one with its name."""
    return manner.out or Path(f"takens-benchmark-{spec.name}")


def cells(spec: Path, manner: Manner) -> pd.DataFrame:
    """The table of the cells that are done."""
    from ..benchmark import read_spec, table_of
    from ..benchmark.running import rows_so_far

    wanted = read_spec(spec)
    rows = rows_so_far(wanted, folder(wanted, manner))
    if not rows:
        place = str(folder(wanted, manner))
        raise DataError("holds no finished cell", place=place, remedy="First: takens benchmark run.")
    return table_of(rows)


def part(table: pd.DataFrame, regime: str | None) -> pd.DataFrame:
    """The rows of one regime, or all."""
    if regime is None:
        return table
    if regime not in set(table["regime"]):
        known = ", ".join(dict.fromkeys(table["regime"]))
        raise SettingError(f"no regime {regime!r}", place="--regime", remedy=f"Regimes: {known}.")
    return table[table["regime"] == regime]


def _middle(entry: dict[str, Any] | None, otherwise: float) -> float:
    return otherwise if entry is None else float(entry["median"])


def _line(row: dict[str, Any]) -> str:
    """One model for a person."""
    shown = [f"  {row['model']:22s}"]
    for score, width in (("valid_time", 18), ("crps", 20), ("state_space_divergence", 18), ("spectral_hellinger", 18)):
        entry = row.get(score)
        text = "-" if entry is None else f"{entry['median']:.3g} [{entry['low']:.2g}, {entry['high']:.2g}]"
        shown.append(f"{text:>{width}s}")
    seconds = "-" if row["fit_seconds"] is None else f"{row['fit_seconds']:.2g}"
    failed = f"  {row['failed']} of {row['cells']} failed" if row["failed"] else ""
    return " ".join(shown) + f"   {seconds}{failed}"
