"""One series, many models, rolling origins, one choice: what `takens study` runs and the report shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .backtest import LEAST, Backtest, Plan, plan_origins
from .candidate import Candidate, calibrated, climate_rows, free_run, widening
from .choice import Choice, Skill
from .durations import in_words, seconds, steps
from .errors import DataError, SettingError
from .estimate import Estimate
from .findings import Finding, findings
from .forecast import Forecast
from .measures import STUDIED, measure_series
from .models import MODELS
from .models.base import Law, Model
from .models.recalibration import Recalibration
from .models.wrappers import ConformalLaw
from .series import Series, as_trajectories
from .store import Store
from .tasks import versions
from .transform import until_now
from .trials import Trials
from .wording import counted

if TYPE_CHECKING:
    from .verdicts.result import Verdict

Progress = Callable[[str, float], Any]

TRAINING_ROWS = 30_000
"""Most rows, the latest ones, that models learn from in a study; measures see all."""
MEASURED_CHANNELS = 12
"""Most channels that are measured one by one in a study, and most views of the system that the verdict rests on."""


@dataclass(frozen=True)
class Study:
    """Everything a study found; the report, the JSON file and the command line only read it.

    `estimates` holds the measures by name ("name[channel]" where there are several channels), `verdicts` one verdict a
    channel, `verdict` the one on all channels and trajectories together, `candidates` all models (best first, then
    failed and skipped ones), `choice` the chosen model, the best baseline and every model's CRPS skill against it.
    `forecast` continues the series; `last_window` is (history, forecast, truth) of the last origin; `generated` is a
    free run of the chosen law and `observed` the rows it is compared with.
    """

    series: Series
    horizon: int
    plan: Plan
    estimates: Mapping[str, Estimate]
    verdicts: Mapping[str, Verdict]
    verdict: Verdict
    candidates: tuple[Candidate, ...]
    choice: Choice
    law: Law
    forecast: Forecast
    last_window: tuple[Series, Forecast, Series]
    observed: Series
    generated: Series
    findings: tuple[Finding, ...]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def chosen(self) -> str:
        """The name of the chosen model."""
        return self.choice.chosen

    @property
    def best_baseline(self) -> str:
        """The name of the best baseline."""
        return self.choice.baseline

    @property
    def skill(self) -> Mapping[str, Skill]:
        """CRPS skill of each model against the best baseline, with its 90 % interval."""
        return self.choice.skill

    def candidate(self, name: str) -> Candidate:
        """The candidate of a model by its name."""
        return next(c for c in self.candidates if c.model == name)

    def write(self, out: str | Path) -> list[Path]:
        """Write report.html, report.json, forecast.csv, forecast.nc and law/ into the folder `out`."""
        from .report import write_study

        return write_study(self, Path(out))


def study(
    data: Any,
    *,
    horizon: int | str | None = None,
    budget: float | str = "2m",
    models: Sequence[str | Model] | None = None,
    members: int = 50,
    seed: int = 0,
    out: str | Path | None = None,
    progress: Progress | None = None,
    argv: Sequence[str] = (),
    **reading: Any,
) -> Study:
    """Characterise a series, compare models on forecasts they have not seen, choose one, forecast with it.

    `data` is a `Series`, a list of them, or whatever `takens.open` reads, with `reading` its options. `horizon` is the
    number of steps ahead, or a duration such as "2d"; None chooses it from the time scales. Models are tried, cheap
    ones first, until the computing time `budget` is used up. With `out`, finished models are kept in `out/work`, so
    that an interrupted study goes on where it stopped, and the results are written to `out`. The chosen model is the
    one with the lowest CRPS over all origins, unless the best baseline is not clearly worse (see `takens.choice`).
    `argv` is the command that was typed, if one was, for the report to repeat.

    Raises `DataError` for data that cannot be studied and `SettingError` for settings that make no sense.
    """
    began = time.perf_counter()
    report = progress or (lambda stage, share: None)
    report("reading", 0.0)
    trajectories, future = _until_now(_opened(data, reading))
    last = trajectories[-1]
    allowed = seconds(budget)
    candidates_wanted = _models(models)
    if horizon is not None:
        horizon = steps(horizon, last.interval, last.clock)
        plan_origins([_recent(last)], horizon)  # refuse an impossible horizon before any work
    estimates, verdicts, verdict = _characterise(trajectories, seed, report)
    if horizon is None:
        horizon = default_horizon(last, estimates)
    recent = [*trajectories[:-1], _recent(last)]
    plan = plan_origins(recent, horizon)
    store = Store(Path(out) / "work") if out is not None else None
    candidates_wanted = [(name, _aimed(model, horizon)) for name, model in candidates_wanted]
    trials = Trials(recent, plan, members, seed, store, began + allowed, report, len(candidates_wanted))
    candidates = [trials.run(name, model, verdict) for name, model in candidates_wanted]
    result = _conclude(trials, candidates, dict(candidates_wanted), future, report)
    settings = {
        "horizon": horizon, "budget_seconds": allowed, "models": [name for name, _ in candidates_wanted],
        "members": members, "seed": seed, "training_rows": min(len(recent[-1]), TRAINING_ROWS), "reading": reading,
    }  # fmt: skip
    settings |= {"argv": list(argv)} if argv else {}
    finished = Study(
        series=last, horizon=horizon, plan=plan, estimates=estimates, verdicts=verdicts, verdict=verdict,
        settings=settings, versions=versions(), seconds=time.perf_counter() - began, findings=(),
        notes=_notes(last, plan, future), **result,
    )  # fmt: skip
    finished = replace(finished, findings=tuple(findings(finished)))
    if out is not None:
        report("writing the report", 0.97)
        finished.write(out)
    report("done", 1.0)
    return finished


def default_horizon(series: Series, estimates: Mapping[str, Estimate]) -> int:
    """Steps ahead that are worth forecasting: four Lyapunov times, else one regular cycle, else five correlation times.

    The longest over the channels, between 8 steps (fewer for a very short series) and a twentieth of the series, at
    most 500.
    """
    chaotic, cyclic, remembered = [], [], []
    for key, estimate in estimates.items():
        if not estimate.admissible or estimate.value is None or np.size(estimate.value) == 0:
            continue
        first = float(np.ravel(estimate.value)[0])
        if key.startswith("largest_lyapunov_exponent") and first > 0:
            chaotic.append(4 / first)
        elif key.startswith("dominant_periods") and estimate.details["narrow"][0]:
            cyclic.append(first)
        elif key.startswith("integral_time_scale"):
            remembered.append(5 * first)
    wanted = max(chaotic or cyclic or remembered or [20 * series.interval]) / series.interval
    least = max(1, min(8, len(series) // 5 - LEAST))
    return int(np.clip(round(wanted), least, max(least, min(500, len(series) // 20))))


def _conclude(
    trials: Trials,
    candidates: list[Candidate],
    models: Mapping[str, Model],
    future: NDArray[np.float64],
    report: Progress,
) -> dict[str, Any]:
    """The choice, the final law, its forecast, the last window and the generated run."""
    mixed = trials.stack(candidates, models)
    plan, seed, grid = trials.plan, trials.seed, trials.trajectories[-1].gridded()
    choice = Choice.of(candidates, seed, None if mixed is None else mixed.candidate)
    if mixed is not None and choice.chosen == mixed.candidate.model:
        tested, laws = mixed.tested, []
        for name in mixed.stack.names:
            report(f"fitting {name} on all data", 0.88)
            part = trials.tested(name, models[name])
            laws.append(_recalibrated(_learned(trials, models[name], part), part, grid)[0])
        final: Law = mixed.stack.law(laws)
    else:
        report(f"fitting {choice.chosen} on all data", 0.88)
        tested = trials.tested(choice.chosen, models[choice.chosen])
        final = _learned(trials, models[choice.chosen], tested)
    law, issued = _recalibrated(final, tested, grid)
    ahead = np.resize(future[-1:], (plan.horizon, future.shape[1]))
    ahead[: len(future)] = future[: plan.horizon]
    inputs = ahead if final.signature.inputs else None
    forecast = law.forecast(plan.horizon, inputs=inputs, members=max(trials.members, 200), seed=seed)
    report("last window and climate", 0.93)
    observed = climate_rows(grid.inputs_last, plan)
    order = {"ok": 0, "stopped": 1, "failed": 2, "skipped": 3}
    everyone = candidates if mixed is None else [*candidates, mixed.candidate]
    ranked = sorted(everyone, key=lambda c: (order[c.status], c.scores["crps"] if c.ok else 0.0))
    return {
        "candidates": tuple(ranked), "choice": choice, "law": law, "forecast": forecast,
        "last_window": _last_window(plan, issued[-1], grid.observed), "observed": observed.observed,
        "generated": free_run(tested.law, observed, seed),
    }  # fmt: skip


def _learned(trials: Trials, model: Model, tested: Backtest) -> Law:
    """The law of all data; costly models keep the hyper-parameters of the backtest."""
    return (tested.model if model.effort else model).fit(trials.trajectories, seed=trials.seed)


def _recalibrated(law: Law, tested: Backtest, grid: Series) -> tuple[ConformalLaw, NDArray[np.float64]]:
    """The law with the errors of its backtest, and the forecasts of the backtest as they were issued."""
    issued = calibrated(tested)
    errors = Recalibration.fit(tested.samples, tested.truth).widened(widening(tested, issued, len(grid)))
    return ConformalLaw(law.signature, law.history, law.end, law, errors), issued


def _last_window(plan: Plan, samples: NDArray[np.float64], grid: Series) -> tuple[Series, Forecast, Series]:
    """History, forecast as it was issued, and truth of the last origin."""
    origin = plan.origins[-1]
    truth = grid.rows(origin, origin + plan.horizon)
    forecast = Forecast(samples, truth.times, grid.channels, grid.units, grid.clock, grid.name, "last window")
    return grid.rows(max(0, origin - 3 * plan.horizon), origin), forecast, truth


def _characterise(
    trajectories: Sequence[Series], seed: int, report: Progress
) -> tuple[dict[str, Estimate], dict[str, Verdict], Verdict]:
    """All measures and the verdict of each channel (the first twelve) of the last trajectory, and the joint verdict."""
    from .verdicts import joint, verdict, views_of

    series = trajectories[-1].observed
    names = series.channels[:MEASURED_CHANNELS]
    estimates: dict[str, Estimate] = {}
    verdicts: dict[str, Verdict] = {}
    for i, name in enumerate(names):
        start, width = 0.02 + 0.15 * i / len(names), 0.15 / len(names)

        def advance(what: str, done: int, total: int, at: float = start, wide: float = width) -> None:
            report(f"measuring {what.replace('_', ' ')}", at + wide * done / (total + 8))

        def step(question: str, share: float, at: float = start, wide: float = width) -> None:
            report("looking at the kind of dynamics", at + wide * (0.7 + 0.3 * share))

        one = series.select(name)
        found = measure_series(one, only=STUDIED, seed=seed, progress=advance)
        estimates.update({key if len(series.channels) == 1 else f"{key}[{name}]": e for key, e in found.items()})
        verdicts[name] = verdict(one, seed=seed, progress=step)
    others = views_of([one.observed for one in trajectories[:-1]]) if len(trajectories) > 1 else {}
    views = dict(verdicts)
    for name, one in list(others.items())[: MEASURED_CHANNELS - len(verdicts)]:
        report("looking at the kind of dynamics in earlier trajectories", 0.18)
        views[f"before: {name}"] = verdict(one, seed=seed, segments=False)
    level = next(iter(verdicts.values())).level
    return estimates, verdicts, joint(views, level) if len(views) > 1 else verdicts[names[0]]


def _opened(data: Any, reading: Mapping[str, Any]) -> list[Series]:
    """The trajectories to study, on regular grids."""
    if isinstance(data, Series) or (isinstance(data, list) and data and isinstance(data[0], Series)):
        if reading:
            raise SettingError(f"options {', '.join(reading)} are for files; these data are already a Series")
        found = as_trajectories(data)
    else:
        from .io.reading import open_data

        found = as_trajectories(open_data(data, **reading))
    for series in found:
        series.gridded()  # raises for irregular sampling, with the remedy
    last = found[-1]
    if not any(len(np.unique(column[np.isfinite(column)])) > 1 for column in last.values.T):
        raise DataError(
            "every channel is empty or constant: there is nothing to characterise or to forecast",
            place=last.source or last.name,
            remedy="Select channels and a window in which something changes.",
        )
    return found


def _until_now(trajectories: list[Series]) -> tuple[list[Series], NDArray[np.float64]]:
    """The trajectories up to the last row that holds more than known inputs, and the inputs after it `(time, input)`.

    Where no row follows, the last known values of the inputs stand for their future.
    """
    last, future = until_now(trajectories[-1])
    if not last.inputs or len(future):
        return [*trajectories[:-1], last], future
    known = last.inputs_last.values[:, last.observed.shape[1] :]
    return [*trajectories[:-1], last], known[np.isfinite(known).all(axis=1)][-1:]


def _recent(series: Series) -> Series:
    """The latest rows, as many as models learn from."""
    return series if len(series) <= TRAINING_ROWS else series.rows(-TRAINING_ROWS)


def _models(wanted: Sequence[str | Model] | None) -> list[tuple[str, Model]]:
    """Names and models to try, in order; names are looked up in the list of models."""
    from .models import model

    names = sorted(MODELS, key=lambda name: MODELS[name].effort) if wanted is None else list(wanted)
    if not names:
        raise SettingError("no model given", place="models", remedy=f"Known models: {', '.join(MODELS)}.")
    found = [(item, model(item)) if isinstance(item, str) else (item.name, item) for item in names]
    if not any(one.baseline for _, one in found):  # a model is only as good as what it is better than
        found = [(name, model(name)) for name in ("persistence", "climatology")] + found
    return found


def _aimed(model: Model, horizon: int) -> Model:
    """The model with its hyper-parameters chosen by free runs of the study's horizon, where it leaves that open."""
    names = {f.name for f in fields(model)}
    return replace(model, horizon=horizon) if "horizon" in names and model.horizon is None else model  # type: ignore


def _notes(series: Series, plan: Plan, future: NDArray[np.float64]) -> tuple[str, ...]:
    """What was left out or thinned, in words."""
    notes = []
    if len(series) > TRAINING_ROWS:
        notes.append(f"Models learned from the latest {TRAINING_ROWS:,} of {len(series):,} rows; measures saw all.")
    if len(series.channels) > MEASURED_CHANNELS:
        notes.append(f"Measured: the first {MEASURED_CHANNELS} of {len(series.channels)} channels; models saw all.")
    if series.inputs and len(future) < plan.horizon:
        known = f"The future of {', '.join(series.inputs)} is known for {counted(len(future), 'step')} at most"
        notes.append(f"{known}; the forecast holds the last value from there on.")
    span = in_words(plan.horizon * series.interval, series.clock.unit)
    notes.append(f"Models were compared on {len(plan.origins)} forecasts of {span} from rows they had not seen.")
    return tuple(notes)
