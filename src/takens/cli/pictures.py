"""Pictures that commands write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutputError
from .options import Manner

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = (".png", ".svg", ".pdf")


def picture(manner: Manner, default: str, figure: Figure) -> None:
    """Write a picture to `--out`, or under its default name; whole or not at all."""
    from ..figures.style import COLOURS
    from ..io.atomic import atomic_path

    path = manner.out or Path(default)
    if path.suffix not in PICTURES:
        raise OutputError(f"no picture ends in {path.suffix!r}", place="--out", remedy=f"Use {', '.join(PICTURES)}.")
    with atomic_path(path) as part:
        figure.savefig(part, format=path.suffix[1:], dpi=160, facecolor=COLOURS["paper"])
    manner.remark(f"Written: {path}")


def wants_picture(manner: Manner) -> bool:
    """Whether `--out` names a picture. Raises `OutputError` for what is neither one nor a JSON file."""
    if manner.out is None or manner.out.suffix in PICTURES:
        return manner.out is not None
    if manner.out.suffix in (".json", ""):
        return False
    raise OutputError(f"nothing here ends in {manner.out.suffix!r}", place="--out",
                      remedy=f"Use {', '.join(PICTURES)} for a picture, or .json.")  # fmt: skip
