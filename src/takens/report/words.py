"""Numbers, settings and names as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clock import CALENDAR, Clock
from ..estimate import Estimate
from ..findings import label

__all__ = [
    "estimate_value", "interval", "label", "measure_label", "moments", "number", "p_value", "percent", "setting",
    "settings", "signed",
]  # fmt: skip

NONE = "–"
SPELLING = {
    "crps": "CRPS", "mae": "MAE", "rmse": "RMSE", "nrmse": "NRMSE", "smape": "sMAPE", "pit": "PIT", "cao": "(Cao)",
    "lyapunov": "Lyapunov", "hellinger": "Hellinger", "theiler": "Theiler",
}  # fmt: skip
"""Words that names in code cannot spell."""


def number(value: Any, digits: int = 3) -> str:
    """A number with `digits` significant digits, a dash where there is none; thousands are separated."""
    if value is None:
        return NONE
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}".replace("-", "−")
    value = float(value)
    if np.isnan(value):
        return NONE
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e6:
        # Significant digits, but never fewer than all digits before the point.
        places = max(0, digits - 1 - int(np.floor(np.log10(abs(value)))))
        text = f"{value:,.{places}f}"
        text = text.rstrip("0").rstrip(".") if places else text
    else:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return text.replace("-", "−")


def percent(share: Any) -> str:
    """A share as a percentage without decimals (one below 1 %), a dash where there is none."""
    if share is None or not np.isfinite(share):
        return NONE
    return f"{100 * share:.0f} %".replace("-", "−") if share == 0 or abs(share) >= 0.01 else f"{100 * share:.1f} %"


def signed(share: Any) -> str:
    """A share as a percentage with its sign."""
    if share is None or not np.isfinite(share):
        return NONE
    return f"{100 * share:+.0f} %".replace("-", "−")


def p_value(value: Any) -> str:
    """A p-value with two significant digits; `< 0.001` below that."""
    if value is None or not np.isfinite(value):
        return NONE
    return "< 0.001" if value < 0.001 else number(float(value), 2)


def interval(low: Any, high: Any) -> str:
    """An interval of two numbers."""
    return f"{number(low)} to {number(high)}"


def estimate_value(estimate: Estimate) -> tuple[str, str]:
    """The value of an estimate with its unit, and its interval; of an array the first five numbers."""
    if estimate.value is None:
        return NONE, ""
    value = np.ravel(np.asarray(estimate.value, dtype=object))
    if len(value) == 0:
        return "none", ""
    unit = f" {estimate.unit}" if estimate.unit else ""
    text = ", ".join(number(v) if not isinstance(v, str) else v for v in value[:5])
    text += (", …" if len(value) > 5 else "") + unit
    if estimate.interval is None:
        return text, ""
    low, high = (np.ravel(np.asarray(end, dtype=float)) for end in estimate.interval)
    return text, "; ".join(interval(a, b) for a, b in zip(low[:5], high[:5], strict=True))


def measure_label(name: str) -> str:
    """The name of a measure or score for people: `permutation_entropy` becomes `Permutation entropy`."""
    text = " ".join(SPELLING.get(word, word) for word in name.split("_")).replace("zero one", "0–1")
    return text if name.split("_")[0] in SPELLING else text[:1].upper() + text[1:]


def moments(clock: Clock, times: NDArray[np.float64]) -> list[str]:
    """Times as short as they can be told without loss: months, dates, minutes, or numbers with their unit."""
    if clock.origin is None:
        return [f"{time:.10g} {clock.unit}" for time in times]
    labels = [text.replace("T", " ") for text in clock.labels(times)]
    # What all of them have in common at the end says nothing: midnight, the first of the month, full minutes.
    for tail in (" 00:00:00", "-01" if clock.unit in CALENDAR else None, ":00"):
        if tail is not None and all(text.endswith(tail) and text.count("-") + text.count(":") > 1 for text in labels):
            labels = [text.removesuffix(tail) for text in labels]
    return labels


def setting(value: Any) -> str:
    """One setting as text: short lists in full, long ones by their length."""
    if value is None:
        return NONE
    if isinstance(value, Mapping):
        return settings(value)
    if isinstance(value, np.ndarray | list | tuple):
        items = np.ravel(np.asarray(value, dtype=object))
        shown = ", ".join(setting(item) for item in items[:12])
        return shown + (f", … ({len(items)} in all)" if len(items) > 12 else "")
    if isinstance(value, bool | int | float | np.generic) and not isinstance(value, np.str_):
        return number(value, 4)
    return str(value)


def settings(values: Mapping[str, Any]) -> str:
    """Settings as one line: `order 5, delay 2`."""
    named = ((" ".join(SPELLING.get(word, word) for word in key.split("_")), value) for key, value in values.items())
    return ", ".join(f"{key} {setting(value)}" for key, value in named) or NONE
