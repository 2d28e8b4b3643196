"""Fourier extension: trend and strongest frequencies carried on into the future."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from .base import Array, Known, Law, Model, Training, scale_of, thinned
from .selection import Probe, choose, free_runs, hold_out

WINDOW = 20_000
"""Most rows on which the coefficients are fitted."""
COUNTS = (1, 2, 4, 8, 16, 32)
RIDGE = 1e-8


@final
@dataclass(frozen=True)
class FourierLaw(Law):
    """Polynomial trend and sines of fixed `frequencies`, fitted to the last `window` rows, and an AR(1) rest.

    x_(T+h) = f(T+h) + p^h (x_T - f(T)), p = `persistence (channel,)`; a member adds the AR(1) process that drawn
    `innovations (k, channel)` drive. Phases come from the history, so no calendar is needed. `frequencies` are in
    cycles a step, `trend` is the degree of the polynomial.
    """

    trend: int
    window: int
    least: int
    frequencies: Array
    persistence: Array
    innovations: Array

    @property
    def memory(self) -> int:
        return self.least

    @cached_property
    def _projection(self) -> Array:
        return _projection(self._design(np.arange(1 - self.window, 1)))

    def _design(self, time: NDArray[Any]) -> Array:
        return design(time, self.window, self.trend, self.frequencies)

    def sample(
        self, history: Array, horizon: int, members: int, rng: np.random.Generator | None, known: Known | None = None
    ) -> Array:
        rows = history[-self.window :]
        past = self._design(np.arange(1 - len(rows), 1))
        mean, scale = scale_of(rows)
        project = self._projection if len(rows) == self.window else _projection(past)
        weights = project @ ((rows - mean) / scale)
        future = self._design(np.arange(1, horizon + 1)) @ weights * scale + mean
        rest = rows[-1] - (past[-1] @ weights * scale + mean)
        decay = self.persistence ** np.arange(1, horizon + 1)[:, None]
        path = np.repeat((future + decay * rest)[None], members, axis=0)
        if rng is not None:
            noise = np.zeros((members, len(rest)))
            for t in range(horizon):
                draws = self.innovations[rng.integers(len(self.innovations), size=members)]
                noise = self.persistence * noise + draws
                path[:, t] += noise
        return path


@final
@dataclass(frozen=True)
class FourierExtension(Model):
    """Trend and the strongest frequencies, carried on: x_t = sum_j c_j t^j + sum_k A_k cos(2 pi f_k t + p_k) + e.

    The frequencies are found one after the other as the highest peak of the spectrum of what is left (matching pursuit,
    Mallat & Zhang 1993, refitted each time), the same for all channels; `e` is AR(1), with innovations widened where
    held-out errors are larger than it says. `frequencies` is their number and `trend` the degree (0 constant, 1 line);
    None: chosen by free runs. Raises `SettingError` for settings out of range, `InsufficientData` for under 8 rows.
    Cost O(K N log N). Not for chaotic or broad-band series: it extends chance.
    """

    frequencies: int | None = None
    trend: int | None = None
    horizon: int | None = None
    baseline: ClassVar[bool] = True

    def learn(self, training: Training, seed: int) -> Law:
        if self.frequencies is not None and not 0 <= self.frequencies <= 200:
            raise SettingError(f"frequencies must be 0 to 200, got {self.frequencies}", place="FourierExtension")
        if self.trend not in (None, 0, 1, 2):
            raise SettingError(f"trend must be 0, 1 or 2, got {self.trend}", place="FourierExtension")
        training.need(8, "Fourier extension")
        window = min(WINDOW, max(4, len(training.stretches[-1]) * 3 // 4))
        head, probe = hold_out(training, window, horizon=self.horizon)
        trends = (0, 1) if self.trend is None else (self.trend,)
        most = min(32, window // 8)
        counts = tuple(c for c in COUNTS if c <= most) or (0,) if self.frequencies is None else (self.frequencies,)
        pairs = [(trend, count) for trend in trends for count in counts]
        laws = list(_laws(head, pairs, window))
        best = choose(laws, probe).best
        law = next(iter(_laws(training, [pairs[best]], window)))
        return law if probe is None else replace(law, innovations=law.innovations * _widening(laws[best], probe))

    def settled(self, law: Law) -> Model:
        assert isinstance(law, FourierLaw)
        return replace(self, frequencies=len(law.frequencies), trend=law.trend)


def design(time: NDArray[Any], window: int, trend: int, frequencies: Array) -> Array:
    """Columns `(time, 1 + trend + 2 frequencies)` of the regression; time in steps, 0 now."""
    powers = (time[:, None] / window) ** np.arange(trend + 1)
    angle = 2 * np.pi * time[:, None] * frequencies
    return np.concatenate([powers, np.cos(angle), np.sin(angle)], axis=1)


def pursue(rows: Array, count: int, trend: int) -> Array:
    """At most `count` frequencies (cycles a step) of `rows (time, channel)`, strongest first.

    Each is the highest peak of the zero-padded periodogram, summed over standardised channels, of what trend and
    earlier frequencies leave; frequencies below two cycles in the data belong to the trend.
    """
    mean, scale = scale_of(rows)
    standard = (rows - mean) / scale
    length = len(rows)
    size = 4 << (length - 1).bit_length()
    time = np.arange(1 - length, 1)
    found = np.empty(0)
    lowest = int(np.ceil(2 * size / length))
    past = design(time, length, trend, found)
    for _ in range(count):
        left = standard - past @ (_projection(past) @ standard)
        power = (np.abs(np.fft.rfft(left, size, axis=0)) ** 2).sum(axis=1)[:-1]
        if len(power) <= lowest + 1 or power[lowest:].max() <= 1e-20 * length**2:
            break
        peak = lowest + int(np.argmax(power[lowest:]))
        around = power[peak - 1 : peak + 2]
        shift = 0.0
        if len(around) == 3 and (curvature := around[0] - 2 * around[1] + around[2]) < 0:
            shift = float(np.clip(0.5 * (around[0] - around[2]) / curvature, -0.5, 0.5))
        found = np.append(found, (peak + shift) / size)
        past = np.concatenate([past, design(time, length, trend, found[-1:])[:, trend + 1 :]], axis=1)
    return found


def _laws(training: Training, pairs: list[tuple[int, int]], window: int) -> Iterator[FourierLaw]:
    rows = max(training.stretches, key=len)[-WINDOW:]
    window = min(window, len(rows))
    most = max(count for _, count in pairs)
    frequencies = {trend: pursue(rows, most, trend) for trend in dict(pairs)}
    for trend, count in pairs:
        chosen = frequencies[trend][:count]
        past = design(np.arange(1 - len(rows), 1), window, trend, chosen)
        mean, scale = scale_of(rows)
        rest = (rows - mean) / scale - past @ (_projection(past) @ ((rows - mean) / scale))
        power = (rest[:-1] ** 2).sum(axis=0)
        persistence = np.clip((rest[1:] * rest[:-1]).sum(axis=0) / np.where(power > 0, power, 1.0), 0.0, 0.999)
        innovations = thinned((rest[1:] - persistence * rest[:-1]) * scale)
        innovations = innovations - innovations.mean(axis=0)
        # Two rows a coefficient, and two cycles of the slowest sine, at least.
        slow = int(np.ceil(2 / chosen.min())) if len(chosen) else 0
        least = int(min(window, max(2 * past.shape[1], slow, 4)))
        yield FourierLaw(
            training.signature, *training.closing(min(window, len(training.stretches[-1]))), trend=trend, window=window,
            least=least, frequencies=chosen, persistence=persistence, innovations=innovations,
        )  # fmt: skip


def _projection(past: Array) -> Array:
    """The matrix `(coefficient, time)` that takes rows to ridge coefficients."""
    gram = past.T @ past
    return np.asarray(np.linalg.solve(gram + RIDGE * len(past) * np.eye(len(gram)), past.T))


def _widening(law: FourierLaw, probe: Probe) -> Array:
    """Ratio `(channel,)` of held-out errors to those that the AR(1) rest alone would give."""
    before, after = probe.take(32, probe.horizon)
    runs = free_runs(law, before, probe.horizon, probe.known(32, probe.horizon))
    errors = ((runs - after) ** 2).mean(axis=(0, 1))
    grown = np.cumsum(law.persistence ** (2 * np.arange(probe.horizon)[:, None]), axis=0).mean(axis=0)
    expected = (law.innovations**2).mean(axis=0) * grown
    return np.clip(np.sqrt(errors / np.where(expected > 0, expected, 1.0)), 0.5, 10.0)
