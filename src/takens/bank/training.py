"""Fitting the model of the classes: boosted trees and a multinomial model, mixed as does best on unseen systems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, SettingError
from ..verdicts.classes import CLASSES
from ..verdicts.multinomial import Mixture, Multinomial
from ..verdicts.trees import LEAF, Trees, softmax
from .table import Table

Array = NDArray[np.float64]

FOLDS = 10
"""Parts into which the systems are dealt; each is predicted by a model that has seen none of them."""


KNOTS = 33
"""Quantiles between which the normal scores of a statistic are linear."""
RIDGE = 20.0


@dataclass(frozen=True)
class Boosting:
    """Settings of the boosted trees: so few that all fit in half a MB; `share` of the statistics a cut."""

    trees: int = 120
    leaves: int = 12
    rate: float = 0.08
    ridge: float = 5.0
    least: int = 8
    share: float = 0.2

    def estimator(self, seed: int) -> Any:
        """The scikit-learn classifier that is not fitted yet."""
        return _sklearn("ensemble").HistGradientBoostingClassifier(
            max_iter=self.trees, max_leaf_nodes=self.leaves, learning_rate=self.rate, l2_regularization=self.ridge,
            min_samples_leaf=self.least, max_features=self.share, early_stopping=False, random_state=seed,
        )  # fmt: skip


DEFAULT = Boosting()


def fit_boosted(table: Table, settings: Boosting = DEFAULT, seed: int = 0) -> Any:
    """Gradient-boosted trees of scikit-learn, classes and systems counting equally. Cost: a second for 2,000 rows."""
    return settings.estimator(seed).fit(_known(table.x), table.truth, sample_weight=table.weights())


def fit_multinomial(table: Table, ridge: float = RIDGE) -> Multinomial:
    """The regularised multinomial model: penalty `ridge` |slope|^2 / 2, classes and systems counting equally."""
    levels = (np.arange(KNOTS) + 0.5) / KNOTS
    knots, scores = np.zeros((2, len(table.features), KNOTS))
    for i, column in enumerate(table.x.T):
        known = column[~np.isnan(column)]
        if len(known):
            knots[i] = np.quantile(known, levels)
            scores[i] = _normal(knots[i], levels)
    shape = (len(CLASSES), len(table.features))
    blank = Multinomial(knots, scores, np.zeros(shape), np.zeros(shape), np.zeros(len(CLASSES)))
    inputs = np.concatenate(blank.inputs(table.x), axis=1)
    model = _sklearn("linear_model").LogisticRegression(C=1.0 / ridge, max_iter=5000, tol=1e-8)
    model.fit(inputs, table.truth, sample_weight=table.weights())
    _whole(model)
    slope, missing = np.split(model.coef_, 2, axis=1)
    return replace(blank, slope=slope.copy(), missing=missing.copy(), start=model.intercept_.copy())


def _normal(knots: Array, levels: Array) -> Array:
    """Normal scores of knots at `levels`; equal knots share their mean."""
    from scipy.special import ndtri

    scores = ndtri(levels)
    _, place, size = np.unique(knots, return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(place, scores) / size)[place])


def fit_mixture(table: Table, settings: Boosting = DEFAULT, seed: int = 0) -> Mixture:
    """Both models, at equal weights: the ones to go on from where out-of-fold predictions give none."""
    trees = exported(fit_boosted(table, settings, seed))
    return Mixture(trees, fit_multinomial(table), np.array([0.5, 0.5]))


def _whole(model: Any) -> None:
    if list(model.classes_) != list(range(len(CLASSES))):
        raise DataError("not every class is among the series", remedy="Ask for more series: --size 3000.")


def _known(x: Array) -> Array:
    """The statistics with those that no row has set to 0: scikit-learn cannot cut a column without values."""
    return np.where(np.isnan(x).all(axis=0), 0.0, x)


def exported(model: Any) -> Trees:
    """The fitted scikit-learn model as plain arrays. Raises `DataError` for one that has not seen every class."""
    _whole(model)
    columns: dict[str, list[NDArray[Any]]] = {key: [] for key in ("feature", "threshold", "missing_left", "left",
                                                                  "right", "value")}  # fmt: skip
    root, label, begin = [], [], 0
    for iteration in model._predictors:
        for k, predictor in enumerate(iteration):
            node = predictor.nodes
            leaf = node["is_leaf"].astype(bool)
            columns["feature"].append(np.where(leaf, LEAF, node["feature_idx"]).astype(np.int64))
            columns["threshold"].append(np.where(leaf, 0.0, node["num_threshold"]))
            columns["missing_left"].append(node["missing_go_to_left"].astype(bool))
            columns["left"].append(np.where(leaf, 0, node["left"].astype(np.int64) + begin))
            columns["right"].append(np.where(leaf, 0, node["right"].astype(np.int64) + begin))
            columns["value"].append(_mean_values(node, leaf))
            root.append(begin)
            label.append(k)
            begin += len(node)
    parts = {key: np.concatenate(arrays) for key, arrays in columns.items()}
    return Trees(
        **parts, root=np.array(root), label=np.array(label), baseline=model._baseline_prediction.ravel().copy()
    )


def _mean_values(node: NDArray[Any], leaf: NDArray[np.bool_]) -> Array:
    """Values of leaves, and for inner nodes the mean of the rows below: scikit-learn leaves those without shrinkage."""
    value = node["value"].astype(float)
    for i in np.flatnonzero(~leaf)[::-1]:  # children come after their parents
        below = [int(node["left"][i]), int(node["right"][i])]
        value[i] = np.average(value[below], weights=node["count"][below].astype(float))
    return value


def out_of_fold(table: Table, fit: Callable[[Table], Mixture], folds: NDArray[np.int64]) -> Array:
    """Scores `(model, row, class)` of trees and multinomial model in each fold, fitted to the others."""
    out = np.zeros((2, len(table), len(CLASSES)))
    for fold in np.unique(folds):
        model, rows = fit(table.take(folds != fold)), folds == fold
        out[0, rows], out[1, rows] = model.trees.scores(table.x[rows]), model.multinomial.scores(table.x[rows])
    return out


def mixing(table: Table, scores: Array) -> Array:
    """The weights `(2,)`, none negative, of `scores (model, row, class)` with the least log loss: two numbers, fitted
    to out-of-fold scores, that also make the probabilities as sharp as they should be."""
    from scipy.optimize import minimize

    def loss(weights: Array) -> float:
        return log_loss(table, softmax(np.tensordot(weights, scores, axes=1)))

    found = minimize(loss, [0.5, 0.5], method="Nelder-Mead", bounds=[(0, 3), (0, 3)], options={"xatol": 1e-3})
    return np.asarray(found.x)


def log_loss(table: Table, probabilities: Array) -> float:
    """Weighted mean of -ln P(truth), P at least 1e-6."""
    own = probabilities[np.arange(len(table)), table.truth]
    return float(np.average(-np.log(np.maximum(own, 1e-6)), weights=table.weights()))


def accuracy(table: Table, probabilities: Array) -> float:
    """Weighted share of rows whose most probable class is the truth."""
    return float(np.average(probabilities.argmax(axis=1) == table.truth, weights=table.weights()))


def require_learner() -> None:
    """Raise `SettingError` now where scikit-learn is missing, not after an hour of simulation."""
    _sklearn("ensemble")


def _sklearn(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"sklearn.{module}")
    except ImportError:
        raise SettingError("scikit-learn is not installed", remedy="pip install 'takens[calibrate]'") from None
