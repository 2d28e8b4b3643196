"""`takens calibrate`: make the bank, fit the verdict's model to it, and evaluate it on systems it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from .failures import Interrupted
from .options import Manner, manner
from .studying import refuse_unwritable


@click.command(short_help="Make the bank and calibrate the verdict.")
@click.option("--size", type=click.IntRange(min=1), default=3000, show_default=True, help="Series of the bank.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes; default one a processor.")
@click.option("--scheduler", metavar="ADDRESS", help="Dask cluster to work on, e.g. tcp://host:8786.")
@manner
def calibrate(size: int, workers: int | None, scheduler: str | None, manner: Manner) -> None:
    """Simulate a bank of series of known kind, calibrate the verdict on it, and evaluate it on unseen systems.

    The folder OUT receives calibration.safetensors and .json (what the package carries), evaluation.md and .json, and
    work/ (the finished series): Ctrl-C keeps them and the same command goes on from there. Needs scikit-learn
    (pip install 'takens[calibrate]').

    \b
    Examples:
      takens calibrate --size 300 --out small
      takens calibrate --size 3000 --out calibration --seed 0 --workers 2
    """
    from ..bank.calibrating import calibrate as fit
    from ..bank.calibrating import run_bank, write
    from ..bank.training import require_learner

    require_learner()
    out = manner.out or Path("takens-calibration")
    refuse_unwritable(out)
    progress = manner.progress()
    try:
        bank = run_bank(
            size, out / "work", seed=manner.seed, workers=workers, scheduler=scheduler,
            report=lambda label, share: progress(f"series of the bank, {int(20 * share)} of 20 parts", share),
        )  # fmt: skip
        progress("fitting and evaluating", 1.0)
        fitted, found = fit(bank, size=size, seed=manner.seed)
    except KeyboardInterrupt as stop:
        raise Interrupted(_kept(out), stop) from None
    finally:
        progress.close()
    files = write(fitted, found, out)
    document = {"files": [str(out / name) for name in files], "about": fitted.about}
    manner.tell(document, said(fitted.about, out))


def said(about: Mapping[str, Any], out: Path) -> list[str]:
    """The bars of the evaluation for a person."""
    found = about["evaluation"]
    lines = [f"{about['series']} series, {sum(about['failed'].values())} failed; "
             f"each of the {found['systems']} systems was judged by a calibration of others."]  # fmt: skip
    for bar in found["bars"]:
        lines.append(f"  {bar['value']:.3f}  {'kept' if bar['kept'] else 'MISSED'}  {bar['bar']} "
                     f"({bar['low']:g} to {bar['high']:g})")  # fmt: skip
    return [*lines, f"Written: {out / 'calibration.json'}, {out / 'evaluation.md'}"]


def _kept(out: Path) -> str:
    from ..store import Store

    return (
        f"Interrupted. {len(Store(out / 'work'))} finished tasks are kept in {out / 'work'}.\n"
        "  Run the same command again to go on from there."
    )
