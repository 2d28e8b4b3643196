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

RIDGES = (0.005, 0.01, 0.02)
"""Penalties of the local fits, as shares of the largest singular value: smaller ones let spurious directions grow,
larger ones damp true ones; between the two the exponent does not depend on them."""

BEYOND = 4
"""Embedding dimensions tried: from that of false neighbours, which unfolds most points but not all, to 3 above it."""

NEARLY_BEST = 1.6
"""Embeddings count whose prediction error is at most this many times that of the best one."""

UNPREDICTABLE = 0.1
"""Prediction error, in standard deviations, above which local maps describe noise or unresolved motion."""

PRECISE = 0.05
"""Prediction error below which only missing growth of distances, not its shape, speaks against a positive exponent."""

BLOCKS = 20
"""Consecutive stretches of time whose mean growth rates give the standard error."""


@dataclass(frozen=True)
class Tangent:
    """Growth of tangent vectors in one embedding: `growth (step, m)` in e-folds a step of `delay` samples."""

    m: int
    delay: int
    ridge: float
    growth: Array
    error: float

    def exponents(self) -> Array:
        """Mean growth rates `(m,)` per sample."""
        return self.growth.mean(axis=0) / self.delay  # type: ignore[no-any-return]

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
    delay: int
    spread: float

    @classmethod
    def of(cls, x: Array, m: int, delay: int, theiler: int, most: int | None = None) -> Neighbourhoods | None:
        """Those of every delay-th row, or of `most` rows among them; None where a row has too few neighbours."""
        if len(x) < (m + 1) * delay + 20 * (m + 1):
            return None
        points = delay_vectors(x[: len(x) - delay], m, delay)
        own = np.arange(0, len(points), delay)
        if most is not None and len(own) > most:
            own = own[np.linspace(0, len(own) - 1, most).astype(int)]
        # Twice as many neighbours as coefficients, and some for the weights that fall to 0 at the furthest.
        near = nearest(points, points[own], k=2 * (m + 1) + 5, theiler=theiler, exclude=own)[1]
        if len(own) < 2 * BLOCKS or (near < 0).any():
            return None
        return cls(points, x[m * delay :], own, near, delay, float(np.std(x)))

    def maps(self, ridge: float) -> tuple[Array, float]:
        """Fitted rows `(step, m)` and the root-mean-square error of the prediction in standard deviations."""
        from .kernels.tangent import local_maps

        rows, errors = local_maps(self.points, self.ahead, self.own, self.near, ridge)
        return rows, float(np.sqrt(np.mean(errors**2))) / self.spread

    def tangent(self, ridge: float) -> Tangent:
        """Growth of tangent vectors along the record, the first fortieth left out while they align."""
        from .kernels.tangent import tangent_growth

        rows, error = self.maps(ridge)
        growth = tangent_growth(rows)
        return Tangent(self.points.shape[1], self.delay, ridge, growth[len(growth) // 40 :], error)


def trial_embeddings(space: Embedding, fixed_m: bool, fixed_delay: bool) -> list[tuple[float, int, int]]:
    """`(prediction error, m, delay)` of the embeddings tried, best first, from at most 500 points each.

    Delays are that of `space` and half of it, dimensions from that of `space` to three above; given ones are kept.
    """
    delays = [space.delay] if fixed_delay else sorted({space.delay, -(-space.delay // 2)})
    dimensions = [space.m] if fixed_m else range(space.m, space.m + BEYOND)
    found = []
    for delay in delays:
        for m in dimensions:
            around = Neighbourhoods.of(space.x, m, delay, space.theiler, 500)
            if around is not None:
                found.append((around.maps(RIDGES[1])[1], m, delay))
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


def half_width(members: list[Tangent], values: Array, middle: float, level: float) -> tuple[float, float, float]:
    """Half of the interval of the largest exponent, and its standard error and the spread over `members`.

    sqrt((t se)^2 + (z s)^2 + (e v)^2): t of Student with 19 degrees of freedom, se of the means of 20 blocks of time, z
    of the normal distribution, s the standard deviation over embeddings and penalties, e the prediction error of the
    best one, which is the relative error of its maps.
    """
    from scipy.special import ndtri, stdtrit

    errors = [np.std(member.blocks()[:, 0], ddof=1) / np.sqrt(BLOCKS) for member in members]
    error, spread = float(np.median(errors)), float(np.std(values))
    q = 0.5 + level / 2
    noise = min(member.error for member in members) * abs(middle)
    return float(np.sqrt((stdtrit(BLOCKS - 1, q) * error) ** 2 + (ndtri(q) * spread) ** 2 + noise**2)), error, spread


@measure(family="chaos", reference="Sano and Sawada, Phys. Rev. Lett. 55, 1082 (1985)", minimum=200)
def largest_lyapunov_exponent(
    channel: Channel, *, embedding_dimension: int | None = None, delay: int | None = None, theiler: int | None = None,
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Largest Lyapunov exponent, in 1/time: how fast neighbouring states part.

    lambda = <ln |A_t u_t|> / delay, u_{t+1} = A_t u_t / |A_t u_t|: A_t is the linear map, fitted to the neighbours of
    the delay vector at t outside the Theiler window (weights falling with distance, ridge penalty against directions
    in which neighbours do not differ), that takes its displacements one delay ahead. The value is the median over an
    ensemble: delays of the first minimum of the mutual information and half of it, dimensions from Kennel's to 3 above,
    those that predict nearly as well as the best, 3 penalties. The interval joins the standard error over 20 blocks of
    time, the spread of the ensemble and the prediction error. No pair of points is followed, so nothing saturates.

    Admissible with 20 mean periods, a prediction error below 0.1 standard deviations (noise and coarse sampling exceed
    it), an interval no wider than the value where that is positive, and, where the interval lies above 0, a divergence
    curve that rises by an e-fold or more (see `lyapunov_exponent_rosenstein`). Periodic and quasi-periodic motion gives
    0 within the interval. Observation noise of a few per cent biases the value beyond what the interval tells: reduce
    it first (`takens.measures.noise_reduction`). A positive value alone proves nothing: see `takens.verdict`. Details:
    `lag`, `divergence`, `region`, `saturation` (Rosenstein's curve), `members` (one exponent each), `error`
    (prediction), `time` and `growth` (local growth rates). At most 20,000 samples. Cost: a second.
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
    values = np.array([member.exponents()[0] for member in members])
    middle = float(np.median(values))
    half, error, spread = half_width(members, values, middle, level)
    best = min(members, key=lambda member: member.error)
    curve = _divergence(replace(space, m=best.m, delay=best.delay), level, seed)
    if not reason and middle - half > 0:
        reason = _unwitnessed(curve, best.error)
    if not reason and middle > 0 and half > max(middle, 3 * error):
        reason = f"the exponent depends on the embedding: {values.min() / step:.3g} to {values.max() / step:.3g}"
    ends = [float(curve.lags[min(i, len(curve.lags) - 1)]) * step for i in (curve.region.first, curve.region.last)]
    details = {
        "lag": curve.lags * step, "divergence": curve.curve, "saturation": curve.saturation, "region": tuple(ends),
        "members": values / step, "error": best.error, "standard_error": error / step, "spread": spread / step,
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
