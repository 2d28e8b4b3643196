"""Correlation dimension and Takens estimator of one channel, where they stop growing with the embedding dimension."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...estimate import Estimate
from ...neighbours import delay_vectors
from ..base import Channel, Refused, measure
from ..embedding import delay_steps, mean_period_steps, theiler_steps
from .slopes import DimensionFit, dimension_of
from .takens_estimator import takens_estimate

Array = NDArray[np.float64]

LONGEST = 20_000
"""Samples in which pairs are counted at most."""

GROWTH = 0.25
"""How much a dimension may change over the next two embedding dimensions and count as saturated; noise changes by 2."""

WIDEST = 0.25
"""Half of the interval, relative to the value, above which a dimension is not admissible."""


@dataclass(frozen=True)
class Embedding:
    """A channel ready to be embedded: values, delay and Theiler window in samples, and how they were chosen."""

    x: Array
    delay: int
    theiler: int
    stride: int
    left_out: str
    chosen: dict[str, str]

    @classmethod
    def of(cls, channel: Channel, delay: int | None, theiler: int | None, most: int = LONGEST) -> Embedding:
        """The channel's `most` middle values, with what is not given chosen from them."""
        x, stride, left_out = channel.portion(most, 10)
        chosen = {}
        if delay is None:
            delay, chosen["delay"] = delay_steps(x), "first minimum of the mutual information"
        if theiler is None:
            theiler, chosen["theiler"] = theiler_steps(x), "first zero of the autocorrelation or the mean period"
        return cls(x, delay, theiler, stride, left_out, chosen)

    def points(self, dimension: int) -> Array:
        """Delay vectors `(time, dimension)`. Raises `Refused` where the record is too short for them."""
        if len(self.x) - (dimension - 1) * self.delay < 2 * self.theiler + 100:
            raise Refused(f"{len(self.x)} values are too few for {dimension} delays of {self.delay}")
        return delay_vectors(self.x, dimension, self.delay)

    @property
    def settings(self) -> dict[str, Any]:
        """What an estimate reports."""
        return {"delay": self.delay, "theiler": self.theiler, "thinned": self.stride, "used": self.left_out or "all"}


def fits_by_dimension(
    embedded: Embedding, most: int, fit: Callable[..., DimensionFit], seed: int
) -> tuple[list[DimensionFit], str]:
    """The fit in 1, 2, ... dimensions until it saturates, cannot be had, or `most` is reached; and why it ended."""
    found: list[DimensionFit] = []
    for m in range(1, most + 1):
        try:
            found.append(fit(embedded.points(m), theiler=embedded.theiler, seed=seed))
        except Refused as refusal:
            return found, f"in {m} dimensions: {refusal}"
        first = plateau([f.value for f in found])
        if first is not None and len(found) >= first + 4:
            return found, ""
    return found, f"it still changes in {most} dimensions"


def plateau(values: list[float]) -> int | None:
    """The first embedding dimension, less 1, from which a dimension changes by less than `GROWTH` over the next two.

    Or the one after it, where the change from there is smaller: one delay too few can look like a plateau already.
    """
    ranges = [max(values[i : i + 3]) - min(values[i : i + 3]) for i in range(len(values) - 2)]
    for i, change in enumerate(ranges):
        if change < GROWTH:
            return i + 1 if ranges[i + 1 : i + 2] and ranges[i + 1] < change else i
    return None


def answer(
    channel: Channel, embedded: Embedding, most: int, fit: Callable[..., DimensionFit], method: str, level: float,
    seed: int,
) -> Estimate:  # fmt: skip
    """The estimate of a dimension that has to saturate: the middle of its plateau, with the plateau's range added."""
    fits, ended = fits_by_dimension(embedded, most, fit, seed)
    if not fits:
        raise Refused(ended)
    values = [f.value for f in fits]
    at = plateau(values)
    best = fits[-1 if at is None else at + 1]
    settings = {**embedded.settings, "max_dimension": most}
    details: dict[str, Any] = {
        "dimension": np.arange(1, len(fits) + 1), "correlation_dimension": np.array(values),
        "half_width": np.array([f.half_width(level) for f in fits]),
        "radius": [f.radii for f in fits], "correlation_sum": [f.correlation_sum for f in fits],
        "corrected": [f.corrected for f in fits], "region": [f.region for f in fits],
    }  # fmt: skip
    if at is None:
        growing = ", ".join(f"{v:.2f}" for v in values)
        like = ", as for noise" if values[-1] > 0.7 * len(values) else ""
        reason = f"no saturation{like}: in 1 to {len(values)} dimensions it is {growing}; {ended}"
        return Estimate("", None, "", None, level, method, settings, embedded.chosen, False, reason, details=details)
    settings["embedding_dimension"] = at + 2
    settings["chance"], settings["systematic"] = best.error, best.systematic
    half = float(np.hypot(best.half_width(level), np.ptp(values[at : at + 3]) / 2))
    reason = _objection(best.value, half, len(embedded.x), mean_period_steps(embedded.x), level)
    return Estimate(
        "", best.value, "", (best.value - half, best.value + half), level, method, settings,
        {**embedded.chosen, "embedding_dimension": "the middle of the first three that agree"}, not reason, reason,
        details=details,
    )  # fmt: skip


def _objection(value: float, half: float, n: int, period: float, level: float) -> str:
    most = 2 * np.log10(n)
    if value > most:
        return f"{n:,} values resolve dimensions up to {most:.1f}; {value:.2f} needs {10 ** (value / 2):,.0f}"
    if n < 20 * period:
        return f"the record holds {n / period:.3g} mean periods; 20 are needed"
    if half > WIDEST * abs(value):
        return f"the {level:.0%} interval is {value:.2f} -/+ {half:.2f}: no straight part of the curve is long enough"
    return ""


@measure(family="dimensions", reference="Grassberger and Procaccia, Physica D 9, 189 (1983)", minimum=500)
def correlation_dimension(
    channel: Channel, *, delay: int | None = None, theiler: int | None = None, max_dimension: int = 8,
    level: float = 0.95, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Correlation dimension D2 of the reconstructed attractor: C(r) ~ r^D2 for small r.

    C(r) is the share of pairs of delay vectors at most r apart, outside the Theiler window (first zero of the
    autocorrelation or the mean period). For each embedding dimension the slope of ln C over ln r is the mode of all
    straight fits, corrected for the attractor's edge (`dimensions.slopes.dimension_of`). A dimension is only given
    where three embedding dimensions in a row agree within 0.25; where there are none, as for white noise, there is
    no value. The interval joins chance (jackknife over 16 blocks of time), systematic error (edge, uneven slope, 1 %)
    and the range of the plateau. At a nominal 95 % the admissible ones of 24 records each held the limit in 136 of 143:
    Henon (2,000 values: 24 of 24; 5,000: 21 of 24), Lorenz x, z (3,000; 41 of 41), Roessler x (3,000 and 5,000; 29 of
    30, 18 refused), logistic (2,000; 21 of 24). Of 5,000 samples of a sine, whose points are a lattice, it holds 80 %.

    Admissible below 2 log10(N) (Eckmann and Ruelle 1992), with 20 mean periods, and a half width below a quarter of
    the value. Where the density of states has integrable poles the slope nears its limit only like 1/ln r: Roessler
    attractors give 1.85, not 1.99, at any radius that data reach, and the logistic map at r = 4 gives 0.97, not 1.
    Where local slopes rise towards small radii all the way, the interval is widened by what that leaves
    (`slopes.slow_approach`); where they scatter it need not contain the limit. Coloured noise can saturate as well
    (Osborne and Provenzale 1989): see `surrogate_test`. Details, one entry an embedding dimension: `dimension`,
    `correlation_dimension`, `half_width`, `radius`, `correlation_sum`, `corrected`, `region`. At most 20,000 samples.
    Cost: below a second for 10,000 values.
    """
    embedded = Embedding.of(channel, delay, theiler)
    return answer(channel, embedded, max_dimension, dimension_of, "slope of the correlation sum, ensemble of fits",
                  level, seed)  # fmt: skip


@measure(family="dimensions", reference="Takens, Lecture Notes in Mathematics 1125, 99 (1985)", minimum=500)
def takens_dimension(
    channel: Channel, *, delay: int | None = None, theiler: int | None = None, max_dimension: int = 8,
    level: float = 0.95, seed: int = 0,
) -> Estimate:  # fmt: skip
    """Takens' maximum-likelihood estimator of the correlation dimension: D = -1 / <ln(r_ij / r)> over pairs within r.

    Needs no straight line to be found, but a largest radius r: the estimates at all radii of the scaling range are
    extrapolated linearly to r = 0, which takes the attractor's edge off. Saturation, intervals, admissibility, what it
    cannot see and details as for `correlation_dimension`, with `estimator` (the curve over r) for `correlation_sum`.
    Theiler (1990) on its variance. Cost: that of `correlation_dimension`.
    """
    embedded = Embedding.of(channel, delay, theiler)
    return answer(channel, embedded, max_dimension, takens_estimate, "maximum likelihood, extrapolated to radius 0",
                   level, seed)  # fmt: skip
