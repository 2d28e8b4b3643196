"""Motifs and discords: stretches that come again, and the stretch that is like no other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, SettingError
from ..estimate import Estimate
from ..random import generator
from .base import Channel, Refused, measure
from .surrogates import end_matched, iaaft
from .surrogates.significance import binomial_interval, ranked
from .timescales import autocorrelation_function, correlation_steps, crossing

Array = NDArray[np.float64]

LONGEST = 4000
"""Samples used at most by the measures, which need a profile for every surrogate."""


def matrix_profile(x: ArrayLike, window: int, *, exclusion: int | None = None) -> tuple[Array, NDArray[np.int64]]:
    """Distance `(time - window + 1,)` of each subsequence of `x (time,)` to its nearest other, and where that begins.

    d = sqrt(2 m (1 - r)), r the correlation of two subsequences of `window` = m samples: the Euclidean distance after
    both have been brought to mean 0 and variance 1 (Yeh et al., ICDM 2016). Pairs less than `exclusion` samples apart
    (default a quarter of the window, rounded up, plus one) are trivially alike and do not count. Constant subsequences
    are at distance 0 of one another and sqrt(m) of others. Raises `SettingError` for a window below 3 or too long, and
    `DataError` for missing values. Cost: O(N^2), 0.1 s for 10,000 samples; memory O(N).
    """
    from .kernels.motifs import profile

    x = np.asarray(x, dtype=float)
    exclusion = int(np.ceil(window / 4)) + 1 if exclusion is None else exclusion
    if x.ndim != 1 or not np.isfinite(x).all():
        raise DataError("the matrix profile needs finite values (time,)", place="x")
    count = len(x) - window + 1
    if window < 3 or exclusion < 1 or count <= exclusion:
        raise SettingError(f"window {window} with exclusion {exclusion} does not fit {len(x)} samples", place="window")
    z = x - x.mean()
    pieces = np.lib.stride_tricks.sliding_window_view(z, window)
    mean, scale = pieces.mean(axis=1), np.sqrt(np.maximum(pieces.var(axis=1), 0.0))
    # Rounding leaves constant stretches a spread of some units in the last place.
    scale[scale < 1e-13 * max(float(np.abs(z).max()), 1e-300)] = 0.0
    best, where = profile(z, window, exclusion, mean, scale)
    return np.sqrt(2 * window * np.maximum(1 - np.minimum(best, 1.0), 0.0)), where


def usual_window(x: Array) -> tuple[int, str]:
    """A window for `x (time,)`: the lag at which the autocorrelation returns, else five correlation times."""
    rho = autocorrelation_function(x, len(x) // 4)
    zero = crossing(rho, 0.0)
    if not np.isnan(zero):
        lag = int(np.ceil(zero)) + int(np.argmax(rho[int(np.ceil(zero)) :]))
        if rho[lag] > max(0.3, 4 / np.sqrt(len(x))) and lag >= 8:
            return min(lag, len(x) // 8), "the lag at which the autocorrelation returns"
    return int(np.clip(5 * correlation_steps(x), 8, len(x) // 8)), "five correlation times, at least 8 samples"


def _tested(channel: Channel, window: int | None, surrogates: int, seed: int, discord: bool, level: float) -> Estimate:
    if surrogates < 19:
        raise SettingError(f"surrogates must be at least 19 for p <= 0.05, got {surrogates}", place="surrogates")
    x, stride, left_out = channel.portion(LONGEST)
    chosen = {}
    if window is None:
        window, chosen["window"] = usual_window(x)
    if len(x) < 4 * window:
        raise Refused(f"{len(x)} samples; four windows of {window} are needed")
    distance, where = matrix_profile(x, window)
    if np.ptp(distance) < 1e-9:
        raise Refused("all stretches are equally alike")
    at = int(distance.argmax() if discord else distance.argmin())
    start, stop = end_matched(x)
    copies = iaaft(x[start:stop], surrogates, generator(seed, "motifs"))
    least = np.array([matrix_profile(row, window)[0] for row in copies])
    extreme = least.max(axis=1) if discord else -least.min(axis=1)
    own = distance[at] if discord else -distance[at]
    p = float(ranked(np.concatenate([[own], extreme])[:, None])[0, 0])
    positions = [at] if discord else sorted([at, int(where[at])])
    step = stride * channel.interval
    return Estimate(
        "", p, "p-value", binomial_interval(p, surrogates + 1, level), level,
        f"matrix profile, {'largest' if discord else 'smallest'} distance among IAAFT surrogates",
        {"window": window, "surrogates": surrogates, "thinned": stride, "used": left_out or "all"}, chosen,
        details={
            "distance": float(distance[at]), "profile": distance, "neighbour": where,
            "time": channel.t[0] + step * np.arange(len(x)), "values": x, "window_time": window * step,
            "starts": np.array(positions), "surrogate_distances": np.abs(extreme),
        },
    )  # fmt: skip


@measure(family="motifs", reference="Yeh et al., IEEE ICDM, 1317 (2016)", minimum=100)
def motif(
    channel: Channel, *, window: int | None = None, surrogates: int = 39, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Does a stretch come again more faithfully than linear noise explains: the p-value of the best pair.

    The pair of stretches of `window` samples with the smallest z-normalised distance (`matrix_profile`) is compared
    with the best pairs of IAAFT surrogates, which share spectrum and values: p = (j + 1) / (`surrogates` + 1). `window`
    None is the lag at which the autocorrelation returns, else five correlation times. A small p says that the channel
    repeats itself in shape, as determinism, templates and copied data do. Details: `starts` of both, `distance`,
    `profile`, `neighbour`, `time`. At most 4000 samples. Cost: O(N^2) a surrogate, a second for 4000 samples.
    """
    return _tested(channel, window, surrogates, seed, False, level)


@measure(family="motifs", reference="Keogh, Lin and Fu, IEEE ICDM, 226 (2005)", minimum=100)
def discord(
    channel: Channel, *, window: int | None = None, surrogates: int = 39, level: float = 0.9, seed: int = 0
) -> Estimate:
    """Is one stretch like no other, beyond what linear noise explains: the p-value of the loneliest stretch.

    The stretch of `window` samples farthest from its nearest neighbour in the matrix profile is compared with those of
    IAAFT surrogates: p = (j + 1) / (`surrogates` + 1). Surrogates of a regular series are less regular, so only strong
    anomalies give a small p there: look at `profile` as well. Settings and details as in `motif`; `starts` holds one.
    Cost: O(N^2) a surrogate, a second for 4000 samples.
    """
    return _tested(channel, window, surrogates, seed, True, level)
