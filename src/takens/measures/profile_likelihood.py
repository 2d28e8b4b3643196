"""Most likely parameters of small models, and intervals from the profile of the likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Maximum:
    """The `parameters` at which `deviance(parameters)`, -2 ln L, has its smallest value `lowest` within `bounds`."""

    deviance: Callable[[Array], float]
    bounds: tuple[tuple[float, float], ...]
    parameters: Array
    lowest: float = np.inf

    def best(self, fixed: int | None = None) -> Maximum:
        """The most likely parameters from these on, all or all but number `fixed` (BFGS)."""
        from scipy.optimize import minimize

        free = np.array([i for i in range(len(self.parameters)) if i != fixed], dtype=int)
        if len(free) == 0:
            return replace(self, lowest=self.deviance(self.parameters))
        low, high = np.array(self.bounds).T

        def inside(values: Array) -> Array:
            parameters = self.parameters.copy()
            parameters[free] = values
            return np.clip(parameters, low, high)

        def penalised(values: Array) -> float:
            parameters = inside(values)
            return self.deviance(parameters) + 10 * float(np.sum((values - parameters[free]) ** 2))

        found = minimize(penalised, self.parameters[free], method="BFGS", options={"gtol": 0.02, "eps": 1e-5})
        parameters = inside(found.x)
        return replace(self, parameters=parameters, lowest=self.deviance(parameters))

    def moved(self, which: int, value: float) -> Maximum:
        """The most likely parameters with number `which` at `value`."""
        parameters = self.parameters.copy()
        parameters[which] = value
        return replace(self, parameters=parameters).best(fixed=which)

    def end(self, which: int, side: int, level: float) -> float:
        """Where the profile of parameter `which` leaves the interval at `level`, below (`side` -1) or above (1).

        The others follow at their best; -2 ln L rises by the quantile of chi-squared with 1 degree (Wilks 1938). The
        bound where it does not rise so far. Parameters should be logarithms: the search begins with steps of 0.1.
        """
        from scipy.special import chdtri

        limit = float(chdtri(1, 1 - level))
        border = self.bounds[which][side > 0]
        inner, rise_inner, step, current = float(self.parameters[which]), 0.0, 0.1, self
        while True:
            outer = min(inner + step, border) if side > 0 else max(inner - step, border)
            current = current.moved(which, outer)
            rise = current.lowest - self.lowest
            if rise >= limit:
                break
            if outer == border:
                return border
            inner, rise_inner, step = outer, rise, 1.5 * step
        for _ in range(8):
            # The root of the rise is all but linear.
            near, far = (float(np.sqrt(max(value, 0.0))) for value in (rise_inner, rise))
            share = min(max((np.sqrt(limit) - near) / (far - near), 0.05), 0.95)
            middle = inner + float(share) * (outer - inner)
            current = current.moved(which, middle)
            now = current.lowest - self.lowest
            if abs(now - limit) < 0.01 * limit:
                break
            if now < limit:
                inner, rise_inner = middle, now
            else:
                outer, rise = middle, now
        return middle
