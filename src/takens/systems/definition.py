"""A system from its definition: a table of TOML, a dict of the same form, or a name in the catalogue."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import SettingError
from .base import System
from .kinds import KINDS
from .reading import Reading


def system(source: str | Path | Mapping[str, Any], /, **given: Any) -> System:
    """A system by its name in the catalogue, from a TOML file (`mine.toml`), or from a dict of the same form.

    Names are compared without regard to case, accents and punctuation. A definition has the keys `equations` (state ->
    right-hand side), `initial` (table or list) and, as needed, `kind` ("flow", the default, or "map"), `parameters`
    (name -> number), `auxiliary` (name -> definition, evaluated first), `name`, `period`, `dt`, `tags`, `reference`,
    `description` and `known` (invariant -> {value, source}); a file holds it at its top level or as its one [[system]].
    In the equations of a flow `t` is the time, in those of a map `n` is the step. What is `given` by name replaces the
    defaults of parameters and, for families of the catalogue, of their structure: `system("Lorenz96", size=100, f=10)`.
    Raises `SettingError` for unknown names and unfit values and `EquationError` for equations, with file, key and
    character. Cost: milliseconds.
    """
    if isinstance(source, Mapping):
        found = _made(source, "", given)
    elif isinstance(source, Path) or (isinstance(source, str) and source.endswith(".toml")):
        found = from_file(Path(source), given)
    elif isinstance(source, str):
        from .catalogue_index import definition

        found = _made(*definition(source), given)
    else:
        raise SettingError(
            f"a system from {type(source).__name__}", remedy="Give a name of the catalogue, a .toml file or a dict."
        )
    return found


def from_file(path: Path, given: Mapping[str, Any] | None = None) -> System:
    """The system that a TOML file defines, with some parameters, or some of its structure, changed."""
    table = read_toml(path)
    if "system" not in table:
        return _made({"name": path.stem, **table}, str(path), given or {})
    tables = table["system"]
    if not isinstance(tables, list) or len(tables) != 1 or not isinstance(tables[0], dict) or len(table) > 1:
        count = f"{len(tables)} systems" if isinstance(tables, list) else "[system]"
        raise SettingError(
            f"{count} where one is expected", place=str(path), remedy="Keep one [[system]], or none and plain keys."
        )
    return _made({"name": path.stem, **tables[0]}, str(path), given or {})


def read_toml(path: Path) -> dict[str, Any]:
    """The contents of a TOML file; `SettingError` with the line where it is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"cannot be read: {error.strerror}", place=str(path)) from None
    except UnicodeDecodeError as error:
        raise SettingError(f"is not UTF-8 text: byte {error.start}", place=str(path)) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        remedy = 'Equations are in quotes: equations.x = "y - x".'
        raise SettingError(f"is not TOML: {error}", place=str(path), remedy=remedy) from None


def _made(table: Mapping[str, Any], place: str, given: Mapping[str, Any]) -> System:
    """The system of a table with some parameters changed; what sets its size is changed in the table."""
    if "family" in table:
        from .families import built

        table, given = built(table, given, place)
    kind = table.get("kind", "flow")
    sizes = KINDS[kind].sizes if isinstance(kind, str) and kind in KINDS else ()
    table = {**table, **{key: value for key, value in given.items() if key in sizes}}
    found = from_table(table, place)
    rest = {key: value for key, value in given.items() if key not in sizes}
    if not rest:
        return found
    found, initial = found.with_parameters(**rest), table.get("initial")
    if isinstance(initial, Mapping) and any(isinstance(value, str) for value in initial.values()):
        # An expression has its value for these parameters: a wave keeps its width where the domain is longer.
        found = replace(found, initial=from_table({**table, "parameters": dict(found.parameters)}, place).initial)
    return found


def from_table(table: Mapping[str, Any], place: str = "") -> System:
    """The system that a table (parsed TOML, or a dict) defines; `place` names its file in errors."""
    kind = table.get("kind", "flow")
    if not isinstance(kind, str) or kind not in KINDS:
        named = ": ".join(part for part in (place, str(table.get("name", "")), "kind") if part)
        cause = f"kind {kind!r}" if isinstance(kind, str) else f"is {kind!r}, not text"
        raise SettingError(cause, place=named, remedy=f"The kinds are {', '.join(KINDS)}.")
    reading = Reading(table, place, KINDS[kind].keys)
    return KINDS[kind].read(reading)
