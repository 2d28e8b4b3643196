"""Numbers and results as people read them: significant digits, separated thousands, percentages, true minus signs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
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


FEW = 6
"""As many numbers or parts of a result are shown one by one."""
LONGEST = 110
"""Characters of a value in a line."""


def printed(result: Any) -> str:
    """The printed form of a dataclass: a line for each field; of long arrays shape and range, of long lists the count.

    To be used as `__repr__ = printed`: the default prints every number.
    """
    names = [one.name for one in fields(result) if one.repr]
    width = max(map(len, names), default=0)
    lines = [f"  {name:<{width}}  {_shown(getattr(result, name), width + 4)}" for name in names]
    return "\n".join([type(result).__name__, *lines])


def _shown(value: Any, indent: int) -> str:
    """A field of a result on one line, or on a few with an indent."""
    if isinstance(value, np.ndarray):
        return _array(value)
    parts: list[str] = []
    if isinstance(value, Mapping):
        parts = [f"{key}: {_shown(item, indent)}" for key, item in value.items()] if len(value) <= 2 * FEW else []
    elif isinstance(value, tuple | list):
        parts = [_shown(item, indent) for item in value] if len(value) <= 2 * FEW else []
        parts = [f"({part})" if isinstance(item, tuple) else part for item, part in zip(value, parts, strict=False)]
    else:
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        return text if len(text) <= LONGEST and "\n" not in text else f"a {type(value).__name__}"
    if not parts:
        return f"{len(value):,} of them" if value else "none"
    joined = ", ".join(parts)
    return joined if len(joined) <= LONGEST and not any(map(is_dataclass, value)) else ("\n" + " " * indent).join(parts)


def _array(value: np.ndarray[Any, Any]) -> str:
    """An array: its numbers if they are few, else its shape and range."""
    if value.ndim == 0 or 0 < value.size <= FEW:
        return " ".join(np.array2string(value, precision=5, max_line_width=LONGEST).split())
    shape = " x ".join(map(str, value.shape))
    if value.dtype.kind == "b":
        return f"{shape}, {np.count_nonzero(value)} true"
    finite = value[np.isfinite(value)] if value.dtype.kind in "fiu" else value[:0]
    if not finite.size:
        return shape + (", complex" if value.dtype.kind == "c" else "")
    lost = f", {value.size - finite.size:,} not finite" if finite.size < value.size else ""
    return f"{shape}, {finite.min():.5g} to {finite.max():.5g}{lost}"


def first_sentence(text: str | None) -> str:
    """The first sentence of a docstring, on one line."""
    words = " ".join((text or "").split("\n\n")[0].split())
    # An ellipsis does not end a sentence.
    return re.split(r"(?<!\.)\. ", words)[0].rstrip(".") + "." if words else ""
