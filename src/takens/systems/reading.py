"""Definitions of systems: typed values out of tables, with errors that name file, system and key."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ..errors import EquationError, SettingError
from .base import Known
from .equations import Equations
from .symbols.printing import text

if TYPE_CHECKING:
    from .lattice.rule import Lattice


class Reading:
    """Takes typed values out of a table; every error names the file, the system and the key."""

    KEYS = ("name", "kind", "parameters", "initial", "period", "dt", "tags", "reference", "description", "known")
    """The keys of every kind of system."""

    def __init__(self, table: Mapping[str, Any], place: str, keys: Sequence[str]) -> None:
        self.table = table
        self.blocks: dict[str, int] = {}
        """How many states go by one name in `initial`, where that is not one each."""
        name = table.get("name")
        self.place = ": ".join(part for part in (place, name if isinstance(name, str) else "") if part)
        allowed = (*self.KEYS, *keys)
        for key in table:
            if key not in allowed:
                near = get_close_matches(str(key), allowed, 1)
                hint = f"Did you mean {near[0]}? " if near else ""
                self.fail(f"unknown key {key!r}", "", f"{hint}The keys are {', '.join(allowed)}.")

    def common(self, states: tuple[str, ...], initial: Sequence[float] | None = None) -> dict[str, Any]:
        """The arguments that every kind of system takes, but for its rule; `initial` where a kind reads its own."""
        return {
            "name": self.text("name", "system"), "parameters": self.numbers("parameters"),
            "initial": np.array(self.initial(states) if initial is None else initial),
            "period": self.positive("period"), "dt": self.positive("dt"),
            "tags": self.tags(), "reference": self.text("reference", ""),
            "description": self.text("description", ""), "known": self.known(),
        }  # fmt: skip

    def rule(self, *, time: str) -> Equations | Lattice:
        """The parsed equations of the system, or of a node where there is a table `lattice`."""
        if "lattice" not in self.table:
            return self.equations(time=time)
        from .lattice.reading import lattice

        return lattice(self, time=time)

    def equations(self, *, time: str, inputs: Sequence[str] = ()) -> Equations:
        """The parsed `equations` and `auxiliary`; `inputs` are names they may use besides parameters and states."""
        texts = self.texts("equations")
        if not texts:
            self.fail("no equations", "equations", 'Write one for each state: equations.x = "sigma*(y - x)".')
        names = (*self.numbers("parameters"), *inputs)
        return Equations.parse(texts, names, self.texts("auxiliary"), time=time, place=self.place)

    def fail(self, cause: str, key: str, remedy: str = "") -> NoReturn:
        raise SettingError(cause, place=": ".join(part for part in (self.place, key) if part), remedy=remedy)

    def check_values(self, rule: Equations | Lattice, values: Sequence[float]) -> None:
        """Refuse equations whose values at the initial state are not finite."""
        for index, (state, value) in enumerate(zip(rule.states, values, strict=True)):
            if not math.isfinite(value):
                shown = f": {text(rule.expressions[index])[:200]}" if isinstance(rule, Equations) else ""
                raise EquationError(
                    f"is {value} at the initial state{shown}",
                    place=f"{self.place}: equations.{state}" if self.place else f"equations.{state}",
                    remedy="Choose another initial state, or parameters for which the equations have a value.",
                )

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
        if isinstance(value, Mapping) and self.blocks:
            return self._initial_of_blocks(value)
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

    def _initial_of_blocks(self, value: Mapping[str, Any]) -> list[float]:
        """The initial states of a lattice: for each variable a number that all nodes share, or one for each node."""
        for name in (*value, *self.blocks):
            if name not in self.blocks:
                self.fail(f"{name!r} is not a variable", "initial", f"The variables are {', '.join(self.blocks)}.")
            if name not in value:
                self.fail(f"has no value of {name!r}", "initial", f"Write initial.{name} = 0.1, or a list.")
        found: list[float] = []
        for name, size in self.blocks.items():
            given = value[name]
            several = isinstance(given, list | tuple | np.ndarray)
            if isinstance(given, np.ndarray) and given.dtype == np.float64 and np.isfinite(given).all():
                numbers = given.ravel().tolist()
            else:
                numbers = [self.number(v, f"initial.{name}") for v in (given if several else [given])]
            if several and len(numbers) != size:
                self.fail(f"{len(numbers)} numbers for {size} nodes", f"initial.{name}", "Give one for each node.")
            found += numbers if several else numbers * size
        return found

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
