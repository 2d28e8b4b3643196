"""Entropies of symbols as products of outcome space, probability estimator and definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ...errors import SettingError
from ...estimate import Estimate
from ...random import generator
from ..base import Channel, measure
from ..entropy_definitions import Definition, Extropy, Renyi, Shannon, Tsallis, largest
from ..entropy_inference import Table, block_labels, entropy_interval, jackknife_interval
from ..timescales import correlation_steps
from .estimators import ESTIMATORS, Estimator, RelativeFrequency
from .spaces import SPACES, Dispersion, Space, Swaps, Symbols, ValueHistogram

DEFINITIONS: dict[str, Definition] = {
    "Shannon": Shannon(),
    "Renyi": Renyi(),
    "Tsallis": Tsallis(),
    "extropy": Extropy(),
}
"""The definitions, with their defaults, by the names that settings may use."""

T = TypeVar("T")


def _named(choice: T | str, known: Mapping[str, T], place: str) -> T:
    """The thing itself, or the one of that name."""
    if not isinstance(choice, str):
        return choice
    if choice not in known:
        raise SettingError(f"no {place} {choice!r}", place=place, remedy=f"Known are: {', '.join(known)}.")
    return known[choice]


def entropy(
    x: ArrayLike, space: Space | None = None, estimator: Estimator | None = None, definition: Definition | None = None,
    *, seed: int = 0,
) -> float:  # fmt: skip
    """The entropy of values `x (time,)`: their symbols in `space`, counted, estimated and summed up.

    Defaults: `ValueHistogram()`, `RelativeFrequency()`, `Shannon()`: in nats, not normalised. Raises `SettingError` for
    settings out of range and `Refused` for too few values. Cost: O(N). For an interval and for whether to believe it
    use the measure `discrete_entropy`.
    """
    symbols = (space or ValueHistogram()).encode(np.asarray(x, dtype=float), generator(seed, "entropies", "ties"))
    counts = np.bincount(symbols.code, minlength=symbols.size).astype(float)
    kind = definition or Shannon()
    return float(kind.finish((estimator or RelativeFrequency()).total(counts, kind)))


def block_table(symbols: Symbols, labels: np.ndarray) -> Table:
    """Counts of symbols in blocks."""
    blocks = int(labels[-1]) + 1
    flat = np.bincount(labels * symbols.size + symbols.code, minlength=blocks * symbols.size)
    return Table(flat.reshape(blocks, symbols.size).astype(float))


def _memory(x: np.ndarray, span: int) -> int:
    """Samples over which symbols depend: their span or the time in which the autocorrelation falls to 1/e."""
    return max(span, correlation_steps(x))


@measure(family="entropies", reference="Datseris and Haaga, PLoS ONE 20, e0324431 (2025)")
def discrete_entropy(
    channel: Channel, *, space: Space | str = "value histogram", estimator: Estimator | str = "relative frequency",
    definition: Definition | str = "Shannon", normalised: bool = True, level: float = 0.9, seed: int = 0,
) -> Estimate:  # fmt: skip
    """The entropy of the symbols of a series: outcome space x probability estimator x definition.

    Spaces: "value histogram", "ordinal", "dispersion", "quantiles", "swaps", or an object with settings such as
    `Ordinal(5, 2)`; estimators: "relative frequency", "add one", "Miller-Madow", "jackknife", "Chao-Shen"; definitions:
    "Shannon" (nats), "Renyi", "Tsallis" (q = 2), "extropy". Normalised it is divided by that of equally likely
    outcomes. The interval is that of the plug-in value less its bias, by the second-order delta method over blocks of
    ten correlation times; it takes the limits of bins and classes as known, which fails where they happen to be a
    Markov partition. Admissible from 5 values an outcome. The entropy of a histogram depends on its bins: compare
    only like with like. Cost: O(N).
    """
    chosen_space = _named(space, SPACES, "space")
    counted = _named(estimator, ESTIMATORS, "estimator")
    kind = _named(definition, DEFINITIONS, "definition")
    symbols = chosen_space.encode(channel.x, generator(seed, "entropies", "ties"))
    table = block_table(symbols, block_labels(len(symbols.code), _memory(channel.x, symbols.span)))
    most = largest(kind, symbols.size) if normalised else 1.0
    value = float(kind.finish(counted.total(table.total, kind))) / most
    low, high = (max(end / most, 0.0) for end in entropy_interval(table, kind, level))
    if normalised:
        low, high = min(low, 1.0), min(high, 1.0)
    needed = 5 * symbols.size
    reason = ""
    if len(symbols.code) < needed:
        reason = f"{len(symbols.code)} symbols; 5 for each of {symbols.size} outcomes are needed: {needed}"
    settings = {
        "space": repr(chosen_space), "estimator": repr(counted), "definition": repr(kind), "normalised": normalised,
        "outcomes": symbols.size, "blocks": len(table.counts),
    }  # fmt: skip
    return Estimate(
        "", value, "" if normalised or kind.name in ("Tsallis", "extropy") else "nat", (low, high), level,
        f"{kind.name} entropy of {type(chosen_space).__name__} symbols; second-order delta method over blocks",
        settings, {}, not reason, reason, details={"counts": table.total},
    )  # fmt: skip


@measure(family="entropies", reference="Rostaghi and Azami, IEEE Signal Process. Lett. 23, 610 (2016)")
def dispersion_entropy(
    channel: Channel, *, classes: int = 6, length: int = 2, delay: int = 1, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Dispersion entropy, 0 to 1: Shannon entropy of words of `length` classes of values, over its largest.

    Values are put into `classes` equally likely under a normal distribution. It feels amplitudes, unlike permutation
    entropy. Interval and admissibility as in `discrete_entropy` (classes^length outcomes); it takes the limits of
    the classes as known, so that for slow series it covers less (AR(1) with 0.9: 87 % at nominal 95 %). Cost: O(N).
    """
    space = Dispersion(classes, length, delay)
    estimate: Estimate = discrete_entropy.function(channel, space=space, level=level, seed=seed)
    return estimate


@measure(family="entropies", reference="Manis, Aktaruzzaman and Sassi, IEEE Trans. Biomed. Eng. 64, 2711 (2017)")
def bubble_entropy(
    channel: Channel, *, length: int = 10, delay: int = 1, level: float = 0.9, seed: int = 0
) -> Estimate:  # fmt: skip
    """Bubble entropy: how much the Renyi-2 entropy of the number of sorting swaps grows with the vector's length.

    b = [R2(m + 1) - R2(m)] / ln[(m + 1) / (m - 1)], m the `length`, R2 = -ln sum p^2 over the numbers of swaps. It has
    no radius to choose. Interval: jackknife over blocks of ten correlation times. Admissible from 5 vectors for each
    number of swaps. Cost: O(N length^2).
    """
    rng = generator(seed, "entropies", "ties")
    wide = Swaps(length + 1, delay).encode(channel.x, rng)
    narrow = Swaps(length, delay).encode(channel.x[: len(channel.x) - delay], rng)
    labels = block_labels(len(wide.code), _memory(channel.x, wide.span))
    scale = np.log((length + 1) / (length - 1))

    def renyi(counts: np.ndarray) -> np.ndarray:
        p = counts / counts.sum(axis=-1, keepdims=True)
        return np.asarray(-np.log(np.sum(p**2, axis=-1)))

    tables = [block_table(symbols, labels) for symbols in (narrow, wide)]
    small, large = (table.total for table in tables)
    value = float(renyi(large) - renyi(small)) / scale
    parts = (renyi(large - tables[1].counts) - renyi(small - tables[0].counts)) / scale
    low, high, centre = jackknife_interval(value, parts, level)
    needed = 5 * wide.size
    reason = "" if len(wide.code) >= needed else f"{len(wide.code)} vectors; {needed} are needed"
    return Estimate(
        "", value, "", (low, high), level, "difference of Renyi-2 entropies of sorting swaps; jackknife over blocks",
        {"length": length, "delay": delay, "blocks": len(parts)}, {}, not reason, reason,
        details={"corrected": centre, "counts": large},
    )  # fmt: skip
