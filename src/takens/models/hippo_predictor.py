"""The HiPPO predictor: the past as coefficients of an orthonormal basis, the next value by weights in closed form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import comb
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from .base import Array, Law, Model, RecursiveLaw, Training, guard_box, scale_of, thinned
from .nvar import product_slopes, products
from .recurrent.hippo import MEASURES, Measure, basis, held, hippo
from .ridge import Factors, Readout, monomials
from .selection import choose, decorrelation, hold_out

RIDGES = (1e-12, 1e-8, 1e-4)
FEATURES = 200
"""Most monomials that are tried when order and degree are chosen from the data."""
ROWS, TRIED = 10_000, 2_500
"""Latest rows that enter the regression, and the regressions that are only tried."""
FADED = 1e-4
"""What is left of the start of the history when a forecast begins."""

Setting = tuple[int, float, int, float]
"""Order, window in steps, degree (0: no regression, extrapolation), ridge."""


@final
@dataclass(frozen=True)
class HippoLaw(RecursiveLaw):
    """z = [x, c]: the standardised row and its memory c' = move c + before x + now x'; x' = x + W g(z).

    g are all monomials of z up to `degree`; degree 0 is the extrapolation of the basis by one step, which is linear in
    c. `kernel (order, row)` is the recurrence unrolled over the rows of history, with a constant signal before them.
    """

    measure: str
    order: int
    window: float
    degree: int
    ridge: float
    kernel: Array
    move: Array
    before: Array
    now: Array
    table: NDArray[np.int64]
    mean: Array
    scale: Array
    readout: Readout

    @property
    def memory(self) -> int:
        return self.kernel.shape[1]

    def init(self, history: Array) -> Array:
        rows = (history[:, -self.memory :] - self.mean) / self.scale
        return np.concatenate([rows[:, -1:], self.kernel @ rows], axis=1)

    def step(self, state: Array) -> Array:
        return (
            state[:, 0] + self.readout(products(state.reshape(len(state), -1), self.table))
        ) * self.scale + self.mean

    def feed(self, state: Array, values: Array) -> Array:
        new, standard = np.empty_like(state), (values - self.mean) / self.scale
        new[:, 0] = standard
        new[:, 1:] = (
            self.move @ state[:, 1:] + self.before[:, None] * state[:, :1] + self.now[:, None] * standard[:, None]
        )
        return new

    def slopes(self, state: Array) -> Array:
        members, depth, channels = state.shape
        size, one = depth * channels, np.eye(channels)
        ahead = product_slopes(state.reshape(members, size), self.table, self.readout.gains)
        ahead[:, :, :channels] += one
        # Of the new memory: what the old memory and row do, and what the predicted row does.
        drive = np.concatenate([self.before[:, None], self.move], axis=1)
        kept = np.concatenate([np.zeros((channels, size)), np.kron(drive, one)])
        return kept + np.kron(np.append(1.0, self.now)[:, None], one) @ ahead


@final
@dataclass(frozen=True)
class HippoPredictor(Model):
    """A linear memory with the explicit weights of HiPPO, and a read-out in closed form: nothing is trained.

    theta dc/dt = A c + B x compresses the last `window` theta (in steps) of each channel into `order` coefficients of
    an orthonormal basis: `measure` legt (Legendre polynomials, the window evenly), legs (Legendre in exp(-age), older
    is dimmer) or fout (Fourier; odd orders). The recurrence between samples is exact for signals that are linear
    between them. `readout` extrapolation moves the basis on by one step, x' = x + sum c_n (g_n(-1/theta) - g_n(0)):
    weights that know nothing of the data, after the construction of Joseph, Haefeli, Liniger & Gulcehre (2024).
    `readout` regression finds x' = x + W g([x, c]) by ridge regression in the training data, g all monomials up to
    `degree` (1-3); `ridge` in units of the features' variance. What is None is chosen by free runs.
    Raises `SettingError` for settings out of range, `InsufficientData` for fewer than 4 consecutive rows.
    Cost O(N p^2) for p monomials, N at most the latest 10,000 rows. Not for long forecasts by extrapolation, which
    knows the next few steps of a smooth signal and no dynamics; not for noise that is strong within one step.
    Source: Gu et al., NeurIPS 2020 (arXiv 2008.07669); Joseph et al., arXiv 2407.09375 (2024).
    """

    measure: Measure = "legt"
    order: int | None = None
    window: float | None = None
    readout: Literal["extrapolation", "regression"] | None = None
    degree: int | None = None
    ridge: float | None = None
    horizon: int | None = None

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        self._check(len(training.signature.channels))
        training.need(4, "the HiPPO predictor")
        settings = self._settings(training)
        if len(settings) > 1:
            longest = max(_fading(self.measure, order, window) for order, window, _, _ in settings)
            head, probe = hold_out(training, min(longest, training.rows // 5 + 1), horizon=self.horizon)
            if probe is None:
                settings = settings[-1:]
            else:
                laws = list(_laws(head.latest(TRIED), self.measure, settings, probe.memory))
                settings = [settings[choose(laws, probe).best]]
        return next(_laws(training.latest(ROWS), self.measure, settings))

    def settled(self, law: Law) -> Model:
        assert isinstance(law, HippoLaw)
        if law.degree == 0:
            return replace(self, order=law.order, window=law.window, readout="extrapolation")
        return replace(
            self, order=law.order, window=law.window, readout="regression", degree=law.degree, ridge=law.ridge
        )

    def _check(self, channels: int) -> None:
        if self.measure not in MEASURES or self.readout not in (None, "extrapolation", "regression"):
            raise SettingError(
                f"measure {self.measure!r} with readout {self.readout!r}", place="HippoPredictor",
                remedy=f"Measures: {', '.join(MEASURES)}; readouts: extrapolation, regression.",
            )  # fmt: skip
        rules = {"order": (1, 100), "window": (1, 1e6), "degree": (1, 3), "ridge": (0, 1e12)}
        for name, (low, high) in rules.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise SettingError(f"{name} must be {low:g} to {high:g}, got {value}", place="HippoPredictor")
        if self.order is not None:
            hippo(self.measure, self.order)
        count = _count(channels, self.order or 1, self.degree or 1)
        if count > 3000:
            raise SettingError(
                f"{count} monomials of {channels} channels are too many (at most 3000)", place="HippoPredictor",
                remedy="Lower the degree or the order, or select fewer channels.",
            )  # fmt: skip

    def _settings(self, training: Training) -> list[Setting]:
        """Settings to try, the simplest last: it is taken where the data are too few to choose."""
        channels = len(training.signature.channels)
        # One channel shows a system only through its past, so more of it is kept; several channels need little.
        orders = (self.order,) if self.order else (3, 5, 7) if channels == 1 else (1, 3, 5)
        scale = decorrelation(training)
        factors = (0.25, 1.0, 3.0) if channels == 1 else (0.15, 0.5, 1.5)
        windows = (float(self.window),) if self.window else tuple(max(2.0, scale * f) for f in factors)
        degrees = (self.degree,) if self.degree else (3, 2, 1)
        ridges = (self.ridge,) if self.ridge is not None else RIDGES
        room = max(min(FEATURES, training.rows // 4), _count(channels, min(orders), min(degrees)))
        regressions = [
            (order, window, degree, ridge)
            for order in orders for window in sorted(set(windows)) for degree in degrees for ridge in ridges
            if self.degree or _count(channels, order, degree) <= room
        ]  # fmt: skip
        # A polynomial through many steps says little about the next one: short windows, and persistence at order 1.
        near = (float(self.window),) if self.window else (2.0, 4.0, 8.0)
        extrapolations = [(order, window, 0, 0.0) for order in orders[::-1] for window in near]
        return [
            *(regressions if self.readout != "extrapolation" else []),
            *(extrapolations if self.readout != "regression" else []),
        ]


def _laws(
    training: Training, measure: Measure, settings: Sequence[Setting], most: int | None = None
) -> Iterator[HippoLaw]:
    """One law a setting, in order; settings that differ in the ridge alone share one factorisation.

    `most` bounds the rows of history that a law may ask for.
    """
    mean, scale = scale_of(training.stacked)
    low, high = guard_box(training.stacked)
    longest = max(map(len, training.stretches))
    known: dict[tuple[int, float, int], tuple[Array, Array, Array, Factors | None]] = {}
    for order, window, degree, ridge in settings:
        steps = held(*hippo(measure, order), 1 / window)
        table = monomials((order + 1) * len(mean), max(degree, 1))
        if (order, window, degree) not in known:
            kernel = _kernel(steps, max(1, min(_fading(measure, order, window), longest // 3, most or longest)))
            states, increments = _compressed(training, mean, scale, kernel)
            features = products(states.reshape(len(states), -1), table)
            factors = Factors.of(features, increments) if degree else None
            known[order, window, degree] = kernel, features, increments, factors
        kernel, features, increments, factors = known[order, window, degree]
        readout = factors.solve(ridge) if factors else _extrapolation(measure, order, window, len(mean))
        yield HippoLaw(
            training.signature, *training.closing(kernel.shape[1]), low=low, high=high,
            residuals=thinned((increments - readout(features)) * scale), measure=measure, order=order, window=window,
            degree=degree, ridge=ridge, kernel=kernel, move=steps[0], before=steps[1], now=steps[2], table=table,
            mean=mean, scale=scale, readout=readout,
        )  # fmt: skip


def _kernel(steps: tuple[Array, Array, Array], rows: int) -> Array:
    """What each of the last `rows` rows adds to the memory `(order, row)`; the first stands for all rows before it."""
    move, before, now = steps
    kernel = np.zeros((len(now), rows))
    kernel[0, 0] = 1.0  # a constant signal has the coefficients (1, 0, 0, ...)
    for t in range(1, rows):
        kernel[:, :t] = move @ kernel[:, :t]
        kernel[:, t - 1] += before
        kernel[:, t] = now
    return kernel


def _compressed(training: Training, mean: Array, scale: Array, kernel: Array) -> tuple[Array, Array]:
    """States `(sample, 1 + order, channel)` of all rows with enough past, and the increments that followed."""
    states, increments = [], []
    rows = kernel.shape[1]
    for piece in training.stretches:
        if len(piece) <= rows:
            continue
        standard = (piece - mean) / scale
        windows = np.lib.stride_tricks.sliding_window_view(standard[:-1], rows, axis=0)
        memory = (windows @ kernel.T).transpose(0, 2, 1)
        states.append(np.concatenate([standard[rows - 1 : -1, None], memory], axis=1))
        increments.append(np.diff(standard[rows - 1 :], axis=0))
    return np.concatenate(states), np.concatenate(increments)


def _extrapolation(measure: Measure, order: int, window: float, channels: int) -> Readout:
    """The weights that move the basis on by one step: a function of measure, order and window alone."""
    ahead, here = basis(measure, order, np.array([-1 / window, 0.0]))
    weights = np.kron(np.concatenate([[0.0], ahead - here])[:, None], np.eye(channels))
    return Readout(weights, np.zeros(channels), np.zeros(len(weights)), np.ones(len(weights)))


def _fading(measure: Measure, order: int, window: float) -> int:
    """Steps after which a memory has forgotten all but `FADED` of what it held."""
    from scipy.linalg import expm

    stride = expm(hippo(measure, order)[0] / 4)
    left, quarters = stride, 1
    while np.linalg.norm(left, 2) > FADED:
        left, quarters = left @ stride, quarters + 1
    return int(np.ceil(quarters * window / 4)) + 1


def _count(channels: int, order: int, degree: int) -> int:
    return comb(channels * (order + 1) + degree, degree) - 1
