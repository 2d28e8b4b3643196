"""Sample entropy against the scale of averaging: multiscale, composite and refined composite."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError
from ...estimate import Estimate
from ..base import Channel, Refused, measure
from ..entropy_inference import block_labels
from ..timescales import correlation_steps
from .templates import STEP, Matches, interval, scale_influence, template_matches, variance

Array = NDArray[np.float64]
Kind = Literal["plain", "composite", "refined composite"]


def coarse_grained(x: Array, scale: int, offset: int = 0) -> Array:
    """Means `((time - offset) // scale,)` of successive groups of `scale` values, from `offset` on."""
    groups = (len(x) - offset) // scale
    return x[offset : offset + groups * scale].reshape(groups, scale).mean(axis=1)


def _at(parts: list[Matches], kind: Kind) -> tuple[float, list[Array], float]:
    """The entropy of the coarse series of all offsets, the influences of their templates, and the noise of pairs."""
    if kind == "refined composite":
        b, a = (sum(part.pairs[i] for part in parts) for i in (0, 1))
        value = -np.log(a / b) if a > 0 else np.inf
        # One template's share in the sums over all offsets.
        influence = [part.shorter / b - part.longer / max(a, 1.0) for part in parts]
        return float(value), influence, (1 - a / b) / max(a, 1.0) if b > 0 else 0.0
    value = float(np.mean([part.entropy for part in parts]))
    if not np.isfinite(value):
        return value, [], 0.0
    pairs = [part.pairs for part in parts]
    noise = sum((1 - a / b) / a for b, a in pairs) / len(parts) ** 2
    return value, [part.influence / len(parts) for part in parts], noise


def _scale(
    x: Array, scale: int, dimension: int, r: float, kind: Kind, memory: int, level: float
) -> tuple[float, float, float, float]:
    """Entropy at one scale, the ends of its interval, and the number of longer matches."""
    offsets = range(scale) if kind != "plain" else range(1)
    series = [coarse_grained(x, scale, offset) for offset in offsets]
    parts = [template_matches(coarse, dimension, 1, r) for coarse in series]
    value, influence, noise = _at(parts, kind)
    longer = sum(part.pairs[1] for part in parts)
    if not np.isfinite(value):
        return value, np.nan, np.nan, longer
    wider, _, _ = _at([template_matches(coarse, dimension, 1, STEP * r) for coarse in series], kind)
    whole = (wider - value) / np.log(STEP) * scale_influence(x, len(x))
    labels = block_labels(len(x), max((dimension + 1) * scale, memory))
    for offset, part in zip(offsets, influence, strict=True):
        np.add.at(whole, offset + scale * np.arange(len(part)), part)
    blocks = int(labels[-1]) + 1
    low, high = interval(value, variance(whole, labels, noise if kind == "plain" else 0.0), blocks, level)
    return value, low, high, longer


def _curve(
    channel: Channel, kind: Kind, scales: int | None, dimension: int, tolerance: float, level: float
) -> Estimate:
    """The curve of entropies against the scale, as far as it is defined."""
    x, stride, used = channel.portion(20_000)
    n = len(x)
    chosen = {}
    if scales is None:
        scales = min(20, n // 100)
        chosen["scales"] = "20, or as many as leave 100 coarse values"
    if scales < 1 or n // scales <= dimension + 1:
        raise SettingError(f"{scales} scales of {n} values", place="scales", remedy="Take fewer scales.")
    if not tolerance > 0:
        raise SettingError(f"tolerance must be positive, got {tolerance}", place="tolerance")
    r, memory = tolerance * float(x.std()), correlation_steps(x)
    rows = []
    for scale in range(1, scales + 1):
        row = _scale(x, scale, dimension, r, kind, memory, level)
        if not np.isfinite(row[0]):
            break
        rows.append(row)
    if not rows:
        raise Refused(f"no template of {dimension} + 1 values meets another: more values or a larger tolerance")
    table = np.array(rows)
    reason = ""
    if len(rows) < scales:
        reason = f"no matches at scale {len(rows) + 1}: more values, fewer scales or a larger tolerance"
    elif table[:, 3].min() < 10:
        worst = int(np.argmin(table[:, 3])) + 1
        reason = f"{table[:, 3].min():g} pairs stay alike at scale {worst}; 10 are needed"
    elif n // scales < 10**dimension:
        reason = f"{n // scales} values at scale {scales}; dimension {dimension} needs {10**dimension}"
    settings = {"scales": len(rows), "dimension": dimension, "tolerance": tolerance, "radius": r, "stride": stride,
                "used": used or "all"}  # fmt: skip
    return Estimate(
        "", table[:, 0], "nat", (table[:, 1], table[:, 2]), level,
        f"{kind} sample entropy of means over 1 to {len(rows)} values, one radius; influences over blocks, each scale "
        "by itself", settings, chosen, not reason, reason,
        details={
            "scales": np.arange(1, len(rows) + 1), "longer": table[:, 3],
            "times": np.arange(1, len(rows) + 1) * channel.interval * stride,
            "complexity_index": float(table[:, 0].sum()),
        },
    )  # fmt: skip


@measure(family="entropies", reference="Costa, Goldberger and Peng, Phys. Rev. Lett. 89, 068102 (2002)", minimum=200)
def multiscale_entropy(
    channel: Channel, *, scales: int | None = None, dimension: int = 2, tolerance: float = 0.15, level: float = 0.9,
    seed: int = 0,
) -> Estimate:  # fmt: skip
    """Sample entropies in nats `(scales,)` of means over 1, 2, ... successive values, with one radius for all.

    The radius is `tolerance` standard deviations of the original series, so that the fall of variance under averaging
    is seen: white noise falls with the scale, 1/f noise stays. Intervals hold for each scale by itself. Admissible
    from 10^m coarse values and ten longer matches at every scale; the curve ends where no match is left. Long channels
    use a stated part (20,000 values). Cost: O(N^2 / scale^2) a scale, mostly the first.
    """
    return _curve(channel, "plain", scales, dimension, tolerance, level)


@measure(family="entropies", reference="Wu et al., Entropy 15, 1069 (2013)", minimum=200)
def composite_multiscale_entropy(
    channel: Channel, *, scales: int | None = None, dimension: int = 2, tolerance: float = 0.15, level: float = 0.9,
    seed: int = 0,
) -> Estimate:  # fmt: skip
    """Multiscale entropy averaged over all offsets of the means: less scatter at long scales.

    Sample entropies of the `scale` coarse series that start at successive values are averaged; undefined if one of
    them is, which the refined form mends. The rest as in `multiscale_entropy`. Cost: O(N^2 / scale) a scale.
    """
    return _curve(channel, "composite", scales, dimension, tolerance, level)


@measure(family="entropies", reference="Wu et al., Phys. Lett. A 378, 1369 (2014)", minimum=200)
def refined_composite_multiscale_entropy(
    channel: Channel, *, scales: int | None = None, dimension: int = 2, tolerance: float = 0.15, level: float = 0.9,
    seed: int = 0,
) -> Estimate:  # fmt: skip
    """Multiscale entropy from the matches of all offsets together: -ln(sum A / sum B), defined where one has none.

    The best of the three for short series. The rest as in `multiscale_entropy`. Cost: O(N^2 / scale) a scale.
    """
    return _curve(channel, "refined composite", scales, dimension, tolerance, level)
