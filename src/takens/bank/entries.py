"""The plan of a bank: which series, from which sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import SettingError
from ..random import generator
from ..verdicts.classes import CLASSES
from .families import Source, sources
from .families.motion import COARSEST, FINEST

SHORTEST, LONGEST = 200, 20_000
LEAST_NOISE, MOST_NOISE = 0.01, 0.5


@dataclass(frozen=True)
class Entry:
    """One series of the bank as plain data, from which `realise` makes the same series everywhere.

    `system` is what is left out as a whole when the calibration is tested, `noise` the standard deviation of the
    observational noise as a share of the signal's, `sampling` the samples a cycle (1 where there are no cycles to
    sample), `observable` what is seen, `settings` the name of the source and its parameters.
    """

    family: str
    system: str
    truth: str
    length: int
    noise: float
    sampling: float
    observable: str
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """The entry as a dict of plain data; `Entry(**plain)` is the entry again."""
        return asdict(self)


@lru_cache(maxsize=1)
def systems() -> Mapping[str, Mapping[str, tuple[Source, ...]]]:
    """The sources by truth and system."""
    found: dict[str, dict[str, list[Source]]] = {truth: {} for truth in CLASSES}
    for source in sources().values():
        found[source.truth].setdefault(source.system, []).append(source)
    return {truth: {name: tuple(rows) for name, rows in sorted(group.items())} for truth, group in found.items()}


def plan(size: int, seed: int) -> tuple[Entry, ...]:
    """`size` entries of a bank for a `seed`; a longer plan begins with the shorter one.

    Entry i is of class i mod 6. Within a class all systems come equally often, in one random order after another; a
    system with several families of series, as with and without dynamical noise, shows each as often.
    Lengths are 200 to 20,000, noise is 0 in a third, else 0.01 to 0.5, flows have 6 to 100 samples a cycle, all evenly
    in the logarithm.
    Raises `SettingError` for a size below 1. Cost: about 0.1 ms an entry after 0.1 s.
    """
    if size < 1:
        raise SettingError(f"a bank of {size} series", place="plan", remedy="Ask for at least one.")
    return tuple(_entry(index, seed) for index in range(size))


def _entry(index: int, seed: int) -> Entry:
    truth = CLASSES[index % len(CLASSES)]
    group = systems()[truth]
    names = list(group)
    turn, place = divmod(index // len(CLASSES), len(names))
    system = names[int(_order(truth, turn, seed, len(names))[place])]
    random = generator(seed, "bank", "entry", index)
    family = str(random.choice(sorted({source.family for source in group[system]})))
    found = [source for source in group[system] if source.family == family]
    source = found[int(random.integers(len(found)))]
    settings = source.draw(random)
    length = round(float(np.exp(random.uniform(np.log(SHORTEST), np.log(LONGEST)))))
    noise = float(np.exp(random.uniform(np.log(LEAST_NOISE), np.log(MOST_NOISE)))) if random.random() > 1 / 3 else 0.0
    sampling = float(np.exp(random.uniform(np.log(COARSEST), np.log(FINEST)))) if source.sampled else 1.0
    return Entry(
        source.family, system, truth, length, noise, sampling, str(settings["observable"]),
        int(random.integers(2**53)), {"source": source.name, **settings},
    )  # fmt: skip


@lru_cache(maxsize=64)
def _order(truth: str, turn: int, seed: int, count: int) -> tuple[int, ...]:
    return tuple(generator(seed, "bank", "order", truth, turn).permutation(count).tolist())
