"""Does the channel keep its rules?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...measures.ordinal import break_ties, jensen_shannon, ordinal_patterns
from ...measures.stationarity import block_features, slow_share
from ...random import generator
from ..base import NAN, Inquiry, Step
from ..view import View

Array = NDArray[np.float64]

LEVEL = 0.05
BLOCKS = 16
"""Parts of the record whose features are compared, whether or not they are long enough to be independent."""
SHUFFLES = 40
NAMES = ("mean", "spread", "roughness", "ordinal entropy")


class Stationary(Inquiry):
    """Slow change of mean, spread, spectrum and ordinal patterns; memory so long that it cannot be told from drift."""

    name = "stationary"
    question = "Does it keep its rules over the record?"
    statistics = (
        "drift_p", "drift_mean", "drift_spread", "drift_roughness", "drift_ordinal", "level_shift", "spread_shift",
        "spectrum_shift", "ordinal_shift", "long_memory", "halves_distance", "last_return",
    )  # fmt: skip

    def look(self, view: View) -> Step:
        """The permutation test of `takens.measures.stationarity`, and drift that is too slow for it."""
        x = view.x
        found = drift(x, view.memory, generator(view.seed, "verdict", "drift"))
        found["long_memory"] = long_memory(view.thinned)
        threshold = f"p > {LEVEL}; slow change of {', '.join(NAMES)} in the order of the record"
        null = "blocks of ten memories come in any order"
        test = view.measured("stationarity", permutations=499)
        if test.value is None:
            evidence = f"Drift and slow fluctuation cannot be told apart: {test.reason}."
            return Step(self.name, self.question, "cannot be said", evidence, "", None, null, None, LEVEL, threshold,
                        False, found, {"blocks": _blocks(x)})  # fmt: skip
        p = float(test.value)
        found["drift_p"] = np.log10(p)
        guilty = [name for name, value in zip(NAMES, test.details["p_values"], strict=True) if value <= LEVEL]
        if p > LEVEL:
            answer, evidence = "yes, as far as can be seen", "Mean, spread, spectrum and ordinal patterns do not drift."
        else:
            answer, evidence = "no", f"Slow change in {' and '.join(guilty) or 'the features together'}."
        share = max(found[name] for name in ("drift_mean", "drift_spread", "drift_roughness", "drift_ordinal"))
        return Step(self.name, self.question, answer, evidence, "largest slow share of a feature", share, null, p,
                    LEVEL, threshold, True, found, {"blocks": _blocks(x)})  # fmt: skip


def _blocks(x: Array) -> Array:
    """Mean and spread `(block, 2)` along the record, for the figure."""
    parts = np.array_split(x, BLOCKS)
    return np.array([[part.mean(), part.std()] for part in parts])


def drift(x: Array, memory: float, rng: np.random.Generator) -> dict[str, float]:
    """How differently the parts of `x (time,)` behave, whatever chance would do."""
    size = len(x) // BLOCKS
    blocks = x[: BLOCKS * size].reshape(BLOCKS, size)
    features = block_features(blocks + 1e-9 * rng.normal(size=blocks.shape), 3)  # which breaks ties
    shares = slow_share(features, np.arange(BLOCKS)[None], 3)[0]
    independent = max(len(x) / max(memory, 1.0), 2.0)
    walk = np.cumsum(x - x.mean())
    spreads = np.log(np.maximum(blocks.std(axis=1), 1e-12))
    half = len(x) // 2
    first, second = np.sort(x[:half]), np.sort(x[half:])
    grid = np.concatenate([first, second])
    apart = np.abs(
        np.searchsorted(first, grid, "right") / len(first) - np.searchsorted(second, grid, "right") / len(second)
    )
    outside = blocks[-1].mean(), blocks[:-1].min(), blocks[:-1].max()
    return {
        **dict(zip(("drift_mean", "drift_spread", "drift_roughness", "drift_ordinal"), shares, strict=True)),
        "level_shift": float(np.ptp(walk) / (np.sqrt(len(x)) * np.sqrt(max(memory, 1e-3)))),
        "spread_shift": float(np.std(spreads)), "spectrum_shift": spectrum_shift(blocks),
        "ordinal_shift": ordinal_shift(x, rng), "halves_distance": float(apart.max() * np.sqrt(independent) / 2),
        "last_return": float(np.clip((outside[0] - outside[1]) / max(outside[2] - outside[1], 1e-12), -1, 2)),
    }  # fmt: skip


def spectrum_shift(blocks: Array) -> float:
    """Mean distance of the log spectra of the halves, over that of even and odd blocks; both in eight bands."""
    power = np.abs(np.fft.rfft((blocks - blocks.mean(axis=1, keepdims=True)) * np.hanning(blocks.shape[1]))) ** 2
    edges = np.unique(np.geomspace(1, power.shape[1], 9).astype(int))
    bands = np.log(np.maximum(np.add.reduceat(power, edges[:-1], axis=1), 1e-12))
    halves = np.abs(bands[: len(bands) // 2].mean(axis=0) - bands[len(bands) // 2 :].mean(axis=0)).mean()
    mixed = np.abs(bands[::2].mean(axis=0) - bands[1::2].mean(axis=0)).mean()
    return float(np.log(max(halves, 1e-6) / max(mixed, 1e-6)))


def ordinal_shift(x: Array, rng: np.random.Generator) -> float:
    """Log of the Jensen-Shannon distance of the halves' ordinal patterns, over that of random halves of blocks."""
    codes = ordinal_patterns(break_ties(x, rng), 4)
    parts = np.array([np.bincount(part, minlength=24) for part in np.array_split(codes, BLOCKS)]).astype(float)

    def distance(order: NDArray[np.int64]) -> float:
        one, other = parts[order[: BLOCKS // 2]].sum(axis=0), parts[order[BLOCKS // 2 :]].sum(axis=0)
        return float(jensen_shannon(one / one.sum(), other / other.sum()))

    mixed = np.median([distance(rng.permutation(BLOCKS)) for _ in range(SHUFFLES)])
    return float(np.log(max(distance(np.arange(BLOCKS)), 1e-9) / max(float(mixed), 1e-9)))


def long_memory(x: Array) -> float:
    """The exponent d of the spectrum f^(-2d) at the lowest frequencies (Geweke & Porter-Hudak 1983); 1 for a walk."""
    count = int(len(x) ** 0.55)
    if count < 8:
        return NAN
    taper = np.sin(np.pi * (np.arange(len(x)) + 0.5) / len(x))  # a cosine bell: d up to 1.5 without leakage
    power = np.abs(np.fft.rfft((x - x.mean()) * taper))[2 : count + 2] ** 2
    where = np.log(np.arange(2, count + 2))
    return float(-np.polyfit(where, np.log(np.maximum(power, 1e-12)), 1)[0] / 2)
