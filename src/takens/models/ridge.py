"""Ridge regression for many penalties at once: the read-out that linear, polynomial and reservoir models share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import InsufficientData
from .base import Array, scale_of


@dataclass(frozen=True)
class Readout:
    """A linear map from features to values: y = W (f - m) / s + b, with means `m` and scales `s` of the features.

    `weights (feature, output)`, `offset (output,)`, `mean (feature,)`, `scale (feature,)`. Features that hardly vary
    keep scale 1 and get weight 0 from the ridge.
    """

    weights: Array
    offset: Array
    mean: Array
    scale: Array

    def __call__(self, features: Array) -> Array:
        """Predictions `(..., output)` for `features (..., feature)`."""
        return features @ self.gains + self._constant

    @cached_property
    def gains(self) -> Array:
        """The derivatives `(feature, output)` of the predictions with respect to the features as they are given."""
        return self.weights / self.scale[:, None]

    @cached_property
    def _constant(self) -> Array:
        return self.offset - self.mean @ self.gains


@dataclass(frozen=True)
class Factors:
    """A least-squares problem reduced so that each further penalty costs only a small product.

    With standardised features F = QR and R = U S V', the ridge solution that minimises |F W - Y|^2 / n + ridge |W|^2 is
    W = V S / (S^2 + n ridge) U' Q' Y. Orthogonal factors instead of the normal equations keep ridges of 1e-12
    meaningful: the blow-ups of polynomial models come from squaring the condition number (arXiv 2505.00846).
    Cost O(n p^2), then O(p^2 q) per penalty.
    """

    left: Array
    singular: Array
    right: Array
    mean: Array
    scale: Array
    offset: Array
    count: int

    @classmethod
    def of(cls, features: Array, targets: Array) -> Factors:
        """Factors for `features (sample, feature)` and `targets (sample, output)`."""
        mean, scale = scale_of(features)
        standard = (features - mean) / scale
        offset = targets.mean(axis=0)
        size = min(standard.shape)
        # The triangle of [F, Y] holds R and Q'Y side by side, so that Q itself is never formed.
        both = np.concatenate([standard, targets - offset], axis=1)
        triangle: Array = np.asarray(np.linalg.qr(both, mode="r"))
        count = standard.shape[1]
        left, singular, right = np.linalg.svd(triangle[:size, :count], full_matrices=False)
        return cls(left.T @ triangle[:size, count:], singular, right.T, mean, scale, offset, len(features))

    @classmethod
    def streamed(cls, blocks: Iterable[tuple[Array, Array]]) -> Factors:
        """The same factors for samples that come in blocks, too many to be held at once.

        The triangle of [1, F, Y] takes in block after block; below its first row it belongs to centred columns.
        """
        triangle, count, wide = None, 0, 0
        for features, targets in blocks:
            block = np.concatenate([np.ones((len(features), 1)), features, targets], axis=1)
            stacked = block if triangle is None else np.concatenate([triangle, block])
            triangle = np.asarray(np.linalg.qr(stacked, mode="r"))
            count, wide = count + len(features), features.shape[1]
        if triangle is None or count < 2:
            raise InsufficientData(f"{count} samples are too few for a regression", place="ridge")
        # Fewer samples than features: the rows of the triangle that are not there are zero.
        triangle = np.concatenate([triangle, np.zeros((triangle.shape[1] - len(triangle), triangle.shape[1]))])
        means = triangle[0, 1:] / triangle[0, 0]
        centred = triangle[1 : wide + 1, 1 : wide + 1]
        deviation = np.sqrt((centred**2).sum(axis=0) / count)
        scale = np.where(deviation > 1e-12 * np.maximum(np.abs(means[:wide]), 1e-300), deviation, 1.0)
        left, singular, right = np.linalg.svd(centred / scale)
        given = left.T @ triangle[1 : wide + 1, wide + 1 :]
        return cls(given, singular, right.T, means[:wide], scale, means[wide:], count)

    def solve(self, ridge: float) -> Readout:
        """The read-out for one penalty, in units of the features' variance."""
        shrink = self.singular / (self.singular**2 + self.count * max(ridge, 1e-300))
        # Directions at rounding level carry no information and must not be amplified by tiny penalties.
        shrink = np.where(self.singular > 1e-14 * max(self.singular[0], 1e-300), shrink, 0.0)
        return Readout(self.right @ (shrink[:, None] * self.left), self.offset, self.mean, self.scale)


def monomials(variables: int, degree: int) -> NDArray[np.int64]:
    """Index table `(monomial, degree)` of all monomials of degree 1 to `degree`; index 0 stands for the constant 1.

    With variables z_1 ... z_n and z_0 = 1, row (0, 1, 3) is z_1 z_3. There are C(n + degree, degree) - 1 rows.
    """
    from itertools import combinations_with_replacement

    rows = list(combinations_with_replacement(range(variables + 1), degree))[1:]
    return np.array(rows, dtype=np.int64).reshape(len(rows), degree)
