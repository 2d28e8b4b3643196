"""`takens info`, `takens measure`, `takens verdict`: what is in a file, without any model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .options import Manner, Source, manner, reading
from .quantities import names

if TYPE_CHECKING:
    from ..estimate import Estimate
    from ..series import Series


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
    """Print the measures and leave; an eager option, so that no FILE is needed."""
    if not asked:
        return
    from ..measures import REGISTRY

    width = max(map(len, REGISTRY))
    for name, measure_ in REGISTRY.items():
        click.echo(f"{name:<{width}}  {first_sentence(measure_.__doc__)}")
    context.exit()


@click.command(short_help="Measures of every channel.")
@click.option("--only", metavar="A,B", help="Measures to compute; default all.")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list_measures, help="List them.")
@reading
@manner
def measure(source: Source, only: str | None, manner: Manner) -> None:
    """Compute the measures of every channel in FILE, each with interval, admissibility and reference.

    \b
    Examples:
      takens measure examples/sunspots.csv
      takens measure examples/elnino.csv --only permutation_entropy,dominant_periods --json
    """
    from ..measures import measure_series

    progress = manner.progress()
    documents, lines = [], []
    try:
        found = source.trajectories()
        for series in found:
            estimates = measure_series(
                series,
                only=names(only),
                seed=manner.seed,
                progress=lambda key, done, total: progress(f"measuring {key}", done / total),
            )
            documents.append({key: estimate.to_dict() for key, estimate in estimates.items()})
            lines += [f"trajectory {series.name!r}"] if len(found) > 1 else []
            lines += estimate_lines(estimates, verbose=manner.verbose)
            _hint(series, manner)
    finally:
        progress.close()
    manner.result(documents[0] if len(documents) == 1 else documents, lines)


@click.command(short_help="What kind of dynamics, step by step.")
@reading
@manner
def verdict(source: Source, manner: Manner) -> None:
    """Say what kind of dynamics each channel in FILE shows, step by step, with the evidence for each step.

    The verdict may be "insufficient data" or "undetermined": that is an answer too.

    \b
    Example:
      takens verdict examples/sunspots.csv
    """
    from ..measures.verdict import verdict as judge

    documents: list[dict[str, Any]] = []
    lines: list[str] = []
    trajectories = source.trajectories()
    for series in trajectories:
        lines += [f"trajectory {series.name!r}"] if len(trajectories) > 1 else []
        for channel in series.channels:
            found = judge(series.select(channel), seed=manner.seed)
            documents.append(found.to_dict())
            lines += [f"{channel}: {found.sentence}."]
            lines += [f"  {step.question} {step.answer}. {step.evidence.rstrip('.')}." for step in found.steps]
        _hint(series, manner)
    manner.result(documents[0] if len(documents) == 1 else documents, lines)


def _hint(series: Series, manner: Manner) -> None:
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
    return text if estimate.admissible else f"{text} (not admissible: {estimate.reason})"


def first_sentence(text: str | None) -> str:
    """The first sentence of a docstring, on one line."""
    words = " ".join((text or "").split("\n\n")[0].split())
    return words.split(". ")[0].rstrip(".") + "." if words else ""
