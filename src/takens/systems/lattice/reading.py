"""Lattices from definitions: the `lattice` table of a system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from ...errors import EquationError, SettingError
from ..equations import Definitions, check_names
from ..reading import Reading
from ..symbols.expression import parse
from .graph import Graph
from .rule import BOUNDARIES, Boundary, Lattice, Neighbour

KEYS = ("size", "neighbours", "boundary", "mean", "coupling", "edges", "weights", "directed", "arrays", "common")
"""What a `lattice` table may hold."""
LARGEST = 10_000_000
"""Most nodes."""


def lattice(reading: Reading, *, time: str) -> Lattice:
    """The lattice that a definition describes: `equations` of a node, `auxiliary`, and the table `lattice`.

    Raises `SettingError` and `EquationError` with the name of the key.
    """
    return _Table(reading, time).lattice()


class _Table:
    """One `lattice` table, read key by key."""

    def __init__(self, reading: Reading, time: str) -> None:
        self._reading, self._time = reading, time
        self._table = reading.mapping("lattice", "lattice.size = 40")
        for key in self._table:
            if key not in KEYS:
                self._fail(f"unknown key {key!r}", "", f"The keys are {', '.join(KEYS)}.")
        size = self._table.get("size")
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or not 1 <= size <= LARGEST:
            self._fail(f"is {size!r}", "size", f"Give the number of nodes, up to {LARGEST:,}: lattice.size = 40.")
        self._size = int(size)
        self._texts = {key: reading.texts(key) for key in ("equations", "auxiliary")}
        self._texts |= {key: self._part(key, '"x**2"') for key in ("mean", "coupling", "common")}
        if not self._texts["equations"]:
            reading.fail("no equations", "equations", 'Write one for each variable: equations.x = "-x".')
        self._arrays = {name: self._array(name, value) for name, value in self._mapping("arrays", "[1.0, 2.0]").items()}
        self._parameters = tuple(reading.numbers("parameters"))

    def lattice(self) -> Lattice:
        """The whole of it."""
        texts = self._texts
        shifts = self._mapping("neighbours", '{ of = "x", offset = -1 }')
        self._check_names(list(shifts))
        graph = self._graph()
        self._reading.blocks = dict.fromkeys(texts["equations"], self._size) | dict.fromkeys(texts["common"], 1)
        shared = [*texts["common"], *self._parameters, self._time]
        local = [*texts["equations"], *self._arrays, *texts["auxiliary"], *shared]
        everything = [*local, *shifts, *texts["mean"], *texts["coupling"]]
        ends = [f"{name}_{end}" for name in (*texts["equations"], *self._arrays, *texts["auxiliary"]) for end in "ij"]
        parts = (
            self._trees("equations", everything), self._parameters, self._trees("auxiliary", everything),
            tuple(self._neighbour(name, value, local) for name, value in shifts.items()), self._boundary(),
            self._trees("mean", local), self._trees("coupling", [*ends, *shared]), graph, self._arrays,
            self._trees("common", [*shared, *texts["mean"], *texts["auxiliary"]]),
        )  # fmt: skip
        try:
            return Lattice(self._size, *parts, time=self._time)
        except EquationError as error:
            place = ": ".join(part for part in (self._reading.place, error.place) if part)
            raise EquationError(error.cause, place=place, remedy=error.remedy) from None

    def _trees(self, key: str, names: Sequence[str]) -> Definitions:
        prefix = key if key in ("equations", "auxiliary") else f"lattice.{key}"
        where = ": ".join(part for part in (self._reading.place, prefix) if part)
        return tuple((name, parse(text, names, place=f"{where}.{name}")) for name, text in self._texts[key].items())

    def _neighbour(self, name: str, value: Any, names: Sequence[str]) -> Neighbour:
        key = f"neighbours.{name}"
        if not isinstance(value, Mapping) or set(value) != {"of", "offset"} or not isinstance(value["of"], str):
            self._fail(f"is {value!r}", key, f'Write lattice.{key} = {{ of = "x", offset = -1 }}.')
        offset = value["offset"]
        whole = isinstance(offset, int | np.integer) and not isinstance(offset, bool)
        if not whole or not 0 < abs(int(offset)) < self._size:
            remedy = f"Give a whole number of places, up to {self._size - 1} either way."
            self._fail(f"is {offset!r}", f"{key}.offset", remedy)
        place = ": ".join(part for part in (self._reading.place, f"lattice.{key}") if part)
        return Neighbour(name, parse(value["of"], names, place=place), int(offset))

    def _check_names(self, neighbours: list[str]) -> None:
        """Refuse names that are used twice, or that end like those of the ends of an edge."""
        texts = self._texts
        others = [*texts["auxiliary"], *neighbours, *texts["mean"], *texts["coupling"], *self._arrays]
        states = (*texts["equations"], *texts["common"])
        check_names(states, self._parameters, others, place=self._reading.place)
        names = (*states, *self._parameters, *others) if texts["coupling"] else ()
        for name in names:
            if name.endswith(("_i", "_j")):
                self._fail(f"the name {name!r} ends as the ends of an edge do", "", "Rename it.")

    def _boundary(self) -> Boundary:
        value = self._table.get("boundary", "ring")
        if value not in BOUNDARIES:
            self._fail(f"is {value!r}", "boundary", f"Choose one of {', '.join(BOUNDARIES)}.")
        return cast("Boundary", value)

    def _graph(self) -> Graph | None:
        directed = self._table.get("directed", False)
        if not isinstance(directed, bool):
            self._fail(f"is {directed!r}", "directed", "Write true or false.")
        if "edges" not in self._table:
            for key in ("coupling", "weights", "directed"):
                if key in self._table:
                    self._fail("has no edges", key, "Write lattice.edges = [[1, 2], [2, 3]].")
            return None
        try:
            pairs = np.asarray(self._table["edges"])
            if pairs.size and not np.issubdtype(pairs.dtype, np.integer):
                raise ValueError("not whole numbers")
            weights = self._table.get("weights")
            numbers = None if weights is None else np.asarray(weights, dtype=np.float64)
        except (ValueError, TypeError):
            self._fail("are not pairs of nodes with numbers as weights", "edges", "Write edges = [[1, 2], [2, 3]].")
        try:
            return Graph.of(self._size, pairs - 1 if pairs.size else pairs, numbers, directed=directed)
        except SettingError as error:
            self._fail(error.cause, "edges", error.remedy)

    def _array(self, name: str, value: Any) -> NDArray[np.float64]:
        key = f"arrays.{name}"
        try:
            found = np.asarray(value, dtype=np.float64)
        except (ValueError, TypeError):
            self._fail("is not a list of numbers", key, f"Write {key} = [1.0, 2.0, ...].")
        if found.shape != (self._size,) or not np.isfinite(found).all():
            self._fail(f"has shape {found.shape}, or is not finite", key, f"Give {self._size} finite numbers.")
        return found

    def _mapping(self, key: str, example: str) -> Mapping[str, Any]:
        value = self._table.get(key, {})
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            self._fail(f"is {value!r}, not a table", key, f"Write lattice.{key}.name = {example}.")
        return value

    def _part(self, key: str, example: str) -> dict[str, str]:
        found = dict(self._mapping(key, example))
        for name, value in found.items():
            if not isinstance(value, str):
                self._fail(f"is {value!r}, not text", f"{key}.{name}", f"Write lattice.{key}.{name} = {example}.")
        return found

    def _fail(self, cause: str, key: str, remedy: str = "") -> NoReturn:
        self._reading.fail(cause, f"lattice.{key}" if key else "lattice", remedy)
