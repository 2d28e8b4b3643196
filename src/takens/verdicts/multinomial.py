"""A multinomial model on normal scores of the statistics, as plain arrays, and its mixture with boosted trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .trees import Trees, softmax

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Multinomial:
    """f_k(x) = start_k + sum_i (slope_ki z_i + missing_ki m_i), z_i the normal score of statistic i, m_i if it is NaN.

    `knots (feature, knot)` are quantiles of the training rows and `levels (feature, knot)` their normal scores, between
    which z is linear; beyond the last knot it stays, so that no odd value has more to say than the oddest one known;
    a missing value has z = 0. `slope` and `missing` are `(class, feature)`. Raises `DataError` where arrays do not fit.
    """

    knots: Array
    levels: Array
    slope: Array
    missing: Array
    start: Array

    def __post_init__(self) -> None:
        shape = (len(self.start), len(self.knots))
        sound = self.knots.shape == self.levels.shape and self.slope.shape == self.missing.shape == shape
        if not (sound and all(np.isfinite(getattr(self, f.name)).all() for f in fields(self))):
            raise DataError("these arrays are not a multinomial model", remedy="Install takens again.")

    def inputs(self, x: Array) -> tuple[Array, Array]:
        """z and m, each `(row, feature)`, of statistics `x (row, feature)`."""
        flags = np.isnan(x)
        columns = [np.interp(column, *pair) for column, *pair in zip(x.T, self.knots, self.levels, strict=True)]
        return np.where(flags, 0.0, np.array(columns).T.reshape(x.shape)), flags.astype(float)

    def scores(self, x: Array) -> Array:
        """f `(row, class)`."""
        z, flags = self.inputs(x)
        return np.asarray(self.start + z @ self.slope.T + flags @ self.missing.T)

    def contributions(self, x: Array) -> tuple[Array, Array]:
        """How much each statistic adds to each score `(row, class, feature)`, and where the scores start `(class,)`."""
        z, flags = self.inputs(x)
        return self.slope * z[:, None, :] + self.missing * flags[:, None, :], self.start


@dataclass(frozen=True, eq=False)
class Mixture:
    """Both models as one: P(k | x) = softmax of w_0 f_k(trees) + w_1 f_k(multinomial), `weights (2,)` = w.

    Trees find thresholds and conditions, the multinomial model what changes smoothly and goes on beyond the known.
    """

    trees: Trees
    multinomial: Multinomial
    weights: Array

    def __post_init__(self) -> None:
        classes, features = self.multinomial.slope.shape
        sound = len(self.trees.baseline) == classes and int(self.trees.feature.max()) < features
        if not sound or self.weights.shape != (2,):
            raise DataError("the parts of this model do not fit", remedy="Install takens again.")

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Mixture:
        """The model from arrays named as `arrays` names them. Raises `DataError` where they are not a model."""
        parts = {
            kind: {name.partition(".")[2]: a for name, a in arrays.items() if name.startswith(f"{kind}.")}
            for kind in ("trees", "multinomial")
        }
        try:
            linear = Multinomial(**{f.name: parts["multinomial"][f.name].astype(float) for f in fields(Multinomial)})
            return cls(Trees.read(parts["trees"]), linear, arrays["weights"].astype(float))
        except KeyError as error:
            raise DataError(f"no array {error} among those of the model") from None

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The arrays by name, for a file."""
        linear = {f"multinomial.{f.name}": getattr(self.multinomial, f.name) for f in fields(Multinomial)}
        return {f"trees.{name}": a for name, a in self.trees.arrays().items()} | linear | {"weights": self.weights}

    def probabilities(self, x: Array) -> Array:
        """P `(row, class)` of statistics `x (row, feature)`, NaN where one is missing. Cost: a millisecond a row."""
        return softmax(self.weights[0] * self.trees.scores(x) + self.weights[1] * self.multinomial.scores(x))

    def contributions(self, x: Array) -> Array:
        """How much each statistic moves each score: `(row, class, feature)`."""
        first, second = self.trees.contributions(x)[0], self.multinomial.contributions(x)[0]
        return np.asarray(self.weights[0] * first + self.weights[1] * second)
