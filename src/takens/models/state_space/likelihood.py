"""Maximum likelihood for one channel of a structural model, by the exact gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..base import Array
from .components import Components, Layout, blocks
from .gaussian import LinearGaussian


@dataclass(frozen=True)
class Fitted:
    """A channel's model with the parameters of the largest likelihood, and the effects of the inputs `(input,)`."""

    space: LinearGaussian
    effects: Array
    parameters: Array

    def likelihoods(self, pieces: Sequence[Array], inputs: Sequence[Array], skipped: int) -> float:
        """Log likelihood without the first `skipped` rows of each piece, so that different diffuse starts compare."""
        total = 0.0
        for piece, given in zip(pieces, inputs, strict=True):
            total += self.space.filtered(piece - given @ self.effects[:, None])[0][skipped:].sum()
        return float(total)


def fit_channel(
    components: Components, pieces: Sequence[Array], inputs: Sequence[Array], *, evaluations: int = 60
) -> Fitted:
    """The most likely parameters for `pieces (time, 1)` of one standardised channel and `inputs (time, input)`.

    L-BFGS over log variances, shapes and effects from the best of a few starting points. Cost: `evaluations` passes of
    the filter and back.
    """
    from scipy.optimize import minimize

    steps = np.concatenate([np.diff(piece[:, 0]) for piece in pieces])
    steps = steps[np.isfinite(steps)]
    rough = float(np.mean(steps**2)) if len(steps) else 0.1
    layout = Layout(tuple(blocks(components, rough)))
    count = int(sum(np.isfinite(piece).sum() for piece in pieces))
    if rough == 0.0:
        return _still(layout, inputs[0].shape[1])
    width = len(layout.bounds)

    def objective(parameters: Array) -> tuple[float, Array]:
        from .backward import gradient

        space, effects = layout.space(parameters[:width]), parameters[width:]
        wanted = layout.shaped(space)
        value, slope = 0.0, np.zeros(len(parameters))
        for piece, given in zip(pieces, inputs, strict=True):
            filtered = space.filtered(piece - given @ effects[:, None])
            parts = gradient(space.compressed, space.design, filtered, wanted)
            value -= filtered[0].sum()
            slope[:width] -= layout.slope(parameters[:width], space, parts)
            slope[width:] -= parts[5][:, 0] @ given
        return value / count, slope / count

    bounds = layout.bounds + [(None, None)] * inputs[0].shape[1]
    trials = [np.concatenate([one, np.zeros(inputs[0].shape[1])]) for one in layout.starts()]
    start = min(trials, key=lambda trial: objective(trial)[0])
    found = minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=bounds,
        options={"maxiter": evaluations, "maxfun": evaluations, "ftol": 1e-9, "gtol": 1e-5},
    )  # fmt: skip
    return Fitted(layout.space(found.x[:width]), found.x[width:], found.x)


def _still(layout: Layout, inputs: int) -> Fitted:
    """The model of a constant channel: nothing moves, and there is nothing to fit."""
    parameters = layout.starts()[0]
    space = layout.space(parameters)
    still = replace(space, noise=0 * space.noise, error=0 * space.error, spread=0 * space.spread)
    return Fitted(still, np.zeros(inputs), parameters)
