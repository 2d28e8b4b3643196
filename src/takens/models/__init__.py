"""Models behind one contract: `model.fit(series)` gives a law, `law.forecast(horizon)` a forecast."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ..errors import SettingError
from .analogue import ContextParroting, NearestNeighbour
from .autoregression import Autoregression
from .base import Law, Model, RecursiveLaw, Signature, Training
from .baselines import Climatology, Drift, Persistence
from .cyclenet import CycleNet
from .esn import EchoStateNetwork
from .fourier import FourierExtension
from .gaussian_process import GaussianProcess
from .hippo_predictor import HippoPredictor
from .liquid import ClosedFormContinuous, LiquidTimeConstant
from .local_maps import Simplex, SMap
from .local_reservoirs import LocalReservoirs
from .neural_ode import NeuralODE
from .nvar import NVAR
from .piecewise import AlmostLinearRNN, ShallowPLRNN
from .polynomial_flow import PolynomialFlow
from .radial import RadialBasis
from .random_features import RandomFourier
from .recalibration import Recalibration
from .recurrent.forecaster import LinearRecurrent
from .reservoir_memory import ReservoirMemory
from .seasonal import SeasonalNaive
from .state_space.factors import LinearStateSpace
from .state_space.structural import Structural
from .wrappers import Conformal, Ensemble, Standardised

MODELS: dict[str, type[Model]] = {
    "persistence": Persistence,
    "climatology": Climatology,
    "seasonal_naive": SeasonalNaive,
    "drift": Drift,
    "autoregression": Autoregression,
    "structural": Structural,
    "linear_state_space": LinearStateSpace,
    "cycle_net": CycleNet,
    "context_parroting": ContextParroting,
    "nvar": NVAR,
    "polynomial_flow": PolynomialFlow,
    "fourier_extension": FourierExtension,
    "nearest_neighbour": NearestNeighbour,
    "simplex": Simplex,
    "s_map": SMap,
    "random_fourier": RandomFourier,
    "radial_basis": RadialBasis,
    "gaussian_process": GaussianProcess,
    "hippo_predictor": HippoPredictor,
    "echo_state_network": EchoStateNetwork,
    "reservoir_memory": ReservoirMemory,
    "local_reservoirs": LocalReservoirs,
    "almost_linear_rnn": AlmostLinearRNN,
    "shallow_plrnn": ShallowPLRNN,
    "linear_recurrent": LinearRecurrent,
    "neural_ode": NeuralODE,
    "closed_form_continuous": ClosedFormContinuous,
    "liquid_time_constant": LiquidTimeConstant,
}
"""Models by the names of the command line, in the order in which a study tries them while its budget lasts."""

__all__ = [
    "MODELS", "NVAR", "AlmostLinearRNN", "Autoregression", "Climatology", "ClosedFormContinuous", "Conformal",
    "ContextParroting", "CycleNet", "Drift", "EchoStateNetwork", "Ensemble", "FourierExtension", "GaussianProcess",
    "HippoPredictor", "Law", "LinearRecurrent", "LinearStateSpace", "LiquidTimeConstant", "LocalReservoirs", "Model",
    "NearestNeighbour", "NeuralODE", "Persistence", "PolynomialFlow", "RadialBasis", "RandomFourier", "Recalibration",
    "RecursiveLaw", "ReservoirMemory", "SMap", "SeasonalNaive", "ShallowPLRNN", "Signature", "Simplex", "Standardised",
    "Structural", "Training", "model",
]  # fmt: skip


def model(name: str, **settings: Any) -> Model:
    """The model called `name` with `settings`. Raises `SettingError` for an unknown name or setting."""
    if name not in MODELS:
        raise SettingError(f"no model {name!r}", place="model", remedy=f"Known models: {', '.join(MODELS)}.")
    kind = MODELS[name]
    known = [f.name for f in fields(kind)]
    for key in settings:
        if key not in known:
            listed = ", ".join(known) or "none"
            raise SettingError(f"{name} has no setting {key!r}", place="model", remedy=f"Settings: {listed}.")
    return kind(**settings)
