"""From the statistics of the steps to classes with stated coverage: the fitted calibration and what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, SettingError
from .classes import CHAOTIC, CLASSES
from .multinomial import Mixture

Array = NDArray[np.float64]

ARRAYS, DOCUMENT = "calibration.safetensors", "calibration.json"
FORMAT, VERSION = "takens-calibration", 1
ALPHAS = np.arange(1, 401) / 400
"""The p-values that thresholds are kept for; a p-value between two of them is rounded up."""
LEVELS = (0.8, 0.9, 0.95)
"""Levels at which the calibration was evaluated; any other can be asked for."""
FALSE_CHAOS = 0.02
"""Level of the test that must reject before a set is {chaotic} alone: false chaos is worse than an undecided set."""


@dataclass(frozen=True)
class Bands:
    """What can be known of a series that makes it easy or hard: statistics `names`, each cut at its `cuts`."""

    names: tuple[str, ...]
    cuts: tuple[tuple[float, ...], ...]

    def of(self, columns: Array) -> NDArray[np.int64]:
        """The band `(row,)` of the named statistics `columns (row, name)`; NaN counts as the highest."""
        band = np.zeros(len(columns), dtype=np.int64)
        for column, cuts in zip(columns.T, self.cuts, strict=True):
            place = np.where(np.isnan(column), len(cuts), np.searchsorted(cuts, column, side="right"))
            band = band * (len(cuts) + 1) + place
        return band

    @property
    def count(self) -> int:
        """How many bands there are."""
        return int(np.prod([len(cuts) + 1 for cuts in self.cuts]))


@dataclass(frozen=True, eq=False)
class Judged:
    """What the calibration says about rows: `probabilities (row, class)`, conformal `p_values (row, class)`, and
    `chaos_p (row,)`, the p-value of the null that the row is regular or noise."""

    probabilities: Array
    p_values: Array
    chaos_p: Array

    def sets(self, level: float) -> NDArray[np.bool_]:
        """The classes `(row, class)` that cannot be excluded at `level`; never empty.

        A class is in the set if its p-value exceeds 1 - `level`; the most probable class always is. The set {chaotic}
        alone also needs `chaos_p` below 2 %; else the runner-up joins it.
        """
        rows = np.arange(len(self.probabilities))
        chosen = self.p_values > 1 - level + 1e-9
        chosen[rows, self.probabilities.argmax(axis=1)] = True
        chaotic = CLASSES.index(CHAOTIC)
        unsure = chosen[:, chaotic] & (chosen.sum(axis=1) == 1) & (self.chaos_p >= FALSE_CHAOS)
        others = self.probabilities.copy()
        others[:, chaotic] = -1.0
        chosen[rows[unsure], others[unsure].argmax(axis=1)] = True
        return chosen


@dataclass(frozen=True)
class Classification:
    """The calibrated answer for one series at `level`.

    `classes` cannot be excluded, most probable first; `probabilities` and conformal `p_values` are by class. `chaos_p`
    is the p-value of "this is regular or noise", without which chaos is not said alone. `evidence` gives, by statistic,
    how much it moved the log odds of the first class against the others, largest first.
    """

    classes: tuple[str, ...]
    level: float
    probabilities: Mapping[str, float]
    p_values: Mapping[str, float]
    chaos_p: float
    evidence: Mapping[str, float] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Calibration:
    """A fitted model of the classes with conformal thresholds: see `takens.bank.training`.

    `features` names the statistics in the order that the `model` takes them. `thresholds (band, alpha)` are scores
    beyond which the p-value is at most alpha; `chaos_thresholds (alpha,)` the same for the probability of chaos among
    series that are regular or noise. `about` holds version, sizes, seed and the bars of the evaluation.
    """

    features: tuple[str, ...]
    model: Mixture
    bands: Bands
    thresholds: Array
    chaos_thresholds: Array
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        sound = (
            self.thresholds.shape == (self.bands.count, len(ALPHAS))
            and self.chaos_thresholds.shape == ALPHAS.shape
            and self.model.multinomial.slope.shape == (len(CLASSES), len(self.features))
            and set(self.bands.names) <= set(self.features)
        )
        if not sound:
            raise DataError("the parts of this calibration do not fit", remedy="Calibrate again: takens calibrate.")

    def table(self, statistics: Sequence[Mapping[str, float]]) -> Array:
        """Statistics of several series as `(row, feature)`; raises `DataError` where one is not named at all."""
        missing = [name for name in self.features if any(name not in row for row in statistics)]
        if missing:
            raise DataError(
                f"the statistic {missing[0]!r} is missing",
                remedy="A calibration fits the steps it was made with: calibrate again after changing steps.",
            )
        rows = [[np.nan if row[name] is None else float(row[name]) for name in self.features] for row in statistics]
        return np.array(rows, dtype=float).reshape(len(rows), len(self.features))

    def judge(self, x: Array) -> Judged:
        """Probabilities and p-values of statistics `x (row, feature)`. Cost: a millisecond a row."""
        probabilities = self.model.probabilities(x)
        band = self.bands.of(x[:, [self.features.index(name) for name in self.bands.names]])
        p_values = p_value(self.thresholds[band][:, None, :], 1.0 - probabilities)
        chaos_p = p_value(self.chaos_thresholds, probabilities[:, CLASSES.index(CHAOTIC)])
        return Judged(probabilities, p_values, chaos_p)

    def classify(self, statistics: Mapping[str, float], level: float = 0.9) -> Classification:
        """The classes that the statistics of one series leave open at `level`, with probabilities and evidence.

        Raises `SettingError` unless 0 < `level` < 1, `DataError` where a statistic is missing. Cost: milliseconds.
        """
        if not 0 < level < 1:
            raise SettingError(f"level must lie between 0 and 1, got {level}", place="level")
        x = self.table([statistics])
        judged = self.judge(x)
        p = judged.probabilities[0]
        order = np.argsort(-p, kind="stable")
        chosen = judged.sets(level)[0]
        return Classification(
            tuple(CLASSES[k] for k in order if chosen[k]), level, dict(zip(CLASSES, p.tolist(), strict=True)),
            dict(zip(CLASSES, judged.p_values[0].tolist(), strict=True)), float(judged.chaos_p[0]),
            self._evidence(x, p, int(order[0])),
        )  # fmt: skip

    def _evidence(self, x: Array, p: Array, top: int) -> dict[str, float]:
        """By statistic, its part in the log odds of class `top` against the others, weighted by their probability."""
        parts = self.model.contributions(x)[0]
        rest = np.maximum(np.delete(p, top), 1e-12)
        odds = parts[top] - (rest / rest.sum()) @ np.delete(parts, top, axis=0)
        order = np.argsort(-np.abs(odds), kind="stable")
        return {self.features[i]: float(odds[i]) for i in order if odds[i] != 0}

    def save(self, folder: Path) -> None:
        """Write `calibration.safetensors` and `calibration.json` into `folder`. Raises `OutputError`."""
        from safetensors.numpy import save

        from ..estimate import plain
        from ..io.atomic import atomic_bytes, atomic_text

        arrays = self.model.arrays() | {"thresholds": self.thresholds, "chaos_thresholds": self.chaos_thresholds}
        document = {
            "format": FORMAT, "version": VERSION, "classes": CLASSES, "features": self.features,
            "bands": {"names": self.bands.names, "cuts": self.bands.cuts}, "about": self.about,
        }  # fmt: skip
        atomic_bytes(folder / ARRAYS, save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))
        atomic_text(folder / DOCUMENT, json.dumps(plain(document), indent=1, allow_nan=False) + "\n")


def p_value(thresholds: Array, score: Array) -> Array:
    """The smallest alpha whose threshold is below the score: `thresholds (..., alpha)` falls with alpha."""
    beyond = score[..., None] > thresholds
    beyond[..., -1] = True
    return np.asarray(ALPHAS[beyond.argmax(axis=-1)])


def read(folder: Path) -> Calibration:
    """The calibration in `folder`. Raises `DataError` where it is missing, damaged, or of another version."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as unpack

    try:
        document = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
        arrays = unpack((folder / ARRAYS).read_bytes())
        if document["format"] != FORMAT or document["version"] != VERSION or tuple(document["classes"]) != CLASSES:
            raise DataError(f"is not a calibration of version {VERSION}", place=str(folder))
        bands = Bands(tuple(document["bands"]["names"]), tuple(tuple(cuts) for cuts in document["bands"]["cuts"]))
        return Calibration(
            tuple(document["features"]), Mixture.read(arrays), bands, arrays["thresholds"], arrays["chaos_thresholds"],
            document.get("about", {}),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        remedy = "Make one with `takens calibrate`, or install takens again."
        raise DataError(f"no calibration can be read here: {error}", place=str(folder), remedy=remedy) from error


@cache
def carried() -> Calibration:
    """The calibration that comes with the package."""
    return read(Path(__file__).parent)
