"""Does the present settle the future, in few dimensions?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import TakensError
from ...measures.base import Refused
from ...measures.dimensions.slopes import dimension_of
from ...measures.ordinal import break_ties, entropy_complexity, natural_steps, ordinal_patterns
from ...measures.surrogates import prediction_error
from ...neighbours import delay_vectors
from ...random import generator
from ..base import NAN, Inquiry, Step
from ..local_linear import NAMES as locally
from ..local_linear import local_linear
from ..noise import gamma_test
from ..residuals import innovations
from ..view import View

Array = NDArray[np.float64]

DIMENSIONS = (1, 2, 3, 5, 8)
PAIRS = 3000
"""Points whose distances are compared for the dimension."""
PREDICTABLE = 0.5
"""Prediction error, in standard deviations, below which the present says much of the future."""


class Deterministic(Inquiry):
    """Prediction from neighbours in several dimensions against a linear one, false neighbours, dimension, order."""

    name = "deterministic"
    question = "Does the present settle the future, in few dimensions?"
    statistics = (
        *(f"error_{m}" for m in DIMENSIONS), "best_error", "best_dimension", "linear_gain",
        *(f"false_{m}" for m in (1, 2, 3, 4, 6)), "cao_1", "cao_2", "cao_3", "cao_5", "cao_noise",
        "dimension_3", "dimension_7", "dimension_growth", "rough_2", "rough_8", "order_entropy", "order_complexity",
        "slow_entropy", "slow_complexity", "missing_patterns",
        "step_error", "step_gain", *locally,
    )  # fmt: skip

    def look(self, view: View) -> Step:
        """For determinism errors fall with dimension, false neighbours vanish and the dimension saturates."""
        found = errors(view)
        found |= false_neighbours(view) | dimensions(view) | order(view) | one_step(view.x)
        found |= local_linear(view.x, view.period, view.delay, view.theiler)
        for m in (2, 8):
            found[f"rough_{m}"] = gamma_test(view.thinned, m, 1, min(view.theiler, len(view.thinned) // 20))[0]
        best, dimension = found["best_error"], found["best_dimension"]
        low = [d for d in (1, 2, 3, 4, 6) if found.get(f"false_{d}", 1.0) < 0.05]
        predictable = best < PREDICTABLE and bool(low)
        evidence = f"One delay ahead the error is {best:.2g} standard deviations in {dimension:.0f} dimensions; " + (
            f"false neighbours vanish in {low[0]} dimensions" if low else "false neighbours do not vanish"
        )
        if "dimension_growth" in found:
            evidence += f"; the dimension reads {found['dimension_3']:.2g} in 3 and {found['dimension_7']:.2g} in 7"
        return Step(
            self.name, self.question, "yes" if predictable else "no", evidence + ".",
            "prediction error / standard deviation", best,
            threshold=f"error below {PREDICTABLE}, false neighbours below 5 %", statistics=found,
            details={"dimension": np.array(DIMENSIONS), "error": np.array([found[f"error_{m}"] for m in DIMENSIONS])},
        )  # fmt: skip


def errors(view: View) -> dict[str, float]:
    """Errors of prediction one delay ahead, from neighbours in several dimensions and from all linearly."""
    x, delay = view.x[: 4 * 2048], view.delay
    found = {}
    for m in DIMENSIONS:
        try:
            found[f"error_{m}"] = float(prediction_error(x, m, delay, delay, 4, 400))
        except TakensError:
            found[f"error_{m}"] = NAN
    values = np.array([found[f"error_{m}"] for m in DIMENSIONS])
    if np.isnan(values).all():
        raise Refused(f"{len(x)} values are too few for neighbours in one dimension with a delay of {delay}")
    best = int(np.nanargmin(values))
    m = DIMENSIONS[best]
    points = delay_vectors(x[:-delay], m, delay)
    ahead = x[len(x) - len(points) :]
    design = np.column_stack([points, np.ones(len(points))])
    rest = ahead - design @ np.linalg.lstsq(design, ahead, rcond=None)[0]
    linear = float(rest.std() / x.std())
    gain = np.log(max(values[best], 1e-4) / max(linear, 1e-4))
    return found | {"best_error": float(values[best]), "best_dimension": float(m), "linear_gain": float(gain)}


def false_neighbours(view: View) -> dict[str, float]:
    """Shares of false neighbours and Cao's ratios; empty where neighbours are missing."""
    found: dict[str, float] = {}
    settings = {"delay": view.delay, "theiler": view.theiler, "resamples": 1}
    shares = view.measured("false_nearest_neighbours", max_dimension=6, **settings).details.get("false_share")
    if shares is not None:
        found |= {f"false_{m}": float(shares[m - 1]) for m in (1, 2, 3, 4, 6)}
    cao = view.measured("embedding_dimension_cao", max_dimension=6, **settings).details
    if "e1" in cao:
        found |= {f"cao_{m}": float(cao["e1"][m - 1]) for m in (1, 2, 3, 5)}
        found["cao_noise"] = float(np.abs(cao["e2"] - 1).max())
    return found


def dimensions(view: View) -> dict[str, float]:
    """Correlation dimensions in 3 and 7 dimensions, and their ratio."""
    found: dict[str, float] = {}
    x, stride, _ = view.part.portion(PAIRS)
    delay, theiler = max(1, view.delay // stride), max(1, view.theiler // stride)
    for m in (3, 7):
        try:
            value = dimension_of(delay_vectors(x, m, delay), theiler=theiler, seed=view.seed).value
        except (Refused, TakensError):
            continue
        if value > 0:  # too few radii for a line can give any slope
            found[f"dimension_{m}"] = float(value)
    if len(found) == 2:
        found["dimension_growth"] = found["dimension_7"] / max(found["dimension_3"], 0.05)
    return found


def one_step(x: Array) -> dict[str, float]:
    """Error one sample ahead from neighbours of three samples, and against that of a linear autoregression."""
    error = float(prediction_error(x[: 4 * 2048], 3, 1, 1, 8, 400))
    linear = float(innovations(x).std())
    return {"step_error": error, "step_gain": float(np.log(max(error, 1e-4) / max(linear, 1e-4)))}


def order(view: View) -> dict[str, float]:
    """Entropy and complexity of ordinal patterns, at successive samples and at the pace of the motion; missing ones."""
    x = break_ties(view.x, generator(view.seed, "verdict", "ties"))
    pace = max(1, min(round(natural_steps(x) / 4), len(x) // 50))
    counts = [np.bincount(ordinal_patterns(x, 5, lag), minlength=120).astype(float) for lag in (1, pace)]
    entropy, complexity = (np.ravel(a) for a in entropy_complexity(np.array(counts)))
    return {
        "order_entropy": float(entropy[0]), "order_complexity": float(complexity[0]), "slow_entropy": float(entropy[1]),
        "slow_complexity": float(complexity[1]), "missing_patterns": float(np.mean(counts[1] == 0)),
    }  # fmt: skip
