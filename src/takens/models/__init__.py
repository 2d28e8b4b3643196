"""Models behind one contract: `model.fit(series) -> law`, `law.forecast(horizon) -> Forecast`, `law.generate(length)`."""

from __future__ import annotations

from typing import Any

from ..errors import SettingError
from .autoregression import Autoregression
from .base import Law, Model, RecursiveLaw, Signature, Training
from .baselines import Climatology, Drift, Persistence
from .nvar import NVAR
from .seasonal import SeasonalNaive

MODELS: dict[str, type[Model]] = {
    "persistence": Persistence,
    "climatology": Climatology,
    "seasonal_naive": SeasonalNaive,
    "drift": Drift,
    "autoregression": Autoregression,
    "nvar": NVAR,
}

def model(name: str, **settings: Any) -> Model:
    return MODELS[name](**settings)
