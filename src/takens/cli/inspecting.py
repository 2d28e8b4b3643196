"""`takens inspect LAW`: what a saved law has learned, beside what was observed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from ..errors import SettingError
from .laws import is_law
from .modelling import last, opened_law
from .options import Manner, Source, manner, reading
from .pictures import picture, wants_picture

if TYPE_CHECKING:
    from ..inspection import Inspection, Rest

POINTS, WORDS, WIDTH = 12, 8, 160
"""Fixed points, entropies of words and characters of an equation that are printed; JSON holds all."""
SMALL = 1e-6
"""Terms of an equation that make less than this share of its largest are not printed."""
OUTSIDE = 0.5
"""A fixed point is outside of the data beyond this share of their width."""


@click.command(short_help="What a saved law has learned.")
@click.option(
    "--data", metavar="FILE", type=click.Path(path_type=Path), help="Data that its free run is compared with."
)
@click.option("--duration", type=float, help="Time, as the data count it, over which exponents are averaged.")
@reading
@manner
def inspect(source: Source, data: Path | None, duration: float | None, manner: Manner) -> None:
    """Show what a saved law has learned, and draw it beside what was observed.

    FILE is the folder of the law; the reading options apply to --data. Printed are its settings and size, Lyapunov
    exponents, fixed points with their stability, the regions and cycles of piecewise-linear laws, its equations where
    it has some, and how far the climate of its free run is from the data. OUT receives everything as JSON or, ending in
    .png, .svg or .pdf, a picture.

    \b
    Examples:
      takens fit examples/sunspots.csv --model nvar --out sunspots.law
      takens inspect sunspots.law --data examples/sunspots.csv --out sunspots.png
    """
    from ..inspection import inspect as look

    if not is_law(source.path):
        raise SettingError(
            "is not a saved law", place=str(source.path), remedy="Give the folder that `takens fit` wrote."
        )
    drawn = wants_picture(manner)
    law = opened_law(source.path)
    observed = None if data is None else last(Source(data, source.options).open())
    progress = manner.progress()
    try:
        found = look(law, observed, duration=duration, seed=manner.seed, report=progress)
    finally:
        progress.close()
    if drawn:
        from ..figures import law_figure

        picture(manner, "", law_figure(found))
        manner.tell(_document(found), _page(found))
    else:
        manner.result(_document(found), _page(found))


def _document(found: Inspection) -> dict[str, Any]:
    """Everything as JSON."""
    signature, symbols = found.law.signature, found.symbols
    return {
        "law": found.kind, "data": signature.name, "channels": signature.channels, "inputs": signature.inputs,
        "interval": signature.interval, "unit": signature.clock.unit, "settings": found.settings,
        "numbers": found.numbers, "memory": found.memory,
        "states": None if found.system is None else found.system.dimension,
        "exponents": None if found.spectrum is None else {
            "value": found.spectrum.value, "standard_error": found.spectrum.details["standard_error"],
            "unit": found.spectrum.unit, "admissible": found.spectrum.admissible, "reason": found.spectrum.reason,
            "kaplan_yorke_dimension": found.spectrum.details.get("kaplan_yorke_dimension"),
        },
        "fixed_points": [
            {"values": one.values, "stability": one.stability, "proved": one.proved,
             "moduli" if found.system is not None and found.system.stepwise else "real_parts": _sizes(found, one)}
            for one in found.points
        ],
        "complete": found.complete, "cycles": found.cycles,
        "symbols": None if symbols is None else {
            "regions": len(symbols), "visits": symbols.visits, "topological_entropy": symbols.topological_entropy,
            "markov_entropy": symbols.markov_entropy, "word_entropies": symbols.word_entropies(),
            "staying": symbols.staying, "once": symbols.once,
        },
        "scores": {name: one.to_dict() for name, one in found.scores.items()},
        "scores_with_noise": {name: one.to_dict() for name, one in found.noisy.items()},
        "equations": found.equations, "missing": found.reasons,
    }  # fmt: skip


def _sizes(found: Inspection, point: Rest) -> np.ndarray:
    stepwise = found.system is not None and found.system.stepwise
    return np.abs(point.eigenvalues) if stepwise else point.eigenvalues.real


def _page(found: Inspection) -> list[str]:
    """A law for people."""
    signature = found.law.signature
    every = (
        f"every {signature.interval:.6g} {signature.clock.unit}" if signature.clock.unit != "step" else "step by step"
    )
    settings = ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in found.settings.items())
    lines = [f"{found.kind} of {signature.name} ({', '.join(signature.channels)}), {every}"]
    lines += [f"Settings: {settings}"] if settings else []
    states = "" if found.system is None else f", {found.system.dimension} states"
    lines.append(f"{found.numbers:,} numbers{states}, {found.memory} rows of memory")
    moved = [line for line in found.equations if not re.fullmatch(r"\S+ = \w+", line)]  # no mere delays
    lines += [_spoken(line, _sizes_of(found)) for line in moved]
    lines += [*_exponents(found), *_points(found), *_symbols(found), *_climate(found)]
    words = {"system": "No system", "exponents": "No exponents", "fixed points": "No fixed points",
             "comparison": "Not compared with data", "free run": "Note"}  # fmt: skip
    return lines + [f"{words.get(key, key)}: {reason}" for key, reason in found.reasons.items()]


def _sizes_of(found: Inspection) -> dict[str, float]:
    """The largest modulus of each state and known input in the training data, as far as the law's guard box says."""
    from ..models.base import RecursiveLaw

    system, law = found.system, found.law
    if system is None or not isinstance(law, RecursiveLaw):
        return {}
    reach = 3 / 7 * (law.high - law.low)  # the box is three ranges wider than the data on each side
    sizes = np.maximum(np.abs(law.low + reach), np.abs(law.high - reach))
    targets = law.signature.targets
    return {name: float(sizes[i % targets]) for i, name in enumerate(system.states)} | dict(
        zip(system.parameters, sizes[targets:].tolist(), strict=False)
    )


def _spoken(line: str, sizes: dict[str, float]) -> str:
    """An equation with four digits, without the terms that make less than a millionth of the largest."""
    left, _, right = line.partition(" = ")
    terms = re.split(r" (?=[+-] )", right)
    values = [re.fullmatch(r"([+-]? ?[0-9.e+-]+)((?:\*\w+)*)", term) for term in terms]
    if any(value is None or any(name not in sizes for name in value[2].split("*")[1:]) for value in values):
        return _cut(line)
    pairs = [(float(value[1].replace(" ", "")), value[2].split("*")[1:]) for value in values if value]
    weights = [abs(factor) * float(np.prod([sizes[name] for name in names])) for factor, names in pairs]
    kept = [pair for pair, weight in zip(pairs, weights, strict=True) if weight > SMALL * max(weights)]
    text = " ".join(f"{'-' if c < 0 else '+'} {_term(abs(c), names)}" for c, names in kept) or "0"
    rest = len(pairs) - len(kept)
    small = f" + {rest} terms below a millionth" if rest else ""
    return _cut(f"{left} = {text.removeprefix('+ ')}") + small


def _term(factor: float, names: list[str]) -> str:
    number = f"{factor:.4g}"
    return "*".join(names if number == "1" and names else [number, *names])


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 2]} …"


def _exponents(found: Inspection) -> list[str]:
    if found.spectrum is None or found.system is None:
        return []
    errors = found.spectrum.details["standard_error"]
    shown = ", ".join(f"{v:.4g} ({e:.1g})" for v, e in zip(found.spectrum.value, errors, strict=True))
    held = ", ".join(f"{name} = {value:.6g}" for name, value in found.system.parameters.items())
    lines = [f"With known inputs held at {held}:"] if found.law.signature.inputs else []
    lines.append(f"Lyapunov exponents, with standard errors: {shown} {found.spectrum.unit}")
    dimension = found.spectrum.details.get("kaplan_yorke_dimension")
    lines += [f"Kaplan-Yorke dimension: {dimension:.4g}"] if dimension is not None else []
    return lines + ([f"These exponents are doubtful: {found.spectrum.reason}"] if found.spectrum.reason else [])


def _points(found: Inspection) -> list[str]:
    if found.system is None or "fixed points" in found.reasons:
        return []
    proof = "all there are, proved" if found.complete else "a search, not a proof that there are no more"
    lines = [f"Fixed points: {len(found.points)} ({proof})"]
    reference = found.observed if found.observed is not None else found.generated
    names = found.law.signature.channels[: found.law.signature.targets]
    for point in found.points[:POINTS]:
        at = ", ".join(f"{name} {value:.5g}" for name, value in zip(names[:6], point.values[:6], strict=True))
        size = ", ".join(f"{v:.4g}" for v in _sizes(found, point)[:4])
        what = "moduli" if found.system.stepwise else "real parts"
        far = "; outside of the data" if reference is not None and _outside(point.values, reference.values) else ""
        lines.append(f"  {point.stability}: {at}{', ...' if len(names) > 6 else ''} ({what} {size}){far}")
    return lines + ([f"  and {len(found.points) - POINTS} more"] if len(found.points) > POINTS else [])


def _outside(values: np.ndarray, data: np.ndarray) -> bool:
    low, high = np.nanmin(data, axis=0), np.nanmax(data, axis=0)
    margin = OUTSIDE * np.where(high > low, high - low, 1.0)
    return bool(((values < low - margin) | (values > high + margin)).any())


def _symbols(found: Inspection) -> list[str]:
    lines = []
    if len(found.cycles) > 1:
        counted = ", ".join(f"{count} of period {period}" for period, count in found.cycles.items() if period > 1)
        lines.append(f"Cycles, all there are: {counted}")
    if found.symbols is None:
        return lines
    symbols, unit = found.symbols, "nats a step"
    words = ", ".join(f"{value:.3g}" for value in symbols.word_entropies()[:WORDS])
    lines.append(f"Regions visited: {len(symbols)}; {symbols.staying:.1%} of the steps stay in theirs")
    lines.append(
        f"Entropy: {symbols.topological_entropy:.4g} of their graph, {symbols.markov_entropy:.4g} of its chain, "
        f"{words} of symbols after 0, 1, ... others ({unit})"
    )
    if symbols.once > 0.2:
        lines.append(f"{symbols.once:.0%} of the steps between regions were seen once: the graph is not yet known")
    return lines


def _climate(found: Inspection) -> list[str]:
    lines = []
    for name, score in found.scores.items():
        noisy = found.noisy.get(name)
        value = "" if noisy is None or noisy.value is None else f"; {noisy.value:.4g} with the law's own noise"
        lines.append(f"Free run, {str(score).replace('_', ' ')}{value}")
    return lines
