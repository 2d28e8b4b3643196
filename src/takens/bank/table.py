"""The bank as a table: one row a series, its statistics, its truth, and the system it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..random import generator
from ..verdicts.classes import CLASSES
from .relatives import KIN

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Table:
    """Series of the bank as arrays: statistics `x (row, feature)` with NaN where one is missing, `truth (row,)` as an
    index of `CLASSES`, and by row `system`, `family`, `length`, `noise` and `cycles`."""

    features: tuple[str, ...]
    x: Array
    truth: NDArray[np.int64]
    system: NDArray[np.str_]
    family: NDArray[np.str_]
    length: NDArray[np.int64]
    noise: Array
    cycles: Array

    def __len__(self) -> int:
        return len(self.truth)

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> Table:
        """The table of finished jobs: each has "features" by name (None or NaN if missing) and the facts of its entry.

        Raises `DataError` without rows, and where rows do not name the same statistics.
        """
        if not rows:
            raise DataError("the bank is empty", remedy="Ask for more series: --size 3000.")
        names = tuple(rows[0]["features"])
        for row in rows:
            if tuple(row["features"]) != names:
                raise DataError("rows of the bank name different statistics", remedy="Start with an empty --out.")
        x = np.array([[np.nan if v is None else v for v in row["features"].values()] for row in rows], dtype=float)
        x[~np.isfinite(x)] = np.nan
        column = {key: [row[key] for row in rows] for key in ("system", "family", "length", "noise", "cycles")}
        return cls(
            names, x, np.array([CLASSES.index(row["truth"]) for row in rows]), np.array(column["system"], dtype=str),
            np.array(column["family"], dtype=str), np.array(column["length"], dtype=np.int64),
            np.array(column["noise"], dtype=float), np.array(column["cycles"], dtype=float),
        )  # fmt: skip

    def take(self, rows: NDArray[Any]) -> Table:
        """The table of some rows: indices or a mask."""
        parts = ("x", "truth", "system", "family", "length", "noise", "cycles")
        return replace(self, **{name: getattr(self, name)[rows] for name in parts})

    @property
    def kin(self) -> NDArray[np.str_]:
        """The kin `(row,)` of each system: near relatives, such as one system with another nonlinearity, are one."""
        return np.array([KIN.get(str(name), str(name)) for name in self.system], dtype=str)

    def weights(self) -> Array:
        """Weights `(row,)` of mean 1 under which classes count equally, and systems equally within a class."""
        _, system, size = np.unique(self.system, return_inverse=True, return_counts=True)
        weight = 1.0 / size[system]
        total = np.bincount(self.truth, weight, minlength=len(CLASSES))
        weight /= total[self.truth]
        return weight * len(weight) / weight.sum()

    def folds(self, count: int, seed: int) -> NDArray[np.int64]:
        """A fold 0 ... `count` - 1 for each row: kin is in one fold, and each fold has its share of each class."""
        fold = np.zeros(len(self), dtype=np.int64)
        rng = generator(seed, "bank", "folds")
        names, kin = np.unique(self.kin, return_inverse=True)
        # Kin with several truths is dealt with the first of them.
        first = np.array([self.truth[kin == i].min() for i in range(len(names))])
        dealt = 0
        for k in range(len(CLASSES)):
            for i in rng.permutation(np.flatnonzero(first == k)):
                fold[kin == i] = dealt % count
                dealt += 1
        return fold
