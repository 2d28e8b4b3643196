"""Bodies that attract one another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...errors import SettingError
from .structure import total

# The figure-eight orbit of three equal masses (Chenciner and Montgomery 2000; digits of Simo).
_PLACE, _SPEED = (0.97000436, -0.24308753), (-0.93240737, -0.86473146)
EIGHT_POSITIONS = (_PLACE, (-_PLACE[0], -_PLACE[1]), (0.0, 0.0))
EIGHT_VELOCITIES = ((-_SPEED[0] / 2, -_SPEED[1] / 2), (-_SPEED[0] / 2, -_SPEED[1] / 2), _SPEED)


def gravity(
    masses: ArrayLike = (1.0, 1.0, 1.0),
    positions: ArrayLike = EIGHT_POSITIONS,
    velocities: ArrayLike = EIGHT_VELOCITIES,
) -> dict[str, Any]:
    """d^2 r_i/dt^2 = g sum_j m_j (r_j - r_i) / |r_j - r_i|^3 for `positions (body, axis)` in a plane or in space.

    The states are the coordinates x1, y1, (z1,) x2 ..., then the velocities vx1, vy1, ... Without softening: bodies
    that meet end the solution. Equations are written out, N (N - 1) / 2 distances, for at most 30 bodies.
    """
    m, r, v = (np.asarray(values, dtype=np.float64) for values in (masses, positions, velocities))
    count = len(m) if m.ndim == 1 else 0
    if not 2 <= count <= 30 or not np.isfinite(m).all():
        raise SettingError(f"have shape {m.shape}", place="masses", remedy="Give 2 to 30 finite masses.")
    for name, values in (("positions", r), ("velocities", v)):
        if values.ndim != 2 or values.shape != r.shape or len(values) != count or values.shape[1] not in (2, 3):
            remedy = "Give two or three coordinates of each body."
            raise SettingError(f"have shape {values.shape} for {count} bodies", place=name, remedy=remedy)
    axes = "xyz"[: r.shape[1]]
    auxiliary: dict[str, str] = {}
    equations: dict[str, str] = {}
    for i in range(1, count + 1):
        for j in range(i + 1, count + 1):
            squares = " + ".join(f"({a}{j} - {a}{i})**2" for a in axes)
            auxiliary[f"q{i}_{j}"] = f"({squares})**(-1.5)"
    for i in range(1, count + 1):
        equations |= {f"{a}{i}": f"v{a}{i}" for a in axes}
    for i in range(1, count + 1):
        for a in axes:
            pulls = [
                f"({float(m[j - 1])!r})*({a}{j} - {a}{i})*q{min(i, j)}_{max(i, j)}"
                for j in range(1, count + 1) if j != i
            ]  # fmt: skip
            equations[f"v{a}{i}"] = f"g*({total(pulls)})"
    return {"equations": equations, "auxiliary": auxiliary, "initial": [*r.ravel().tolist(), *v.ravel().tolist()]}
