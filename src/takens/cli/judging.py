"""`takens verdict`: what kind of dynamics a file shows, and why."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..progress import Delayed
from .options import Manner, Source, manner, reading

if TYPE_CHECKING:
    from ..series import Series
    from ..verdicts import Verdict


@click.command(short_help="What kind of dynamics, step by step.")
@click.option("--level", type=float, default=0.9, show_default=True, help="How often the answer must hold the truth.")
@click.option("--plot", metavar="DIR", type=click.Path(path_type=Path), help="Write figures there, as SVG.")
@reading
@manner
def verdict(source: Source, level: float, plot: Path | None, manner: Manner) -> None:
    """Say what kind of dynamics FILE shows, with which confidence, and the evidence step by step.

    Several channels or trajectories are taken as views of one system. The verdict may be "Cannot tell": that is an
    answer too. With -v each step shows its statistic, p-value and rule.

    \b
    Examples:
      takens verdict examples/sunspots.csv
      takens verdict examples/elnino.csv --level 0.95 --json
    """
    from ..verdicts.telling import lines

    opened = source.open()
    found = judged(opened, level, manner)
    if plot is not None:
        _draw(found, plot, manner)
    manner.result(found.to_dict(), wrapped(lines(found, numbers=manner.verbose)))
    for series in opened if isinstance(opened, list) else [opened]:
        if series.sampling.kind == "irregular":
            from .describing import hint

            hint(series, manner)
            break


def judged(data: Series | list[Series], level: float, manner: Manner) -> Verdict:
    """The verdict, with progress where it takes longer than two seconds."""
    from ..verdicts import verdict as judge

    progress = Delayed(manner.progress())
    try:
        return judge(data, level=level, seed=manner.seed, progress=progress)
    finally:
        progress.close()


def wrapped(lines: Sequence[str]) -> list[str]:
    """Lines no wider than the terminal (60 to 100 characters), their indents kept; a percent sign keeps its number."""
    width = min(100, max(60, shutil.get_terminal_size().columns))
    found: list[str] = []
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        parts = textwrap.wrap(
            line.strip().replace(" %", "\0%"), width, initial_indent=indent, subsequent_indent=f"{indent}  "
        )
        found += [part.replace("\0", " ") for part in parts]
    return found


def _draw(found: Verdict, place: Path, manner: Manner) -> None:
    """Write the bar of the kinds and the figure of each step as SVG into the folder `place`."""
    from ..figures import step_figure, verdict_figure
    from .describing import draw

    figures = [("kinds", verdict_figure(found))] if found.probabilities else []
    figures += [(f"step-{i + 1}", step_figure(step)) for i, step in enumerate(found.steps) if step.details]
    draw(figures, place, manner)
