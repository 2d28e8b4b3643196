"""Numbers as people read them: significant digits, separated thousands, percentages, true minus signs."""

from __future__ import annotations

from typing import Any

import numpy as np

NONE = "–"
"""What stands where there is no number."""


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
    """A share as a percentage with its sign; one just below the whole is not rounded up to it."""
    if share is None or not np.isfinite(share):
        return NONE
    if 0.99 < share < 1:
        return f"+{np.floor(1000 * share) / 10:.1f} %"
    return "0 %" if abs(share) < 0.005 else f"{100 * share:+.0f} %".replace("-", "−")


def p_value(value: Any) -> str:
    """A p-value with two significant digits; `< 0.001` below that."""
    if value is None or not np.isfinite(value):
        return NONE
    return "< 0.001" if value < 0.001 else number(float(value), 2)


def distinct(low: float, high: float) -> tuple[str, str]:
    """Two numbers with four significant digits, or as many more as it takes (up to nine) to tell them apart."""
    for digits in range(4, 10):
        texts = number(low, digits), number(high, digits)
        if texts[0] != texts[1]:
            break
    return texts


def interval(low: Any, high: Any) -> str:
    """An interval of two numbers."""
    return f"{number(low)} to {number(high)}"


def counted(count: int, noun: str) -> str:
    """A count and its noun: `1 row`, `1,024 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
