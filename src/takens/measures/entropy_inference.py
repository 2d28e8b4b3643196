"""Uncertainty of functions of the frequencies of symbols in dependent data: second-order delta method over blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .entropy_definitions import Definition

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """How often (or with what weight) each symbol occurs in each of consecutive blocks: `counts (blocks, symbols)`."""

    counts: Array

    @cached_property
    def total(self) -> Array:
        """Counts `(symbols,)` of the whole record."""
        return np.asarray(self.counts.sum(axis=0))

    @cached_property
    def p(self) -> Array:
        """Relative frequencies `(symbols,)`."""
        return self.total / self.total.sum()

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """Which symbols occur."""
        return self.total > 0

    @cached_property
    def scatter(self) -> Array:
        """Rows `(blocks, seen symbols)` whose Gram matrix, rows' + rows, estimates the covariance of `p[seen]`.

        What each block has beyond its share, over the total: blocks longer than the memory are independent.
        """
        blocks = len(self.counts)
        beyond = self.counts[:, self.seen] - self.counts.sum(axis=1)[:, None] * self.p[self.seen]
        return np.asarray(beyond / self.total.sum() * np.sqrt(blocks / (blocks - 1)))


@dataclass(frozen=True)
class Spread:
    """Bias `(f,)` of plug-in values of f functions, their `covariance (f, f)`, and its degrees of freedom."""

    bias: Array
    covariance: Array
    degrees: int

    def interval(self, value: float, level: float, which: int = 0) -> tuple[float, float]:
        """Ends of the interval of one function: its plug-in `value` less the bias, plus and minus a t quantile."""
        from scipy.special import stdtrit

        half = float(stdtrit(self.degrees, 0.5 + level / 2) * np.sqrt(self.covariance[which, which]))
        return value - self.bias[which] - half, value - self.bias[which] + half


def delta(slopes: Array, curvatures: Array) -> Spread:
    """Bias and covariance of plug-in functions of frequencies, to second order in their error.

    `slopes (f, blocks)` are the gradients on the rows of `Table.scatter`, `curvatures (f, blocks, blocks)` the Hessians
    on pairs of rows. With error e of covariance S a function moves by g e + e H e / 2: bias tr(H S) / 2, covariance
    g S g + tr(H S H S) / 2. The gradient at the estimate is off by H e, which adds tr(H S H S) to g S g: it is taken
    away again, so that the variance is right at uniform frequencies too, where the gradient of an entropy vanishes and
    the first-order method fails. The trace over different blocks is free of the noise of S. Cost: O(blocks^2 f^2).
    """
    blocks = slopes.shape[1]
    own = np.diagonal(curvatures, axis1=1, axis2=2)
    bias = 0.5 * own.sum(axis=1)
    flat = curvatures.reshape(len(slopes), -1)
    second = (flat @ flat.T - own @ own.T) * (blocks / (blocks - 1))
    first = slopes @ slopes.T - second
    values, vectors = np.linalg.eigh(first)
    first = (vectors * np.maximum(values, 0)) @ vectors.T
    return Spread(bias, first + second / 2, blocks - 1)


def entropy_spread(table: Table, definition: Definition) -> Spread:
    """Bias and variance of the plug-in sum of a definition's terms."""
    rows, p = table.scatter, table.p[table.seen]
    return delta((rows @ definition.slope(p))[None], ((rows * definition.curvature(p)) @ rows.T)[None])


def entropy_interval(table: Table, definition: Definition, level: float) -> tuple[float, float]:
    """Ends of the interval of an entropy, through the sum of its terms."""
    total = float(definition.term(table.p[table.seen]).sum())
    ends = definition.finish(np.array(entropy_spread(table, definition).interval(total, level)))
    return float(ends.min()), float(ends.max())


def conditional_entropy(table: Table, source: NDArray[np.int64], base: float = np.e) -> tuple[float, Spread]:
    """The plug-in entropy S(links) - S(nodes) of what follows a node, in units of ln `base`, and its spread.

    `table` counts the links that occur in blocks, `source (link,)` is the node that each begins in.
    """
    nodes, place = np.unique(source, return_inverse=True)
    p = table.p
    node = np.bincount(place, weights=p)
    slope = (np.log(node[place]) - np.log(p)) / np.log(base)
    rows = table.scatter
    gather = rows @ (place[:, None] == np.arange(len(nodes))).astype(float)
    curve = ((gather / node) @ gather.T - (rows / p) @ rows.T) / np.log(base)
    return float(p @ slope), delta((rows @ slope)[None], curve[None])


def block_labels(count: int, memory: int) -> NDArray[np.int64]:
    """The block `(count,)` of each of `count` successive symbols: blocks of ten `memory` lengths, 2 to 200 of them."""
    blocks = min(max(count // max(10 * memory, 1), 2), 200)
    return np.arange(count) * blocks // count


def jackknife_interval(value: float, parts: Array, level: float) -> tuple[float, float, float]:
    """Ends of the interval, and its centre, from the values `(blocks,)` with one block left out each (Quenouille 1956).

    The centre is free of bias to first order; the width is that of Student's t with blocks - 1 degrees of freedom.
    """
    from scipy.special import stdtrit

    blocks = len(parts)
    centre = blocks * value - (blocks - 1) * float(parts.mean())
    error = float(np.sqrt((blocks - 1) / blocks * np.sum((parts - parts.mean()) ** 2)))
    half = float(stdtrit(blocks - 1, 0.5 + level / 2)) * error
    return centre - half, centre + half, centre
