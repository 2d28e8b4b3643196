"""The work on one series of the bank, as jobs of the executor: plain settings in, plain data out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .entries import Entry
from .realising import realise
from .rules import RULES

REVISIONS = {"statistics": 2, "simple_rules": 1}
"""Raised when a job gives other results for the same entry, so that kept results are made again."""


def statistics(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Job: the statistics of the series of an entry, {"features": by name, and the facts of the entry}."""
    from ..verdicts.statistics import statistics as of

    entry = Entry(**settings)
    return {"features": of(realise(entry), seed=entry.seed % 2**31), **facts(entry)}


def simple_rules(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Job: the numbers that the simple rules find in the series of an entry, {"rules": {rule: {number: value}}}."""
    entry = Entry(**settings)
    x = realise(entry).values[:, 0]
    return {"rules": {rule.name: rule.look(x, entry.seed % 2**31) for rule in RULES}, **facts(entry)}


def facts(entry: Entry) -> dict[str, Any]:
    """What is known of an entry: its truth, where it comes from, and how much of it there is."""
    return {
        "truth": entry.truth, "system": entry.system, "family": entry.family,
        "length": entry.length, "noise": entry.noise, "cycles": entry.length / entry.sampling,
    }  # fmt: skip
