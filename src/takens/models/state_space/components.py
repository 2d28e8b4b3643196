"""Structural components as blocks of a state space model: trends, seasons, cycles, autoregressive errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from ..base import Array
from .gaussian import LinearGaussian

Trend = Literal["constant", "level", "slope", "smooth", "damped"]
TRENDS: tuple[Trend, ...] = ("constant", "level", "slope", "smooth", "damped")
QUIETEST, LOUDEST = -20.0, 5.0
"""Bounds of the logarithm of a variance, in units of the channel's variance."""
FLATTEST = 6.0
"""Bound of the transformed damping, partial autocorrelations and log-odds: within 1e-5 of their limits."""


@final
@dataclass(frozen=True)
class Components:
    """Which parts a series is a sum of: trend + seasons + cycle + autoregression of `order` + white noise.

    Trends, with level l and slope b: `constant` (l fixed), `level` (l a random walk), `slope` (l += b + noise, b a
    random walk), `smooth` (the same without noise in l), `damped` (b a first-order autoregression). A season of period
    P with H harmonics is a sum of H sines whose amplitudes wander; H = 0 means P - 1 dummies instead, whose sum over a
    period is white noise. A cycle is a damped random rotation that starts the fit at period `cycle`; 0 for none.
    """

    trend: str
    periods: tuple[int, ...]
    harmonics: tuple[int, ...]
    cycle: float
    order: int

    @property
    def text(self) -> str:
        """The components in words."""
        season = [f"season of {p} ({'dummies' if h == 0 else f'{h} harmonics'})"
                  for p, h in zip(self.periods, self.harmonics, strict=True)]  # fmt: skip
        cycle = ["cycle"] if self.cycle else []
        return " + ".join([self.trend, *season, *cycle, *([f"AR({self.order})"] if self.order else []), "noise"])


@dataclass(frozen=True)
class Block:
    """One component: `transition(shapes)`, design `(m,)`, and for each of its variances the states `(m,)` it drives."""

    transition: Callable[[Array], Array]
    design: Array
    drives: Array
    start: tuple[float, ...]
    shapes: tuple[float, ...] = ()
    stationary: bool = False


def blocks(components: Components, rough: float) -> list[Block]:
    """The components as blocks; `rough` is the variance of first differences, from which variances start."""
    small = np.log(max(rough, 1e-6))
    found = [_trend(components.trend, small)]
    for period, harmonics in zip(components.periods, components.harmonics, strict=True):
        found.append(_dummies(period, small) if harmonics == 0 else _waves(period, harmonics, small))
    if components.cycle:
        angle = 2 * np.pi / components.cycle
        shapes: tuple[float, ...] = (2.0, float(np.log(angle / (np.pi - angle))))
        found.append(Block(_rotation, np.array([1.0, 0.0]), np.ones((1, 2)), (small - 1,), shapes, True))
    if components.order:
        first = np.eye(components.order)[0]
        shapes = (1.0,) + (0.0,) * (components.order - 1)
        found.append(Block(_companion, first, first[None], (small - 1,), shapes, True))
    return found


def _trend(kind: str, small: float) -> Block:
    if kind in ("constant", "level"):
        drives = np.ones((int(kind == "level"), 1))
        return Block(lambda _: np.ones((1, 1)), np.ones(1), drives, (small - 1,) * len(drives))
    design, line = np.array([1.0, 0.0]), np.array([[1.0, 1.0], [0.0, 1.0]])
    if kind == "smooth":
        return Block(lambda _: line, design, np.array([[0.0, 1.0]]), (small - 4,))
    starts = (small - 1, small - 6)
    if kind == "slope":
        return Block(lambda _: line, design, np.eye(2), starts)
    return Block(_damped, design, np.eye(2), (small - 1, small - 3), (1.0,))


def _damped(shapes: Array) -> Array:
    """A line whose slope decays by tanh(shape) a step."""
    return np.array([[1.0, 1.0], [0.0, np.tanh(shapes[0])]])


def _waves(period: int, harmonics: int, small: float) -> Block:
    kept = range(1, min(harmonics, period // 2) + 1)
    parts = [np.array([[-1.0]]) if 2 * j == period else _turn(2 * np.pi * j / period) for j in kept]
    size = sum(map(len, parts))
    transition, design, row = np.zeros((size, size)), np.zeros(size), 0
    for part in parts:
        transition[row : row + len(part), row : row + len(part)] = part
        design[row] = 1.0
        row += len(part)
    return Block(lambda _: transition, design, np.ones((1, size)), (small - 6,))


def _dummies(period: int, small: float) -> Block:
    transition = np.eye(period - 1, k=-1)
    transition[0] = -1.0
    first = np.eye(period - 1)[0]
    return Block(lambda _: transition, first, first[None], (small - 6,))


def _turn(angle: float) -> Array:
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def _rotation(shapes: Array) -> Array:
    """Damping and angle from their log-odds, the angle within (0, pi)."""
    damping, angle = 1 / (1 + np.exp(-shapes[0])), np.pi / (1 + np.exp(-shapes[1]))
    return damping * _turn(angle)


def _companion(shapes: Array) -> Array:
    """A stationary autoregression from partial autocorrelations tanh(shapes) (Monahan, Biometrika 71, 1984)."""
    found = np.zeros(0)
    for partial in np.tanh(shapes):
        found = np.append(found - partial * found[::-1], partial)
    transition = np.eye(len(found), k=-1)
    transition[0] = found
    return transition


@dataclass(frozen=True)
class Layout:
    """How a vector of parameters fills the matrices: log variance of the noise, then for each block log variances and
    shapes."""

    blocks: tuple[Block, ...]

    def starts(self) -> list[Array]:
        """First guesses of the parameters: much or little noise, lively or quiet components."""
        found = []
        for noise in (-1.0, -4.0):
            for quiet in (0.0, 3.0):
                parts = (np.array([*(v - quiet for v in b.start), *b.shapes]) for b in self.blocks)
                found.append(np.concatenate([[noise], *parts]))
        return [np.clip(one, *np.array(self.bounds).T) for one in found]

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Bounds of the parameters."""
        found = [(QUIETEST, LOUDEST)]
        for b in self.blocks:
            found += [(QUIETEST, LOUDEST)] * len(b.start) + [(-FLATTEST, FLATTEST)] * len(b.shapes)
        return found

    def space(self, parameters: Array) -> LinearGaussian:
        """The state space model `parameters` stand for."""
        size = sum(len(b.design) for b in self.blocks)
        transition, noise, spread = np.zeros((3, size, size))
        design, diffuse = np.zeros((1, size)), np.zeros(size)
        row, at = 0, 1
        for b in self.blocks:
            span = slice(row, row + len(b.design))
            variances = np.exp(parameters[at : at + len(b.start)])
            shapes = parameters[at + len(b.start) : at + len(b.start) + len(b.shapes)]
            transition[span, span] = b.transition(shapes)
            noise[span, span] = np.diag(variances @ b.drives)
            if b.stationary:
                spread[span, span] = stationary(transition[span, span], noise[span, span])
            else:
                diffuse[span] = 1.0
            design[0, span] = b.design
            row, at = row + len(b.design), at + len(b.start) + len(b.shapes)
        return LinearGaussian(transition, design, noise, np.exp(parameters[:1]), np.zeros(size), spread, diffuse)

    def shaped(self, space: LinearGaussian) -> NDArray[np.bool_]:
        """Which of the entries of the transition depend on parameters."""
        found, row = np.zeros(space.transition.shape, dtype=bool), 0
        for b in self.blocks:
            span = slice(row, row + len(b.design))
            found[span, span] = bool(b.shapes)
            row = span.stop
        return found[np.nonzero(space.transition)]

    def slope(self, parameters: Array, space: LinearGaussian, parts: tuple[Array, ...]) -> Array:
        """The gradient in the parameters from those in the matrices (see `backward.gradient`).

        Log variances exactly; the few shapes through central differences of their small blocks.
        """
        to_noise, to_entries, to_error, _, to_spread, _ = parts
        to_transition = np.zeros_like(space.transition)
        to_transition[np.nonzero(space.transition)] = to_entries
        found = np.zeros(len(parameters))
        found[0] = to_error[0] * space.error[0]
        row, at = 0, 1
        for b in self.blocks:
            span = slice(row, row + len(b.design))
            end = at + len(b.start)
            variances, shapes = np.exp(parameters[at:end]), parameters[end : end + len(b.shapes)]
            found[at:end] = variances * (b.drives @ np.diag(to_noise)[span])
            if b.stationary:
                found[at:end] += (to_spread[span, span] * space.spread[span, span]).sum()
            for k in range(len(shapes)):
                by = np.zeros(len(shapes))
                by[k] = 1e-6
                up, down = b.transition(shapes + by), b.transition(shapes - by)
                found[end + k] = (to_transition[span, span] * (up - down)).sum() / 2e-6
                if b.stationary:
                    q = np.diag(variances @ b.drives)
                    moved = stationary(up, q) - stationary(down, q)
                    found[end + k] += (to_spread[span, span] * moved).sum() / 2e-6
            row, at = row + len(b.design), end + len(b.shapes)
        return found


def stationary(transition: Array, noise: Array) -> Array:
    """The covariance P = T P T' + Q of a stable process, by doubling."""
    spread, power = noise, transition
    for _ in range(60):
        more = power @ spread @ power.T
        spread, power = spread + more, power @ power
        if np.abs(more).max() <= 1e-15 * np.abs(spread).max():
            break
    return spread
