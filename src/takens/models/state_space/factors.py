"""The linear dynamical system: a few latent factors drive all channels, fitted by expectation maximisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from ...errors import InsufficientData, SettingError
from ..base import Array, Law, Model, Training
from .expectation import Estimate, begin, maximise, tamed
from .gaussian import LinearGaussian
from .law import GaussianLaw
from .scaling import Scaling, bridged, latest

STATES = (1, 2, 3, 4, 6, 8, 12)
"""Numbers of latent factors that are tried."""
WORK = 1e6
"""Rows times (squared states + 60) that a step of EM may cost; longer series are fitted to their end."""


@final
@dataclass(frozen=True)
class FactorLaw(GaussianLaw):
    """x_(t+1) = A x_t + w, y_t = C x_t + v, with the matrices that EM found."""

    @property
    def text(self) -> str:
        count = len(self.spaces[0].mean)
        return f"{count} latent factor{'s' * (count > 1)}"


@final
@dataclass(frozen=True)
class LinearStateSpace(Model):
    """A linear dynamical system: x_(t+1) = A x_t + w, y_t = C x_t + B u_t + v, with w ~ N(0, Q) and diagonal Var v.

    `states` is the number of latent factors x, all channels `y` at once; `u` are the known inputs. None: 1 to 12 are
    compared by the likelihood of the last fifth, one step ahead, of models fitted to the rest. EM starts from the
    canonical variates of past and future and takes at most `iterations` steps; A is shrunk where it would explode.
    Values may be missing anywhere (`law.smooth` fills them), channels may be sampled at different rates. The state
    before the first row is normal with a mean and a covariance that are fitted too. Raises `SettingError` for fewer
    than 1 state or iteration, `InsufficientData` for fewer than 10 values a channel or 4 rows a state.
    Cost O(N m^2) a step for m states without missing values, O(N m^3) with. Not for chaos or for seasons of many
    harmonics, which ask for too many states: see `Structural`.
    Source: Shumway & Stoffer, J. Time Series Analysis 3, 1982; Ghahramani & Hinton, CRG-TR-96-2, 1996.
    """

    states: int | None = None
    iterations: int = 30

    gaps: ClassVar[bool] = True

    def learn(self, training: Training, seed: int) -> FactorLaw:
        if (self.states is not None and self.states < 1) or self.iterations < 1:
            raise SettingError("states and iterations must be at least 1", place="LinearStateSpace")
        scaling = Scaling.of(training)
        pieces, inputs = scaling.targets(training), scaling.inputs(training)
        moving = np.array([np.nanmax(column) > np.nanmin(column) for column in np.concatenate(pieces).T])
        known = min(int(np.isfinite(np.concatenate(pieces)).sum(axis=0).min()), training.rows)
        most = min(known // 4, max(1, int(moving.sum())) * max(2, max(map(len, pieces)) // 8))
        if known < 10 or (self.states or 1) > most:
            raise InsufficientData(
                f"{self.states or 1} latent factors need at least {max(10, 4 * (self.states or 1))} values a channel, "
                f"there are {known}",
                place=training.signature.name, remedy="Use fewer states or more data.",
            )  # fmt: skip
        columns = [piece[:, moving] for piece in pieces]
        if moving.any():
            states = self.states or _chosen(columns, inputs, [s for s in STATES if s <= most])
            found = _fitted(columns, inputs, states, self.iterations)
            found = replace(found, space=_anywhere(found, columns, inputs))
        else:
            found = _nothing(self.states or 1, inputs[0].shape[1])
        effects = np.zeros((inputs[0].shape[1], len(moving)))
        effects[:, moving] = found.effects
        spaces = (_among(found.space, moving),)
        return FactorLaw(
            training.signature, *GaussianLaw.ending(training, spaces), spaces=spaces,
            center=scaling.center, scale=scaling.scale, weights=effects, input_center=scaling.input_center,
            input_scale=scaling.input_scale,
        )  # fmt: skip

    def settled(self, law: Law) -> Model:
        assert isinstance(law, FactorLaw)
        return replace(self, states=len(law.spaces[0].mean))


def _fitted(pieces: Sequence[Array], inputs: Sequence[Array], states: int, iterations: int) -> Estimate:
    room = int(max(WORK / (states**2 + 60), 1000))
    short, given = latest(pieces, inputs, room)
    start = begin([bridged(piece) for piece in short], given, states)
    found = maximise(short, given, start, iterations)
    return replace(found, space=replace(found.space, transition=tamed(found.space.transition)))


def _anywhere(found: Estimate, pieces: Sequence[Array], inputs: Sequence[Array]) -> LinearGaussian:
    """The model before any row, not only the first: with mean and covariance of the state over the training data."""
    mean, square, rows = _moments(found, *latest(pieces, inputs, 5000))
    spread = square / rows - np.outer(mean, mean)
    return replace(found.space, mean=mean, spread=0.5 * (spread + spread.T))


def _moments(found: Estimate, pieces: Sequence[Array], inputs: Sequence[Array]) -> tuple[Array, Array, int]:
    from .backward import smooth

    space = found.space
    total, square = np.zeros(len(space.mean)), np.zeros(space.spread.shape)
    for piece, given in zip(pieces, inputs, strict=True):
        states, _, squares, *_ = smooth(
            space.compressed, space.design, space.noise, space.filtered(piece - given @ found.effects)
        )
        total, square = total + states.sum(axis=0), square + squares
    rows = sum(map(len, pieces))
    return total / rows, square, rows


def _chosen(pieces: Sequence[Array], inputs: Sequence[Array], candidates: Sequence[int]) -> int:
    """The number of states with the highest likelihood of the last fifth; the search ends after two that are worse."""
    longest = max(range(len(pieces)), key=lambda k: len(pieces[k]))
    piece, given = pieces[longest][-2000:], inputs[longest][-2000:]
    cut = round(0.8 * len(piece))
    best, highest, worse = candidates[0], -np.inf, 0
    for states in candidates:
        if 4 * states > cut // 2:
            break
        found = _fitted([piece[:cut]], [given[:cut]], states, 10)
        score = float(found.space.filtered(piece - given @ found.effects)[0][cut:].sum())
        # A further state has to pay for itself, or noise would be given states of its own.
        better = score > highest + (states - best)
        worse = 0 if better else worse + 1
        if better:
            best, highest = states, score
        if worse == 2:
            break
    return best


def _among(space: LinearGaussian, moving: NDArray[np.bool_]) -> LinearGaussian:
    """The model of the `moving` channels with constant ones between them, on which nothing depends."""
    design, error = np.zeros((len(moving), len(space.mean))), np.zeros(len(moving))
    design[moving], error[moving] = space.design, space.error
    return replace(space, design=design, error=error)


def _nothing(states: int, inputs: int) -> Estimate:
    """The model of no channel at all."""
    zero = np.zeros((states, states))
    space = LinearGaussian(zero, np.zeros((0, states)), zero, np.zeros(0), zero[0], zero, zero[0])
    return Estimate(space, np.zeros((inputs, 0)))
