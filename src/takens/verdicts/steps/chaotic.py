"""Do small differences grow exponentially?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import TakensError
from ...estimate import Estimate
from ...measures.base import REGISTRY, Refused
from ...measures.surrogates import prediction_error
from ...measures.zero_one import translation_growth
from ...random import generator
from ..base import NAN, Inquiry, Step
from ..spreading import NAMES as spread_names
from ..spreading import spreading
from ..view import View

Array = NDArray[np.float64]

AHEAD = (1, 2, 4, 8, 16)
"""Horizons, in delays, at which the growth of errors is read."""
FREQUENCIES = 60
CHAOTIC_K, REGULAR_K = 0.8, 0.5


class Chaotic(Inquiry):
    """Growth rate of small differences, of prediction errors with their horizon, and of the 0-1 test's translation."""

    name = "chaotic"
    question = "Do small differences grow exponentially?"
    statistics = (
        "growth_k", "growth_k_damped", "growth_k_spread", "exponent", "exponent_low", "exponent_error", "divergence",
        "divergence_straight", "divergence_jump", "divergence_rise", *(f"ahead_{k}" for k in AHEAD), "error_growth",
        *spread_names,
    )  # fmt: skip

    def look(self, view: View) -> Step:
        """Chaos needs a positive exponent with its interval and K near 1; noise has K near 1 as well."""
        found = zero_one(view) | divergence(view) | horizons(view)
        found |= spreading(view.x, view.period, view.delay, view.theiler)
        exponent = REGISTRY["largest_lyapunov_exponent"].on(view.part, "x", seed=view.seed)
        words = f"K of the 0-1 test is {found['growth_k']:.2f}"
        if exponent.value is not None and exponent.interval is not None:
            low, high = (view.period * end for end in exponent.interval)
            found |= {
                "exponent": float(np.arcsinh(10 * view.period * exponent.value)),
                "exponent_low": float(np.arcsinh(10 * low)),
                "exponent_error": float(np.log(max(high - low, 1e-6))),
            }  # fmt: skip
            words = f"The exponent is {view.period * exponent.value:.2g} a cycle [{low:.2g}, {high:.2g}]; {words}"
            words += "" if exponent.admissible else f"; but {exponent.reason}"
        else:
            words = f"No exponent: {exponent.reason}; {words}"
        positive = bool(exponent.admissible and exponent.interval and exponent.interval[0] > 0)
        k, value = found["growth_k"], None if exponent.value is None else float(view.period * exponent.value)
        yes, no = positive and k > CHAOTIC_K, not positive and k < REGULAR_K
        return Step(
            self.name, self.question, "yes" if yes else "no" if no else "cannot be said", f"{words}.",
            "largest Lyapunov exponent, 1/cycle", value,
            threshold=f"interval of the exponent above 0 and K > {CHAOTIC_K}; no: K < {REGULAR_K}",
            admissible=exponent.admissible, statistics=found, details=_curves(view, exponent, found),
        )  # fmt: skip


def _curves(view: View, exponent: Estimate, found: dict[str, float]) -> dict[str, object]:
    known = None
    if exponent.value is not None and exponent.interval is not None:
        known = (float(exponent.value), *(float(end) for end in exponent.interval))
    curves: dict[str, object] = {
        "exponent": known,
        "ahead": np.array(AHEAD) * view.delay,
        "error": [found[f"ahead_{k}"] for k in AHEAD],
    }
    return curves | {key: exponent.details[key] for key in ("lag", "divergence", "region") if key in exponent.details}


def zero_one(view: View) -> dict[str, float]:
    """K of the thinned record at random frequencies, without and with damping, and how much it depends on them."""
    x = view.thinned[:5000]
    frequencies = generator(view.seed, "verdict", "zero-one").uniform(np.pi / 5, 4 * np.pi / 5, FREQUENCIES)
    plain, damped = (translation_growth(x, frequencies, damping) for damping in (0.0, 1.5))
    return {
        "growth_k": float(np.median(plain)), "growth_k_damped": float(np.median(damped)),
        "growth_k_spread": float(np.subtract(*np.quantile(plain, [0.75, 0.25]))),
    }  # fmt: skip


def divergence(view: View) -> dict[str, float]:
    """Shape of the mean logarithmic distance of neighbours: first jump, slope a cycle, straightness, whole rise."""
    from ...measures.divergence import rosenstein_curve
    from ...neighbours import delay_vectors

    m = 5
    longest = int(max(4 * m * view.delay, 3 * view.period))
    x = view.x
    if len(x) < (m - 1) * view.delay + 4 * longest:
        longest = (len(x) - (m - 1) * view.delay) // 5
    lags = np.unique(np.linspace(0, max(longest, 6), 60).round().astype(np.int64))
    try:
        sums, counts = rosenstein_curve(delay_vectors(x, m, view.delay), view.theiler, lags)
    except (Refused, TakensError):
        return {}
    curve = sums.sum(axis=0) / np.maximum(counts.sum(axis=0), 1)
    span = int(np.searchsorted(lags, min(m * view.delay, lags[-1] // 2)))
    top = float(curve[-len(curve) // 4 :].mean())
    inside = np.arange(len(curve)) >= span
    below = inside & (curve < top - 0.3)
    stop = int(np.argmax(~below & inside)) if (~below & inside).any() else len(curve)
    found = {
        "divergence_jump": float(curve[max(span, 1)] - curve[0]),
        "divergence_rise": float(top - curve[max(span, 1)]),
    }
    if stop - span >= 4:
        slope = np.polyfit(lags[span:stop], curve[span:stop], 1)
        rest = curve[span:stop] - np.polyval(slope, lags[span:stop])
        found["divergence"] = float(np.arcsinh(10 * slope[0] * view.period))
        found["divergence_straight"] = float(1 - rest.var() / max(curve[span:stop].var(), 1e-12))
    return found


def horizons(view: View) -> dict[str, float]:
    """Errors of prediction 1 to 16 delays ahead, and how fast their logarithm grows at first."""
    x, found = view.x[: 4 * 2048], {}
    for k in AHEAD:
        try:
            found[f"ahead_{k}"] = float(prediction_error(x, 4, view.delay, k * view.delay, 4, 300))
        except TakensError:
            found[f"ahead_{k}"] = NAN
    first, later = found["ahead_1"], found["ahead_4"]
    return found | {"error_growth": float(np.log(max(later, 1e-4) / max(first, 1e-4)))}
