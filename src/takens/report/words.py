"""Numbers, settings and names as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..estimate import Estimate
from ..findings import label
from ..wording import NONE, interval, number, p_value, percent, signed

__all__ = [
    "estimate_value", "interval", "label", "measure_label", "number", "p_value", "percent", "setting",
    "settings", "signed",
]  # fmt: skip

SPELLING = {
    "crps": "CRPS", "mae": "MAE", "rmse": "RMSE", "nrmse": "NRMSE", "smape": "sMAPE", "pit": "PIT", "cao": "(Cao)",
    "mase": "MASE", "lyapunov": "Lyapunov", "hellinger": "Hellinger", "theiler": "Theiler",
    "wasserstein": "Wasserstein",
}  # fmt: skip
"""Words that names in code cannot spell."""


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
