"""Whether a gradient through a roll-out still means something: how fast Jacobian products grow or fade along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import DataError
from ..base import Array

USELESS = 1e6
"""Beyond this factor the gradient of one step hides that of all others, or has vanished beside it."""


@dataclass(frozen=True)
class Growth:
    """How the product J_t ... J_1 of the Jacobians along a roll-out grows.

    `rate` is the mean logarithm of its growth per step (median over sequences; minus infinity where a product is
    exactly zero), `length` the steps of the roll-out, `reach` the steps after which it has changed by more than a
    million times either way (None: not within the roll-out).
    """

    rate: float
    length: int
    reach: int | None

    @property
    def warning(self) -> str:
        """What to say to a person; empty where the gradients are useful."""
        if self.reach is None:
            return ""
        what, remedy = (
            ("grow", "force more often or more strongly, or train on shorter sequences")
            if self.rate > 0
            else (
                "fade",
                "the end of a sequence teaches nothing about its start, so shorter ones lose nothing",
            )
        )
        return (
            f"gradients through the roll-out {what} by a factor of a million within {self.reach} of its {self.length} "
            f"steps ({self.rate:+.3g} per step in the logarithm): {remedy}"
        )


def gradient_growth(jacobians: Array) -> Growth:
    """Growth of the products of `jacobians (sequence, time, state, state)` along the time axis.

    The Frobenius norm of J_t ... J_1 over that of the identity, with rescaling in every step; the median over
    sequences. Raises `DataError` for Jacobians without a value. Source: Mikhaeil, Monfared & Durstewitz, On the
    difficulty of learning chaotic dynamics with RNNs, NeurIPS 35 (2022). Cost O(sequences time state^3).
    """
    if jacobians.ndim != 4 or jacobians.shape[2] != jacobians.shape[3] or 0 in jacobians.shape:
        raise DataError(f"Jacobians must have shape (sequence, time, state, state), got {jacobians.shape}")
    if not np.isfinite(jacobians).all():
        raise DataError("Jacobians along the roll-out have no value", remedy="The roll-out itself diverges.")
    sequences, length, size, _ = jacobians.shape
    product = np.repeat(np.eye(size)[None] / np.sqrt(size), sequences, axis=0)
    logarithm = np.zeros((sequences, length + 1))
    for t in range(length):
        product = jacobians[:, t] @ product
        norm = np.sqrt((product**2).sum(axis=(1, 2)))
        with np.errstate(divide="ignore"):
            logarithm[:, t + 1] = logarithm[:, t] + np.log(norm)
        product = product / np.where(norm > 0, norm, 1.0)[:, None, None]
    middle = np.median(logarithm, axis=0)
    beyond = np.flatnonzero(np.abs(middle) > np.log(USELESS))
    return Growth(float(middle[-1] / length), length, int(beyond[0]) if len(beyond) else None)
