"""A benchmark as a file: which systems and series, in which regimes, for which models, with which seeds."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import DataError, SettingError
from ..models import MODELS, model
from ..systems import names as catalogue
from ..systems.definition import read_toml, system
from ..tasks import Task
from .regimes import Regime

JOB = "takens.benchmark.cell:cell"
REVISION = 1
"""Raised when a change of the cell changes its results."""
TRUTH = "true_equations"
"""The pseudo-model that knows the system: the upper bound, started from the observed state."""
KEYS = {"name", "seed", "seeds", "limit", "memory", "systems", "series", "regimes", "models"}


@dataclass(frozen=True)
class Spec:
    """Everything that a benchmark is made of.

    `systems` are names of the catalogue, or definitions by name; `series` files with their reading options; `regimes`
    and `models` settings by name. `seeds` is how many seeds each model is fitted with; `seed` that of the data. A cell
    may take `limit` seconds and `memory` MiB.
    """

    name: str
    systems: tuple[str, ...] = ()
    definitions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    series: tuple[Mapping[str, Any], ...] = ()
    regimes: Mapping[str, Regime] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seed: int = 0
    seeds: int = 1
    limit: float = 600.0
    memory: float = 4000.0

    def tasks(self) -> tuple[Task, ...]:
        """A task for each cell: system or series x regime x model x seed; the systems outermost."""
        return tuple(self._tasks())

    def _tasks(self) -> Iterator[Task]:
        for source, regime, shown in self._sources():
            for name, settings in self.models.items():
                for seed in range(self.seeds):
                    cell = {
                        **source, "regime": asdict(regime), "model": name, "settings": dict(settings),
                        "data_seed": self.seed, "seed": seed, "memory": self.memory,
                    }  # fmt: skip
                    yield Task(JOB, cell, REVISION, label=f"{shown}, {name}" + (f", seed {seed}" if seed else ""))

    def _sources(self) -> Iterator[tuple[dict[str, Any], Regime, str]]:
        for name in self.systems:
            source: dict[str, Any] = {"system": name}
            if name in self.definitions:
                source["definition"] = self.definitions[name]
            for key, regime in self.regimes.items():
                yield source | {"regime_name": key}, regime, f"{name}, {key}"
        for entry in self.series:
            for key, regime in self.regimes.items():
                yield {"series": dict(entry), "regime_name": key}, regime, f"{Path(entry['file']).stem}, {key}"


def read_spec(path: str | Path) -> Spec:
    """The benchmark in a TOML file. Raises `DataError` or `SettingError` with what is wrong, and where.

    ```toml
    name = "first"
    seeds = 2
    systems = ["Lorenz63", "Rossler", "mine.toml"]   # or systems = {tags = ["chaotic"], most = 30}

    [regimes.clean]            # a preset by its name, or with settings of your own
    [regimes.short]
    preset = "noisy"
    rows = 500

    [models]                   # none: all that fit in seconds
    nvar = {}
    echo_state_network = {units = 500}
    ```
    """
    source = Path(path)
    try:
        table = tomllib.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError("does not exist", place=str(source)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read ({error})", place=str(source)) from None
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"is not TOML: {error}", place=str(source)) from None
    return spec_of(table, source)


def spec_of(table: Mapping[str, Any], source: Path) -> Spec:
    """The benchmark of a parsed file."""
    place = str(source)
    if unknown := sorted(set(table) - KEYS):
        raise SettingError(f"unknown key {unknown[0]!r}", place=place, remedy=f"Keys: {', '.join(sorted(KEYS))}.")
    systems, definitions = _systems(table.get("systems", ()), source)
    series = tuple(_series(entry, source) for entry in table.get("series", ()))
    if not systems and not series:
        raise SettingError("no system and no series", place=place, remedy='Give systems = ["Lorenz63"], say.')
    if "regimes" in table and not isinstance(table["regimes"], Mapping):
        raise SettingError("regimes is no table", place=place, remedy="Write [regimes.clean].")
    regimes = {name: Regime.read(name, entry) for name, entry in table.get("regimes", {"clean": {}}).items()}
    models = _models(table.get("models"), place)
    numbers = {key: table[key] for key in ("seed", "seeds", "limit", "memory") if key in table}
    for key, value in numbers.items():
        whole = key in ("seed", "seeds")
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or value < (key != "seed"):
            raise SettingError(f"{key} is {value!r}", place=place, remedy="Give a positive number.")
    return Spec(str(table.get("name", source.stem)), systems, definitions, series, regimes, models, **numbers)


def _systems(wanted: Any, source: Path) -> tuple[tuple[str, ...], dict[str, Mapping[str, Any]]]:
    """Names of systems, and the definitions of those from files."""
    if isinstance(wanted, Mapping):
        tags, most = set(wanted.get("tags", ())), wanted.get("most")
        found = [name for name in catalogue() if tags <= set(system(name).tags)]
        return tuple(found if most is None else found[:: max(1, len(found) // int(most))][: int(most)]), {}
    names: list[str] = []
    definitions: dict[str, Mapping[str, Any]] = {}
    for item in [wanted] if isinstance(wanted, str) else wanted:
        if str(item).endswith(".toml"):
            definition = read_toml(source.parent / str(item))
            made = system(source.parent / str(item))
            definitions[made.name] = definition
            names.append(made.name)
        else:
            names.append(system(str(item)).name)
    return tuple(dict.fromkeys(names)), definitions


def _series(entry: Any, source: Path) -> dict[str, Any]:
    """A file and its reading options, with a path that holds wherever the command is called."""
    made = {"file": entry} if isinstance(entry, str) else dict(entry)
    if "file" not in made:
        raise SettingError("a series needs a file", place=str(source), remedy='Write [[series]] and file = "x.csv".')
    file = (source.parent / made["file"]).resolve()
    if not file.exists():
        raise DataError("does not exist", place=str(file))
    return made | {"file": str(file)}


def _models(wanted: Any, place: str) -> dict[str, dict[str, Any]]:
    """Settings of each model, checked by making it."""
    if wanted is None:
        return {name: {} for name, kind in MODELS.items() if kind.effort == 0}
    entries = {name: {} for name in wanted} if isinstance(wanted, list) else dict(wanted)
    for name, settings in entries.items():
        if not isinstance(settings, Mapping):
            raise SettingError(f"{name} is no table", place=place, remedy=f"Write {name} = {{}}.")
        # A name may be followed by a word after a colon, so that one model enters several times: "nvar:wide".
        if name != TRUTH:
            model(name.partition(":")[0], **settings)
    return {name: dict(settings) for name, settings in entries.items()}
