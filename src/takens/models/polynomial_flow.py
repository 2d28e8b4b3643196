"""Polynomial equations of motion, fitted in their weak form and integrated between the samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingError
from .base import Array, Law, Model, RecursiveLaw, Training, guard_box, scale_of, thinned
from .delayed import check_settings, search
from .nvar import product_slopes, products
from .ridge import Factors, Readout, monomials

if TYPE_CHECKING:
    from ..systems.base import System

RIDGES = (1e-12, 1e-4)
WINDOWS = (4, 10, 25)
ROWS, TRIED = 20_000, 4_000
"""Most samples that enter the regression, and the regressions that are only tried; evenly spread over the data."""
POWER = 8
"""Exponent of the bump (1 - u^2)^POWER: it and seven derivatives vanish at the ends of its window, so that the error of
sums in the place of integrals falls with the eighth power of the window: 1e-6 at 8 samples, 1e-9 at 20."""
ACCURATE = 1e-3
"""How far the integration may be off, in standard deviations of the one-step residuals."""
SUBSTEPS, FEW = (1, 2, 4, 8, 16), (1, 2, 4)
"""Steps of RK4 a sampling interval that are tried, and those of flows that are only tried."""
MONOMIALS = 200
"""Most monomials that are tried; the most that are allowed is ten times as many."""

Setting = tuple[int, int]
"""Degree and half width of the window."""


@final
@dataclass(frozen=True)
class FlowLaw(RecursiveLaw):
    """dz/dt = W g(z) with z = (x - mean) / scale and all monomials g up to a degree; `substeps` steps of RK4 a sample.

    `table (monomial, degree)` indexes z, with 0 for the constant 1. The state is the row `(member, channel)`.
    """

    degree: int
    window: int
    ridge: float
    substeps: int
    table: NDArray[np.int64]
    mean: Array
    scale: Array
    readout: Readout

    @property
    def memory(self) -> int:
        return 1

    def init(self, history: Array) -> Array:
        return history[:, -1]

    def step(self, state: Array) -> Array:
        # Polynomials overflow within a few steps of leaving the data; the driver takes what is not finite as diverged.
        with np.errstate(over="ignore", invalid="ignore"):
            return self._carried((state - self.mean) / self.scale) * self.scale + self.mean

    def feed(self, state: Array, values: Array) -> Array:
        return values

    def slopes(self, state: Array) -> Array:
        """The Jacobian `(member, channel, channel)` of one sampling interval: that of the steps of RK4, exact."""
        points = (state - self.mean) / self.scale
        moved = np.broadcast_to(np.eye(len(self.mean)), (len(points), len(self.mean), len(self.mean)))
        h = self.signature.interval / self.substeps
        for _ in range(self.substeps):
            rates, bends, at, tangent = [], [], points, moved
            for share in (0.5, 0.5, 1.0, 0.0):
                rates.append(self.rates(at))
                bends.append(self.bends(at) @ tangent)
                at, tangent = points + share * h * rates[-1], moved + share * h * bends[-1]
            points = points + h / 6 * (rates[0] + 2 * rates[1] + 2 * rates[2] + rates[3])
            moved = moved + h / 6 * (bends[0] + 2 * bends[1] + 2 * bends[2] + bends[3])
        return moved * self.scale[:, None] / self.scale

    def motion(self) -> System:
        """The flow itself, as equations, in the unit of time of the data; known inputs are its parameters."""
        from .polynomial_equations import flow

        return flow(self)

    def _carried(self, points: Array) -> Array:
        h = self.signature.interval / self.substeps
        for _ in range(self.substeps):
            a = self.rates(points)
            b = self.rates(points + h / 2 * a)
            c = self.rates(points + h / 2 * b)
            d = self.rates(points + h * c)
            points = points + h / 6 * (a + 2 * b + 2 * c + d)
        return points

    def bends(self, points: Array) -> Array:
        """The derivatives `(sample, channel, channel)` of the rates."""
        return product_slopes(points, self.table, self.readout.gains)

    def rates(self, points: Array) -> Array:
        """dz/dt `(sample, channel)` at standardised `points`."""
        return self.readout(products(points, self.table))


@final
@dataclass(frozen=True)
class PolynomialFlow(Model):
    """Ordinary differential equations with polynomial right-hand sides, dx/dt = W g(x), by ridge regression.

    No derivative of the data is taken: both sides are averaged with a smooth bump phi over `window` samples to each
    side, and integration by parts moves the derivative to the bump, -<phi', x> = W <phi, g(x)>, which noise leaves
    almost unharmed. g holds all monomials up to `degree` (1-4); `ridge` in units of the features' variance. What is
    None is chosen by free runs (of `horizon` steps, None: from the data). `law.system` is a flow with equations that
    can be read, compiled, and asked for everything that can be asked of known ones. Raises `SettingError` for settings
    out of range or with more than 2000 monomials, `InsufficientData` where no window fits. Cost O(N p^2) for p
    monomials. Not for single channels of a system with more, nor for maps or coarse sampling (fewer than about ten
    samples an oscillation): use NVAR with delays.
    Source: Messenger & Bortz, Multiscale Model. Simul. 19, 1474 (2021); integral forms: Schaeffer & McCalla 2017.
    """

    degree: int | None = None
    window: int | None = None
    ridge: float | None = None
    horizon: int | None = None

    def learn(self, training: Training, seed: int) -> RecursiveLaw:
        check_settings(self, {"degree": (1, 4), "window": (4, 10_000), "ridge": (0, 1e12)})
        channels = len(training.signature.channels)
        degrees: tuple[int, ...] = (self.degree,) if self.degree else (1, 2, 3)
        degrees = tuple(g for g in degrees if len(monomials(channels, g)) <= MONOMIALS or g == degrees[0])
        if len(monomials(channels, degrees[0])) > 10 * MONOMIALS:
            raise SettingError(
                f"more than {10 * MONOMIALS} monomials of {channels} channels", place="PolynomialFlow",
                remedy="Lower the degree, or select fewer channels.",
            )  # fmt: skip
        longest = max(map(len, training.stretches))
        windows = (self.window,) if self.window else tuple(w for w in WINDOWS if 8 * w < longest) or WINDOWS[:1]
        ridges = RIDGES if self.ridge is None else (self.ridge,)
        settings = [(g, w) for g in degrees for w in windows]
        memory = 2 * max(windows) + 1

        def final(setting: Setting, ridge: float) -> FlowLaw:
            # Few steps are enough to see whether it lasts.
            return next(_laws(training, setting, (ridge,), ROWS, FEW))

        law = search(training, settings, ridges, _tried, final, memory=memory, horizon=self.horizon)
        return next(_laws(training, (law.degree, law.window), (law.ridge,)))

    def settled(self, law: Law) -> Model:
        assert isinstance(law, FlowLaw)
        return replace(self, degree=law.degree, window=law.window, ridge=law.ridge)


def bump_function(window: int, interval: float) -> tuple[Array, Array]:
    """The bump `(2 window + 1,)` of sum 1 at the samples around 0, and its derivative by time there."""
    u = np.arange(-window, window + 1) / window
    bump = (1 - u**2) ** POWER
    slope = -2 * POWER * u * (1 - u**2) ** (POWER - 1) / (window * interval)
    return bump / bump.sum(), slope / bump.sum()


def weak_form(
    pieces: Sequence[Array], table: NDArray[np.int64], window: int, interval: float, limit: int
) -> tuple[Array, Array]:
    """<phi, g(z)> `(sample, monomial)` and -<phi', z> `(sample, channel)` at places spread over standardised pieces."""
    from scipy.signal import fftconvolve

    bump, slope = bump_function(window, interval)
    total = sum(max(len(piece) - 2 * window, 0) for piece in pieces)
    stride = max(1, -(-total // limit))
    left, right = [], []
    for piece in pieces:
        if len(piece) > 2 * window:
            left.append(fftconvolve(products(piece, table), bump[:, None], mode="valid", axes=0)[::stride])
            # Convolution turns the odd phi' around, which is the minus sign.
            right.append(fftconvolve(piece, slope[:, None], mode="valid", axes=0)[::stride])
    return np.concatenate(left), np.concatenate(right)


def _laws(
    training: Training, setting: Setting, ridges: Sequence[float], limit: int = ROWS,
    steps: tuple[int, ...] = SUBSTEPS,
) -> Iterator[FlowLaw]:  # fmt: skip
    """One law a ridge, from one factorisation."""
    degree, window = setting
    training.need(2 * window + 2, f"a flow with a window of {window} samples to each side")
    rows = training.stacked
    mean, scale = scale_of(rows)
    low, high = guard_box(rows)
    table = monomials(rows.shape[1], degree)
    pieces = [(piece - mean) / scale for piece in training.stretches]
    interval = training.signature.interval
    factors = Factors.of(*weak_form(pieces, table, window, interval, limit))
    now, after = training.lagged([0], limit=2000)
    for ridge in ridges:
        law = FlowLaw(
            training.signature, *training.closing(1), residuals=np.zeros((1, rows.shape[1])), low=low, high=high,
            degree=degree, window=window, ridge=ridge, substeps=1, table=table, mean=mean, scale=scale,
            readout=factors.solve(ridge),
        )  # fmt: skip
        yield _stepped(law, now[:, 0], after, steps)


def _stepped(law: FlowLaw, now: Array, after: Array, steps: tuple[int, ...]) -> FlowLaw:
    """The law with residuals, and with as many steps of RK4 as they can tell from twice as many."""
    some = thinned(now, 100)
    with np.errstate(all="ignore"):
        for substeps in steps:
            law = replace(law, substeps=substeps)
            residuals = after - law.step(now)
            off = law.step(some) - replace(law, substeps=2 * substeps).step(some)
            if (np.abs(off).max(axis=0) <= ACCURATE * residuals.std(axis=0) + 1e-9 * law.scale).all():
                break
    # A law that flies away within one step has no residuals; the guard box says so in every run.
    wild = ~np.isfinite(residuals).all(axis=1, keepdims=True)
    return replace(law, residuals=np.where(wild, law.high - law.low, residuals))


def _tried(training: Training, settings: Sequence[Setting], ridges: Sequence[float]) -> Iterator[FlowLaw]:
    for setting in settings:
        yield from _laws(training, setting, ridges, TRIED, FEW)
