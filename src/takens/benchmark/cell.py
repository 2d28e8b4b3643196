"""One cell of a benchmark: a model learns from a record, forecasts what followed, and runs freely."""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backtest import Plan
from ..candidate import described
from ..errors import SettingError, TakensError
from ..models import model
from ..models.base import Known, Law
from ..random import generator
from ..scores import Runs, crps_samples, spectral_hellinger, state_space_divergence, valid_time
from ..series import Series
from ..systems.simulate import simulate
from .data import Record, of_series, of_system
from .regimes import Regime
from .spec import TRUTH

Array = NDArray[np.float64]

MEMBERS = 50
"""Members of the forecasts whose CRPS is taken."""
STEPS = 200
"""Most steps of the horizon over which the CRPS is averaged: beyond a few Lyapunov times all models are equal."""


def cell(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The scores of one model with one seed on one record, with their floors, and what they cost.

    Valid prediction time (NRMSE > 0.4; in Lyapunov times where the system has a positive exponent): median, quartiles
    and share censored over the origins, from noise-free runs; CRPS over the first steps in standard deviations; the
    state-space divergence and the spectral Hellinger distance of a free run, each with its floor. Raises what fails.
    """
    _bounded(settings["memory"])
    record = _record(settings)
    if settings["model"] == TRUTH:
        return _scored(_Truth(record, settings["data_seed"]), record, settings, 0.0, {})
    named = model(settings["model"].partition(":")[0], **settings["settings"])
    training = record.training
    if training.sampling.kind == "irregular" and not named.irregular:
        training = training.resample(record.interval, method="linear")
    began = time.perf_counter()
    law = named.fit(training, seed=settings["seed"])
    seconds = time.perf_counter() - began
    return _scored(_Fitted(law), record, settings, seconds, described(named.settled(law)))


def _record(settings: Mapping[str, Any]) -> Record:
    regime = Regime(**settings["regime"])
    if "series" in settings:
        return of_series(settings["series"], regime)
    from ..systems.definition import system

    return of_system(system(settings.get("definition") or settings["system"]), regime, settings["data_seed"])


class _Fitted:
    """A law that forecasts from rows of the record."""

    def __init__(self, law: Law) -> None:
        self.law = law

    def paths(self, observed: Series, origin: int, horizon: int, members: int, seed: int) -> Array:
        """Futures `(member, horizon, channel)` after the rows before `origin`; the noise-free one if members is 1."""
        law = self.law
        rng = None if members == 1 else generator(seed, "benchmark", "forecast", origin)
        known = Known(law.signature.row(float(observed.times[origin - 1])) + 1)
        return law.sample(observed.values[:origin], horizon, members, rng, known)

    def memory(self) -> int:
        return self.law.memory

    def free(self, length: int, seed: int) -> Series:
        return self.law.generate(length, seed=seed)


class _Truth:
    """The true equations from the observed state: what no model can beat, were it not for smoothing."""

    def __init__(self, record: Record, seed: int) -> None:
        if record.system is None or record.states is None:
            raise SettingError("there are no true equations of a measured series", place=TRUTH)
        self.record, self.seed = record, seed

    def memory(self) -> int:
        return 1

    def paths(self, observed: Series, origin: int, horizon: int, members: int, seed: int) -> Array:
        record = self.record
        assert record.system is not None
        assert record.states is not None
        shown = observed.shape[1]
        state = record.states[origin - 1].copy()
        state[:shown] = observed.values[origin - 1]
        # A clean state is known to a millionth, as an instrument would at best.
        spread = record.states.std(axis=0)
        draws = generator(self.seed, "benchmark", "truth", origin).normal(size=(members, len(state)))
        runs = [
            simulate(record.system, length=horizon + 1, dt=record.interval, initial=state + 1e-6 * spread * one,
                     transient=0.0, seed=seed).values[1:, :shown]
            for one in draws
        ]  # fmt: skip
        return np.stack(runs)

    def free(self, length: int, seed: int) -> Series:
        record = self.record
        assert record.system is not None
        run = simulate(record.system, length=length, dt=record.interval, transient=200 * record.interval, seed=seed + 1)
        return run.select(*record.true.channels)


def _scored(
    law: Any, record: Record, settings: Mapping[str, Any], fit_seconds: float, described: Mapping[str, Any]
) -> dict[str, Any]:
    """All scores of a law on the record that follows its training data."""
    observed, true, horizon = record.observed, record.true, record.horizon
    plan = _origins(record, law.memory(), int(settings["regime"]["origins"]))
    scale = true.values.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    began = time.perf_counter()
    paths = np.stack([law.paths(observed, o, horizon, 1, settings["seed"])[0] for o in plan.origins])
    forecast_seconds = (time.perf_counter() - began) / len(plan.origins)
    truth = np.stack([true.values[o : o + horizon] for o in plan.origins])
    time_found = valid_time(paths, truth, scale, record.interval, lyapunov_exponent=record.exponent)
    steps = min(STEPS, horizon)
    errors = [
        np.nanmean(crps_samples(law.paths(observed, o, steps, MEMBERS, settings["seed"]) / scale, t[:steps] / scale))
        for o, t in zip(plan.origins, truth, strict=True)
    ]
    return {
        "valid_time": time_found.value, "valid_time_unit": time_found.unit,
        "valid_times": time_found.details["values"], "censored": time_found.settings["censored"],
        "crps": float(np.mean(errors)), "crps_steps": steps, "horizon": horizon, "origins": len(plan.origins),
        **_climate(law, record, settings["seed"]), "settings": dict(described), "fit_seconds": fit_seconds,
        "forecast_seconds": forecast_seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows": len(record.training), "interval": record.interval, "exponent": record.exponent,
    }  # fmt: skip


def _climate(law: Any, record: Record, seed: int) -> dict[str, Any]:
    """The free run against the record that followed: state-space divergence and spectral distance, with floors."""
    found: dict[str, Any] = {}
    try:
        runs = Runs.of(law.free(len(record.true), seed), record.true)
        for name, score in (
            ("state_space_divergence", state_space_divergence),
            ("spectral_hellinger", spectral_hellinger),
        ):
            made = score.function(runs)
            # An infinite divergence is no number in JSON; the reason says what it was.
            found |= {name: made.value if made.value is not None and np.isfinite(made.value) else None,
                      f"{name}_floor": made.floor, f"{name}_reason": made.reason}  # fmt: skip
    except TakensError as refusal:
        found |= {"state_space_divergence": None, "spectral_hellinger": None, "climate_reason": refusal.cause}
    return found


def _origins(record: Record, memory: int, count: int) -> Plan:
    """Origins evenly spread over the record that follows, the same for every model.

    The first leaves a quarter of the record, at most 500 rows, as history: no law here may need more.
    """
    rows = len(record.true)
    first = min(500, rows // 4)
    if memory > first:
        raise SettingError(f"a forecast needs {memory} rows of history; the record holds {first}", place="memory")
    last = rows - record.horizon
    if last <= first:
        raise SettingError(f"{rows} rows leave no room for a horizon of {record.horizon}", place="test")
    origins = tuple(int(o) for o in np.unique(np.linspace(first, last, count).round()))
    return Plan(record.horizon, origins, (), rows)


def _bounded(memory: float) -> None:
    """Let this process have no more than `memory` MiB beyond what it holds, so that a fit without end is a row."""
    held = Path("/proc/self/statm")
    if not held.exists():  # elsewhere than on Linux the limit of seconds has to do
        return
    limit = int(held.read_text().split()[0]) * resource.getpagesize() + int(memory * 2**20)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
