"""Lyapunov exponents from data: local linear maps between neighbours carry tangent vectors along the record."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from ..neighbours import delay_vectors, nearest
from ..random import generator
from .base import Channel, Refused, measure
from .divergence import CYCLES, Embedding, Region, Slope, curve_slope, embedded, far_apart, followed, rosenstein_curve

Array = NDArray[np.float64]

RIDGES = (0.0025, 0.005, 0.01)
"""Penalties of the local fits, as shares of the largest singular value: smaller ones let spurious directions grow,
larger ones damp true ones; between the two the exponent does not depend on them."""

BEYOND = 4
"""Embedding dimensions tried: from that of false neighbours, which unfolds most points but not all, to 3 above it."""

NEARLY_BEST = 1.6
"""Embeddings count whose prediction error is at most this many times that of the best one."""

UNPREDICTABLE = 0.1
"""Prediction error, in standard deviations, above which local maps describe noise or unresolved motion."""

WIDER = 4
"""Neighbours of the second fit, as a multiple of those of the first: what it changes, the first still has in part."""

NOISY = 0.25
"""Median error of the maps over the size of their neighbourhoods above which noise, not the motion, sets the error:
records without noise stay below 0.05, and 1 % of noise on Lorenz 63 or Roessler, which changes the exponent by a
tenth, reaches 0.3."""

PRECISE = 0.05
"""Prediction error below which only missing growth of distances, not its shape, speaks against a positive exponent."""

BLOCKS = 20
"""Consecutive stretches of time whose mean growth rates give the standard error."""


@dataclass(frozen=True)
class Tangent:
    """Growth of tangent vectors in one embedding: `growth (step, m)` in e-folds a step of `delay` samples.

    `wider (m,)` is the mean growth with `WIDER` times as many neighbours, which reach `ratio` times as far. `error` is
    that of the prediction in standard deviations, `roughness` its median as a share of the neighbourhood's size.
    """

    m: int
    delay: int
    ridge: float
    growth: Array
    wider: Array
    ratio: float
    error: float
    roughness: float

    def exponents(self) -> Array:
        """Mean growth rates `(m,)` per sample, of neighbourhoods as they are."""
        return self.growth.mean(axis=0) / self.delay  # type: ignore[no-any-return]

    def limits(self) -> tuple[Array, Array]:
        """Growth rates `(m,)` per sample of neighbourhoods of size 0, and half the difference of two ways to see them.

        What curvature adds goes like the size of neighbourhoods where the motion tears or folds and like its square
        where it is smooth: the first is what the wider fit changes / (ratio - 1), the second / (ratio^2 - 1). Taken is
        the middle of both.
        """
        own = self.exponents()
        change = own - self.wider / self.delay
        first, second = change / (self.ratio - 1), change / (self.ratio**2 - 1)
        return own + (first + second) / 2, np.abs(first - second) / 2

    def blocks(self) -> Array:
        """Mean growth rates `(block, m)` per sample in consecutive stretches."""
        return np.array([part.mean(axis=0) for part in np.array_split(self.growth, BLOCKS)]) / self.delay


@dataclass(frozen=True)
class Neighbourhoods:
    """Delay vectors, the value one delay ahead of each, and the neighbours `near` of the rows `own` along the record.

    One step of a delay vector by one delay shifts its entries and appends one new value, so only that value has to be
    predicted: each local map is a companion matrix with one fitted row.
    """

    points: Array
    ahead: Array
    own: NDArray[np.int64]
    near: NDArray[np.int64]
    distance: Array
    delay: int
    spread: float

    @classmethod
    def of(
        cls, x: Array, m: int, delay: int, theiler: int, most: int | None = None, wider: int = WIDER
    ) -> Neighbourhoods | None:
        """Those of every delay-th row, or of `most` rows among them; None where a row has too few neighbours."""
        if len(x) < (m + 1) * delay + 20 * (m + 1):
            return None
        points = delay_vectors(x[: len(x) - delay], m, delay)
        own = np.arange(0, len(points), delay)
        if most is not None and len(own) > most:
            own = own[np.linspace(0, len(own) - 1, most).astype(int)]
        # Twice as many neighbours as coefficients, and some for the weights that fall to 0 at the furthest.
        number = wider * (2 * (m + 1) + 5)
        distance, near = nearest(points, points[own], k=number, theiler=theiler, exclude=own)
        if len(own) < 2 * BLOCKS or (near < 0).any():
            return None
        return cls(points, x[m * delay :], own, near, distance, delay, float(np.std(x)))

    @property
    def closest(self) -> int:
        """Neighbours that the first fit takes."""
        return 2 * (self.points.shape[1] + 1) + 5

    def maps(self, ridge: float, number: int | None = None) -> tuple[Array, Array]:
        """Fitted rows `(step, m)` and errors `(step,)` of the prediction from the first `number` neighbours."""
        from .kernels.tangent import local_maps

        near = np.ascontiguousarray(self.near[:, : number or self.closest])
        return local_maps(self.points, self.ahead, self.own, near, ridge)  # type: ignore[no-any-return]

    def error(self, ridge: float) -> float:
        """Root-mean-square error of the prediction in standard deviations."""
        return float(np.sqrt(np.mean(self.maps(ridge)[1] ** 2))) / self.spread

    def tangent(self, ridge: float) -> Tangent:
        """Growth of tangent vectors along the record, the first fortieth left out while they align."""
        from .kernels.tangent import tangent_growth

        m, k = self.points.shape[1], self.closest
        rows, errors = self.maps(ridge)
        growth, wide = (tangent_growth(r)[len(r) // 40 :] for r in (rows, self.maps(ridge, self.near.shape[1])[0]))
        # Distances of a delay vector's entries, like the error of the one that is predicted.
        size = np.maximum(self.distance[:, :k].mean(axis=1) / np.sqrt(m), 1e-300)
        apart = self.distance[:, k - 1] > 0
        reach = np.log(self.distance[apart, -1] / self.distance[apart, k - 1])
        return Tangent(
            m, self.delay, ridge, growth, wide.mean(axis=0),
            float(np.exp(max(np.mean(reach), 0.1))) if len(reach) else 2.0,
            float(np.sqrt(np.mean(errors**2))) / self.spread, float(np.median(np.abs(errors) / size)),
        )  # fmt: skip


def trial_embeddings(space: Embedding, fixed_m: bool, fixed_delay: bool) -> list[tuple[float, int, int]]:
    """`(prediction error, m, delay)` of the embeddings tried, best first, from at most 500 points each.

    Delays are that of `space` and half of it, dimensions from that of `space` to three above; given ones are kept.
    """
    delays = [space.delay] if fixed_delay else sorted({space.delay, -(-space.delay // 2)})
    dimensions = [space.m] if fixed_m else range(space.m, space.m + BEYOND)
    found = []
    for delay in delays:
        for m in dimensions:
            around = Neighbourhoods.of(space.x, m, delay, space.theiler, 500, wider=1)
            if around is not None:
                found.append((around.error(RIDGES[1]), m, delay))
    if not found:
        raise Refused(
            f"{len(space.x)} values are too few for local maps in {space.m} dimensions with a delay of {space.delay}"
        )
    return sorted(found)


def tangents(space: Embedding, trials: list[tuple[float, int, int]]) -> list[Tangent]:
    """Growth in every embedding that predicts nearly as well as the best one, with every penalty."""
    found = []
    for error, m, delay in trials:
        if error <= NEARLY_BEST * trials[0][0] + 1e-12:
            around = Neighbourhoods.of(space.x, m, delay, space.theiler)
            if around is not None:
                found += [around.tangent(ridge) for ridge in RIDGES]
    if not found:
        raise Refused(f"{len(space.x)} values are too few for local maps along the record")
    return found


@dataclass(frozen=True)
class Uncertainty:
    """Standard errors of the largest exponent, per sample.

    `chance`, of the means of `BLOCKS` stretches of time; `spread`, half of the standard deviation over embeddings and
    penalties, as the value is their median; `size`, half of what the two ways to extrapolate to neighbourhoods of size
    0 differ by; `noise`, half of the error of the maps as a share of the size of their neighbourhoods, times the
    exponent.
    """

    chance: float
    spread: float
    size: float
    noise: float

    @classmethod
    def of(cls, members: list[Tangent], values: Array) -> Uncertainty:
        """That of the median of `values (member,)`."""
        chance = [np.std(member.blocks()[:, 0], ddof=1) / np.sqrt(BLOCKS) for member in members]
        size = [member.limits()[1][0] for member in members]
        noise = min(member.roughness for member in members) / 2 * abs(np.median(values))
        return cls(float(np.median(chance)), float(np.std(values)) / 2, float(np.median(size)), float(noise))

    def half_width(self, level: float) -> float:
        """Half of the interval: Student's t for chance, the normal distribution for the rest, added in squares."""
        from scipy.special import ndtri, stdtrit

        q = 0.5 + level / 2
        systematic = np.sqrt(self.spread**2 + self.size**2 + self.noise**2)
        return float(np.hypot(stdtrit(BLOCKS - 1, q) * self.chance, ndtri(q) * systematic))


@measure(family="chaos", reference="Sano and Sawada, Phys. Rev. Lett. 55, 1082 (1985)", minimum=200)
def largest_lyapunov_exponent(
    channel: Channel, *, embedding_dimension: int | None = None, delay: int | None = None, theiler: int | None = None,
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Largest Lyapunov exponent, in 1/time: how fast neighbouring states part.

    lambda = <ln |A_t u_t|> / delay, u_{t+1} = A_t u_t / |A_t u_t|: A_t is the linear map, fitted to the neighbours of
    the delay vector at t outside the Theiler window (weights falling with distance, ridge penalty against directions
    in which neighbours do not differ), that takes its displacements one delay ahead. A fit with four times as many
    neighbours shows what their size does to lambda; it is extrapolated to size 0. The value is the median over an
    ensemble: delays of the first minimum of the mutual information and half of it, dimensions from Kennel's to 3 above,
    those that predict nearly as well as the best, 3 penalties. No pair of points is followed, so nothing saturates.

    The interval joins the standard error over 20 blocks of time, half the spread of the ensemble, the doubt of the
    extrapolation and that of noise. At a nominal 95 % it held the exponent in 90 to 100 % (97 % in the mean) of 20 to
    40 records each of Henon and logistic maps, Lorenz 63 x, y, z, Roessler x and Mackey-Glass, 2,000 to 20,000 values.

    Admissible with 20 mean periods, a prediction error below 0.1 standard deviations (noise and coarse sampling exceed
    it), a positive value only where the maps err by less than a quarter of the size of their neighbourhoods (1 to 5 %
    of observation noise exceed it; then use `takens.measures.noise_reduction` first), an interval no wider than the
    value where that is positive, and, where the interval lies above 0, a divergence curve that rises by an e-fold or
    more (see `lyapunov_exponent_rosenstein`). Periodic and quasi-periodic motion gives 0 within the interval. A
    positive value alone proves nothing: see `takens.verdict`. Details: `lag`, `divergence`, `region`, `saturation`
    (Rosenstein's curve), `members` (one exponent each), `error` (prediction), the parts of the interval, `time` and
    `growth` (local growth rates). At most 20,000 samples. Cost: a second.
    """
    space = embedded(channel, embedding_dimension, delay, theiler)
    step = space.stride * channel.interval
    trials = trial_embeddings(space, embedding_dimension is not None, delay is not None)
    reason = _too_little(space, trials[0][0])
    if trials[0][0] > 3 * UNPREDICTABLE:
        # Noise: many dimensions, in which maps along the whole record are slow to find and say nothing.
        return Estimate("", None, f"1/{channel.time_unit}", None, level, settings=space.settings(), chosen=space.chosen,
                        admissible=False, reason=reason)  # fmt: skip
    members = tangents(space, trials)
    values = np.array([member.limits()[0][0] for member in members])
    middle = float(np.median(values))
    doubt = Uncertainty.of(members, values)
    half = doubt.half_width(level)
    best = min(members, key=lambda member: member.error)
    curve = _divergence(replace(space, m=best.m, delay=best.delay), level, seed)
    if not reason and middle > 0:
        noisy = min(member.roughness for member in members) > NOISY
        reason = _hidden_by_noise(best) if noisy else _unwitnessed(curve, best.error) if middle > half else ""
    if not reason and middle > 0 and half > max(middle, 3 * doubt.chance):
        reason = f"the exponent depends on the embedding: {values.min() / step:.3g} to {values.max() / step:.3g}"
    ends = [float(curve.lags[min(i, len(curve.lags) - 1)]) * step for i in (curve.region.first, curve.region.last)]
    details = {
        "lag": curve.lags * step, "divergence": curve.curve, "saturation": curve.saturation, "region": tuple(ends),
        "members": values / step, "error": best.error, **{part: error / step for part, error in vars(doubt).items()},
        "time": channel.t[0] + (len(space.x) - best.delay * len(best.growth) + best.delay * np.arange(len(best.growth)))
        * step, "growth": best.growth[:, 0] / (best.delay * step), "mean_period": space.period * step,
    }  # fmt: skip
    return Estimate(
        "", middle / step, f"1/{channel.time_unit}", ((middle - half) / step, (middle + half) / step), level,
        "growth of tangent vectors under local linear maps, ensemble of embeddings and penalties",
        {**space.settings(), "embedding_dimension": best.m, "delay": best.delay, "members": len(members)},
        {**space.chosen, "embedding_dimension": "smallest prediction error, from that of false neighbours upwards"},
        not reason, reason, details=details,
    )  # fmt: skip


def _too_little(space: Embedding, error: float) -> str:
    """What makes an exponent inadmissible before it is computed."""
    if len(space.x) < CYCLES * space.period:
        return f"the record holds {len(space.x) / space.period:.3g} mean periods; {CYCLES} are needed"
    if error > UNPREDICTABLE:
        return (
            f"local maps miss the next value by {error:.2g} standard deviations, as for noise or coarse sampling; "
            f"below {UNPREDICTABLE} is needed"
        )
    return ""


def _hidden_by_noise(member: Tangent) -> str:
    return (
        f"half of the maps err by more than {member.roughness:.0%} of the size of their neighbourhoods, as with noise "
        f"of {member.error:.1%} of the spread; below {NOISY:.0%} is needed: reduce the noise or take more values"
    )


def _unwitnessed(curve: Slope, error: float) -> str:
    """What speaks against exponential growth in the divergence curve; its shape counts where maps err."""
    return "" if curve.region.bent and error < PRECISE else curve.region.reason


def _divergence(space: Embedding, level: float, seed: int) -> Slope:
    """Rosenstein's curve in the same embedding, as the witness that growth is exponential."""
    try:
        lags, sums, counts, saturation = followed(space, lambda points, k: rosenstein_curve(points, space.theiler, k))
    except Refused as refusal:
        # One point, so that there is something to draw: recurrence is exact or the record too short to follow pairs.
        saturation = far_apart(delay_vectors(space.x, space.m, space.delay))
        return Slope(None, None, Region(0, 0, str(refusal)), np.zeros(1, np.int64), np.full(1, saturation), saturation)
    rng = generator(seed, "largest_lyapunov_exponent")
    return curve_slope(lags, sums, counts, space.span + 1, saturation, 20, level, rng)
