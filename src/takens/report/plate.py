"""A plate: one figure of the report with its number, title and caption; or the reason why it is not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

from ..errors import TakensError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ID = re.compile(r'(\bid="|url\(#|href="#)')


@dataclass(frozen=True)
class Plate:
    """One figure as inline SVG. Without `svg` the caption says why there is none, and the plate has no number."""

    anchor: str
    title: str
    caption: str
    svg: Markup = field(default_factory=Markup)
    number: int = 0


class Press:
    """Makes plates in the order in which they stand on the page, and numbers them."""

    def __init__(self) -> None:
        self.count = 0

    def plate(self, anchor: str, title: str, draw: Callable[[], Figure], caption: str) -> Plate:
        """A numbered plate; where the data do not allow the figure, a plate that says so."""
        from ..figures import svg

        try:
            drawn = svg(draw(), title)
        except TakensError as error:
            return self.missing(anchor, title, error.cause)
        self.count += 1
        return Plate(anchor, title, caption, inline(drawn, anchor), self.count)

    def missing(self, anchor: str, title: str, reason: str) -> Plate:
        """A plate that says why the figure is not there."""
        return Plate(anchor, title, reason[:1].lower() + reason[1:].rstrip(".") + ".")


def inline(text: str, anchor: str) -> Markup:
    """SVG text for use inside a page: no prolog, and every id prefixed, since all figures share one document."""
    start = text.index("<svg")
    return Markup(_ID.sub(rf"\g<1>{anchor}-", text[start:]))
