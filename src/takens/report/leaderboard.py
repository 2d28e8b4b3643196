"""The page of a benchmark: leaderboards by regime with figures, every system, every failure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ..version import __version__
from ..wording import counted, number
from .plate import Plate, Press
from .templates import environment, text_of

if TYPE_CHECKING:
    import pandas as pd


def render_benchmark(name: str, table: pd.DataFrame) -> str:
    """The table of a benchmark as one HTML page that needs no other file and no network.

    Cost: about a second a regime.
    """
    press = Press()
    sources, models = table["source"].nunique(), table["model"].nunique()
    facts = f"{counted(len(table), 'cell')}: {counted(sources, 'system')}, {counted(models, 'model')}, "
    facts += f"{counted(table['regime'].nunique(), 'regime')}; takens {__version__}."
    failed = [reason.splitlines()[0] for reason in table["failed"] if reason]
    columns, grid = _grid(table)
    return environment().get_template("benchmark.html.j2").render(
        name=name, facts=facts, version=__version__, css=text_of("report.css"), models=columns, grid=grid,
        regimes=[_regime(table[table["regime"] == one], one, press) for one in dict.fromkeys(table["regime"])],
        failures=Counter(failed).most_common(),
    )  # fmt: skip


def _regime(part: pd.DataFrame, name: str, press: Press) -> dict[str, Any]:
    """One regime: its rows, best valid time first, and its figures."""
    from ..benchmark.statistics import summary

    rows = summary(part)
    rows.sort(key=lambda row: -row["valid_time"]["median"] if "valid_time" in row else np.inf)
    units = [unit for unit in part["valid_time_unit"].dropna().unique() if unit]
    unit = units[0] if len(units) == 1 else "Lyapunov times or time units"
    return {
        "name": name, "anchor": f"regime-{name}", "rows": rows, "systems": part["source"].nunique(), "unit": unit,
        "plates": _plates(part, name, rows, unit, press),
    }  # fmt: skip


def _plates(part: pd.DataFrame, name: str, rows: list[dict[str, Any]], unit: str, press: Press) -> list[Plate]:
    from ..benchmark.statistics import compare, wide
    from ..figures.benchmarks import cost_figure, rank_figure, spread_figure

    values = wide(part, "valid_time")
    scored = [row for row in rows if "valid_time" in row and row["fit_seconds"]]

    def ranks() -> Any:
        found = compare(part, "valid_time")
        return rank_figure(found.models, found.ranks, found.critical_difference)

    return [
        press.plate(
            f"spread-{name}", "Valid prediction time on every system",
            lambda: spread_figure(list(map(str, values.columns)), values.to_numpy(dtype=float), unit),
            "A dot is a system, the line the median over systems.",
        ),
        press.plate(
            f"ranks-{name}", "Ranks over systems", ranks,
            "Models joined by a bar do not differ more than chance would let them (Nemenyi's test at 5 %).",
        ),
        press.plate(
            f"cost-{name}", "What the time of a fit buys",
            lambda: cost_figure([row["model"] for row in scored], [row["fit_seconds"] for row in scored],
                                [row["valid_time"]["median"] for row in scored], f"valid time [{unit}]"),
            "No model is both faster and better than those on the line.",
        ),
    ]  # fmt: skip


def _grid(table: pd.DataFrame) -> tuple[list[str], list[dict[str, Any]]]:
    """The models, and for each system and regime their valid times as text."""
    from ..benchmark.statistics import wide

    values = wide(table, "valid_time")
    lines = [
        {"source": source, "regime": regime,
         "cells": ["failed" if np.isinf(x) else number(float(x), 3) for x in values.loc[(source, regime)]]}
        for source, regime in values.index
    ]  # fmt: skip
    return list(map(str, values.columns)), lines
