"""How commands are told which law of motion is meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import SettingError
from .quantities import settings

if TYPE_CHECKING:
    from ..systems.base import System

SYSTEM = click.argument("name", metavar="NAME|FILE.toml")
PARAMETER = click.option(
    "--parameter", "pairs", metavar="NAME=VALUE", multiple=True, help="A parameter to change; repeatable."
)


def known_system(name: str, pairs: tuple[str, ...]) -> System:
    """The system of the catalogue or file, with the parameters of `pairs`."""
    from ..systems import system

    changed = settings(pairs)
    for key, value in changed.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingError(f"{key} is {value!r}, not a number", place="--parameter")
    return system(name if not name.endswith(".toml") else Path(name), **changed)
