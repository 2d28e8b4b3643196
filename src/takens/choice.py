"""The choice of one model among candidates, and a rehearsal that says what such a choice was worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .candidate import Candidate
from .errors import InsufficientData
from .scores import skill

LEVEL = 0.98
"""A model replaces the best baseline if the lower end of the interval of its skill at this level is above zero.

High, because the best of several models is looked at and because forecasts that overlap make the interval too narrow.
"""

Skill = tuple[float, tuple[float, float]]


@dataclass(frozen=True)
class Rehearsal:
    """What the same choice, made on the first half of the origins alone, was worth on the second half.

    `skill` of the model so chosen against the baseline so chosen, on forecasts that had no part in the choice.
    """

    chosen: str
    baseline: str
    skill: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Choice:
    """The chosen model and the best baseline by the CRPS over all origins, every model's skill, and the rehearsal.

    The skills are those of the very forecasts that made the choice, so the best of many is a little flattered; the
    rehearsal is not.
    """

    chosen: str
    baseline: str
    skill: Mapping[str, Skill]
    rehearsal: Rehearsal

    @classmethod
    def of(cls, candidates: Sequence[Candidate], seed: int, stack: Candidate | None = None) -> Choice:
        """Choose among the candidates that were scored. Raises `InsufficientData` where there is none.

        A `stack` of several models takes the place of the best single one where it is clearly better: a single law can
        be looked into.
        """
        fitted = [c for c in candidates if c.ok]
        if not fitted:
            reasons = "; ".join(f"{c.model}: {c.reason}" for c in candidates)
            raise InsufficientData(f"no model could be fitted ({reasons})")
        chosen, baseline = _pick(fitted, _all, seed)
        reference = _all(baseline)
        if stack is not None and skill(_all(stack), _all(chosen), level=LEVEL, seed=seed)[1][0] > 0:
            chosen = stack
        everyone = fitted if stack is None else [*fitted, stack]
        skills = {c.model: skill(_all(c), reference, level=0.9, seed=seed) for c in everyone}
        first, base = _pick(fitted, _first, seed)
        worth, interval = skill(_second(first), _second(base), level=0.9, seed=seed)
        return cls(chosen.model, baseline.model, skills, Rehearsal(first.model, base.model, worth, interval))


def _all(candidate: Candidate) -> NDArray[np.float64]:
    return np.array(candidate.choosing + candidate.judging)


def _first(candidate: Candidate) -> NDArray[np.float64]:
    return np.array(candidate.choosing)


def _second(candidate: Candidate) -> NDArray[np.float64]:
    return np.array(candidate.judging)


def _pick(
    fitted: Sequence[Candidate], part: Callable[[Candidate], NDArray[np.float64]], seed: int
) -> tuple[Candidate, Candidate]:
    """The chosen candidate and the best baseline by the mean CRPS over a part of the origins.

    The best model is taken if it beats the best baseline clearly there; where it does not, the baseline.
    """
    best = min(fitted, key=lambda c: float(part(c).mean()))
    baseline = min([c for c in fitted if c.baseline] or fitted, key=lambda c: float(part(c).mean()))
    if best is not baseline:
        _, (low, _) = skill(part(best), part(baseline), level=LEVEL, seed=seed)
        best = best if low > 0 else baseline
    return best, baseline
