"""The pages of real series say what the verdict says now, and the bank's own series never crash it."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from takens.bank import plan, realise
from takens.verdicts import CLASSES, Verdict, verdict
from takens.verdicts.classes import CHAOTIC, INSUFFICIENT, LINEAR, NONLINEAR, NONSTATIONARY, PERIODIC, QUASIPERIODIC

CARRIED = ("sunspots", "lynx")
SENSIBLE = {
    "electrocardiogram": {CHAOTIC, NONLINEAR, QUASIPERIODIC, PERIODIC},
    "nyc_taxi": {PERIODIC, QUASIPERIODIC},
    "machine_temperature": {NONSTATIONARY, NONLINEAR},
    "eeg": {LINEAR, NONLINEAR},
    "etth1": {NONSTATIONARY, LINEAR, NONLINEAR},
}
"""Kinds of which at least one must be left open."""


@pytest.fixture
def pages(examples: Path) -> dict[str, Any]:
    """The names of the script that writes the pages."""
    return runpy.run_path(str(examples / "verdicts" / "pages.py"))


def shown(page: Path) -> str:
    """The first line of the verdict on a page, put together again."""
    block = page.read_text().split("<!-- verdict -->\n```text\n")[1].split("```")[0]
    lines = block.splitlines()
    told = [lines[0]]
    for line in lines[1:]:
        if told[-1].endswith("."):
            break
        told[-1] += f" {line.strip()}"
    return told[0]


def agrees(page: str, found: Verdict, examples: Path) -> None:
    assert shown(examples / "verdicts" / f"{page}.md") == f"{found.channel}: {found.sentence}."


@pytest.mark.parametrize("page", CARRIED)
def test_pages_of_carried_series(page: str, pages: dict[str, Any], examples: Path) -> None:
    found = pages["judged"](page, examples / pages["PAGES"][page])
    agrees(page, found, examples)
    assert found.kind == INSUFFICIENT if page == "lynx" else found.classes != (LINEAR,)


@pytest.mark.long
@pytest.mark.parametrize("page", SENSIBLE)
def test_pages_of_other_series(
    page: str, pages: dict[str, Any], examples: Path, shared_data: Callable[[str], Path]
) -> None:
    found = pages["judged"](page, shared_data(pages["PAGES"][page]))
    agrees(page, found, examples)
    assert SENSIBLE[page] & set(found.classes)
    assert page != "eeg" or found.classes != (CHAOTIC,)


FAMILIES = sorted({entry.family: entry for entry in reversed(plan(400, 3))}.items())


@pytest.mark.parametrize(("family", "entry"), FAMILIES, ids=[name for name, _ in FAMILIES])
def test_no_family_of_the_bank_crashes_it(family: str, entry: Any) -> None:
    series = realise(entry)
    series = series.rows(0, min(len(series), 1500))
    found = verdict(series, segments=False)
    assert found.kind == INSUFFICIENT or set(found.classes) <= set(CLASSES)
    assert found.classes or found.kind == INSUFFICIENT
    json.dumps(found.to_dict(), allow_nan=False)
    assert str(found).startswith(f"{found.channel}: ")
