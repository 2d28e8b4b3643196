"""How hard it is to tell where an initial state ends: the entropy of basins and the exponent of their boundary."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InsufficientData, SettingError
from ..estimate import Estimate
from ..random import generator
from .basins import Basins

Array = NDArray[np.float64]
DAZA = "Daza et al., Scientific Reports 6, 31416 (2016)"
MCDONALD = "McDonald, Grebogi, Ott & Yorke, Physica D 17, 125 (1985)"
PARTS = 4
"""Parts along each axis; leaving out one of all these blocks at a time gives standard errors."""
ENOUGH = 20
"""Uncertain states that a scale needs to count."""


def basin_entropy(basins: Basins | ArrayLike, size: int = 5, *, level: float = 0.95) -> Estimate:
    """The basin entropy: how unpredictable the end of an orbit is if its start is known up to a box of `size` cells.

    S_b is the mean over boxes of -sum_j p_j ln p_j, with the share p_j of each label in a box of `size` cells along
    each axis (cells that fill no box are left out). Takes `Basins` or an array of labels over a grid. `details` holds
    the `boundary_basin_entropy` S_bb, the mean over boxes with more than one label only (NaN without any), its
    `boundary_interval`, the number of `boxes` and of `boundary_boxes`, and whether the boundary is `fractal` by the
    criterion S_bb > ln 2, which is sufficient but not necessary; it is only taken as met where the whole interval is
    above. Intervals are of a jackknife over blocks of the grid. Not admissible where more than 1 % of the grid is
    undecided. Raises `SettingError` for a grid smaller than two boxes. Cost: O(cells x labels). Source: Daza et al.
    """
    labels = _grid(basins)
    shape = tuple(n // size for n in labels.shape) if size > 1 else ()
    if not shape or min(shape) < 2:
        raise SettingError(
            f"boxes of {size} cells on a grid {labels.shape}", remedy="Use two boxes or more, of 2 cells."
        )
    cut = labels[tuple(slice(0, n * size) for n in shape)]
    axes = [(n, size) for n in shape]
    boxed = cut.reshape([part for pair in axes for part in pair])
    inner = tuple(range(1, 2 * len(shape), 2))
    entropy = np.zeros(shape)
    for label in np.unique(cut):
        share = (boxed == label).mean(axis=inner)
        entropy -= share * np.log(np.where(share > 0, share, 1.0))
    mixed = entropy > 0
    blocks = _blocks(shape)
    counts = np.bincount(blocks, minlength=blocks.max() + 1).astype(float)
    sums, edges = (np.bincount(blocks, part.ravel(), len(counts)) for part in (entropy, mixed.astype(float)))
    value, error = _jackknife(lambda keep: sums[keep].sum() / counts[keep].sum(), len(counts))
    boundary, spread = np.nan, np.nan
    if mixed.any():
        boundary, spread = _jackknife(lambda keep: sums[keep].sum() / max(edges[keep].sum(), 1e-300), len(counts))
    z = _width(level)
    undecided = float(np.mean(labels == -2))
    return Estimate(
        "basin_entropy", value, "nats", (value - z * error, value + z * error), level, "jackknife over blocks",
        {"size": size}, admissible=undecided <= 0.01,
        reason="" if undecided <= 0.01 else f"{undecided:.1%} of the grid is undecided; follow orbits for longer",
        reference=DAZA, channel=_name(basins),
        details={
            "standard_error": error, "boundary_basin_entropy": boundary, "boxes": int(mixed.size),
            "boundary_interval": (boundary - z * spread, boundary + z * spread), "boundary_boxes": int(mixed.sum()),
            "fractal": bool(boundary - z * spread > np.log(2)), "undecided": undecided,
        },
    )  # fmt: skip


def uncertainty_exponent(basins: Basins | ArrayLike, *, level: float = 0.95) -> Estimate:
    """The uncertainty exponent alpha of the basin boundaries of a grid: f(epsilon) ~ epsilon^alpha.

    f is the share of cells whose label differs from that of a cell epsilon away on either side, along any axis, for
    distances from one cell to an eighth of the shortest axis. alpha = D - d with the box dimension d of the boundary in
    D dimensions: 1 for a smooth boundary, less for a fractal one; a small alpha means that better knowledge of the
    initial state hardly helps. Takes `Basins` or an array of labels. The interval is of a jackknife over blocks of the
    grid. Distances at which more than half of the cells are uncertain are left out if four others remain. Not
    admissible where fewer than four have 20 uncertain cells. `details` holds `scales` (in cells) and `uncertain`, the
    shares f. Raises `SettingError` for fewer than 32 cells along an axis. Cost: O(cells x 12). Source: McDonald et al.
    """
    labels = _grid(basins)
    if min(labels.shape) < 32:
        raise SettingError(f"the grid has shape {labels.shape}", remedy="Use at least 32 cells along each axis.")
    farthest = min(labels.shape) // 8
    scales = np.unique(np.round(np.geomspace(1, farthest, 12)).astype(int))
    tallies = [_tally(labels, axis, scales, farthest) for axis in range(labels.ndim)]
    uncertain, counts = (sum(parts) for parts in zip(*tallies, strict=True))
    f = uncertain.sum(axis=0) / counts.sum()
    usable = _usable(uncertain.sum(axis=0), f)
    details = {"scales": scales, "uncertain": f}
    if usable.sum() < 4:
        return _none("the boundary is too short, or there is none", _name(basins), details)

    def slope(keep: NDArray[np.bool_]) -> float:
        shares = uncertain[keep][:, usable].sum(axis=0) / counts[keep].sum()
        return float(np.polyfit(np.log(scales[usable]), np.log(np.maximum(shares, 1e-300)), 1)[0])

    value, error = _jackknife(slope, len(counts))
    return _exponent(value, error, level, "grid", _name(basins), details)


def sampled_uncertainty_exponent(
    reached: Callable[[Array], ArrayLike],
    box: Mapping[str, tuple[float, float]] | ArrayLike,
    *,
    scales: ArrayLike | None = None,
    samples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """The uncertainty exponent from random pairs: f(epsilon) ~ epsilon^alpha over scales that no grid can hold.

    `reached(states (member, state))` gives a label for each state, such as `Basins.reached`; `box` is {state: (low,
    high)}, or (state, 2), for every state. For each of the `scales`, in units of the widths of the box (None: 1e-6 to
    1e-2 in 9 steps), f is the share of `samples` random states x for which x + epsilon u and x - epsilon u, in a random
    direction u, do not both have the label of x. The fit weights each scale by its binomial error, widened where the
    points scatter more than that. Not admissible where fewer than four scales have 20 uncertain states. Raises
    `SettingError` for settings that do not fit. Cost: 3 x samples orbits a scale. Source: McDonald et al.
    """
    ends = np.array(list(box.values()) if isinstance(box, Mapping) else box, dtype=np.float64)
    steps = np.geomspace(1e-6, 1e-2, 9) if scales is None else np.asarray(scales, dtype=np.float64)
    if ends.ndim != 2 or ends.shape[1] != 2 or not (ends[:, 0] < ends[:, 1]).all() or samples < 1:
        raise SettingError(f"a box of shape {ends.shape}", remedy="Give (low, high) for every state.")
    if steps.ndim != 1 or not (steps > 0).all() or not (steps < 0.5).all():
        raise SettingError("scales are shares of the box", remedy="Give numbers between 0 and 0.5.")
    low, width = ends[:, 0], ends[:, 1] - ends[:, 0]
    counts = np.empty(len(steps))
    for i, epsilon in enumerate(steps):
        rng = generator(seed, "uncertainty exponent", i)
        x = low + width * rng.random((samples, len(low)))
        u = rng.normal(size=x.shape)
        u *= epsilon * width / np.linalg.norm(u, axis=1, keepdims=True)
        here, ahead, behind = np.asarray(reached(np.concatenate([x, x + u, x - u]))).reshape(3, -1)
        counts[i] = np.sum((ahead != here) | (behind != here))
    f = counts / samples
    usable = _usable(counts, f)
    details = {"scales": steps, "uncertain": f}
    if usable.sum() < 4:
        return _none("too few pairs lie across a boundary; use more samples or larger scales", "", details)
    weight = np.sqrt(samples * f[usable] / np.maximum(1 - f[usable], 1 / samples))
    design = np.column_stack([np.log(steps[usable]), np.ones(usable.sum())])
    target = np.log(f[usable])
    fit = np.linalg.lstsq(design * weight[:, None], target * weight, rcond=None)[0]
    scatter = float(np.sum((weight * (target - design @ fit)) ** 2)) / max(usable.sum() - 2, 1)
    variance = np.linalg.inv((design * weight[:, None]).T @ (design * weight[:, None]))[0, 0]
    return _exponent(float(fit[0]), float(np.sqrt(variance * max(1.0, scatter))), level, "random pairs", "", details)


def _tally(labels: NDArray[np.int64], axis: int, scales: NDArray[np.int64], farthest: int) -> tuple[Array, Array]:
    """For each block the numbers of uncertain cells `(block, scale)` and of all cells `(block,)`, along one axis.

    Only cells `farthest` from both ends count, the same ones for all scales, so that the ends of the grid do not bias.
    """
    turned = np.moveaxis(labels, axis, 0)
    n = len(turned)
    middle = turned[farthest : n - farthest]
    blocks = _blocks(middle.shape)
    size = PARTS**labels.ndim
    found = []
    for k in scales:
        ahead, behind = turned[farthest + k : n - farthest + k], turned[farthest - k : n - farthest - k]
        found.append(np.bincount(blocks, ((ahead != middle) | (behind != middle)).ravel().astype(float), size))
    return np.column_stack(found), np.bincount(blocks, minlength=size).astype(float)


def _usable(counts: Array, shares: Array) -> NDArray[np.bool_]:
    """The scales that count: enough uncertain states, and, if four such remain, no more than half of all.

    Where most states are uncertain the share saturates, and the power law of small scales no longer holds.
    """
    enough = counts >= ENOUGH
    small = enough & (shares <= 0.5)
    return small if small.sum() >= 4 else enough


def _blocks(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The number of the block, of PARTS along each axis, in which each cell of a grid lies, in one row."""
    numbers = np.zeros(shape, dtype=np.int64)
    for axis, n in enumerate(shape):
        along = np.minimum(np.arange(n) * PARTS // n, PARTS - 1)
        numbers = numbers * PARTS + along.reshape([-1 if k == axis else 1 for k in range(len(shape))])
    return numbers.ravel()


def _jackknife(statistic: Callable[[NDArray[np.bool_]], float], count: int) -> tuple[float, float]:
    """A statistic of all blocks and its standard error, from leaving out each block in turn."""
    whole = float(statistic(np.ones(count, dtype=bool)))
    parts = np.array([statistic(np.arange(count) != i) for i in range(count)])
    return whole, float(np.sqrt((count - 1) / count * np.sum((parts - parts.mean()) ** 2)))


def _exponent(
    value: float, error: float, level: float, method: str, name: str, details: Mapping[str, object]
) -> Estimate:
    wide = _width(level) * error
    return Estimate(
        "uncertainty_exponent", value, "", (value - wide, value + wide), level, method, reference=MCDONALD,
        channel=name, details={**details, "standard_error": error},
    )  # fmt: skip


def _none(reason: str, name: str, details: Mapping[str, object]) -> Estimate:
    return Estimate("uncertainty_exponent", None, admissible=False, reason=reason, reference=MCDONALD, channel=name,
                    details=details)  # fmt: skip


def _width(level: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf((1 + level) / 2))


def _name(basins: Basins | ArrayLike) -> str:
    return basins.system.name if isinstance(basins, Basins) else ""


def _grid(basins: Basins | ArrayLike) -> NDArray[np.int64]:
    labels = np.asarray(basins.labels if isinstance(basins, Basins) else basins)
    if labels.ndim < 1 or labels.size == 0 or labels.dtype.kind not in "iub":
        raise InsufficientData(f"labels of shape {labels.shape} and type {labels.dtype}",
                               remedy="Give whole numbers over a grid.")  # fmt: skip
    return labels.astype(np.int64)
