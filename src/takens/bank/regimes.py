"""Regimes: systems at parameter values where the kind of their motion was computed and is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import SettingError
from ..systems.base import System
from ..systems.catalogue_index import definition, names
from ..systems.definition import from_table, read_toml, system

FOLDER = Path(__file__).parent
TABLE = FOLDER / "regimes.json"
EQUATIONS = FOLDER / "equations.toml"


@dataclass(frozen=True)
class Regime:
    """A system at given parameters, and the kind of its motion as it was computed here.

    `system` is a name of the catalogue or of equations.toml, `parameters` those that differ from its defaults,
    `initial (state,)` where the motion starts (None: the system's own) and `transient` how long it takes to settle
    from there, `cycle` the mean time between maxima, `period` that of a periodic motion (0 else). `observables` are
    the states, or sines of angles, that are bounded and vary. `evidence` holds the two largest Lyapunov exponents and
    their standard errors, and, for regular motion, by what share of its spread the motion misses itself after one
    period (`defect`) and the digits of its Birkhoff averages. Times are in the unit of the equations.
    """

    system: str
    truth: str
    parameters: Mapping[str, float]
    initial: tuple[float, ...] | None
    transient: float
    cycle: float
    period: float
    observables: tuple[str, ...]
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The system and the parameters that differ from its defaults."""
        return f"{self.system}({', '.join(f'{key}={value:.6g}' for key, value in self.parameters.items())})"

    def law(self) -> System:
        """The system at the parameters of this regime."""
        found = named(self.system)
        return found.with_parameters(**self.parameters) if self.parameters else found


@lru_cache(maxsize=1)
def regimes() -> tuple[Regime, ...]:
    """All regimes of the table, in its order."""
    rows = json.loads(TABLE.read_text(encoding="utf-8"))["regimes"]
    return tuple(
        Regime(**{**row, "initial": row["initial"] and tuple(row["initial"]), "observables": tuple(row["observables"])})
        for row in rows
    )


def write(found: tuple[Regime, ...], path: Path = TABLE) -> None:
    """Write a table of regimes, one a line."""
    lines = ",\n".join(json.dumps(asdict(regime)) for regime in found)
    head = '"source": "computed by takens.bank.census"'
    path.write_text(f'{{{head}, "regimes": [\n{lines}\n]}}\n', encoding="utf-8")


@lru_cache(maxsize=256)
def named(name: str) -> System:
    """A system of the catalogue or of the bank's own equations."""
    return from_table(dict(own()[name]), EQUATIONS.name) if name in own() else system(name)


def table_of(name: str) -> Mapping[str, Any]:
    """The definition of a system of the catalogue or of the bank's own equations."""
    return own()[name] if name in own() else definition(name)[0]


@lru_cache(maxsize=1)
def own() -> Mapping[str, Mapping[str, Any]]:
    """The definitions of systems that only the bank has: textbook oscillators and maps with regular motion."""
    tables = read_toml(EQUATIONS)["system"]
    found = {str(table["name"]): table for table in tables}
    twice = set(found) & set(names())
    if twice or len(found) < len(tables):
        raise SettingError(f"systems defined twice: {', '.join(sorted(twice)) or 'in the file'}", place=str(EQUATIONS))
    return found
