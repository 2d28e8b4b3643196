"""`takens info`, `takens measure`: what is in a file, without any model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import OutputError, SettingError
from .options import Manner, Source, manner, reading
from .quantities import in_clock, names

if TYPE_CHECKING:
    from ..estimate import Estimate
    from ..series import Series

Figures = list[tuple[str, Any]]
"""Names and figures."""


@click.command(short_help="What is in a file and what is wrong with it.")
@reading
@manner
def info(source: Source, manner: Manner) -> None:
    """Say what is in FILE: rows, channels, sampling, gaps, duplicates, missing values, units.

    \b
    Example:
      takens info examples/co2.csv
    """
    from ..io.reading import reading_of

    found = [reading_of(series) for series in source.trajectories()]
    lines: list[str] = []
    for one in found:
        head = [f"trajectory {one.name!r}"] if len(found) > 1 else []
        lines += [*head, *one.lines(), ""]
    documents = [one.to_dict() for one in found]
    manner.result(documents[0] if len(documents) == 1 else documents, lines[:-1])


def _list_measures(context: click.Context, _: click.Parameter, asked: bool) -> None:
    """Print the measures and relations by family and leave; an eager option, so that no FILE is needed."""
    if not asked:
        return
    from ..measures.listing import listing

    for line in listing():
        click.echo(line)
    context.exit()


@click.command(short_help="Measures of every channel, relations of every pair.")
@click.option("--only", metavar="A,B", help="Measures (or relations) to compute; default all.")
@click.option("--relations", is_flag=True, help="Relate every pair of channels in place of measuring each.")
@click.option("--window", metavar="TIME", help="Measure in windows of this length that move along, e.g. 30d.")
@click.option("--step", metavar="TIME", help="By how much windows move; default half a window.")
@click.option("--plot", metavar="DIR", type=click.Path(path_type=Path), help="Write figures there, as SVG.")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list_measures, help="List them.")
@reading
@manner
def measure(
    source: Source, only: str | None, relations: bool, window: str | None, step: str | None, plot: Path | None,
    manner: Manner,
) -> None:  # fmt: skip
    """Compute the measures of every channel in FILE, each with interval, admissibility and reference.

    Without --only the verdict comes first, in one sentence (in JSON under "verdict").

    \b
    Examples:
      takens measure examples/sunspots.csv --only permutation_entropy,dominant_periods --plot figures
      takens measure examples/elnino.csv --only autocorrelation --window 20y --json
      takens measure examples/elnino.csv --relations --only cross_correlation,granger_causality
    """
    if step is not None and window is None:
        raise SettingError("a step needs a window", place="--step", remedy="For instance --window 30d --step 1d.")
    if window is not None and (relations or only is None):
        raise SettingError("windows need --only with names of measures", place="--window")
    if only is not None and not names(only):
        raise SettingError("no name is given", place="--only", remedy="takens measure --list shows them.")
    _writable(plot, manner.out)
    found = source.trajectories()
    documents: list[Any] = []
    drawn: list[tuple[Path, Figures]] = []
    lines: list[str] = []
    for number, series in enumerate(found):
        lines += [f"trajectory {series.name!r}"] if len(found) > 1 else []
        if window is not None:
            document, told, made = _windows(series, window, step, only, plot is not None, manner)
        else:
            document, told, made = _estimates(series, only, relations, plot is not None, manner)
        if plot is not None:
            drawn.append((plot if len(found) == 1 else plot / f"{number + 1}", made))
        documents.append(document)
        lines += told
        hint(series, manner)
    # Only now, so that an error in a later trajectory leaves no figures of the earlier ones.
    for place, made in drawn:
        draw(made, place, manner)
    manner.result(documents[0] if len(documents) == 1 else documents, lines)


def _estimates(
    series: Series, only: str | None, relations: bool, plot: bool, manner: Manner
) -> tuple[Any, list[str], Figures]:
    """The measures or relations of one trajectory as a document and lines; figures of each channel or pair if asked."""
    from ..measures import measure_series, relate

    progress = manner.progress()
    told = "relating" if relations else "measuring"
    try:
        estimates = (relate if relations else measure_series)(
            series, only=names(only), seed=manner.seed,
            progress=lambda key, done, total: progress(f"{told} {key}", done / total),
        )  # fmt: skip
    finally:
        progress.close()
    document = {key: _document(estimate) for key, estimate in estimates.items()}
    lines = estimate_lines(estimates, verbose=manner.verbose)
    if only is None and not relations:
        from .judging import judged

        found = judged(series, 0.9, manner)
        document = {"verdict": found.to_dict(), **document}
        lines = [f"{found.channel}: {found.sentence}.", "", *lines]
    drawn: Figures = []
    if plot:
        from ..figures import family_figures

        whose: dict[str, dict[str, Any]] = {}
        for estimate in estimates.values():
            whose.setdefault(estimate.channel, {})[estimate.name] = estimate
        drawn = [
            (name if len(whose) == 1 else f"{name}-{channel}", figure)
            for channel, mine in whose.items()
            for name, _, figure in family_figures(mine)
        ]
    return document, lines, drawn


def _document(estimate: Estimate) -> dict[str, Any]:
    """An estimate as JSON, with the p-value of those that test."""
    tested = {name: estimate.details[name] for name in ("p_value",) if name in estimate.details}
    return {**estimate.to_dict(), **tested}


def _windows(
    series: Series, window: str, step: str | None, only: str | None, plot: bool, manner: Manner
) -> tuple[Any, list[str], Figures]:
    """Measures of one trajectory through windows as a document and a table in lines; one figure a measure if asked."""
    from ..measures.windows import measure_windows
    from ..wording import number

    progress = manner.progress()
    try:
        table = measure_windows(
            series, in_clock(window, series, "--window"), None if step is None else in_clock(step, series, "--step"),
            only=names(only) or [], seed=manner.seed,
            progress=lambda key, done, total: progress(f"measuring {key}", done / total),
        )  # fmt: skip
    finally:
        progress.close()
    begin, end = (series.clock.labels(times) for times in (table.start, table.stop))
    lines = []
    for m, name in enumerate(table.measures):
        for c, channel in enumerate(table.channels):
            lines.append(f"{name}[{channel}]")
            for w in range(len(begin)):
                value = table.value[m, c, w]
                text = number(value, 4) if value == value else "not available"
                if table.low[m, c, w] == table.low[m, c, w]:
                    text += f" [{number(table.low[m, c, w], 4)}, {number(table.high[m, c, w], 4)}]"
                doubt = "" if table.admissible[m, c, w] else f" ({table.reasons[m, c, w]})"
                lines.append(f"  {begin[w]} to {end[w]}  {text}{doubt}")
    drawn: Figures = []
    if plot:
        from ..figures import windows_figure

        possible = [name for m, name in enumerate(table.measures) if (table.value[m] == table.value[m]).any()]
        drawn = [(f"windows-{name}", windows_figure(table, name)) for name in possible]
    return {**table.to_dict(), "start": begin, "stop": end}, lines, drawn


def _writable(plot: Path | None, out: Path | None) -> None:
    """Raise `OutputError` where figures or the result cannot be written, before anything is computed."""
    import os

    if out is not None and out.is_dir():
        raise OutputError("this is a folder, not a file", place=str(out), remedy="Name a file in it.")
    if out is not None and not out.absolute().parent.exists():
        raise OutputError("there is no such folder", place=str(out.parent), remedy="Make it, or choose another --out.")
    for path in (place for place in (plot, None if out is None else out.absolute().parent) if place is not None):
        there = next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())
        if not there.is_dir():
            raise OutputError("this is a file, not a folder", place=str(there), remedy="Name a folder.")
        if not os.access(there, os.W_OK | os.X_OK):
            raise OutputError("you may not write here", place=str(there), remedy="Choose another folder.")


def draw(figures: Figures, place: Path, manner: Manner) -> None:
    """Write each figure as SVG into the folder `place`, which is made."""
    from ..figures import svg
    from ..io.atomic import atomic_text

    if not figures:
        manner.remark("None of these measures has a figure.")
        return
    texts = [(name, svg(figure, name)) for name, figure in figures]
    place.mkdir(parents=True, exist_ok=True)
    for name, text in texts:
        kept = "".join(c if c.isalnum() or c in "-_.~" else "_" for c in name.replace(" -> ", "-to-"))
        path = place / f"{kept}.svg"
        atomic_text(path, text)
        manner.remark(f"Written: {path}")


def hint(series: Series, manner: Manner) -> None:
    """Say how to go on where most measures refuse: on irregular times."""
    if series.sampling.kind == "irregular":
        step = f"{series.sampling.interval:.3g}"
        manner.remark(
            f"Times are irregular. To measure on a grid, choose its interval and a method, for instance "
            f"--resample {step} --resample-method linear."
        )


def estimate_lines(estimates: dict[str, Any], *, verbose: bool) -> list[str]:
    """One line an estimate: name, value with unit and interval, or why there is none; method and source if verbose."""
    width = max(map(len, estimates), default=0)
    lines = []
    for key, estimate in estimates.items():
        lines.append(f"{key:<{width}}  {answer(estimate)}")
        if verbose:
            chosen = "; ".join(f"{name} {how}" for name, how in estimate.chosen.items())
            about = [estimate.method, chosen and f"chosen: {chosen}", estimate.reference]
            lines += [f"{'':<{width}}  {line}" for line in about if line]
    return lines


def answer(estimate: Estimate) -> str:
    """Each value with its interval, at most six of them, the unit, and why not to trust them where that is so."""
    import numpy as np

    from ..durations import plural
    from ..wording import number

    if estimate.value is None:
        return f"not available: {estimate.reason}"
    values = np.ravel(estimate.value)
    if len(values) == 0:
        return f"none{f' ({estimate.reason})' if estimate.reason else ''}"
    parts = [number(value, 4) for value in values[:6]]
    if estimate.interval is not None:
        low, high = (np.broadcast_to(np.ravel(end), values.shape) for end in estimate.interval)
        parts = [f"{part} [{number(a, 4)}, {number(b, 4)}]" for part, a, b in zip(parts, low, high, strict=False)]
    text = ", ".join(parts) + (f" and {len(values) - 6} more" if len(values) > 6 else "")
    text += f" {plural(estimate.unit)}" if estimate.unit else ""
    text += f" at {estimate.level:.0%}" if estimate.interval is not None else ""
    tested = estimate.details.get("p_value")
    if tested is not None and np.ndim(tested) == 0 and estimate.unit != "p-value":
        text += f", p = {number(float(tested), 2)}"
    return text if estimate.admissible else f"{text} (not admissible: {estimate.reason})"
