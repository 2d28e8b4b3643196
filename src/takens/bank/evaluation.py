"""How good the verdict is on systems it has never seen, beside the simple rules: coverage, sets, errors, power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..verdicts.calibration import LEVELS, Judged
from ..verdicts.classes import CHAOTIC, CLASSES, LINEAR, NONSTATIONARY, PERIODIC
from .rules import NONE, Rule, group_of
from .table import Table

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

LENGTHS = {"200-600": (0, 600), "600-2,000": (600, 2000), "2,000-6,000": (2000, 6000), "6,000-20,000": (6000, 10**9)}
NOISES = {"none": (0.0, 1e-9), "1-5 %": (1e-9, 0.05), "5-20 %": (0.05, 0.2), "20-50 %": (0.2, 1.0)}
"""Bands of the true length and noise, lower end included."""
LONG, QUIET, CYCLES = 2000, 0.05, 100
"""Length, noise and cycles from which on a verdict should be sharp."""
CHAOS = CLASSES.index(CHAOTIC)


@dataclass(frozen=True)
class Share:
    """A share of rows with its 90 % interval: Wilson's, for as many independent rows as the systems amount to."""

    value: float
    low: float
    high: float
    rows: int
    systems: int

    def plain(self) -> dict[str, float | int]:
        """As JSON data."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in vars(self).items()}


def share(hit: Mask, table: Table, where: Mask | None = None) -> Share:
    """The weighted share of `hit (row,)` among rows `where`, systems counting equally within a class.

    The variance is that of sums over systems, since rows of one system, and of its kin, err together;
    n = p (1 - p) / variance rows go into Wilson's interval, never more than there are, and where nothing varies as many
    as there are systems.
    """
    where = np.ones(len(table), dtype=bool) if where is None else where
    weight, kin = table.weights()[where], table.kin[where]
    systems, cluster = np.unique(kin, return_inverse=True)
    if not len(systems):
        return Share(float("nan"), 0.0, 1.0, 0, 0)
    weight = weight / weight.sum()
    p = float(weight @ hit[where])
    variance = float((np.bincount(cluster, weight * (hit[where] - p)) ** 2).sum())
    n = min(p * (1 - p) / variance, len(kin)) if variance > 0 else float(len(systems))
    z = 1.6449
    centre, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = ((centre + sign * half) / (1 + z**2 / n) for sign in (-1, 1))
    return Share(p, float(max(low, 0.0)), float(min(high, 1.0)), len(kin), len(systems))


def mean(value: Array, table: Table, where: Mask) -> float:
    """The weighted mean of `value (row,)` among rows `where`; NaN without any."""
    return float(np.average(value[where], weights=table.weights()[where])) if where.any() else float("nan")


def bands(table: Table) -> dict[str, dict[str, Mask]]:
    """The rows of each band of true length and noise."""
    return {
        "length": {name: (table.length >= low) & (table.length < high) for name, (low, high) in LENGTHS.items()},
        "noise": {name: (table.noise >= low) & (table.noise < high) for name, (low, high) in NOISES.items()},
    }


def evaluate(
    table: Table, judged: Judged, rules: Sequence[Rule], words: Mapping[str, NDArray[np.str_]]
) -> dict[str, Any]:
    """Everything about the verdict on the rows of `table`, and about `rules` given the `words (row,)` of each.

    Rules are judged twice: on six classes ("regular" stands for periodic, "stochastic" for linear noise) and, more
    kindly, on the three groups they speak of, leaving out what is not stationary; and once more on the series whose
    group the rule has a word for.
    """
    top = judged.probabilities.argmax(axis=1)
    right = top == table.truth
    group, said = group_of(table.truth), group_of(top)
    found: dict[str, Any] = {
        "series": len(table), "systems": len(np.unique(table.system)),
        "systems_by_class": {n: len(np.unique(table.system[table.truth == k])) for k, n in enumerate(CLASSES)},
        "coverage": _coverage(table, judged), "size": _sizes(table, judged), "chaos": _chaos(table, judged),
        "accuracy": {"six": share(right, table).plain(),
                     "groups": share(said == group, table, group != NONE).plain()},
        "confusion": _confusion(table, top, len(CLASSES)), "rules": {},
    }  # fmt: skip
    for kind, parts in bands(table).items():
        found["accuracy"][kind] = {name: share(right, table, rows).plain() for name, rows in parts.items()}
    for rule in rules:
        found["rules"][rule.name] = _rule(table, rule, words[rule.name], group, said)
    found["bars"] = bars(found)
    return found


def _coverage(table: Table, judged: Judged) -> dict[str, Any]:
    rows = np.arange(len(table))
    out: dict[str, Any] = {}
    for level in LEVELS:
        covered = judged.sets(level)[rows, table.truth]
        parts = bands(table) | {"class": {name: table.truth == k for k, name in enumerate(CLASSES)}}
        out[f"{level:g}"] = {"all": share(covered, table).plain()} | {
            kind: {name: share(covered, table, where).plain() for name, where in group.items()}
            for kind, group in parts.items()
        }
    return out


def _sizes(table: Table, judged: Judged) -> dict[str, Any]:
    size = judged.sets(0.9).sum(axis=1).astype(float)
    sharp = (table.length >= LONG) & (table.noise <= QUIET)
    return {
        "all": mean(size, table, np.ones(len(table), dtype=bool)),
        "long_and_quiet": mean(size, table, sharp),
        "counts": np.bincount(size.astype(int), minlength=len(CLASSES) + 1)[1:].tolist(),
    } | {kind: {name: mean(size, table, rows) for name, rows in parts.items()} for kind, parts in bands(table).items()}


def _chaos(table: Table, judged: Judged) -> dict[str, Any]:
    """The word chaotic, said alone: where it is wrong, and how often it is said where it should be."""
    sets = judged.sets(0.9)
    alone = sets[:, CHAOS] & (sets.sum(axis=1) == 1)
    others = (table.truth != CHAOS) & (table.truth != CLASSES.index(NONSTATIONARY))
    chaos = table.truth == CHAOS
    ready = chaos & (table.length >= LONG) & (table.noise <= QUIET) & (table.cycles >= CYCLES)
    simple = ready & np.isin(table.family, ("flows", "maps"))
    return {
        "false": share(alone, table, others).plain(),
        "false_by_class": {name: share(alone, table, table.truth == k).plain()
                           for k, name in enumerate(CLASSES) if k != CHAOS},
        "power": share(alone, table, simple).plain(), "power_all": share(alone, table, ready).plain(),
        "power_by": {kind: {name: share(alone, table, chaos & rows).plain() for name, rows in parts.items()}
                     for kind, parts in bands(table).items()},
        "false_by": {kind: {name: share(alone, table, others & rows).plain() for name, rows in parts.items()}
                     for kind, parts in bands(table).items()},
        "missed": sorted(set(table.system[simple & ~alone].tolist())),
        "false_systems": sorted(set(table.system[others & alone].tolist())),
    }  # fmt: skip


def _confusion(table: Table, said: NDArray[np.int64], columns: int) -> dict[str, Any]:
    """Weighted shares of what was said, by truth: for all rows and each band."""
    parts = {"all": {"": np.ones(len(table), dtype=bool)}} | bands(table)
    weight = table.weights()
    out: dict[str, Any] = {}
    for kind, group in parts.items():
        out[kind] = {}
        for name, rows in group.items():
            matrix = np.zeros((len(CLASSES), columns))
            np.add.at(matrix, (table.truth[rows], said[rows]), weight[rows])
            total = matrix.sum(axis=1, keepdims=True)
            out[kind][name] = np.round(matrix / np.where(total > 0, total, 1), 3).tolist()
    return out


def _rule(table: Table, rule: Rule, words: NDArray[np.str_], group: NDArray[np.str_], said: Any) -> dict[str, Any]:
    """One rule: how often right, on its own ground beside the verdict, and its confusion."""
    strict = {"regular": PERIODIC, CHAOTIC: CHAOTIC, "stochastic": LINEAR}
    truth = np.array(CLASSES)[table.truth]
    named = np.array([strict[str(word)] for word in words])
    own = np.isin(group, rule.says)
    columns = {word: k for k, word in enumerate(rule.says)}
    others = (table.truth != CHAOS) & (group != NONE)
    return {
        "reference": rule.reference, "says": rule.says,
        "cuts": dict(vars(rule)),
        "six": share(named == truth, table).plain(), "groups": share(words == group, table, group != NONE).plain(),
        "own_ground": share(words == group, table, own).plain(),
        "verdict_on_own_ground": share(said == group, table, own).plain(),
        "false_chaos": share(words == CHAOTIC, table, others).plain(),
        "confusion": _confusion(table, np.array([columns[str(word)] for word in words]), len(columns)),
        "groups_by": {kind: {name: share(words == group, table, rows & (group != NONE)).plain()
                             for name, rows in parts.items()} for kind, parts in bands(table).items()},
    }  # fmt: skip


def bars(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was promised, what was found, and whether it was kept."""
    coverage = found["coverage"]["0.9"]
    worst = min((s["value"], f"{kind} {name}") for kind in ("length", "noise") for name, s in coverage[kind].items())
    rule, margin = min(
        ((name, found["accuracy"]["groups"]["value"] - r["groups"]["value"]) for name, r in found["rules"].items()),
        key=lambda item: item[1], default=("no rule", float("nan")),
    )  # fmt: skip
    rows = (
        ("coverage at nominal 90 %", coverage["all"]["value"], 0.88, 0.93),
        (f"coverage in the worst band ({worst[1]})", worst[0], 0.85, 1.0),
        (f"mean set size, {LONG:,} values or more, noise up to {QUIET:.0%}", found["size"]["long_and_quiet"], 0.0, 1.7),
        ("{chaotic} alone for regular motion or noise", found["chaos"]["false"]["value"], 0.0, 0.02),
        (f"{{chaotic}} alone for chaos, {LONG:,} values, {CYCLES} cycles, noise up to {QUIET:.0%}",
         found["chaos"]["power"]["value"], 0.8, 1.0),
        (f"accuracy above the best rule ({rule}), three groups", margin, 0.1, 1.0),
    )  # fmt: skip
    return [
        {"bar": name, "value": value, "low": low, "high": high, "kept": bool(low <= value <= high)}
        for name, value, low, high in rows
    ]
