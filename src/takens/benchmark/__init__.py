"""Many models on many systems: cells that are done once each, one table, and what it says."""

from __future__ import annotations

from .regimes import REGIMES, Regime
from .running import benchmark, status
from .spec import Spec, read_spec
from .statistics import Comparison, compare, summary
from .table import read_table, table_of

__all__ = [
    "REGIMES", "Comparison", "Regime", "Spec", "benchmark", "compare", "read_spec", "read_table", "status", "summary",
    "table_of",
]  # fmt: skip
