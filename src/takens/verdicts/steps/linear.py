"""Is there more than linear noise?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...measures.ordinal import entropy_complexity, ordinal_patterns
from ...measures.surrogates import prediction_error, significance, time_reversal_asymmetry
from ..base import Inquiry, Step
from ..residuals import residual_statistics
from ..view import SURROGATES, View

Array = NDArray[np.float64]

LEVEL = 0.05
LABELS = {
    "asymmetry": "time asymmetry", "prediction": "predictability", "far_prediction": "predictability further ahead",
    "order": "ordinal complexity", "bursts": "clustering of large steps", "shape": "skewness of steps' sizes",
}  # fmt: skip


class Linear(Inquiry):
    """Six statistics among IAAFT surrogates: linear Gaussian noise seen through a monotone function."""

    name = "linear noise"
    question = "Is there more in it than linear noise?"
    statistics = (
        "linear_p", *(f"{name}_z" for name in LABELS), "prediction", "far_prediction", "residual_kurtosis",
        "residual_bursts", "residual_skewness", "residual_order", "linear_error", "ranked_kurtosis",
    )  # fmt: skip

    def look(self, view: View) -> Step:
        """The family's p-value, exact if the null holds, and how far each statistic lies from the surrogates'."""
        family, delay = view.family, view.tested_delay
        values = np.stack([
            np.abs(time_reversal_asymmetry(family, delay)), -prediction_error(family, 3, delay, delay, 5, 400),
            -prediction_error(family, 4, delay, 4 * delay, 5, 300), ordinal_order(family, delay), bursts(family),
            -np.abs(step_shape(family)),
        ], axis=1)  # fmt: skip
        if not np.isfinite(values).all():
            return Step(self.name, self.question, "cannot be said", "Too few values for neighbours of each state.",
                        admissible=False)  # fmt: skip
        found = significance(values, "both")
        spread = np.maximum(values[1:].std(axis=0), 1e-9)
        z = (values[0] - values[1:].mean(axis=0)) / spread
        statistics = {f"{name}_z": float(np.arcsinh(one)) for name, one in zip(LABELS, z, strict=True)}
        statistics |= {
            "linear_p": np.log10(found.p_value),
            "prediction": -values[0, 1],
            "far_prediction": -values[0, 2],
        }
        statistics |= residual_statistics(view.x) | {"ranked_kurtosis": float(np.log(np.mean(family[0] ** 4)))}
        sure = [label for label, p in zip(LABELS.values(), found.adjusted, strict=True) if p <= LEVEL]
        names = ", ".join(f"{label} p = {p:.2g}" for label, p in zip(LABELS.values(), found.p_values, strict=True))
        more = found.p_value <= LEVEL
        few = "Only together do the statistics differ from those of linear noise" if more else "No statistic stands out"
        said = f"Linear noise of the same spectrum does not show such {' and '.join(sure)}" if sure else few
        return Step(
            self.name, self.question, "yes" if more else "not that one could see", f"{said} ({names}).",
            "prediction error / standard deviation", -float(values[0, 1]),
            f"linear Gaussian noise through a monotone function: {SURROGATES} IAAFT surrogates", found.p_value, LEVEL,
            f"p <= {LEVEL} of the family (min-p)", True, statistics,
            {"values": values, "names": list(LABELS.values())},
        )  # fmt: skip


def ordinal_order(rows: Array, delay: int) -> Array:
    """Statistical complexity of patterns of 4 values `delay` apart of each of `rows (row, time)`."""
    counts = np.stack([np.bincount(ordinal_patterns(row, 4, delay), minlength=24) for row in rows]).astype(float)
    return np.asarray(entropy_complexity(counts)[1])


def bursts(rows: Array) -> Array:
    """Mean autocorrelation at lags 1 to 8 of the size of steps of `rows (..., time)`: large ones come together."""
    size = np.log(np.abs(np.diff(rows, axis=-1)) + 1e-3)
    size = size - size.mean(axis=-1, keepdims=True)
    total = np.maximum((size**2).sum(axis=-1), 1e-300)
    return np.asarray(sum((size[..., k:] * size[..., :-k]).sum(axis=-1) for k in range(1, 9)) / total / 8)


def step_shape(rows: Array) -> Array:
    """log <d^4> / <d^2>^2 of steps, less that of the normal distribution."""
    d = np.diff(rows, axis=-1)
    return np.asarray(np.log(np.mean(d**4, axis=-1) / np.maximum(np.mean(d**2, axis=-1) ** 2, 1e-300) / 3))
