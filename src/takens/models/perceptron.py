"""A small neural network of tanh layers as plain arrays; the same lines serve NumPy and JAX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from .base import Array
from .ridge import Factors


@dataclass(frozen=True)
class Perceptron:
    """y = W_L tanh(... tanh(W_1 x + b_1) ...) + b_L, with `weights` as matrices `(input, output)` and `biases`."""

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]

    @classmethod
    def of(cls, parameters: dict[str, Any]) -> Perceptron:
        """The network whose parameters are called `weights0`, `biases0`, `weights1`, ... beside others."""
        layers = range(sum(name.startswith("weights") for name in parameters))
        return cls(tuple(parameters[f"weights{i}"] for i in layers), tuple(parameters[f"biases{i}"] for i in layers))

    @property
    def parameters(self) -> dict[str, Array]:
        """The arrays by name, as `of` reads them."""
        named = {f"weights{i}": array for i, array in enumerate(self.weights)}
        return named | {f"biases{i}": array for i, array in enumerate(self.biases)}

    def hidden(self, x: Any, xp: Any = np) -> Any:
        """What the last hidden layer gives `(..., unit)` for `x (..., input)`."""
        for weights, biases in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = xp.tanh(x @ weights + biases)
        return x

    def __call__(self, x: Any, xp: Any = np) -> Any:
        """The output `(..., output)` for `x (..., input)`; NumPy or `jax.numpy` as `xp` says."""
        return self.hidden(x, xp) @ self.weights[-1] + self.biases[-1]

    def plus(self, other: Perceptron) -> Perceptron:
        """The network whose last layer is the sum of the last layers of both; the others are those of this one."""
        weights, biases = self.weights[-1] + other.weights[-1], self.biases[-1] + other.biases[-1]
        return Perceptron((*self.weights[:-1], weights), (*self.biases[:-1], biases))

    def slopes(self, x: Array) -> Array:
        """The Jacobian `(..., output, input)` at `x (..., input)`, by the chain rule."""
        found = np.broadcast_to(np.eye(x.shape[-1]), (*x.shape[:-1], x.shape[-1], x.shape[-1]))
        for weights, biases in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = np.tanh(x @ weights + biases)
            found = (1 - x**2)[..., None] * (weights.T @ found)
        return self.weights[-1].T @ found


def random_perceptron(sizes: Sequence[int], rng: np.random.Generator) -> Perceptron:
    """Random layers of these sizes, inputs and outputs included, for standardised inputs; the last layer is zero.

    Weights have variance 1 / (number of inputs) and biases are uniform over one standard deviation, so that the bends
    of the units lie among the data. Source: LeCun, Bottou, Orr & Mueller, Efficient BackProp (1998).
    """
    weights = [rng.normal(size=(a, b)) / np.sqrt(a) for a, b in pairwise(sizes)]
    biases = [rng.uniform(-1, 1, size=b) for b in sizes[1:]]
    weights[-1], biases[-1] = np.zeros_like(weights[-1]), np.zeros_like(biases[-1])
    return Perceptron(tuple(weights), tuple(biases))


def fitted(network: Perceptron, x: Array, y: Array, ridges: Sequence[float]) -> Iterator[Perceptron]:
    """For each ridge the network whose last layer is the regression of `y (sample, output)` on the layer before it."""
    factors = Factors.of(network.hidden(x), y)
    for ridge in ridges:
        readout = factors.solve(ridge)
        weights = readout.weights / readout.scale[:, None]
        last = readout.offset - readout.mean @ weights
        yield Perceptron((*network.weights[:-1], weights), (*network.biases[:-1], last))
