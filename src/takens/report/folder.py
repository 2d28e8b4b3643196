"""The folder of a study: report, numbers, forecast and law, written together or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OutputError
from ..io.writing import write_dataset
from .document import report_json
from .page import render

if TYPE_CHECKING:
    from ..study import Study

NAMES = ("law", "forecast.nc", "forecast.csv", "report.json", "report.html")
"""What a study leaves in its folder; the report is moved in last, so that its presence means the rest is there."""


def write_study(study: Study, out: Path) -> list[Path]:
    """Write report.html, report.json, forecast.csv, forecast.nc and law/ into the folder `out`; returns their paths.

    Everything is written to a temporary folder inside `out` first and moved into place when all of it is complete, so
    that an error leaves what was there before. Files of an earlier study are replaced. Raises `OutputError` where `out`
    cannot be written, the disk is full, or `out/law` holds something that is not a law.
    """
    out = Path(out)
    texts = {
        "report.json": json.dumps(report_json(study), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "report.html": render(study),
    }
    law = out / "law"
    if law.exists() and not (law / "law.json").is_file():
        raise OutputError(
            "this is not a saved law, so it is not replaced", place=str(law), remedy="Choose another --out."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=out) as name:
            part = Path(name)
            for file, text in texts.items():
                (part / file).write_text(text, encoding="utf-8")
            study.forecast.to_frame().to_csv(part / "forecast.csv", lineterminator="\n")
            write_dataset(study.forecast.to_xarray(), part / "forecast.nc")
            study.law.save(part / "law")
            if law.exists():
                shutil.move(law, part / "earlier-law")
            for file in NAMES:
                os.replace(part / file, out / file)
    except OSError as error:
        remedy = "Free some space or choose another disk." if error.errno == 28 else "Choose another --out."
        raise OutputError(f"cannot be written: {error.strerror or error}", place=str(out), remedy=remedy) from error
    return [out / file for file in reversed(NAMES)]
