"""Template entropies: how often stretches that are alike stay alike for one more sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError
from ...estimate import Estimate
from ..base import Channel, Refused, measure
from ..entropy_inference import block_labels
from ..timescales import correlation_steps

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Matches:
    """How often each template meets the others with m entries (`shorter`) and with m + 1 (`longer`), in time order."""

    shorter: Array
    longer: Array

    @property
    def pairs(self) -> tuple[float, float]:
        """Matching pairs B with m entries and A with m + 1."""
        return float(self.shorter.sum()) / 2, float(self.longer.sum()) / 2

    @property
    def entropy(self) -> float:
        """-ln(A / B); inf without a longer match, NaN without any."""
        b, a = self.pairs
        return float("nan") if b == 0 else float("inf") if a == 0 else float(-np.log(a / b))

    @property
    def influence(self) -> Array:
        """What each template adds to the error of the entropy, to first order: twice its share in B less that in A."""
        return np.asarray(2 * (self.shorter / self.shorter.sum() - self.longer / self.longer.sum()))


def template_matches(x: Array, dimension: int, delay: int, radius: float) -> Matches:
    """Matches within `radius` (maximum norm, <=) of the N - m delay templates of `x (time,)` that have m + 1 entries.

    The last templates of m entries, which have no next sample, are left out of both counts (Richman and Moorman 2000);
    no template meets itself. Cost: O(N log N + pairs whose first entries match), vectorised.
    """
    if dimension < 1 or delay < 1 or not radius >= 0:
        raise SettingError(
            f"dimension and delay must be at least 1 and radius at least 0: {dimension}, {delay}, {radius}"
        )
    count = len(x) - dimension * delay
    if count < 2:
        raise Refused(f"{len(x)} values hold no two templates of {dimension} + 1 values at delay {delay}")
    from ..kernels.templates import sweep

    order = np.argsort(x[:count], kind="stable")
    columns = np.stack([x[order + k * delay] for k in range(dimension + 1)])
    found = sweep(columns, radius)
    shorter, longer = np.empty(count), np.empty(count)
    shorter[order], longer[order] = found
    return Matches(shorter, longer)


def fuzzy_template_matches(x: Array, dimension: int, delay: int, radius: float, power: float) -> Matches:
    """Degrees of likeness exp(-(d / radius)^power) of templates less their means, as `template_matches`. O(N^2)."""
    count = len(x) - dimension * delay
    if count < 2:
        raise Refused(f"{len(x)} values hold no two templates of {dimension} + 1 values at delay {delay}")
    from ..kernels.templates import fuzzy_matches

    x = np.ascontiguousarray(x)
    shorter, longer = (fuzzy_matches(x, m, delay, radius, power, count) for m in (dimension, dimension + 1))
    return Matches(shorter, longer)


def variance(influence: Array, labels: NDArray[np.int64], noise: float) -> float:
    """Variance of a pair statistic from the influences `(templates,)` summed over blocks, less the noise of pairs.

    Sums over blocks hold the noise of finitely many pairs twice (each pair stands with both its templates): `noise` is
    taken off once, and the variance is never less than it.
    """
    sums = np.bincount(labels, weights=influence)
    blocks = len(sums)
    return max(float(np.sum((sums - sums.mean()) ** 2)) * blocks / (blocks - 1) - noise, noise)


def interval(value: float, spread: float, blocks: int, level: float) -> tuple[float, float]:
    """Ends of Student's interval, not below 0."""
    from scipy.special import stdtrit

    half = float(stdtrit(blocks - 1, 0.5 + level / 2)) * float(np.sqrt(spread))
    return max(value - half, 0.0), value + half


def scale_influence(x: Array, count: int) -> Array:
    """What each of the first `count` values adds to the error of ln(standard deviation)."""
    z = (x[:count] - x.mean()) / x.std()
    return np.asarray((z**2 - np.mean(z**2)) / (2 * count))


def _tolerance(channel_x: Array, tolerance: float, radius: float | None) -> float:
    """The radius: as given, or `tolerance` standard deviations."""
    if radius is not None:
        if not radius > 0:
            raise SettingError(f"radius must be positive, got {radius}", place="radius")
        return radius
    if not tolerance > 0:
        raise SettingError(f"tolerance must be positive, got {tolerance}", place="tolerance")
    return tolerance * float(channel_x.std())


STEP = 1.1
"""Ratio of the two radii between which the entropy's dependence on the radius is taken."""


@measure(family="entropies", reference="Richman and Moorman, Am. J. Physiol. 278, H2039 (2000)", minimum=50)
def sample_entropy(
    channel: Channel, *, dimension: int = 2, delay: int = 1, tolerance: float = 0.2, radius: float | None = None,
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Sample entropy in nats: -ln of the chance that stretches alike for m samples stay alike for one more.

    SampEn = -ln(A / B), B and A the pairs of templates of m (`dimension`) and m + 1 values within the radius in the
    maximum norm (<=), without self-matches; the radius is `tolerance` standard deviations (ddof 0) unless `radius` is
    given. Interval: influences of templates summed over blocks of ten correlation times, with the noise of pairs and
    of the standard deviation (a normal approximation; compare Lake et al. 2002). Admissible from 10^m values and ten
    longer matches; no match at all is an inadmissible answer, never 0. Long channels use a stated part. Oversampled
    flows give low values: choose `delay`. Cost: O(N log N) and the pairs with near first values, 0.3 s for 100,000
    values of noise at a third of the processor's vector speed.
    """
    x, stride, used = channel.portion(100_000)
    r = _tolerance(x, tolerance, radius)
    found = template_matches(x, dimension, delay, r)
    b, a = found.pairs
    settings = {
        "dimension": dimension, "delay": delay, "radius": r, "tolerance": tolerance if radius is None else None,
        "stride": stride, "used": used or "all",
    }  # fmt: skip
    if a == 0:
        raise Refused(
            f"no {'longer ' if b else ''}template meets another within {r:.3g}: more values or a larger radius"
        )
    influence = found.influence
    if radius is None:
        wider = template_matches(x, dimension, delay, STEP * r).entropy
        influence = influence + (wider - found.entropy) / np.log(STEP) * scale_influence(x, len(influence))
    labels = block_labels(len(influence), max((dimension + 1) * delay, correlation_steps(x)))
    blocks = int(labels[-1]) + 1
    spread = variance(influence, labels, (1 - a / b) / a)
    reason = ""
    if len(x) < 10**dimension:
        reason = f"{len(x)} values; dimension {dimension} needs {10**dimension}"
    elif a < 10:
        reason = f"{a:g} pairs stay alike; 10 are needed: more values or a larger radius"
    return Estimate(
        "", found.entropy, "nat", interval(found.entropy, spread, blocks, level), level,
        "-ln(A / B) by a sorted sweep; interval from influences over blocks", {**settings, "blocks": blocks}, {},
        not reason, reason, details={"shorter": b, "longer": a, "standard_error": float(np.sqrt(spread))},
    )  # fmt: skip


@measure(family="entropies", reference="Pincus, Proc. Natl. Acad. Sci. USA 88, 2297 (1991)", minimum=50)
def approximate_entropy(
    channel: Channel, *, dimension: int = 2, delay: int = 1, tolerance: float = 0.2, radius: float | None = None,
    level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Approximate entropy in nats: phi(m) - phi(m + 1), phi the mean log share of templates alike, itself included.

    Self-matches bias it downwards by more than its spread in short series, so that no interval is given: prefer
    `sample_entropy`; this is for comparison with published values. Settings as there; admissible from 10^m values.
    Long channels use a stated part. Cost: as `sample_entropy`.
    """
    x, stride, used = channel.portion(100_000)
    r = _tolerance(x, tolerance, radius)
    found = template_matches(x, dimension, delay, r)
    count = len(found.shorter)
    # Templates of m values exist for `delay` more starts than those of m + 1: they count in phi(m).
    starts = np.arange(count + delay)
    rows = np.stack([x[starts + k * delay] for k in range(dimension)])
    shorter = np.concatenate([found.shorter + 1, np.ones(delay)])
    for extra in range(count, count + delay):
        near = np.max(np.abs(rows - rows[:, extra : extra + 1]), axis=0) <= r
        near[extra] = False
        shorter[:count] += near[:count]
        shorter[extra] += near.sum()
    phi = float(np.mean(np.log(shorter / len(shorter))))
    value = phi - float(np.mean(np.log((found.longer + 1) / count)))
    reason = "" if len(x) >= 10**dimension else f"{len(x)} values; dimension {dimension} needs {10**dimension}"
    settings = {"dimension": dimension, "delay": delay, "radius": r, "stride": stride, "used": used or "all"}
    return Estimate(
        "", value, "nat", None, level, "difference of mean log shares, self-matches included", settings, {},
        not reason, reason, details={"alone": float(np.mean(found.longer == 0))},
    )  # fmt: skip


@measure(family="entropies", reference="Chen et al., IEEE Trans. Neural Syst. Rehabil. Eng. 15, 266 (2007)", minimum=50)
def fuzzy_entropy(
    channel: Channel, *, dimension: int = 2, delay: int = 1, tolerance: float = 0.2, radius: float | None = None,
    power: float = 2.0, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Fuzzy entropy in nats: sample entropy with degrees of likeness exp(-(d / r)^power) of templates less their means.

    Smooth in the radius and defined for short series. d is the maximum distance; r is `tolerance` standard deviations
    unless `radius` is given. Interval as in `sample_entropy`. Admissible from 10^m values. Long channels use a stated
    part (10,000 values). Cost: O(N^2).
    """
    if not power > 0:
        raise SettingError(f"power must be positive, got {power}", place="power")
    x, stride, used = channel.portion(10_000)
    r = _tolerance(x, tolerance, radius)
    found = fuzzy_template_matches(x, dimension, delay, r, power)
    influence = found.influence
    if radius is None:
        part = x[: 2000 * delay]
        ends = [fuzzy_template_matches(part, dimension, delay, factor * r, power).entropy for factor in (1.0, STEP)]
        influence = influence + (ends[1] - ends[0]) / np.log(STEP) * scale_influence(x, len(influence))
    labels = block_labels(len(influence), max((dimension + 1) * delay, correlation_steps(x)))
    blocks = int(labels[-1]) + 1
    spread = variance(influence, labels, 0.0)
    reason = "" if len(x) >= 10**dimension else f"{len(x)} values; dimension {dimension} needs {10**dimension}"
    settings = {
        "dimension": dimension, "delay": delay, "radius": r, "power": power, "stride": stride, "used": used or "all",
        "blocks": blocks,
    }  # fmt: skip
    return Estimate(
        "", found.entropy, "nat", interval(found.entropy, spread, blocks, level), level,
        "-ln of the ratio of degrees of likeness; interval from influences over blocks", settings, {}, not reason,
        reason, details={"standard_error": float(np.sqrt(spread))},
    )  # fmt: skip
