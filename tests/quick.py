"""Settings with which slow models show the same behaviour sooner, for tests that try every model."""

from __future__ import annotations

from typing import Any

import pytest

from takens.models import MODELS, Model, model

TRAINED = {"epochs": 4, "batches": 5, "length": 20}
QUICK: dict[str, dict[str, Any]] = {
    "echo_state_network": {"units": 50, "trials": 2},
    "reservoir_memory": {"units": 50, "trials": 2},
    "local_reservoirs": {"units": 50, "trials": 2},
    "almost_linear_rnn": {"latent": 5, **TRAINED},
    "shallow_plrnn": {"hidden": 8, **TRAINED},
    "neural_ode": {"layers": (8,), "epochs": 1},
    "closed_form_continuous": {"units": 8, "epochs": 1},
    "liquid_time_constant": {"units": 8, "epochs": 1},
    "linear_recurrent": {"width": 8, "layers": 1, "context": 8, "steps": 3, "epochs": 15, "batches": 8, "batch": 16},
}


EVERY = [pytest.param(name, marks=pytest.mark.long) if MODELS[name].effort else name for name in MODELS]
"""All models; those that are trained for long have tests of their own, so here they are part of the long ones."""


def quick(name: str) -> Model:
    """The model `name`, small."""
    return model(name, **QUICK.get(name, {}))
