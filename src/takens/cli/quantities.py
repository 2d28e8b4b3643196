"""Times and settings as people type them on the command line: `1h`, `20ms`, `delays=3`, `a,b`."""

from __future__ import annotations

from collections.abc import Iterable
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from ..errors import SettingError

if TYPE_CHECKING:
    from ..series import Series


def number(text: str) -> float | None:
    """The number that `text` is, or None where it is more than a number."""
    try:
        return float(text)
    except ValueError:
        return None


def in_clock(text: str, series: Series, option: str) -> float:
    """A length of time in units of the clock of `series`; a bare number is already in them.

    Raises `SettingError` where the clock knows no such unit: a series counted in steps, or hours in calendar months.
    """
    from ..clock import SECONDS
    from ..durations import seconds, steps

    bare = number(text)
    if bare is not None:
        return bare
    if series.clock.unit in SECONDS:
        return seconds(text, option) / SECONDS[series.clock.unit]
    return float(steps(text, 1.0, series.clock, option))


def settings(pairs: Iterable[str]) -> dict[str, Any]:
    """The keyword arguments of `name=value` texts; values are read as JSON where they are JSON, else as text."""
    import json

    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise SettingError(f"{pair!r} is not name=value", place="--set", remedy="For instance --set delays=3.")
        try:
            read = json.loads(value)
        except json.JSONDecodeError:
            read = value
        found[name] = tuple(read) if isinstance(read, list) else read
    return found


def names(text: str | None) -> list[str] | None:
    """The names in `a,b , c`; None stays None."""
    if text is None:
        return None
    return [name.strip() for name in text.split(",") if name.strip()]


def codes(text: str) -> list[float]:
    """The numbers in `-9999,-999` that stand for no value."""
    found = [number(name) for name in names(text) or []]
    if not found or None in found:
        raise SettingError(f"{text!r} is not a list of numbers", place="--missing", remedy="For instance -9999,-999.")
    return [code for code in found if code is not None]


def fits(value: Any, hint: Any) -> bool:
    """Whether `value` is of the type that a setting is declared with: int, float, str, bool, tuple, None or a union."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for kind in kinds:
        if get_origin(kind) is tuple:
            good = isinstance(value, tuple) and all(fits(item, get_args(kind)[0]) for item in value)
        elif get_origin(kind) is Literal:
            good = value in get_args(kind)
        elif kind in (int, float):
            good = isinstance(value, int | kind) and not isinstance(value, bool)
        else:
            good = isinstance(value, kind)
        if good:
            return True
    return False


def in_speech(hint: Any) -> str:
    """A type of a setting for people: `a whole number or a list of whole numbers`."""
    words = {int: "a whole number", float: "a number", str: "a word", bool: "true or false", type(None): "null"}
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    said = []
    for kind in kinds:
        if get_origin(kind) is tuple:
            said.append(f"a list of {'whole ' if get_args(kind)[0] is int else ''}numbers such as [1,2]")
        elif get_origin(kind) is Literal:
            said.append("one of " + ", ".join(map(str, get_args(kind))))
        else:
            said.append(words.get(kind, getattr(kind, "__name__", str(kind))))
    return " or ".join(said)
