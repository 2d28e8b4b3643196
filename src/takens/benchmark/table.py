"""The table of a benchmark: a row for each cell, finished or failed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, OutputError
from ..executor import Row

if TYPE_CHECKING:
    import pandas as pd

SCORES = ("valid_time", "crps", "state_space_divergence", "spectral_hellinger")
"""The scores that are compared."""
HIGHER = frozenset({"valid_time"})
"""Those of which more is better."""
COLUMNS = (
    "source", "regime", "model", "seed", "failed", "valid_time", "valid_time_unit", "censored", "crps",
    "state_space_divergence", "state_space_divergence_floor", "spectral_hellinger", "spectral_hellinger_floor",
    "climate_reason", "fit_seconds", "forecast_seconds", "memory", "rows", "interval", "exponent", "horizon", "origins",
    "takens",
)  # fmt: skip
"""The columns, in order; seconds and MiB are costs, and the only ones that differ from run to run."""
COSTS = ("fit_seconds", "forecast_seconds", "memory")


def table_of(rows: Sequence[Row]) -> pd.DataFrame:
    """The table of finished and failed cells, sorted by source, regime, model and seed."""
    import pandas as pd

    entries = [_entry(row) for row in rows]
    table = pd.DataFrame(entries, columns=list(COLUMNS))
    return table.sort_values(["source", "regime", "model", "seed"], kind="stable", ignore_index=True)


def _entry(row: Row) -> dict[str, Any]:
    settings = row.task.settings
    source = settings["system"] if "system" in settings else Path(settings["series"]["file"]).stem
    found: dict[str, Any] = {
        "source": source, "regime": settings["regime_name"], "model": settings["model"], "seed": settings["seed"],
        "failed": row.failed, "takens": row.outcome.get("versions", {}).get("takens"),
    }  # fmt: skip
    result = row.outcome.get("result") or {}
    reasons = [result.get(key, "") for key in ("climate_reason", "state_space_divergence_reason")]
    found["climate_reason"] = "; ".join(reason for reason in reasons if reason)
    return found | {key: result.get(key) for key in COLUMNS if key not in found}


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write the table as `.parquet` or `.csv`, whole or not at all. Raises `OutputError` for another ending."""
    from ..io.atomic import atomic_text

    if path.suffix == ".csv":
        atomic_text(path, table.to_csv(index=False))
        return
    if path.suffix != ".parquet":
        raise OutputError("cannot be written", place=str(path), remedy="End the name in .parquet or .csv.")
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(part, index=False)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"cannot be written ({error.strerror or error})", place=str(path)) from error


def read_table(path: str | Path) -> pd.DataFrame:
    """A table that was written before. Raises `DataError` for another file."""
    import pandas as pd

    source = Path(path)
    try:
        table = pd.read_csv(source) if source.suffix == ".csv" else pd.read_parquet(source)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read as a table ({error})", place=str(source)) from None
    if missing := [name for name in COLUMNS if name not in table.columns]:
        raise DataError(f"is no table of a benchmark: it has no {missing[0]}", place=str(source))
    return table.assign(failed=table["failed"].fillna(""), climate_reason=table["climate_reason"].fillna(""))
