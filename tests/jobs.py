"""Work for the tests of the executor: quick, failing, hanging, deadly."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from takens.errors import DataError


def square(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The square of `x`; a line in `log`, if there is one, says that the work was done."""
    if "log" in settings:
        with Path(settings["log"]).open("a", encoding="utf-8") as log:
            log.write(f"{settings['x']}\n")
    return {"square": settings["x"] ** 2, "process": os.getpid()}


def refuse(settings: Mapping[str, Any]) -> None:
    """Bad data."""
    raise DataError("is constant", place="channel x")


def divide(settings: Mapping[str, Any]) -> float:
    """A mistake in the code."""
    return 1 / int(settings["by"])


def hang(settings: Mapping[str, Any]) -> None:
    """Never ends."""
    while True:
        time.sleep(0.1)


def die(settings: Mapping[str, Any]) -> None:
    """Takes its process along."""
    os._exit(1)
