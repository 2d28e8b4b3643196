"""How commands are told which law of motion is meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import SettingError
from .quantities import settings

if TYPE_CHECKING:
    from ..models.base import Law
    from ..systems.base import System

SYSTEM = click.argument("name", metavar="NAME|FILE.toml|LAW")
PARAMETER = click.option(
    "--parameter", "pairs", metavar="NAME=VALUE", multiple=True,
    help="A parameter, or known input of a LAW, to change; repeatable.",
)  # fmt: skip


def is_law(path: Path) -> bool:
    """Whether `path` names a saved law: it ends in .law or is a folder with a `law.json`, which a Zarr store is not."""
    return path.suffix == ".law" or (path / "law.json").is_file()


def known_system(name: str, pairs: tuple[str, ...]) -> System:
    """The system of the catalogue, of a file or of a saved law, with the parameters of `pairs`."""
    return law_and_system(name, pairs)[1]


def law_and_system(name: str, pairs: tuple[str, ...]) -> tuple[Law | None, System]:
    """The saved law that `name` is, if it is one, and the system with the parameters of `pairs`."""
    from ..systems import system

    changed = settings(pairs)
    for key, value in changed.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingError(f"{key} is {value!r}, not a number", place="--parameter")
    if not is_law(Path(name)):
        return None, system(name if not name.endswith(".toml") else Path(name), **changed)
    from ..models.store import load_law

    law = load_law(name)
    return law, law.system.with_parameters(**changed)
