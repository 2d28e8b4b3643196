"""`takens study`: from a file to a report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import OutputError
from .failures import Interrupted
from .options import Manner, Source, manner, reading
from .quantities import names

if TYPE_CHECKING:
    from ..study import Study


@click.command(short_help="From a file to a report.")
@click.option("--horizon", metavar="STEPS|TIME", help="How far ahead: steps, or a duration such as 2d.")
@click.option("--budget", metavar="TIME", default="2m", show_default=True, help="Time for fitting and comparing.")
@click.option("--models", "chosen", metavar="A,B", help="Models to compare; default all. See `takens models`.")
@reading
@manner
def study(source: Source, horizon: str | None, budget: str, chosen: str | None, manner: Manner) -> None:
    """Characterise FILE, compare models on it, forecast it, and write a report.

    The folder OUT receives report.html (one self-contained page), report.json (every number), forecast.csv and .nc, and
    law/ (the chosen law). Ctrl-C keeps the models that are finished; the same command goes on from there.

    \b
    Examples:
      takens study examples/elnino.csv
      takens study examples/elnino.csv --time date --channels sst --horizon 2y --budget 30s --out elnino
    """
    from ..durations import seconds
    from ..study import study as run

    seconds(budget, "--budget")
    out = manner.out or Path(f"takens-report-{source.path.stem}")
    refuse_unwritable(out)
    opened = source.open()
    progress = manner.progress()
    try:
        found = run(
            opened, horizon=horizon, budget=budget, models=names(chosen), seed=manner.seed, out=out, progress=progress,
            argv=click.get_current_context().obj,
        )  # fmt: skip
    except KeyboardInterrupt as stop:
        raise Interrupted(kept(out), stop) from None
    finally:
        progress.close()
    manner.tell(summary(found, out), said(found, out))


def refuse_unwritable(out: Path) -> None:
    """Raise `OutputError` now for a folder that could not be written after minutes of work; nothing is created."""
    nearest = next(path for path in (out, *out.parents) if path.exists())
    if not nearest.is_dir():
        raise OutputError("this is a file, not a folder", place=str(nearest), remedy="Choose another --out.")
    if not os.access(nearest, os.W_OK):
        raise OutputError("no permission to write here", place=str(nearest), remedy="Choose another --out.")


def kept(out: Path) -> str:
    """What an interrupted study leaves behind and how to go on."""
    from ..store import Store

    count = len(Store(out / "work"))
    if not count:
        return "Interrupted before anything was finished; nothing was kept."
    return (
        f"Interrupted. {count} finished {'model is' if count == 1 else 'models are'} kept in {out / 'work'}.\n"
        "  Run the same command again to go on from there."
    )


def summary(found: Study, out: Path) -> dict[str, Any]:
    """The result of a study in short; report.json holds the rest."""
    return {
        "report": str(out / "report.html"),
        "data": str(out / "report.json"),
        "series": found.series.name,
        "horizon": found.horizon,
        "findings": [{"title": f.title, "text": f.text, "evidence": f.evidence} for f in found.findings],
        "verdict": {"kind": found.verdict.kind, "classes": found.verdict.classes, "sentence": found.verdict.sentence},
        "verdicts": {channel: verdict.classes for channel, verdict in found.verdicts.items()},
        "chosen": found.chosen,
        "best_baseline": found.best_baseline,
        "skill": {name: {"value": value, "interval": interval} for name, (value, interval) in found.skill.items()},
        "seconds": found.seconds,
    }


def said(found: Study, out: Path) -> list[str]:
    """The findings for a person, in about ten lines, and where the report is."""
    import shutil
    import textwrap

    width = min(100, max(60, shutil.get_terminal_size().columns))
    lines = []
    for finding in found.findings:
        text = whole_sentences(f"{finding.title}: {finding.text}", 2 * width - 4)
        # A percent sign stays with its number.
        wrapped = textwrap.wrap(text.replace(" %", "\0%"), width, initial_indent="* ", subsequent_indent="  ")
        lines += [line.replace("\0", " ") for line in wrapped]
    return [*lines, "", f"Report: {out / 'report.html'}"]


def whole_sentences(text: str, length: int) -> str:
    """The first sentences of `text`, as many as fit in `length` characters, and always one: none is cut short."""
    import re

    first, *rest = re.split(r"(?<=[.:!?])\s+(?=[A-Z])", text)
    for sentence in rest:
        if len(first) + 1 + len(sentence) > length and not first.endswith(":"):
            break
        first += f" {sentence}"
    return first
