"""The common look of all figures, and SVG that follows the colours of the page, light or dark."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np
from numpy.typing import NDArray

from ..clock import Clock
from ..estimate import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

P = ParamSpec("P")

COLOURS = {
    "paper": "#fdfdfb", "ink": "#1f242c", "muted": "#5a6270", "faint": "#d9dbd8", "grid": "#c9ccca",
    "accent": "#1d5c9e", "soft": "#9dbad6", "good": "#1e6b45", "late": "#c2571a",
}  # fmt: skip
"""Colour by role. Each stands in the SVG as `var(--role, colour)`, so that a page can set it; blue, orange and green of
different lightness are told apart with any colour vision."""

WIDTH = 5.6
"""Inches: small enough that 9.5 point text is still legible where the figure fills a phone."""

STYLE: Any = {
    "figure.facecolor": "none", "savefig.facecolor": "none", "axes.facecolor": "none",
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 9.5,
    "axes.titlesize": 9.5, "axes.labelsize": 9.5, "xtick.labelsize": 9, "ytick.labelsize": 9, "legend.fontsize": 9,
    "text.color": COLOURS["ink"], "axes.labelcolor": COLOURS["ink"], "axes.titlecolor": COLOURS["ink"],
    "axes.edgecolor": COLOURS["grid"], "xtick.color": COLOURS["grid"], "ytick.color": COLOURS["grid"],
    "xtick.labelcolor": COLOURS["muted"], "ytick.labelcolor": COLOURS["muted"],
    "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.8,
    "lines.linewidth": 1.2, "lines.solid_capstyle": "round", "lines.solid_joinstyle": "round",
    "legend.frameon": False, "legend.handlelength": 1.4, "legend.columnspacing": 1.4, "legend.borderaxespad": 0.0,
    "axes.xmargin": 0.01, "axes.ymargin": 0.06, "axes.unicode_minus": True, "axes.formatter.useoffset": False,
    "path.simplify": True, "path.simplify_threshold": 0.2, "svg.fonttype": "none", "svg.hashsalt": "takens",
}  # fmt: skip

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Run a drawing function under the common style; the process-wide settings of matplotlib are left as they were."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        import matplotlib

        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def canvas(height: float, rows: int = 1, columns: int = 1, **known: Any) -> tuple[Figure, NDArray[Any]]:
    """A figure of the common width and `height` inches with its axes `(rows, columns)`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **known)


def svg(figure: Figure, title: str) -> str:
    """The figure as SVG text, the same at every call: text stays text, colours are CSS variables, no background.

    `title` is what a screen reader says. Colours are `var(--ink, #...)` and so on (see `COLOURS`), so that the drawing
    follows the page into the dark and still stands alone. Coordinates are rounded to a tenth of a point, element ids
    are numbered. Cost: 10 to 150 kB.
    """
    import matplotlib

    file = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'(?<= d=")[^"]+', lambda m: _shortened(m.group()), text)
    text = re.sub(r"(font(?:-family)?: [^;\"]*?)'DejaVu Sans'[^;\"]*", rf"\g<1>{FONTS}", text)
    for role, colour in COLOURS.items():
        text = text.replace(colour, f"var(--{role}, {colour})")
    label = escape(title, quote=True)
    return text.replace("<svg ", f'<svg role="img" aria-label="{label}" style="max-width: 42rem" ', 1)


def _shortened(path: str) -> str:
    """Path data with coordinates rounded to a tenth of a point and joined by single blanks."""
    rounded = re.sub(r"-?\d+\.\d+", lambda m: f"{float(m.group()):.1f}".removesuffix(".0"), path)
    return " ".join(rounded.split()).replace(" L ", "L").replace("M ", "M").replace("L ", "L")


def dots(axes: Axes, x: NDArray[Any], y: NDArray[Any], colour: str, size: float, **known: Any) -> None:
    """Round dots of `size` points as one path: a twentieth of the SVG that markers would take."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    points = np.column_stack([x, y]).astype(float)
    points = points[np.isfinite(points).all(axis=1)]
    ends = np.repeat(points, 2, axis=0)
    if len(points):  # drawn as pixels a line needs a length; in an SVG this one rounds to none
        ends[1::2, 0] += 1e-5 * (np.ptp(points[:, 0]) or 1.0)
    path = Path(ends, np.tile([Path.MOVETO, Path.LINETO], len(points)))
    path.should_simplify = False
    axes.add_patch(PathPatch(path, fill=False, edgecolor=colour, linewidth=size, capstyle="round", snap=False, **known))
    axes.update_datalim(points)
    axes.autoscale_view()


def thinned(array: NDArray[Any], most: int) -> NDArray[Any]:
    """At most `most` rows of `array`, evenly spaced in order."""
    step = -(-len(array) // most)
    return array[:: max(step, 1)]


def moments(clock: Clock, times: NDArray[np.float64]) -> NDArray[Any]:
    """What to draw on a time axis: local calendar moments (without zone) where there is a calendar, else numbers."""
    stamps = clock.stamps(np.asarray(times, dtype=float))
    if stamps is None or not clock.timezone:
        return np.asarray(times) if stamps is None else stamps
    import pandas as pd

    local = pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert(clock.timezone)
    return local.tz_localize(None).to_numpy(dtype="datetime64[us]")


def time_axis(axes: Axes, clock: Clock) -> None:
    """Label and tick the horizontal axis as time on `clock`; call it after drawing."""
    if clock.origin is None:
        axes.set_xlabel("time" if clock.unit == "time" else f"time ({clock.unit})")
        return
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=2, maxticks=6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=True))
    axes.xaxis.get_offset_text().set_color(COLOURS["muted"])
    axes.set_xlabel(f"time ({clock.timezone or 'UTC'})")


def plain_decades(axis: Axis) -> None:
    """Number a logarithmic axis at its powers of ten, or at 1, 2 and 5 where it is short; call it after drawing.

    Powers of ten alone leave a short axis without a number; all others overlap.
    """
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    short = high / low < 100
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if short else (1.0,), numticks=8 if short else 6))
    axis.set_minor_formatter(NullFormatter())
    if short:
        axis.set_major_formatter(FormatStrFormatter("%g"))


def in_time(what: str, estimate: Estimate) -> str:
    """The label of an axis of time, or of frequency, in the time unit of the channel that `estimate` is of."""
    unit = str(estimate.details.get("time_unit", ""))
    if unit in ("", "time"):
        return what
    return f"{what} (cycles per {unit})" if what == "frequency" else f"{what} ({unit})"


def named(name: str, unit: str, most: int = 40) -> str:
    """A channel as an axis calls it: its name, shortened if need be, and its unit; a dollar is no formula."""
    short = name if len(name) <= most else f"{name[: most - 1]}…"
    return (f"{short} ({unit})" if unit else short).replace("$", r"\$")
