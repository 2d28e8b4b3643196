"""`takens fit`, `forecast`, `generate`, `models`: one model, without a comparison."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import OutputError, SettingError
from .laws import is_law
from .options import Manner, Source, manner, reading
from .quantities import fits, in_speech, settings

if TYPE_CHECKING:
    from ..forecast import Forecast
    from ..models.base import Law, Model
    from ..series import Series

MODEL = click.option("--model", "name", metavar="NAME", help="Model to fit; see `takens models`.")
SETTING = click.option("--set", "pairs", metavar="NAME=VALUE", multiple=True, help="A hyper-parameter; repeatable.")


@click.command(short_help="Fit one model and save its law.")
@MODEL
@SETTING
@reading
@manner
def fit(source: Source, name: str | None, pairs: tuple[str, ...], manner: Manner) -> None:
    """Fit one model to FILE and save the law that was learned as the folder OUT.

    Hyper-parameters that are not set are chosen from the data.

    \b
    Example:
      takens fit examples/elnino.csv --model nvar --set delays=3 --out elnino.law
    """
    if name is None or manner.out is None:
        raise SettingError(
            "fit needs a model and a place for the law",
            place="--model, --out",
            remedy="For instance --model nvar --out mine.law; `takens models` lists the models.",
        )
    from ..candidate import described

    model = built(name, pairs)
    if manner.out.exists() and not (manner.out / "law.json").exists():
        raise OutputError(
            "exists and is not a saved law", place=str(manner.out), remedy="Choose another folder with --out."
        )
    law = model.fit(source.open(), seed=manner.seed)
    law.save(manner.out)
    document: dict[str, Any] = {
        "law": str(manner.out),
        "model": name,
        "channels": law.signature.channels,
        "settings": described(model.settled(law)),
    }
    shown = ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in document["settings"].items()
    )
    lines = [f"Fitted {name} to {law.signature.name} ({', '.join(law.signature.channels)}): {shown or 'no settings'}."]
    lines += [f"Law: {manner.out}", f"Next: takens forecast {manner.out} --horizon 50"]
    manner.tell(document, lines)


@click.command(short_help="Forecast from a file or a saved law.")
@click.option("--horizon", metavar="STEPS|TIME", help="How far ahead: steps, or a duration such as 2d.")
@click.option("--members", type=click.IntRange(min=1), default=100, show_default=True, help="Samples of the future.")
@click.option("--history", metavar="FILE", type=click.Path(path_type=Path), help="With a LAW: new data to continue.")
@click.option("--future", metavar="FILE", type=click.Path(path_type=Path), help="The known inputs of the coming steps.")
@MODEL
@SETTING
@reading
@manner
def forecast(
    source: Source,
    horizon: str | None,
    members: int,
    history: Path | None,
    future: Path | None,
    name: str | None,
    pairs: tuple[str, ...],
    manner: Manner,
) -> None:
    """Forecast what follows FILE, or what follows the training data of a saved law.

    FILE is a data file, then --model says what to fit, or a folder that `takens fit` or `takens study` wrote. The
    reading options apply to the data. Known inputs (--inputs) need their future: rows of FILE in which nothing else is
    filled in, or --future. With --out the samples (.nc) or their mean and intervals (.csv) are written
    there, else the table is printed.

    \b
    Examples:
      takens forecast examples/elnino.csv --model autoregression --horizon 12
      takens fit examples/elnino.csv --model nvar --out elnino.law
      takens forecast elnino.law --horizon 2y --out next.nc
    """
    if horizon is None:
        raise SettingError("how far ahead?", place="--horizon", remedy="Give a number of steps, or a time such as 2d.")
    from ..durations import steps

    data: Series | None = None
    if is_law(source.path):
        if name is not None or pairs:
            raise SettingError("a saved law is already fitted", place="--model, --set", remedy="Leave them out.")
        law = opened_law(source.path)
        data, known = continued(law, history, source)
    else:
        if history is not None:
            raise SettingError("only a saved law can continue other data", place="--history")
        law, known = learned(name, pairs, source, manner.seed)
    signature = law.signature
    if future is not None:
        known = futures(law, Source(future, {}))
    ahead = law.forecast(
        steps(horizon, signature.interval, signature.clock, "--horizon"),
        history=data,
        inputs=known if signature.inputs else None,
        members=members,
        seed=manner.seed,
    )
    if manner.out is None:
        manner.table(ahead.to_frame().to_csv(), forecast_document(ahead))
    else:
        write_forecast(ahead, manner.out)
        manner.tell({"written": str(manner.out), "horizon": ahead.horizon}, [f"Written: {manner.out}"])


@click.command(short_help="Let a saved law run freely.")
@click.argument("law", type=click.Path(path_type=Path))
@click.option("--length", type=click.IntRange(min=2), default=1000, show_default=True, help="Rows to generate.")
@click.option("--noise-free", is_flag=True, help="The deterministic run.")
@click.option("--future", metavar="FILE", type=click.Path(path_type=Path), help="The known inputs of the rows.")
@manner
def generate(law: Path, length: int, noise_free: bool, future: Path | None, manner: Manner) -> None:
    """Let a saved LAW run freely: a series with the climate of the data it was learned from.

    With --out it is written as .csv or .nc, else printed as CSV.

    \b
    Example:
      takens fit examples/elnino.csv --model nvar --out elnino.law
      takens generate elnino.law --length 2000 --out surrogate.csv
    """
    known = opened_law(law)
    inputs = None if future is None else futures(known, Source(future, {}))
    made = known.generate(length, inputs=inputs, seed=manner.seed, noise=not noise_free)
    manner.series(made)


@click.command(short_help="List the models.")
@manner
def models(manner: Manner) -> None:
    """List the models and say which are baselines.

    \b
    Example:
      takens models --json
    """
    from ..models import MODELS
    from ..wording import first_sentence

    documents = [
        {"name": name, "baseline": bool(kind.baseline), "about": first_sentence(kind.__doc__)}
        for name, kind in MODELS.items()
    ]
    width = max(len(str(one["name"])) for one in documents)
    lines = [
        f"{one['name']:<{width}}  {'baseline  ' if one['baseline'] else '          '}{one['about']}"
        for one in documents
    ]
    manner.result(documents, lines)


def built(name: str, pairs: tuple[str, ...]) -> Model:
    """The model `name` with the settings `pairs`; a setting it does not have, or of a wrong type, is refused."""
    from typing import get_type_hints

    from ..models import MODELS, model

    chosen = settings(pairs)
    hints = get_type_hints(MODELS[name]) if name in MODELS else {}
    for key, value in chosen.items():
        if key in hints and not fits(value, hints[key]):
            raise SettingError(f"{key} cannot be {value!r}", place="--set", remedy=f"Give {in_speech(hints[key])}.")
    return model(name, **chosen)


def continued(law: Law, history: Path | None, source: Source) -> tuple[Series | None, Any]:
    """The data in the file `history` that a law continues, and the known inputs after them."""
    from ..transform import until_now

    data = None if history is None else last(Source(history, source.options).open())
    if data is None or not law.signature.inputs:
        return data, None
    return until_now(replace(data, inputs=law.signature.inputs))


def learned(name: str | None, pairs: tuple[str, ...], source: Source, seed: int) -> tuple[Law, Any]:
    """The law of the model `name` for the data, and the known inputs after them."""
    from ..transform import until_now

    if name is None:
        raise SettingError(
            "which model?", place="--model", remedy="`takens models` lists them; `takens study` compares them."
        )
    opened = source.trajectories()
    opened[-1], known = until_now(opened[-1])
    return built(name, pairs).fit(opened, seed=seed), known


def futures(law: Law, source: Source) -> Series:
    """The series of known inputs in a file, which must have their columns."""
    found = last(source.open())
    if not law.signature.inputs:
        raise SettingError("the law has no known inputs", place="--future", remedy="Leave it out.")
    return found.select(*law.signature.inputs)


def opened_law(path: Path) -> Law:
    """The law saved at `path`."""
    from ..models.store import load_law

    return load_law(path)


def last(opened: Any) -> Series:
    """The series, or the last of several trajectories: the one a forecast continues."""
    return opened[-1] if isinstance(opened, list) else opened


def forecast_document(ahead: Forecast) -> dict[str, Any]:
    """A forecast as JSON: times, and mean, median and central intervals of each channel."""
    levels = {level: ahead.interval(level) for level in (0.5, 0.9)}
    channels: dict[str, Any] = {}
    for c, channel in enumerate(ahead.channels):
        bands = {f"{level:.0%}": [low[:, c], high[:, c]] for level, (low, high) in levels.items()}
        channels[channel] = {"mean": ahead.mean[:, c], "median": ahead.median[:, c], "intervals": bands}
    return {"method": ahead.method, "time": ahead.clock.labels(ahead.times), "channels": channels}


def write_forecast(ahead: Forecast, path: Path) -> None:
    """Write a forecast to `.csv` (mean and intervals) or `.nc` (all samples), whole or not at all."""
    from ..io.atomic import atomic_text
    from ..io.writing import write_dataset

    if path.suffix == ".csv":
        atomic_text(path, ahead.to_frame().to_csv())
    elif path.suffix == ".nc":
        write_dataset(ahead.to_xarray(), path)
    else:
        raise SettingError(f"cannot write {path.name}", place="--out", remedy="End the name in .csv or .nc.")
