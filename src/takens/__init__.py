"""takens: from a time series to its dynamics, and back."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from .version import __version__

_PUBLIC = {
    "Series": "series",
    "Estimate": "estimate",
    "Forecast": "forecast",
    "Clock": "clock",
    "open": "io.reading:open_data",
    "System": "systems.base",
    "system": "systems.definition",
    "simulate": "systems.simulate",
    "simulate_ensemble": "systems.simulate",
    "lyapunov_spectrum": "dynamics.exponents",
    "measure": "measures:measure_series",
    "measure_windows": "measures.windows",
    "relate": "measures.relations",
    "verdict": "verdicts.procedure:verdict",
    "load": "models.store:load_law",
    "score": "scores:score",
    "study": "study:study",
    "backtest": "backtest:backtest",
}
_MODULES = (
    "checks", "dynamics", "errors", "figures", "io", "measures", "models", "origins", "scores", "systems", "verdicts",
)  # fmt: skip

__all__ = ["__version__", *_PUBLIC, *_MODULES]


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used, so that `import takens` costs milliseconds."""
    if name in _PUBLIC:
        module, _, attribute = _PUBLIC[name].partition(":")
        return getattr(importlib.import_module(f".{module}", __name__), attribute or name)
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name.startswith("_"):
        raise AttributeError(f"module 'takens' has no attribute {name!r}")
    measures = importlib.import_module(".measures", __name__)
    for registry in (measures.REGISTRY, measures.RELATIONS):
        if name in registry:
            return registry[name]
    raise AttributeError(f"module 'takens' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """The package as a module in which `study` and `backtest` stay the functions.

    Importing the submodule of the same name would otherwise put the module in the function's place.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _PUBLIC and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
