"""A system from its definition: a table of TOML, a dict of the same form, or a name in the catalogue."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..errors import EquationError, SettingError
from .base import KINDS, Known, System
from .equations import Equations
from .symbols.printing import text

TIMES = {"flow": "t", "map": "n"}
"""The name of the independent variable in the equations of each kind."""


def system(source: str | Path | Mapping[str, Any], /, **parameters: float) -> System:
    """A system by its name in the catalogue, from a TOML file (`mine.toml`), or from a dict of the same form.

    Names are compared without regard to case, accents and punctuation. A definition has the keys `equations` (state ->
    right-hand side), `initial` (table or list) and, as needed, `kind` ("flow", the default, or "map"), `parameters`
    (name -> number), `auxiliary` (name -> definition, evaluated first), `name`, `period`, `dt`, `tags`, `reference`,
    `description` and `known` (invariant -> {value, source}); a file holds it at its top level or as its one [[system]].
    In the equations of a flow `t` is the time, in those of a map `n` is the step. `parameters` replace the defaults.
    Raises `SettingError` for unknown names and unfit values and `EquationError` for equations, with file, key and
    character. Cost: milliseconds.
    """
    if isinstance(source, Mapping):
        found = from_table(source)
    elif isinstance(source, Path) or (isinstance(source, str) and source.endswith(".toml")):
        found = from_file(Path(source))
    elif isinstance(source, str):
        from .catalogue_index import definition

        found = from_table(*definition(source))
    else:
        raise SettingError(
            f"a system from {type(source).__name__}", remedy="Give a name of the catalogue, a .toml file or a dict."
        )
    return found.with_parameters(**parameters) if parameters else found


def from_file(path: Path) -> System:
    """The system that a TOML file defines."""
    table = read_toml(path)
    if "system" not in table:
        return from_table({"name": path.stem, **table}, str(path))
    tables = table["system"]
    if not isinstance(tables, list) or len(tables) != 1 or not isinstance(tables[0], dict) or len(table) > 1:
        count = f"{len(tables)} systems" if isinstance(tables, list) else "[system]"
        raise SettingError(
            f"{count} where one is expected", place=str(path), remedy="Keep one [[system]], or none and plain keys."
        )
    return from_table({"name": path.stem, **tables[0]}, str(path))


def read_toml(path: Path) -> dict[str, Any]:
    """The contents of a TOML file; `SettingError` with the line where it is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"cannot be read: {error.strerror}", place=str(path)) from None
    except UnicodeDecodeError as error:
        raise SettingError(f"is not UTF-8 text: byte {error.start}", place=str(path)) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        remedy = 'Equations are in quotes: equations.x = "y - x".'
        raise SettingError(f"is not TOML: {error}", place=str(path), remedy=remedy) from None


def from_table(table: Mapping[str, Any], place: str = "") -> System:
    """The system that a table (parsed TOML, or a dict) defines; `place` names its file in errors."""
    reading = _Reading(table, place)
    kind = reading.text("kind", "flow")
    if kind not in KINDS:
        reading.fail(f"kind {kind!r}", "kind", f"The kinds are {', '.join(KINDS)}.")
    equations = reading.texts("equations")
    if not equations:
        reading.fail("no equations", "equations", 'Write one for each state: equations.x = "sigma*(y - x)".')
    parameters = reading.numbers("parameters")
    rule = Equations.parse(
        equations, tuple(parameters), reading.texts("auxiliary"), time=TIMES[kind], place=reading.place
    )
    found = KINDS[kind](
        name=reading.text("name", "system"),
        rule=rule,
        parameters=parameters,
        initial=np.array(reading.initial(rule.states)),
        period=reading.positive("period"),
        dt=reading.positive("dt"),
        tags=reading.tags(),
        reference=reading.text("reference", ""),
        description=reading.text("description", ""),
        known=reading.known(),
    )
    _check_values(found, reading.place)
    return found


def _check_values(found: System, place: str) -> None:
    """Refuse equations without a finite value at the initial state."""
    at_start = found.rhs(0.0, found.initial)
    for state, value, expression in zip(found.states, at_start, found.rule.expressions, strict=True):
        if not math.isfinite(value):
            raise EquationError(
                f"is {value} at the initial state: {text(expression)[:200]}",
                place=f"{place}: equations.{state}" if place else f"equations.{state}",
                remedy="Choose another initial state, or parameters for which the equations have a value.",
            )


class _Reading:
    """Takes typed values out of a table; every error names the file, the system and the key."""

    KEYS = (
        "name", "kind", "equations", "auxiliary", "parameters", "initial", "period", "dt", "tags", "reference",
        "description", "known",
    )  # fmt: skip

    def __init__(self, table: Mapping[str, Any], place: str) -> None:
        self.table = table
        name = table.get("name")
        self.place = ": ".join(part for part in (place, name if isinstance(name, str) else "") if part)
        for key in table:
            if key not in self.KEYS:
                near = get_close_matches(str(key), self.KEYS, 1)
                hint = f"Did you mean {near[0]}? " if near else ""
                self.fail(f"unknown key {key!r}", "", f"{hint}The keys are {', '.join(self.KEYS)}.")

    def fail(self, cause: str, key: str, remedy: str = "") -> NoReturn:
        raise SettingError(cause, place=": ".join(part for part in (self.place, key) if part), remedy=remedy)

    def text(self, key: str, default: str) -> str:
        value = self.table.get(key, default)
        if not isinstance(value, str):
            self.fail(f"is {value!r}, not text", key, f'Write {key} = "...".')
        return value

    def mapping(self, key: str, example: str) -> Mapping[str, Any]:
        value = self.table.get(key, {})
        if not isinstance(value, Mapping):
            self.fail(f"is {value!r}, not a table", key, f"Write {example}.")
        for name in value:
            if not isinstance(name, str):
                self.fail(f"the name {name!r} is not text", key)
        return value

    def texts(self, key: str) -> dict[str, str]:
        found = dict(self.mapping(key, f'{key}.name = "expression"'))
        for name, value in found.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                # A bare number is a constant right-hand side; its text goes through the parser like any other.
                found[name] = repr(value)
            elif not isinstance(value, str):
                self.fail(f"is {value!r}, not text", f"{key}.{name}", f'Write {key}.{name} = "...".')
        return found

    def numbers(self, key: str) -> dict[str, float]:
        values = self.mapping(key, f"{key} = {{ sigma = 10.0, rho = 28.0 }}")
        return {name: self.number(value, f"{key}.{name}") for name, value in values.items()}

    def number(self, value: Any, key: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            self.fail(f"is {value!r}, not a number", key)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.fail(f"is {number}", key, "Give a finite number.")
        return number

    def positive(self, key: str) -> float | None:
        if key not in self.table:
            return None
        value = self.number(self.table[key], key)
        if value <= 0:
            self.fail(f"is {value:g}", key, "Give a positive number.")
        return value

    def initial(self, states: tuple[str, ...]) -> list[float]:
        example = "initial = { " + ", ".join(f"{state} = 0.1" for state in states[:3]) + " }"
        if "initial" not in self.table:
            self.fail("no initial state", "initial", f"Write {example}.")
        value = self.table["initial"]
        if isinstance(value, Mapping):
            for name in (*value, *states):
                if name not in states:
                    self.fail(f"{name!r} is not a state", "initial", f"The states are {', '.join(states)}.")
                if name not in value:
                    self.fail(f"has no value of {name!r}", "initial", f"Write {example}.")
            return [self.number(value[state], f"initial.{state}") for state in states]
        if not isinstance(value, list | tuple | np.ndarray):
            self.fail(f"is {value!r}", "initial", f"Write {example}.")
        if len(value) != len(states):
            self.fail(f"{len(value)} numbers for {len(states)} states", "initial", f"Write {example}.")
        return [self.number(v, f"initial[{i}]") for i, v in enumerate(value)]

    def tags(self) -> tuple[str, ...]:
        value = self.table.get("tags", [])
        if not isinstance(value, list | tuple) or not all(isinstance(tag, str) for tag in value):
            self.fail(f"is {value!r}, not a list of words", "tags", 'Write tags = ["chaotic", "dissipative"].')
        return tuple(value)

    def known(self) -> dict[str, Known]:
        example = '{ value = 0.9056, source = "author, journal, year" }'
        found = {}
        for name, entry in self.mapping("known", f"known.largest_lyapunov_exponent = {example}").items():
            key = f"known.{name}"
            if not isinstance(entry, Mapping) or set(entry) != {"value", "source"}:
                self.fail(f"is {entry!r}", key, f"Write {key} = {example}.")
            if not isinstance(entry["source"], str) or not entry["source"].strip():
                self.fail("has no source", key, "A published number needs the place where it is published.")
            value = entry["value"]
            several = isinstance(value, list | tuple)
            numbers = tuple(self.number(v, key) for v in (value if several else [value]))
            found[name] = Known(numbers if several else numbers[0], entry["source"])
        return found
