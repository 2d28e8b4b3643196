"""The catalogue by name: finds one definition among many without parsing the others."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import SettingError

FOLDER = Path(__file__).parent / "catalogue"
_HEAD = re.compile(r"^\[\[[ \t]*system[ \t]*\]\][ \t]*(?:#.*)?$", re.MULTILINE)
_NAME = re.compile(r"""^name\s*=\s*["']([^"'\n]+)["']""", re.MULTILINE)


class Entry(NamedTuple):
    """Where a system of the catalogue is defined: its name, its file, the text of its table."""

    name: str
    path: Path
    text: str


@lru_cache(maxsize=1)
def entries() -> Mapping[str, Entry]:
    """Every system of the catalogue by its plain name, in the order of the files; reads text, parses nothing."""
    found: dict[str, Entry] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for block in _HEAD.split(path.read_text(encoding="utf-8"))[1:]:
            match = _NAME.search(block)
            if match is None:
                raise SettingError("a [[system]] has no name", place=str(path))
            entry = found.setdefault(plain(match[1]), Entry(match[1], path, block))
            if entry.text is not block:
                raise SettingError(f"{match[1]!r} is defined twice", place=str(path))
    return found


def names() -> tuple[str, ...]:
    """The names of all systems of the catalogue."""
    return tuple(entry.name for entry in entries().values())


def plain(name: str) -> str:
    """A name without case, accents and punctuation: Hénon-Heiles and HenonHeiles are both henonheiles."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in letters if c.isalnum())


def definition(name: str) -> tuple[Mapping[str, Any], str]:
    """The table of one system of the catalogue and the file it is in.

    Raises `SettingError` with the nearest names where there is none. Cost: a few milliseconds at first, then less.
    """
    known = entries()
    entry = known.get(plain(name))
    if entry is None:
        near = get_close_matches(plain(name), known, 5, 0.5)
        hint = f"Did you mean {', '.join(known[key].name for key in near)}? " if near else ""
        raise SettingError(
            f"no system {name!r} in the catalogue",
            place="system",
            remedy=f"{hint}A file of your own ends in .toml; takens.systems.names() lists all {len(known)}.",
        )
    try:
        return tomllib.loads(f"[[system]]{entry.text}")["system"][0], entry.path.name
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"is not TOML: {error}", place=f"{entry.path.name}: {entry.name}") from None
