"""`takens diagram`, `basins`: where the orbits of a law settle, over parameters and over initial states."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import SettingError
from .laws import PARAMETER, SYSTEM, known_system
from .options import Manner, manner
from .pictures import picture
from .quantities import number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..dynamics.basins import Basins
    from ..dynamics.diagrams import OrbitDiagram, ParameterPlane


@click.command(short_help="Orbit (bifurcation) diagrams over one or two parameters.")
@SYSTEM
@click.option("--vary", metavar="NAME=LOW:HIGH", multiple=True, required=True, help="A parameter; two give a plane.")
@click.option("--count", type=click.IntRange(min=2), help="Values of each parameter; 600, or 80 of two.")
@click.option("--state", metavar="NAME", help="State shown; for a flow at its maxima. The first.")
@click.option("--section", metavar="NAME=VALUE", help="Crossings of this plane instead of maxima, for a flow.")
@click.option("--interval", type=float, help="Samples every interval instead, such as the period of a forcing.")
@click.option("--transient", type=float, help="Time before what is shown; 1,000 iterations or 100 periods.")
@click.option("--follow", type=click.Choice(["up", "down"]), help="Start each value where its neighbour ended.")
@click.option("--lyapunov", is_flag=True, help="Largest Lyapunov exponent of each value.")
@PARAMETER
@manner
def diagram(
    name: str,
    vary: tuple[str, ...],
    count: int | None,
    state: str | None,
    section: str | None,
    pairs: tuple[str, ...],
    lyapunov: bool,
    follow: Any,
    interval: float | None,
    transient: float | None,
    manner: Manner,
) -> None:
    """Show where orbits settle as a parameter changes: equilibria, cycles and their periods, chaos.

    OUT is a picture (.png, .svg, .pdf) or a table (.csv); the default is NAME-diagram.png. The changes of period are
    printed. With two parameters the picture shows the largest Lyapunov exponent over both. The parameters of a LAW are
    its known inputs, held constant.

    \\b
    Examples:
      takens diagram Logistic --vary r=2.8:4 --lyapunov
      takens diagram Rossler --vary c=2:10 --state x --out rossler.svg
      takens diagram Henon --vary a=1:1.4 --vary b=0.1:0.4 --count 60
    """
    import numpy as np

    from ..dynamics.diagrams import orbit_diagram, parameter_plane
    from ..figures import orbit_diagram_figure

    system = known_system(name, pairs)
    ranges = [spanned(one, "--vary") for one in vary]
    if len(ranges) > 2:
        raise SettingError(f"{len(ranges)} parameters", place="--vary", remedy="Vary one or two.")
    chosen: dict[str, Any] = {
        "state": state, "interval": interval, "transient": transient, "seed": manner.seed,
        "section": dict([_pair(section, "--section")]) if section else None,
    }  # fmt: skip
    progress = manner.progress()
    try:
        if len(ranges) == 2:
            first, second = [(key, np.linspace(low, high, count or 80)) for key, low, high in ranges]
            plane = parameter_plane(system, first, second, report=lambda share: progress("sweeping", share), **chosen)
            _tell_plane(manner, name, plane)
            return
        key, low, high = ranges[0]
        found = orbit_diagram(
            system, key, np.linspace(low, high, count or 600), follow=follow, lyapunov=lyapunov,
            report=lambda share: progress("sweeping", share), **chosen,
        )  # fmt: skip
    finally:
        progress.close()
    if manner.out is not None and manner.out.suffix == ".csv":
        _table(found, manner.out)
        manner.remark(f"Written: {manner.out}")
    else:
        picture(manner, f"{Path(name).stem}-diagram.png", orbit_diagram_figure(found))
    document = {"parameter": found.parameter, "values": found.values, "periods": found.periods,
                "points": [part[:, found.shown] for part in found.points], "exponents": found.exponents}  # fmt: skip
    manner.tell(document, _changes(found))


def _tell_plane(manner: Manner, name: str, plane: ParameterPlane) -> None:
    from ..figures import parameter_plane_figure

    picture(manner, f"{Path(name).stem}-plane.png", parameter_plane_figure(plane))
    document = {"first": plane.first, "second": plane.second, plane.quantity: plane.values}
    manner.tell(document, _plane(plane.values))


@click.command(short_help="Which attractor each initial state reaches.")
@SYSTEM
@click.option("--box", metavar="NAME=LOW:HIGH", multiple=True, required=True, help="Range of a state; give two.")
@click.option(
    "--resolution", type=click.IntRange(min=32), default=200, show_default=True, help="Cells along each axis."
)
@click.option("--interval", type=float, help="Time between samples; the period of the forcing for a forced law.")
@PARAMETER
@manner
def basins(
    name: str, box: tuple[str, ...], resolution: int, interval: float | None, pairs: tuple[str, ...], manner: Manner
) -> None:
    """Find the attractors of a law and the basin of each on a slice of its state space.

    OUT is a picture (.png, .svg, .pdf); the default is NAME-basins.png. Printed are the attractors with their shares,
    the basin entropy and the uncertainty exponent of the boundary.

    \\b
    Examples:
      takens basins mine.toml --box x=-2:2 --box y=-2:2
      takens basins Henon --parameter a=1.0 --box x=-2:2 --box y=-2:2 --resolution 300
    """
    from ..dynamics.basin_measures import basin_entropy, uncertainty_exponent
    from ..dynamics.basins import basins as find
    from ..figures import basins_figure

    system = known_system(name, pairs)
    ranges = {key: (low, high) for key, low, high in (spanned(one, "--box") for one in box)}
    progress = manner.progress()
    try:
        found = find(
            system, ranges, resolution, interval=interval, seed=manner.seed,
            report=lambda share: progress("following orbits", share),
        )  # fmt: skip
    finally:
        progress.close()
    if len(ranges) == 2:
        picture(manner, f"{Path(name).stem}-basins.png", basins_figure(found))
    measures = [basin_entropy(found), uncertainty_exponent(found)]
    document = {
        "fractions": {str(label): share.to_dict() for label, share in found.fractions.items()},
        "attractors": [str(one) for one in found.attractors],
        "measures": [one.to_dict() for one in measures],
    }  # fmt: skip
    manner.tell(document, [*_attractors(found), *(str(one) for one in measures)])


def spanned(text: str, place: str) -> tuple[str, float, float]:
    """r=2.8:4 as (r, 2.8, 4)."""
    key, _, rest = text.partition("=")
    low, colon, high = rest.partition(":")
    ends = number(low.strip()), number(high.strip())
    if not key or not colon or ends[0] is None or ends[1] is None or not ends[0] < ends[1]:
        raise SettingError(f"cannot read {text!r}", place=place, remedy="Write NAME=LOW:HIGH, such as r=2.8:4.")
    return key.strip(), float(ends[0]), float(ends[1])


def _pair(text: str, place: str) -> tuple[str, float]:
    key, _, value = text.partition("=")
    found = number(value.strip())
    if found is None:
        raise SettingError(f"cannot read {text!r}", place=place, remedy="Write NAME=VALUE, such as z=27.")
    return key.strip(), float(found)


def _table(found: OrbitDiagram, path: Path) -> None:
    """All points of a diagram as CSV: value of the parameter, then the state."""
    from ..io.atomic import atomic_text

    rows = [f"{found.parameter},{','.join(found.states)}"]
    for value, part in zip(found.values, found.points, strict=True):
        rows += [",".join(map(repr, map(float, (value, *point)))) for point in part]
    atomic_text(path, "\n".join(rows) + "\n")


def _changes(found: OrbitDiagram) -> list[str]:
    """Where the period of the motion changes, a line for each stretch of the parameter."""
    words = {0: "no period found", -1: "diverges"}
    stretches: list[tuple[int, float, float]] = []
    for value, period in zip(found.values, found.periods, strict=True):
        if stretches and stretches[-1][0] == period:
            stretches[-1] = (int(period), stretches[-1][1], float(value))
        else:
            stretches.append((int(period), float(value), float(value)))
    long = [one for one in stretches if one[1] < one[2]]
    lines = [f"{found.parameter} {low:.6g} to {high:.6g}: {words.get(p, f'period {p}')}" for p, low, high in long[:40]]
    rest = len(long) - 40
    return lines + ([f"and {rest} stretches more"] if rest > 0 else [])


def _plane(values: NDArray[np.float64]) -> list[str]:
    """The share of the plane in which the largest exponent is positive."""
    import numpy as np

    known = values[np.isfinite(values)]
    if not known.size:
        return ["No orbit stays finite."]
    text = f"largest exponent {known.min():.4g} to {known.max():.4g}; positive in {np.mean(known > 0):.0%}"
    return [text + (f"; {np.mean(~np.isfinite(values)):.0%} diverge" if known.size < values.size else "")]


def _attractors(found: Basins) -> list[str]:
    """Each attractor with its share."""
    names = {-1: "escapes", -2: "not settled"} | dict(enumerate(map(str, found.attractors)))
    lines = []
    for label, share in found.fractions.items():
        low, high = share.interval or (0.0, 1.0)
        lines.append(f"{share.value:6.1%} [{low:.1%}, {high:.1%}]  {names[label]}")
    return lines
