"""The options that commands share, and what they become: an open file, a place for results, a manner of speaking."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import SettingError
from ..progress import Progress, progress_on
from .quantities import codes, in_clock, names, number

if TYPE_CHECKING:
    from ..series import Series

F = TypeVar("F", bound=Callable[..., Any])

READING = [
    click.option("--time", metavar="COLUMN", help="Column that holds the times."),
    click.option("--channels", metavar="A,B", help="Columns to use; the others are ignored."),
    click.option("--inputs", metavar="A,B", help="Columns whose future is known, such as a forcing."),
    click.option("--id", metavar="COLUMN", help="Column that names the trajectory (long table)."),
    click.option("--variable", metavar="COLUMN", help="Column that names the channel (long table)."),
    click.option("--no-time", is_flag=True, default=None, help="No column holds times; rows are steps."),
    click.option("--unsorted", type=click.Choice(["error", "sort"]), help="What to do with rows out of time order."),
    click.option(
        "--duplicates",
        type=click.Choice(["error", "first", "last", "mean"]),
        help="What to do with rows that have the same time.",
    ),
    click.option("--timezone", metavar="NAME", help="Time zone of time stamps that name none, e.g. Europe/Berlin."),
    click.option("--interval", metavar="TIME", help="Sampling interval of data without times, e.g. 20ms."),
    click.option("--time-unit", metavar="UNIT", help="Unit of numeric times: s, h, d, ..., 'epoch s', 'epoch ms'."),
    click.option("--day-first/--month-first", default=None, help="How 01/02/2014 is meant."),
    click.option("--delimiter", metavar="CHARACTER", help="Character between columns of text, or tab."),
    click.option("--decimal", metavar="CHARACTER", help="Decimal character, e.g. ','."),
    click.option("--missing", metavar="A,B", help="Numbers that stand for no value, e.g. -9999."),
    click.option("--sheet", metavar="NAME", help="Sheet of an Excel file."),
    click.option("--resample", metavar="TIME", help="Put the series on a regular grid of this interval, e.g. 1h."),
    click.option(
        "--resample-method", metavar="METHOD", help="How to resample: linear, mean, nearest, previous; no default."
    ),
]
MANNER = [
    click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output, nothing else."),
    click.option("--out", metavar="PATH", type=click.Path(path_type=Path), help="Where to write the result."),
    click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of what is random."),
    click.option("-v", "--verbose", is_flag=True, help="More words; the traceback where takens itself fails."),
    click.option("-q", "--quiet", is_flag=True, help="No progress, no remarks."),
]


@dataclass(frozen=True)
class Source:
    """A file to read and how: the reading options that were given."""

    path: Path
    options: Mapping[str, Any]

    def open(self) -> Series | list[Series]:
        """The series in the file, or the list of its trajectories, resampled if that was asked for."""
        from ..io.reading import open_data

        given = {key: value for key, value in self.options.items() if value is not None}
        target, method = given.pop("resample", None), given.pop("resample_method", None)
        if (target is None) != (method is None):
            raise SettingError(
                "resampling needs both an interval and a method",
                place="--resample, --resample-method",
                remedy="For instance --resample 1h --resample-method linear.",
            )
        for option in ("channels", "inputs"):
            if option in given:
                given[option] = names(given[option])
        if given.pop("no_time", None):
            if "time" in given:
                raise SettingError("either a column holds times or none does", place="--time, --no-time")
            given["time"] = False
        if "interval" in given:
            bare = number(given["interval"])
            given["interval"] = given["interval"] if bare is None else bare
        if "missing" in given:
            given["missing"] = codes(given["missing"])
        if given.get("delimiter") in ("tab", "\\t"):
            given["delimiter"] = "\t"
        opened = open_data(str(self.path), **given)
        if target is None:
            return opened
        found = opened if isinstance(opened, list) else [opened]
        found = [one.resample(in_clock(target, one, "--resample"), method=method) for one in found]
        return found if isinstance(opened, list) else found[0]

    def trajectories(self) -> list[Series]:
        """The trajectories in the file as a list, of one where there is one."""
        opened = self.open()
        return opened if isinstance(opened, list) else [opened]


@dataclass(frozen=True)
class Manner:
    """How a command speaks: for people or as JSON, where it writes, its seed, how much it says."""

    as_json: bool
    out: Path | None
    seed: int
    verbose: bool
    quiet: bool

    def progress(self) -> Progress:
        """The progress to hand to a long computation; it writes to standard error only."""
        return progress_on(quiet=self.quiet)

    def remark(self, text: str) -> None:
        """Say something by the way, on standard error."""
        if not self.quiet:
            click.echo(text, err=True)

    def tell(self, document: Any, lines: list[str]) -> None:
        """Print `document` as JSON if asked for, else `lines`."""
        click.echo(_json(document) if self.as_json else "\n".join(lines))

    def result(self, document: Any, lines: list[str]) -> None:
        """Give a result that is nothing but numbers: `--out` receives it as JSON, and it is told."""
        if self.out is not None:
            from ..io.atomic import atomic_text

            atomic_text(self.out, _json(document) + "\n")
            self.remark(f"Written: {self.out}")
        self.tell(document, lines)

    def series(self, made: Series, following: str = "") -> None:
        """Write a series that was made to `--out` (.csv, .nc) and name the command `following`, or print it as CSV."""
        if self.out is not None:
            made.save(str(self.out))
            lines = [f"Written: {self.out}"] + ([f"Next: {following}"] if following else [])
            self.tell({"written": str(self.out), "rows": len(made), "channels": made.channels}, lines)
            return
        labels = made.clock.labels(made.times)
        document = {"time": labels, "channels": {c: made.values[:, i] for i, c in enumerate(made.channels)}}
        rows = [",".join([label, *map(repr, map(float, row))]) for label, row in zip(labels, made.values, strict=True)]
        self.table("\n".join([",".join(["time", *made.channels]), *rows]) + "\n", document)

    def table(self, text: str, document: Mapping[str, Any]) -> None:
        """Print a table that was not written to a file: CSV `text`, or `document` as JSON."""
        sys.stdout.write(_json(document) + "\n" if self.as_json else text)


def _json(document: Any) -> str:
    from ..estimate import plain

    return json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False)


def reading(command: F) -> F:
    """Give a command the argument FILE and the reading options; it receives them as one `source`."""

    @functools.wraps(command)
    def reads(*arguments: Any, file: Path, **options: Any) -> Any:
        known = {key: options.pop(key) for key in _keys(READING)}
        return command(*arguments, source=Source(file, known), **options)

    wrapped: Any = _decorated(reads, READING)
    return click.argument("file", type=click.Path(path_type=Path))(wrapped)  # type: ignore[no-any-return]


def manner(command: F) -> F:
    """Give a command the options every command has; it receives them as one `manner`."""

    @functools.wraps(command)
    def speaks(*arguments: Any, **options: Any) -> Any:
        known = {key: options.pop(key) for key in _keys(MANNER)}
        return command(*arguments, manner=Manner(**known), **options)

    return _decorated(speaks, MANNER)  # type: ignore[return-value]


def _keys(options: list[Any]) -> list[str]:
    """The parameter names of click options."""
    return [parameter.name for parameter in _decorated(lambda: None, options).__click_params__]  # type: ignore[attr-defined]


def _decorated(function: Callable[..., Any], options: list[Any]) -> Callable[..., Any]:
    for option in reversed(options):
        function = option(function)
    return function
