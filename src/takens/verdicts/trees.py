"""Boosted classification trees as plain arrays: evaluated with NumPy alone, and taken apart by statistic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

LEAF = -1
"""The feature of a node that asks nothing."""


@dataclass(frozen=True, eq=False)
class Trees:
    """A sum of decision trees for each class, and the probabilities that follow from it.

    f_k(x) = baseline_k + sum over the trees t with `label[t]` = k of the value of the leaf that x reaches;
    P(k | x) = exp f_k / sum_j exp f_j. Nodes of all trees stand in one list, children after their parents: a row goes
    `left` where its `feature` is at most the `threshold`, or is NaN and `missing_left`, else `right`; leaves have the
    feature -1. `value (node,)` is what a leaf adds; that of an inner node is the mean over the training rows below it.
    `root (tree,)` and `label (tree,)` say where trees begin and which class they speak for. Raises `DataError` where
    the arrays are not trees. Friedman, Ann. Stat. 29, 1189 (2001).
    """

    feature: Whole
    threshold: Array
    missing_left: NDArray[np.bool_]
    left: Whole
    right: Whole
    value: Array
    root: Whole
    label: Whole
    baseline: Array

    def __post_init__(self) -> None:
        inner = np.flatnonzero(self.feature != LEAF)
        nodes = len(self.feature)
        lengths = {len(getattr(self, f.name)) for f in fields(self) if f.name not in ("root", "label", "baseline")}
        sound = (
            lengths == {nodes}
            and len(self.root) == len(self.label)
            and all(np.all((c[inner] > inner) & (c[inner] < nodes)) for c in (self.left, self.right))
            and np.all(self.feature >= LEAF)
            and bool(np.all((self.root >= 0) & (self.root < nodes)))
            and bool(np.all((self.label >= 0) & (self.label < len(self.baseline))))
            and not np.isnan(self.threshold[inner]).any()  # infinite where only a missing value goes right
            and bool(np.isfinite(self.value).all() and np.isfinite(self.baseline).all())
        )
        if not sound:
            raise DataError("these arrays are not trees", remedy="Install takens again, or calibrate again.")

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Trees:
        """The trees from arrays named as the fields. Raises `DataError` where one is missing or they do not fit."""
        missing = [f.name for f in fields(cls) if f.name not in arrays]
        if missing:
            raise DataError(f"no array {missing[0]!r} among those of the trees")
        kinds = {"threshold": float, "value": float, "baseline": float, "missing_left": bool}
        return cls(**{f.name: arrays[f.name].astype(kinds.get(f.name, np.int64)) for f in fields(cls)})

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The arrays by name, whole numbers as small as they fit, for a file."""
        small = {"feature": np.int16, "left": np.int32, "right": np.int32, "root": np.int32, "label": np.int16,
                 "missing_left": np.uint8}  # fmt: skip
        return {f.name: getattr(self, f.name).astype(small.get(f.name, np.float64)) for f in fields(self)}

    def scores(self, x: Array) -> Array:
        """f `(row, class)` of statistics `x (row, feature)`, NaN where one is missing. Cost: microseconds a tree."""
        out = np.tile(self.baseline, (len(x), 1))
        leaf = np.tile(self.root, (len(x), 1))
        while True:
            inner = self.feature[leaf] != LEAF
            if not inner.any():
                break
            leaf = np.where(inner, self._next(x, leaf), leaf)
        for k in range(len(self.baseline)):
            out[:, k] += self.value[leaf[:, self.label == k]].sum(axis=1)
        return out

    def probabilities(self, x: Array) -> Array:
        """P `(row, class)` of statistics `x (row, feature)`."""
        return softmax(self.scores(x))

    def contributions(self, x: Array) -> tuple[Array, Array]:
        """How much each statistic moved each score: `(row, class, feature)`, and where the scores start `(class,)`.

        Walking down a tree, the change of the mean value from a node to its child belongs to the feature that the node
        asks for (Saabas 2014). Start plus the sum over features is `scores(x)`. Statistics that say the same share what
        they say, so a small part is no proof that a statistic is useless. Cost: as `scores`.
        """
        start = self.baseline + np.bincount(self.label, self.value[self.root], minlength=len(self.baseline))
        out = np.zeros((len(x), len(self.baseline), x.shape[1]))
        node = np.tile(self.root, (len(x), 1))
        while True:
            row, tree = np.nonzero(self.feature[node] != LEAF)
            if len(row) == 0:
                return out, start
            at = node[row, tree]
            child = self._next(x, node)[row, tree]
            np.add.at(out, (row, self.label[tree], self.feature[at]), self.value[child] - self.value[at])
            node[row, tree] = child

    def _next(self, x: Array, node: Whole) -> Whole:
        """The children `(row, tree)` that rows go to from `node (row, tree)`; leaves go anywhere."""
        asked = np.take_along_axis(x, np.maximum(self.feature[node], 0), axis=1)
        goes_left = np.where(np.isnan(asked), self.missing_left[node], asked <= self.threshold[node])
        return np.where(goes_left, self.left[node], self.right[node])


def softmax(scores: Array) -> Array:
    """exp f_k / sum_j exp f_j along the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
