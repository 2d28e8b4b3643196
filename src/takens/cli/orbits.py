"""`takens fixed-points`, `section`: special states of a law of motion, and where its orbit crosses a plane."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import SettingError
from ..wording import counted
from .laws import PARAMETER, SYSTEM, law_and_system
from .options import Manner, manner
from .pictures import PICTURES, picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..dynamics.sections import Section
    from ..models.base import Law
    from ..systems.base import System

MODULI = 4
"""Eigenvalues that are printed; OUT receives all."""


@click.command("fixed-points", short_help="Fixed points, or cycles of a map, with their stability.")
@SYSTEM
@click.option("--period", type=click.IntRange(min=1), default=1, show_default=True, help="Cycles of a map instead.")
@click.option(
    "--box", metavar="NAME=LOW:HIGH", multiple=True, help="Range of every state; around the orbit if left out."
)
@PARAMETER
@manner
def fixed_points(name: str, period: int, box: tuple[str, ...], pairs: tuple[str, ...], manner: Manner) -> None:
    """Find the states that a law of motion keeps, and how stable they are: all of them where that can be proved.

    Of a saved LAW the values of its channels are shown. OUT receives everything as JSON.

    \b
    Examples:
      takens fixed-points Lorenz63
      takens fixed-points Henon --period 4
    """
    law, system = law_and_system(name, pairs)
    if law is not None and not box:
        found = _of_law(law, system, period, manner.seed)
    else:
        found = _of_system(system, period, _box(system, box))
    names, points, spectra, words, proved, status = found
    document = {
        "period": period, "names": names, "status": status,
        "points": [
            {"states": states, "eigenvalues": [{"real": v.real, "imaginary": v.imag} for v in values],
             "stability": word, "proved": sure}
            for states, values, word, sure in zip(points, spectra, words, proved, strict=True)
        ],
    }  # fmt: skip
    lines = [status]
    for states, values, word, sure in zip(points, spectra, words, proved, strict=True):
        at = "; ".join(", ".join(f"{n} {x:.6g}" for n, x in zip(names, row, strict=True)) for row in states[:6])
        more = "; ..." if len(states) > 6 else ""
        moduli = ", ".join(f"{abs(v) if system.stepwise else v:.4g}" for v in values[:MODULI])
        lines.append(f"{word}{', proved' if sure else ''}: {at}{more}")
        lines.append(f"  {'moduli of ' if system.stepwise else ''}eigenvalues {moduli}")
    manner.result(document, lines)


def _box(system: System, box: tuple[str, ...]) -> NDArray[np.float64] | None:
    """The box of all states, in their order."""
    import numpy as np

    if not box:
        return None
    from .portraits import spanned

    ranges = {key: (low, high) for key, low, high in (spanned(one, "--box") for one in box)}
    if set(ranges) != set(system.states):
        raise SettingError(
            f"a box over {', '.join(ranges)}", place="--box", remedy=f"Give all states: {', '.join(system.states)}."
        )
    return np.array([ranges[name] for name in system.states]).T


def _of_system(system: System, period: int, box: NDArray[np.float64] | None) -> tuple[Any, ...]:
    """Names, points `(point, state)` of each, eigenvalues, words, proofs and status."""
    from ..dynamics import cycles
    from ..dynamics import fixed_points as find

    if period == 1:
        found = find(system, box)
        return (system.states, found.points[:, None], found.eigenvalues, found.stability, found.proved.tolist(),
                found.status)  # fmt: skip
    orbits = cycles(system, period, box)
    return (system.states, *_listed(orbits.orbits), _status(len(orbits), period, orbits.complete, orbits.method))


def _of_law(law: Law, system: System, period: int, seed: int) -> tuple[Any, ...]:
    from ..dynamics import cycles, region_cycles
    from ..inspection import channels_at, pieces_of, resting, unwrapped
    from ..models.piecewise.law import PiecewiseLinearLaw

    bare = unwrapped(law)
    names = law.signature.channels[: law.signature.targets]
    if isinstance(bare, PiecewiseLinearLaw):
        pieces, start = pieces_of(bare, system)
        found = region_cycles(pieces, period, states=pieces.orbit(start, 2000)[500:], seed=seed)
        listed = _listed(found.orbits)
        points: Any = [bare.values(states) for states in listed[0]]
        return (names, points, *listed[1:], _status(len(found), period, found.complete, found.method))
    if period == 1:
        rests, complete = resting(bare, system, proof=True)
        return (
            names, [rest.values[None] for rest in rests], [rest.eigenvalues for rest in rests],
            [rest.stability for rest in rests], [rest.proved for rest in rests],
            _status(len(rests), 1, complete, "search"),
        )  # fmt: skip
    orbits = cycles(system, period)
    listed = _listed(orbits.orbits)
    points = [channels_at(bare, system, states) for states in listed[0]]
    return (names, points, *listed[1:], _status(len(orbits), period, orbits.complete, orbits.method))


def _listed(orbits: Any) -> tuple[Any, Any, Any, Any]:
    return ([one.states for one in orbits], [one.multipliers for one in orbits], [one.stability for one in orbits],
            [one.proved for one in orbits])  # fmt: skip


def _status(count: int, period: int, complete: bool, method: str) -> str:
    what = counted(count, "fixed point") if period == 1 else f"{counted(count, 'cycle')} of period {period}"
    if complete:
        return f"{what}, proved to be all."
    how = "a search" if method == "search" else method
    return f"{what} found by {how}, not a proof that there are no more."


@click.command(short_help="Where the orbit of a flow, or of a saved law, crosses a plane.")
@SYSTEM
@click.option("--at", "surface", metavar="EQUATION", required=True, help="The surface, such as 'z = 27'.")
@click.option("--count", type=click.IntRange(min=2), default=1000, show_default=True, help="Crossings.")
@click.option("--direction", type=click.Choice(["up", "down", "both"]), default="up", show_default=True)
@PARAMETER
@manner
def section(name: str, surface: str, count: int, direction: str, pairs: tuple[str, ...], manner: Manner) -> None:
    """Show where an orbit crosses a surface: the Poincare section, and the map from each crossing to the next.

    OUT is a picture (.png, .svg, .pdf) or a table (.csv); the default is NAME-section.png. The free run of a LAW that
    goes from sample to sample is interpolated between them; its surface is one value of a channel.

    \b
    Examples:
      takens section Lorenz63 --at "z = 27"
      takens section Rossler --at "y = 0" --direction down --out rossler.csv
    """
    from ..dynamics import poincare_section

    law, system = law_and_system(name, pairs)
    sign = {"up": 1, "down": -1, "both": 0}[direction]
    progress = manner.progress()
    try:
        if law is not None and system.stepwise:
            found = _sampled(law, surface, sign, count, manner.seed)
        else:
            found = poincare_section(
                system, surface, count=count, direction=sign, transient=_wait(system),
                report=lambda share: progress("following the orbit", share),
            )  # fmt: skip
    finally:
        progress.close()
    if manner.out is not None and manner.out.suffix == ".csv":
        from ..io.atomic import atomic_text

        rows = [",".join(["time", *found.names])]
        rows += [",".join(map(repr, map(float, (t, *x)))) for t, x in zip(found.times, found.states, strict=True)]
        atomic_text(manner.out, "\n".join(rows) + "\n")
        manner.remark(f"Written: {manner.out}")
    else:
        from ..figures import section_figure

        if len(found.names) < 2:
            raise SettingError(
                "a section of one channel is one value", place=name, remedy=f"Give --out table.csv, not {PICTURES[0]}."
            )
        picture(manner, f"{Path(name).stem}-section.png", section_figure(found))
    document = {
        "surface": found.what,
        "times": found.times,
        "states": dict(zip(found.names, found.states.T, strict=True)),
    }
    manner.tell(document, [f"{len(found)} crossings of {found.what}", *_spoken(found)])


def _wait(system: System) -> float:
    return 20 * (system.period or 100 * system.default_dt())


def _sampled(law: Law, surface: str, sign: int, count: int, seed: int) -> Section:
    """The section of the noise-free run of a law: as many rows as it takes, up to 200,000."""
    from ..dynamics.sampled_sections import sampled_section

    rows = 10_000
    while True:
        run = law.generate(rows, noise=False, seed=seed)
        found = sampled_section(run.values, run.channels, surface, interval=law.signature.interval, direction=sign)
        if len(found) >= count or not len(found) or rows >= 200_000:
            break
        rows = min(200_000, max(2 * rows, int(1.2 * rows * count / max(len(found), 1))))
    if len(found) < 2:
        raise SettingError(
            f"the free run crosses {surface} {len(found)} times", place="--at", remedy="Choose a value that it passes."
        )
    return type(found)(found.times[:count], found.states[:count], found.names, found.what)


def _spoken(found: Section) -> list[str]:
    import numpy as np

    gaps = found.intervals
    return [f"mean time between them {np.mean(gaps):.6g} +- {np.std(gaps):.2g}"] if len(gaps) else []
