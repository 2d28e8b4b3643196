"""Are there enough data?"""

from __future__ import annotations

import numpy as np

from ...measures.zero_one import oversampling
from ..base import Inquiry, Step
from ..noise import gamma_test
from ..view import View

LEAST_ROWS = 200
"""Values below which no verdict is attempted."""
LEAST_DISTINCT = 0.02
"""Share of distinct values below which only a few levels are seen."""
LEAST_LEVELS = 8
"""Different values below which order and distance mean little."""


class Enough(Inquiry):
    """How long the record is in samples, cycles and memories, how finely it is sampled, how noisy it looks."""

    name = "enough"
    question = "Are there enough data?"
    statistics = (
        "log_length", "log_cycles", "log_oversampling", "log_distinct", "log_independent", "noise_level",
        "noise_slope", "skewness", "kurtosis", "log_period",
    )  # fmt: skip

    def look(self, view: View) -> Step:
        """The gate: what every later step rests on."""
        x = view.x
        n, levels = len(x), len(np.unique(x))
        noise = gamma_test(x, min(6, max(2, n // 100)), view.delay, view.theiler)
        why = ""
        if len(view.channel.x) < LEAST_ROWS:
            why = f"{len(view.channel.x)} values; at least {LEAST_ROWS} are needed"
        elif levels < max(LEAST_LEVELS, LEAST_DISTINCT * min(n, 1000)):
            why = f"only {levels} different values; finer resolution is needed"
        independent = n / max(2 * view.memory, 1.0)
        found = {
            "log_length": np.log10(n), "log_cycles": np.log10(view.cycles),
            "log_oversampling": np.log10(oversampling(x)), "log_distinct": np.log10(levels / n),
            "log_independent": np.log10(independent), "noise_level": noise[0], "noise_slope": noise[1],
            "skewness": float(np.mean(x**3)), "kurtosis": float(np.log(np.mean(x**4))),
            "log_period": np.log10(view.period),
        }  # fmt: skip
        evidence = why or (
            f"{n:,} values, {view.cycles:.3g} mean cycles of {view.period:.3g} samples, about {independent:,.0f} "
            f"independent; what cannot be predicted is at most {noise[0]:.0%} of the spread"
        )
        return Step(
            self.name, self.question, "no" if why else "yes", f"{evidence[:1].upper()}{evidence[1:]}.", "values", n,
            threshold=f"at least {LEAST_ROWS} values on at least {LEAST_LEVELS} levels", statistics=found,
            details={"record": x, "period": view.period},
        )  # fmt: skip
