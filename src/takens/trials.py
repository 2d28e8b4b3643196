"""The models of a study, one after the other: cheap ones first, hopeless ones stopped, costly ones if they can win."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .backtest import Backtest, Plan, backtest
from .candidate import Candidate, channel_scale, evaluate, judged
from .models.base import Model
from .scores import crps_samples, skill
from .series import Series
from .stacking import Mixed, Stack, stacked, weights_of
from .store import Store, array_digest, task_key
from .version import __version__

if TYPE_CHECKING:
    from .verdicts.result import Verdict

Progress = Callable[[str, float], Any]

LOOKS = (12, 24, 40)
"""After so many forecasts a model is compared with the best so far, and stopped if it is clearly worse."""
HOPELESS = 1.5
"""A model is stopped if its error is so many times that of the best so far, and worse at the level of 98 %."""
NEEDED = {0: 0.0, 1: 20.0, 2: 90.0}
"""Seconds of the budget that must be left before a model of this effort is begun."""
SOLVED = 0.02
"""Where the best error is below this share of the climatology's, nothing costly is tried for the forecast's sake."""
STACKED = 4
"""The best so many models are stacked."""
STACK = "stack"
LIGHTEST = 0.02
"""Models of less weight are left out of the stack."""


@dataclass
class Trials:
    """Evaluates models within the time allowed; keeps finished candidates in `store` and the best backtests here.

    `deadline` is the moment (of `time.perf_counter`) when the budget is used up; until one baseline is scored it does
    not count, for nothing could be said. `total` is the number of models, for the progress.
    """

    trajectories: list[Series]
    plan: Plan
    members: int
    seed: int
    store: Store | None
    deadline: float
    report: Progress
    total: int
    best: list[tuple[float, str, Backtest, NDArray[np.float64]]] = field(default_factory=list)
    done: int = 0
    compared: bool = False
    levels: dict[str, float] = field(default_factory=dict)

    def run(self, name: str, model: Model, verdict: Verdict | None = None) -> Candidate:
        """The candidate of `model`: from the store if it is there, evaluated otherwise, or skipped with the reason."""
        share = 0.25 + 0.6 * self.done / self.total
        self.done += 1
        self.report(f"model {name}", share)
        key = self.key(name, model)
        found = self.store.get(key) if self.store is not None else None
        if found is not None:
            candidate = Candidate.from_dict(found)
            self._note(candidate, None)
            return candidate
        if reason := self._refusal(model, verdict):
            return Candidate(name, model.baseline, "skipped", reason)
        candidate, tested = evaluate(
            name, self._timed(model), self.trajectories, self.plan, members=self.members, seed=self.seed,
            advance=lambda part: self.report(f"model {name}", share + 0.6 * part / self.total),
            outpaced=None if model.baseline else self._outpaced,
        )  # fmt: skip
        if self.store is not None and candidate.ok:
            self.store.put(key, candidate.to_dict())
        self._note(candidate, tested)
        return candidate

    def stack(self, candidates: Sequence[Candidate], models: Mapping[str, Model]) -> Mixed | None:
        """The best models mixed with weights that minimise the CRPS, as a candidate; None where there is no second one.

        The weights come from the choosing origins, those of each half from the other, so that the stack is judged like
        any model. After an interruption cheap models are backtested again for it, costly ones left out.
        Source: Gneiting & Ranjan, Electron. J. Stat. 7, 1747 (2013); Yao et al., Bayesian Anal. 13, 917 (2018).
        """
        at_hand = {name for _, name, _, _ in self.best}
        usable = [c for c in candidates if c.ok and (c.model in at_hand or models[c.model].effort == 0)]
        ranked = sorted(usable, key=lambda c: float(c.scores["crps"] or 0.0))[:STACKED]
        if len(ranked) < 2 or time.perf_counter() > self.deadline:
            return None
        self.report("mixing the best models", 0.86)
        tests = [self.tested(c.model, models[c.model]) for c in ranked]
        scale = self._scale()
        weights = weights_of(tests, scale)
        kept = [k for k, weight in enumerate(weights) if weight >= LIGHTEST]
        if len(kept) < 2:
            return None
        tests = [tests[k] for k in kept]
        stack = Stack(tuple(ranked[k].model for k in kept), tuple(float(weights[k]) for k in kept))
        mixed = stacked(tests, stack, scale, self.seed)
        shown = {name: round(weight, 3) for name, weight in zip(stack.names, stack.weights, strict=True)}
        candidate = judged(STACK, mixed, self.trajectories, self.plan, baseline=False, seed=self.seed, settings=shown)
        return Mixed(candidate, stack, mixed)

    def tested(self, name: str, model: Model) -> Backtest:
        """The backtest of a model: kept if it is among the best so far, else run again."""
        for _, known, kept, _ in self.best:
            if known == name:
                return kept
        return backtest(model, self.trajectories, plan=self.plan, members=self.members, seed=self.seed)

    def key(self, name: str, model: Model) -> str:
        """The name of the task: data, model, settings and version."""
        return task_key({
            "data": [array_digest(s.times, s.values) for s in self.trajectories], "name": name, "model": repr(model),
            "inputs": list(self.trajectories[-1].inputs), "plan": repr(self.plan), "members": self.members,
            "seed": self.seed, "version": __version__,
        })  # fmt: skip

    def _note(self, candidate: Candidate, tested: Backtest | None) -> None:
        self.compared = self.compared or (candidate.baseline and candidate.ok)
        if candidate.ok:
            self.levels[candidate.model] = float(candidate.scores["crps"] or 0.0)
        if tested is not None and candidate.ok:
            errors = _errors(tested.samples, tested.truth, self._scale())
            self.best.append((self.levels[candidate.model], candidate.model, tested, errors))
            self.best = sorted(self.best, key=lambda one: one[0])[:STACKED]

    def _scale(self) -> NDArray[np.float64]:
        return channel_scale(self.trajectories[-1].gridded().inputs_last.observed, self.plan)

    def _refusal(self, model: Model, verdict: Verdict | None) -> str:
        """Why `model` is not tried now; empty where it is."""
        left = self.deadline - time.perf_counter()
        if left < 0 and self.compared:
            return "the computing budget was used up before its turn"
        if model.effort == 0 or not self.levels:
            return ""
        best = min(self.levels, key=lambda name: self.levels[name])
        if self.levels[best] < SOLVED * self.levels.get("climatology", np.inf):
            share = self.levels[best] / self.levels["climatology"]
            return f"the error of {best} is {share:.1%} of the climatology's: nothing is left to win"
        if verdict is not None and set(verdict.classes) == {"linear noise"}:
            return "the verdict leaves only linear noise, where a linear model is as good as any"
        if left < NEEDED[model.effort]:
            return f"it takes about {NEEDED[model.effort]:.0f} s; {max(left, 0):.0f} s of the budget were left"
        return ""

    def _timed(self, model: Model) -> Model:
        """The model with a share of what is left of the budget as its limit, where it takes one and none is set.

        A costly model is fitted twice here and once more on all data.
        """
        names = {f.name for f in fields(model)}
        if model.effort == 0 or "seconds" not in names or model.seconds is not None:  # type: ignore[attr-defined]
            return model
        left = self.deadline - time.perf_counter()
        return replace(model, seconds=round(max(left / 6, 5.0), 1))  # type: ignore[call-arg]

    def _outpaced(self, samples: Sequence[NDArray[np.float64]], truth: Sequence[NDArray[np.float64]]) -> str:
        """Why a backtest need not go on: its forecasts so far are clearly worse than those of the best model."""
        if len(samples) not in LOOKS or not self.best:
            return ""
        _, rival, _, errors = self.best[0]
        mine, theirs = _errors(np.stack(samples), np.stack(truth), self._scale()), errors[: len(samples)]
        ratio = mine.mean() / max(theirs.mean(), 1e-300)
        if ratio < HOPELESS or skill(mine, theirs, level=0.98, seed=self.seed)[1][1] >= 0:
            return ""
        looked = f"after {len(samples)} of {len(self.plan.origins)} forecasts"
        return f"{looked} its error was {ratio:.3g} times that of {rival}"


def _errors(
    samples: NDArray[np.float64], truth: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The CRPS `(origin,)` of uncalibrated forecasts, in standard deviations, averaged over horizon and channels."""
    return np.array([np.nanmean(crps_samples(s / scale, t / scale)) for s, t in zip(samples, truth, strict=True)])
