"""Least squares over all windows of a series at once, from sums that cost no more than the windows' length squared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .base import Array


@dataclass(frozen=True)
class Windows:
    """Sums over all windows of `back` + `steps` consecutive rows, by channel and by the phase of their first row.

    `products (channel, size, size)` is the sum of w w', `sums (phase, channel, size)` that of w, `counts (phase,)`.
    """

    products: Array
    sums: Array
    counts: Array
    back: int

    @classmethod
    def of(cls, pieces: Sequence[Array], starts: Sequence[int], period: int, back: int, steps: int) -> Windows:
        """The sums for `pieces (time, channel)` whose first rows have the numbers `starts`. Cost O(rows x size)."""
        size, channels = back + steps, pieces[0].shape[1]
        products, sums = np.zeros((channels, size, size)), np.zeros((period, channels, size))
        counts = np.zeros(period)
        for piece, start in zip(pieces, starts, strict=True):
            number = len(piece) - size + 1
            if number < 1:
                continue
            phases = (start + np.arange(number)) % period
            counts += np.bincount(phases, minlength=period)
            windows = np.lib.stride_tricks.sliding_window_view(piece, size, axis=0)
            for phase in range(period):
                sums[phase] += windows[(phase - start) % period :: period].sum(axis=0)
            for c in range(channels):
                products[c] += _products(np.ascontiguousarray(piece[:, c]), size)
        return cls(products, sums, counts, back)

    @property
    def empty(self) -> bool:
        """Whether no window fits."""
        return not self.counts.any()

    def centred(self, cycle: Array) -> Array:
        """The sums of u u' `(channel, size, size)`, where u is a window without cycle and then without the mean of its
        look-back."""
        period, size = len(cycle), self.products.shape[1]
        shapes = cycle[(np.arange(period)[:, None] + np.arange(size)) % period]
        out = np.empty_like(self.products)
        for c in range(len(out)):
            shape = shapes[:, :, c]
            cross = self.sums[:, c].T @ shape
            rest = self.products[c] - cross - cross.T + (shape.T * self.counts) @ shape
            mean = rest[: self.back].mean(axis=0)
            rest = rest - mean
            out[c] = rest - rest[:, : self.back].mean(axis=1, keepdims=True)
        return out

    def error(self, cycle: Array, weights: Array) -> float:
        """Mean squared error over windows, steps and channels of the head `weights (kind, back, step)`."""
        centred, back = self.centred(cycle), self.back
        total = 0.0
        for c, sums in enumerate(centred):
            head = weights[min(c, len(weights) - 1)]
            cross = (head * sums[:back, back:]).sum()
            total += np.trace(sums[back:, back:]) - 2 * cross + (head * (sums[:back, :back] @ head)).sum()
        return float(total / (self.counts.sum() * len(centred) * weights.shape[2]))


def _products(x: Array, size: int) -> Array:
    """The sum of w w' over all windows w of `x`: each diagonal follows from its first entry, window by window."""
    number = len(x) - size + 1
    out = np.empty((size, size))
    out[0] = np.lib.stride_tricks.sliding_window_view(x, size).T @ x[:number]
    for i in range(size - 1):
        out[i + 1, i + 1 :] = out[i, i:-1] - x[i] * x[i : size - 1] + x[number + i] * x[number + i : number + size - 1]
    return np.asarray(np.triu(out) + np.triu(out, 1).T)


def head_of(windows: Windows, cycle: Array, ridge: float, shared: bool) -> Array:
    """The ridge regression `(kind, back, step)` of what follows on the look-back, both without cycle and mean."""
    centred, back = windows.centred(cycle), windows.back
    # What a cycle leaves of a pure one is rounding, of which no head must be made.
    least = 1e-6 * windows.counts.sum()
    kinds = centred.sum(axis=0)[None] if shared else centred
    found = []
    for sums in kinds:
        scale = max(np.trace(sums[:back, :back]) / back, least)
        found.append(np.linalg.solve(sums[:back, :back] + max(ridge, 1e-10) * scale * np.eye(back), sums[:back, back:]))
    return np.stack(found)


def operator(head: Array) -> Array:
    """The linear map `(step, back + step)` from a window to the error of `head (back, step)`."""
    back, steps = head.shape
    past = head.T - head.sum(axis=0)[:, None] / back + 1 / back
    return np.concatenate([-past, np.eye(steps)], axis=1)


def cycle_of(windows: Windows, weights: Array) -> Array:
    """The cycle `(phase, channel)` that makes the errors of the head `weights (kind, back, step)` smallest.

    The error of a window is E (w - cycle at its phases): linear in the cycle, with the same matrix for all phases but
    for a shift. The mean of the cycle makes no difference, and is 0.
    """
    period, channels, size = windows.sums.shape
    cycle = np.zeros((period, channels))
    if period == 1:
        return cycle
    for c in range(channels):
        errors = operator(weights[min(c, len(weights) - 1)])
        folded = np.zeros((len(errors), period))
        for phase in range(period):
            folded[:, phase] = errors[:, np.arange(phase, size, period)].sum(axis=1)
        square = folded.T @ folded
        right = windows.sums[:, c] @ errors.T @ folded
        normal, target = np.zeros((period, period)), np.zeros(period)
        for phase in range(period):
            normal += windows.counts[phase] * np.roll(square, (phase, phase), axis=(0, 1))
            target += np.roll(right[phase], phase)
        tiny = 1e-8 * np.trace(normal) / period + 1e-300
        found = np.linalg.solve(normal + tiny * np.eye(period), target)
        cycle[:, c] = found - found.mean()
    return cycle
