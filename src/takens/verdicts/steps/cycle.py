"""Does it come back: one cycle, several, or none?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import TakensError
from ...measures.base import Refused
from ...measures.surrogates import cycle_shuffle, cycle_starts, prediction_error, significance
from ...random import generator
from ..base import NAN, Inquiry, Step
from ..cycle_map import NAMES as mapped
from ..cycle_map import cycle_map
from ..folding import best_fold
from ..lines import Lines
from ..repeats import NAMES as repeating
from ..repeats import repeats
from ..view import View

Array = NDArray[np.float64]

LEVEL = 0.05
SHUFFLED = 39


class Cycle(Inquiry):
    """Lines of the spectrum and whether they share one fundamental; returns after one cycle and after very many."""

    name = "cycle"
    question = "Does it come back?"
    statistics = (
        "return_height", "early_return", "far_return", "return_decay", "fold_rest", "fold_excess", "line_share",
        "first_line", "line_growth", "harmonic_share", "lattice_share", "line_count", "cycle_p", "cycle_z",
        "cycle_lengths", "cycle_heights", "spectral_flatness", "high_frequency_slope", *repeating, *mapped,
    )  # fmt: skip

    def look(self, view: View) -> Step:
        """Height of returns, share of power in lines, and a test against cycles that do not remember each other."""
        x, rho = view.x, view.autocorrelation
        found, height, lag = returns(rho, view.period)
        rest = best_fold(x, rho, lag) if height > 0.2 else 1.0
        found |= {"fold_rest": rest, "fold_excess": rest - (1 - max(found["far_return"], 0.0))}
        lines = Lines.of(x)
        found |= lines.statistics()
        period = float(lag) if height > 0.2 else view.period
        found |= shuffled(view, period) | cycle_spread(x, period)
        found |= repeats(x, view.period) | cycle_map(x, view.period)
        cyclic = found["far_return"] > 0.5 and lines.share > 0.5
        answer = "no" if height < 0.3 else "yes, and for good" if cyclic else "for a while"
        evidence = (
            f"The best return, after {lag * view.stride:,} samples, correlates by {height:.2f}; after more than a "
            f"quarter of the record by {found['far_return']:.2f}. Lines hold {lines.share:.0%} of the power; one mean "
            f"cycle explains {max(0.0, 1 - rest):.0%} of the variance."
        )  # fmt: skip
        p = found["cycle_p"]
        return Step(
            self.name, self.question, answer, evidence, "correlation of late returns", found["far_return"],
            f"cycles in random order: {SHUFFLED} cycle-shuffle surrogates", None if np.isnan(p) else float(10**p),
            LEVEL, "late returns above 0.5 and lines with half of the power: it comes back for good", True, found,
            {"autocorrelation": rho, "frequency": lines.frequency, "power": lines.power, "peaks": lines.peaks},
        )  # fmt: skip


def returns(rho: Array, period: float) -> tuple[dict[str, float], float, int]:
    """Heights of returns near and far, the height of the best, and the lag of the first as high but for 0.1."""
    down = np.flatnonzero(rho < 0.05)
    if len(down) == 0 or down[0] > len(rho) // 3:
        return dict.fromkeys(("return_height", "early_return", "far_return", "return_decay"), 0.0), 0.0, 0
    near = rho[down[0] : max(len(rho) // 2, down[0] + 2)]
    height = float(near.max())
    tops = np.flatnonzero((near[1:-1] >= near[:-2]) & (near[1:-1] >= near[2:]) & (near[1:-1] > height - 0.1)) + 1
    lag = int(down[0] + (tops[0] if len(tops) else np.argmax(near)))
    far = float(rho[len(rho) // 2 :].max())
    early = float(near[: max(3, round(3 * period))].max())
    found = {"return_height": height, "early_return": early, "far_return": far, "return_decay": far / max(height, 0.05)}
    return found, height, lag


def shuffled(view: View, period: float) -> dict[str, float]:
    """p and z of how well one cycle foretells the next, among records with the same cycles in random order."""
    x, _, _ = view.part.portion(2048)
    try:
        if period < 6:
            raise Refused("cycles are too short to shuffle")
        copies = cycle_shuffle(x, SHUFFLED, generator(view.seed, "verdict", "cycles"), period=period)
    except (Refused, TakensError):
        return {"cycle_p": NAN, "cycle_z": NAN}
    delay = max(1, round(period / 5))
    errors = prediction_error(np.concatenate([x[None], copies]), 3, delay, round(period), 5, 200)
    if not np.isfinite(errors).all():
        return {"cycle_p": NAN, "cycle_z": NAN}
    test = significance(-errors[:, None])
    z = (errors[1:].mean() - errors[0]) / max(float(errors[1:].std()), 1e-9)
    return {"cycle_p": float(np.log10(test.p_value)), "cycle_z": float(np.arcsinh(z))}


def cycle_spread(x: Array, period: float) -> dict[str, float]:
    """How much the lengths and the heights of cycles vary, over their means and over the record's spread."""
    try:
        starts = cycle_starts(x, max(period, 4.0))
    except TakensError:
        return {}
    if len(starts) < 6:
        return {}
    lengths = np.diff(starts)
    heights = np.maximum.reduceat(x, starts)[:-1]
    return {
        "cycle_lengths": float(np.log(max(lengths.std() / lengths.mean(), 1e-3))),
        "cycle_heights": float(np.log(max(heights.std(), 1e-3))),
    }
