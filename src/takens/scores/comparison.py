"""Skill: how much better a model is than a reference over many origins, and how sure that is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DataError, InsufficientData, SettingError
from ..random import generator
from .base import Array

FEWEST = 5
"""With fewer origins an interval is not estimated but said to be unknown."""


def skill(
    model_scores: ArrayLike,
    reference_scores: ArrayLike,
    *,
    level: float = 0.9,
    seed: int = 0,
    block: int | None = None,
    draws: int = 2000,
) -> tuple[float, tuple[float, float]]:
    """Skill 1 - mean(model) / mean(reference) of low-is-good scores `(origin,)`, with its interval at `level`.

    1 is perfect, 0 no better than the reference, negative worse; an interval above 0 means better beyond chance. The
    interval is a studentised moving-block bootstrap (circular) over origins in time order, `block` origins long; by
    default the length follows from the lag-one correlation r of the linearised skill, (6^(1/2) r / (1 - r^2))^(2/3)
    n^(1/3), since overlapping forecasts err together. Origins where both scores are NaN are left out; an infinite model
    score gives skill -infinity. Measured coverage at level 0.9: 0.91, 0.90, 0.89 with 10, 20, 50 independent origins;
    with 50 origins of lag-one correlation 0.5 and 0.8 only 0.86 and 0.80, so space origins by a horizon. With fewer
    than 5 origins the interval is (-infinity, 1): nothing is known.

    Raises `DataError` where one of a pair is missing or the reference scores 0 on average. Cost: draws x origins.
    Sources: Künsch, Ann. Stat. 17, 1217 (1989); Carlstein, Ann. Stat. 14, 1171 (1986) for the block length.
    """
    model, reference = (np.asarray(s, dtype=np.float64).ravel() for s in (model_scores, reference_scores))
    if model.shape != reference.shape:
        raise DataError(f"{len(model)} model scores for {len(reference)} reference scores")
    if not 0 < level < 1:
        raise SettingError(f"level must be between 0 and 1, got {level}")
    if (np.isnan(model) != np.isnan(reference)).any():
        origin = int(np.flatnonzero(np.isnan(model) != np.isnan(reference))[0])
        raise DataError(
            f"origin {origin + 1} has a score of the model or of the reference, but not of both",
            remedy="Score both on the same origins; give a failed forecast the score infinity.",
        )
    model, reference = model[~np.isnan(model)], reference[~np.isnan(reference)]
    count = len(model)
    if count == 0:
        raise InsufficientData("no origin has a score")
    if not np.isfinite(reference).all() or reference.mean() <= 0:
        raise DataError("the reference scores must be finite with a positive mean")
    if not np.isfinite(model).all():
        return -np.inf, (-np.inf, -np.inf)
    value = 1 - model.mean() / reference.mean()
    if count < FEWEST:
        return float(value), (-np.inf, 1.0)
    if block is not None and not 1 <= block <= count:
        raise SettingError(f"block must be between 1 and the number of origins, {count}; got {block}")
    # the linearised skill: the mean of `influence` is 0 and its standard error that of the ratio
    influence = ((1 - value) * reference - model) / reference.mean()
    length = _block_length(influence) if block is None else block
    error = _standard_error(influence[None], length)[0]
    if error == 0:
        return float(value), (float(value), float(value))
    pivots = _pivots(model, reference, float(value), length, draws, seed)
    low, high = np.quantile(pivots, [(1 + level) / 2, (1 - level) / 2])
    return float(value), (float(value - low * error), float(min(value - high * error, 1.0)))


def _pivots(model: Array, reference: Array, value: float, length: int, draws: int, seed: int) -> Array:
    """(resampled skill - skill) / its standard error, for `draws` block resamples."""
    count = len(model)
    blocks = -(-count // length)
    starts = generator(seed, "skill").integers(count, size=(draws, blocks))
    rows = ((starts[:, :, None] + np.arange(length)) % count).reshape(draws, -1)[:, :count]
    m, r = model[rows], reference[rows]
    ratio = m.mean(axis=1) / r.mean(axis=1)
    influence = (ratio[:, None] * r - m) / r.mean(axis=1)[:, None]
    error = _standard_error(influence, length)
    sound = error > 1e-12 * error.max()
    return ((1 - ratio) - value)[sound] / error[sound]


def _standard_error(influence: Array, length: int) -> Array:
    """Standard error of the mean of each row from means of consecutive blocks (overlapping, circular)."""
    count = influence.shape[1]
    sums = np.cumsum(np.concatenate([influence, influence[:, : length - 1]], axis=1), axis=1)
    sums = np.concatenate([sums[:, length - 1 : length], sums[:, length:] - sums[:, :-length]], axis=1)
    return np.sqrt((sums**2).mean(axis=1) / (length * max(count - length, 1)))


def _block_length(influence: Array) -> int:
    count = len(influence)
    power = (influence**2).sum()
    r = float((influence[1:] * influence[:-1]).sum() / power) if power > 0 else 0.0
    r = min(max(r, 0.0), 0.97)
    length = (np.sqrt(6) * r / (1 - r**2)) ** (2 / 3) * count ** (1 / 3)
    return int(np.clip(np.ceil(length), 1, max(count // 3, 1)))
