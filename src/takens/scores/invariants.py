"""Errors of invariants: correlation dimension and largest Lyapunov exponent of a free run against the truth's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from ..errors import SettingError
from ..series import Series
from .base import Array, Score
from .climate import Runs, invariant_score
from .spectra import longest_stretch

GRASSBERGER = "Grassberger & Procaccia, Physica D 9, 189 (1983)"
CLAUSET = "Clauset, Shalizi & Newman, SIAM Rev. 51, 661 (2009), as in dysts"
ROSENSTEIN = "Rosenstein, Collins & De Luca, Physica D 65, 117 (1993)"
LEAST = 500
"""Rows with which a dimension or an exponent is estimated, at least."""

Value = tuple[float | None, str]
"""An estimate, or None and why there is none."""


@invariant_score
def correlation_dimension_error(runs: Runs, *, legacy: Literal["dysts"] | None = None, seed: int = 0) -> Score:
    """Absolute difference of the correlation dimensions of the generated and the true run.

    Called as `correlation_dimension_error(generated, true)`. Several channels are points of the state space, in
    standard deviations of each; one channel is unfolded until its dimension saturates; pairs within a Theiler
    window do not count. `details` holds both dimensions. Undefined, with the reason, where the truth shows no
    dimension; infinite where the run fails or shows none. The floor is the difference between the two halves of
    the truth.

    `legacy="dysts"`: the exponent 1 + n / sum ln(r / r_min) of the n distances r of all pairs above their 5th
    percentile and below the median of these, as if they were distributed by a decreasing power law, without a
    window. It follows the dimension only roughly: 2.05 for Lorenz-63, but 2.6 for three independent channels.
    Cost: that of the pairs close to one another; of all pairs for `legacy`.
    """
    if legacy not in (None, "dysts"):
        raise SettingError(f"no legacy dimension {legacy!r}", remedy="Use 'dysts'.")
    estimate: Callable[[Array], Value] = _power_law if legacy else (lambda x: _dimension(x, seed))
    label = {"name": "correlation_dimension_error", "reference": CLAUSET if legacy else GRASSBERGER}
    settings: dict[str, Any] = {"legacy": legacy}
    return _difference(runs, estimate, label, settings)


@invariant_score
def largest_exponent_error(
    runs: Runs, *, exponent: float | None = None, true_exponent: float | None = None, seed: int = 0
) -> Score:
    """Absolute difference of the largest Lyapunov exponents of the generated and the true run, in 1 / time.

    Called as `largest_exponent_error(generated, true, exponent=...)`. Both are estimated with Rosenstein's method, the
    median over the channels that show one, unless they are given: `exponent` of the model, best from
    `lyapunov_spectrum(law.system)`, and `true_exponent` per unit of time. Estimates from data lie up to a quarter off,
    so compare like with like: give both or none. `details` holds both. Undefined where the truth shows no exponential
    growth; infinite where the run fails or shows none. The floor is the difference between the two halves of the truth
    (None where the true exponent is given). Cost: two neighbour searches a channel.
    """

    def estimate(x: Array) -> Value:
        return _exponent(x, runs.interval, seed)

    label = {"name": "largest_exponent_error", "reference": ROSENSTEIN, "unit": "1/time"}
    settings = {"exponent": exponent, "true_exponent": true_exponent}
    return _difference(runs, estimate, label, settings, known=(exponent, true_exponent))


def _difference(
    runs: Runs, estimate: Callable[[Array], Value], label: dict[str, Any], settings: dict[str, Any], *,
    known: tuple[float | None, float | None] = (None, None),
) -> Score:  # fmt: skip
    """|estimate of the run - estimate of the truth| with its floor; `known` estimates are taken as they are."""
    if runs.broken is not None and known[0] is None:
        return Score(value=np.inf, reason=runs.failure, settings=settings, **label)
    truth = longest_stretch(runs.true)
    true, why = (known[1], "") if known[1] is not None else _enough(truth, estimate)
    if true is None:
        return Score(value=None, reason=f"the truth: {why}", settings=settings, **label)
    found, why = (known[0], "") if known[0] is not None else _enough(runs.generated, estimate)
    floor = None
    if known[1] is None:
        half = len(truth) // 2
        parts = [_enough(x, estimate)[0] for x in (truth[:half], truth[half:])]
        floor = None if None in parts else abs(float(parts[0]) - float(parts[1]))  # type: ignore[arg-type]
    details = {"generated": found, "truth": true}
    if found is None:
        return Score(value=np.inf, floor=floor, reason=f"the run: {why}", settings=settings, details=details, **label)
    return Score(value=abs(found - true), floor=floor, settings=settings, details=details, **label)


def _enough(x: Array, estimate: Callable[[Array], Value]) -> Value:
    if len(x) < LEAST:
        return None, f"{len(x)} rows without a gap; {LEAST} are needed"
    if not (np.ptp(x, axis=0) > 0).any():
        return None, "every channel is constant"
    return estimate(x)


def _dimension(x: Array, seed: int) -> Value:
    from ..measures.base import Refused
    from ..measures.dimensions import correlation_dimension, dimension_of
    from ..measures.embedding import theiler_steps

    if x.shape[1] == 1:
        made = correlation_dimension(x[:, 0], seed=seed)
        return (None, made.reason) if made.value is None else (float(made.value), "")
    varying = x[:, np.ptp(x, axis=0) > 0]
    try:
        window = max(theiler_steps(column) for column in varying.T)
        return dimension_of(varying / varying.std(axis=0), theiler=window, seed=seed).value, ""
    except Refused as refusal:
        return None, str(refusal)


def _power_law(x: Array) -> Value:
    """The published estimate from the distances of all pairs."""
    from scipy.spatial.distance import pdist

    r = np.sort(pdist(x))
    r = r[r > 0]
    for q, keep in ((5, np.greater), (50, np.less)):
        if len(r) == 0:
            break
        # Every pair is counted twice there: the percentile lies between two of 2 n sorted distances.
        place = q / 100 * (2 * len(r) - 1)
        below, above = r[int(place) // 2], r[min(int(place) + 1, 2 * len(r) - 1) // 2]
        r = r[keep(r, below + (place - int(place)) * (above - below))]
    spread = np.log(r / r[0]).sum() if len(r) else 0.0
    return (float(1 + len(r) / spread), "") if spread > 0 else (None, "too few different distances")


def _exponent(x: Array, interval: float, seed: int) -> Value:
    from ..measures.divergence import lyapunov_exponent_rosenstein

    found, reasons = [], []
    for column in x.T:
        made = lyapunov_exponent_rosenstein(Series.from_array(column, interval=interval), seed=seed)
        if made.value is not None and made.admissible:
            found.append(float(made.value))
        else:
            reasons.append(made.reason)
    return (float(np.median(found)), "") if found else (None, reasons[0])
