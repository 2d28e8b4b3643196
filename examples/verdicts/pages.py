"""Writes the verdicts into the pages beside this file: `python examples/verdicts/pages.py [FOLDER]`.

FOLDER holds the series that are not carried here (see README.md); pages whose data are absent stay as they are.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

import numpy as np

import takens as tk
from takens.verdicts import Verdict
from takens.verdicts.telling import lines

HERE = Path(__file__).resolve().parent
BLOCK = re.compile(r"<!-- verdict -->\n.*?<!-- /verdict -->", re.DOTALL)
PAGES = {
    "sunspots": "sunspots.csv", "lynx": "lynx.csv", "electrocardiogram": "ecg5d_test.npy",
    "nyc_taxi": "nyc_taxi.csv", "machine_temperature": "machine_temperature.csv", "eeg": "eeg64.npy",
    "etth1": "ETTh1.csv",
}  # fmt: skip
"""The file that each page is about."""


def judged(page: str, path: Path) -> Verdict:
    """The verdict that a page shows, from the file of its series."""
    if page == "electrocardiogram":
        return tk.verdict(tk.Series.from_array(np.load(path)[:20_000, 0], channels=("ecg",)))
    if page == "eeg":
        values = np.load(path)[:, ::16]
        return tk.verdict(tk.Series.from_array(values, channels=tuple(f"electrode {k}" for k in range(1, 65, 16))))
    if page == "machine_temperature":
        return tk.verdict(tk.open(str(path), unsorted="sort", duplicates="mean"))
    return tk.verdict(tk.open(str(path), **({"channels": ["OT"]} if page == "etth1" else {})))


def written(found: Verdict) -> str:
    """The verdict as the page shows it."""
    told = []
    for line in lines(found):
        indent = line[: len(line) - len(line.lstrip())]
        told += textwrap.wrap(line.strip(), 100, initial_indent=indent, subsequent_indent=f"{indent}  ")
    return "```text\n" + "\n".join(told) + "\n```\n"


def main(folder: Path | None) -> None:
    """Write every page whose data are here or in `folder`."""
    for page, name in PAGES.items():
        places = [HERE.parent / name, *([folder / name] if folder is not None else [])]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            print(f"{page}: {name} is not here")
            continue
        found = judged(page, path)
        text = (HERE / f"{page}.md").read_text(encoding="utf-8")
        begin, end = BLOCK.search(text).span()
        made = f"{text[:begin]}<!-- verdict -->\n{written(found)}<!-- /verdict -->{text[end:]}"
        (HERE / f"{page}.md").write_text(made, encoding="utf-8")
        print(f"{page}: {found.sentence}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
