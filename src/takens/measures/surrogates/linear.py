"""Surrogates of linear nulls: what is kept is the distribution, the spectrum, or both; all else is random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError

Array = NDArray[np.float64]

BATCH = 1 << 16
"""Values transformed together: several short surrogates at once, long ones alone, so that they stay in the cache."""


def end_matched(x: Array, share: float = 0.1) -> tuple[int, int]:
    """Start and stop of the part of `x (time,)` whose two ends fit best in value and slope.

    At most `share` of the samples are cut off, split over both ends. A jump between the ends would spread power over
    the whole spectrum of the surrogates and cause false rejections (Theiler et al. 1992; Schreiber and Schmitz 2000).
    Cost: O((share N)^2), at most 160,000 pairs.
    """
    n = len(x)
    cut = min(int(n * share / 2), 400)
    scale_value, scale_slope = np.var(x), np.var(np.diff(x))
    if cut < 1 or scale_slope == 0:
        return 0, n
    starts, stops = np.arange(cut + 1), n - np.arange(cut + 1)
    value = (x[starts][:, None] - x[stops - 1][None]) ** 2 / scale_value
    slope = ((x[starts + 1] - x[starts])[:, None] - (x[stops - 1] - x[stops - 2])[None]) ** 2 / scale_slope
    # Going round the circle the step from the last to the first sample should look like any other step.
    best = int(np.argmin(value + slope))
    return int(starts[best // (cut + 1)]), int(stops[best % (cut + 1)])


def normal_scores(x: Array) -> Array:
    """The normal quantiles `(time,)` of the ranks of `x (time,)`, equal values sharing their mean rank.

    z = Phi^-1((rank - 1/2) / N): whatever monotone function a Gaussian process was seen through, z is the process
    again, up to the sampling error of N ranks. Cost: one sort.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return np.asarray(ndtri((rankdata(x) - 0.5) / len(x)), dtype=float)


def shuffle(x: Array, count: int, rng: np.random.Generator) -> Array:
    """`count` random orders `(count, time)` of `x (time,)`: the null of independent, identically distributed values.

    Theiler et al., Physica D 58, 77 (1992). Not for data with any memory, which it always rejects. Cost: O(N) each.
    """
    _checked(x, count)
    return rng.permuted(np.tile(x, (count, 1)), axis=1)


def block_shuffle(x: Array, count: int, rng: np.random.Generator, *, block: int | None = None) -> Array:
    """`count` copies `(count, time)` of `x (time,)` whose blocks of `block` samples stand in random order.

    The circle of samples is cut at a random place first, so that the seams differ. Null: no memory beyond a block. The
    default is the square root of N. Raises `SettingError` unless 1 <= `block` <= N / 2. Cost: O(N) each.
    """
    _checked(x, count)
    n = len(x)
    block = max(1, round(np.sqrt(n))) if block is None else block
    if not 1 <= block <= n // 2:
        raise SettingError(f"block must be between 1 and {n // 2}, got {block}", place="block")
    pieces = np.array_split(np.arange(n), n // block)
    turns = rng.integers(n, size=count)
    orders = [np.concatenate([pieces[p] for p in rng.permutation(len(pieces))]) for _ in range(count)]
    return np.stack([x[(order + turn) % n] for order, turn in zip(orders, turns, strict=True)])


def fourier(x: Array, count: int, rng: np.random.Generator) -> Array:
    """`count` surrogates `(count, time)` with exactly the mean and the periodogram of `x (time,)`, phases random.

    Null: a stationary linear Gaussian process (Theiler et al. 1992). The mean and, for even N, the highest frequency
    keep their phase: they have none that could be chosen. Values become normal; use `iaaft` where they are not. Give
    end-matched data. Cost: one Fourier transform each.
    """
    return truncated_fourier(x, count, rng, lowest=0.0)


def truncated_fourier(x: Array, count: int, rng: np.random.Generator, *, lowest: float) -> Array:
    """Surrogates as `fourier`, in which frequencies below `lowest` (cycles a sample) keep their phases.

    Slow trends stay what they are, so that they do not reject: null, linear noise around a slow irregular trend
    (Nakamura, Small and Hirata, PRE 74, 026205, 2006). Raises `SettingError` unless 0 <= `lowest` < 0.5.
    """
    from scipy.fft import irfft, rfft

    _checked(x, count)
    if not 0 <= lowest < 0.5:
        raise SettingError(f"lowest must be at least 0 and below 0.5 cycles a sample, got {lowest}", place="lowest")
    n = len(x)
    spectrum = np.tile(rfft(x - x.mean()), (count, 1))
    free = _free(n, lowest)
    spectrum[:, free] *= np.exp(2j * np.pi * rng.random((count, free.stop - free.start)))
    return irfft(spectrum, n, axis=1) + x.mean()


def _free(n: int, lowest: float) -> slice:
    """The frequencies whose phases may change: not the mean, not the highest of an even length."""
    return slice(max(1, int(np.ceil(lowest * n))), (n - 1) // 2 + 1)


def aaft(x: Array, count: int, rng: np.random.Generator) -> Array:
    """Amplitude-adjusted Fourier surrogates `(count, time)`: the exact values of `x (time,)`, about its spectrum.

    The ranks of x are given normal values, their phases made random, and the values of x put in the ranks of the
    result (Theiler et al. 1992). The spectrum comes out too white for short or strongly skewed data: `iaaft` mends it.
    Cost: one sort and one Fourier transform each.
    """
    _checked(x, count)
    n = len(x)
    values, order = np.sort(x), np.argsort(x, kind="stable")
    out = np.empty((count, n))
    for row in range(count):
        normal = np.empty(n)
        normal[order] = np.sort(rng.normal(size=n))
        out[row, np.argsort(fourier(normal, 1, rng)[0])] = values
    return out


def iaaft(
    x: Array, count: int, rng: np.random.Generator, *, iterations: int = 100, lowest: float | None = None
) -> Array:
    """`count` surrogates `(count, time)` of `x (time,)`: its exact values, its spectrum as closely as they allow.

    Iterative amplitude-adjusted Fourier transform (Schreiber and Schmitz 1996): from a random permutation, alternately
    impose the Fourier amplitudes and, by ranks, the values, until the ranks no longer change or `iterations` are done.
    Each surrogate ends on the values step, so its sorted values equal those of `x`. The null is a stationary linear
    Gaussian process seen through a monotone function; give end-matched data (`end_matched`). With `lowest` the phases
    of slower frequencies (cycles a sample) are kept too, as in `truncated_fourier`. Cost: two FFTs and one radix sort
    an iteration. Raises `SettingError` for a `count` below 1 or values that are not finite.
    """
    from ..kernels.surrogates import argsort_rows, impose_amplitude, impose_values

    _checked(x, count)
    n, mean = len(x), float(x.mean())
    sorted_x = np.sort(x)
    values = sorted_x - mean
    goal = np.fft.rfft(x - mean)
    amplitude = np.abs(goal)
    kept = 0 if lowest is None else _free(n, lowest).start
    out = np.empty((count, n))
    rows = min(count, max(1, BATCH // n))
    # Fresh memory for every transform and sort would cost a third of the time of long surrogates.
    scratch = np.empty((2, n, 2), dtype=np.uint32)
    wave, back = np.empty((rows, len(goal)), dtype=complex), np.empty((rows, n))
    for start in range(0, count, rows):
        todo = np.arange(start, min(count, start + rows))
        current = rng.permuted(np.tile(values, (len(todo), 1)), axis=1)
        ranks, order = np.zeros((2, len(todo), n), dtype=np.int64)
        for _ in range(iterations):
            spectrum = np.fft.rfft(current, axis=1, out=wave[: len(todo)])
            impose_amplitude(spectrum, amplitude)
            spectrum[:, 1:kept] = goal[1:kept]
            argsort_rows(np.fft.irfft(spectrum, n, axis=1, out=back[: len(todo)]), order, scratch)
            settled = (order == ranks).all(axis=1)
            impose_values(order, values, current)
            ranks, order = order, ranks
            if settled.any():
                _keep(out, todo[settled], ranks[settled], sorted_x)
                todo, current = todo[~settled], current[~settled]
                ranks, order = ranks[~settled], order[~settled]
            if len(todo) == 0:
                break
        _keep(out, todo, ranks, sorted_x)
    return out


def _keep(out: Array, rows: NDArray[np.int64], ranks: NDArray[np.int64], values: Array) -> None:
    for row, order in zip(rows, ranks, strict=True):
        out[row, order] = values


def multivariate_fourier(x: Array, count: int, rng: np.random.Generator) -> Array:
    """`count` surrogates `(count, time, channel)` with exactly all spectra and cross-spectra of `x (time, channel)`.

    The same random phase is added to a frequency in all channels (Prichard and Theiler, PRL 73, 951, 1994). Null: one
    stationary linear Gaussian process of all channels. Cost: one Fourier transform a channel.
    """
    from scipy.fft import irfft, rfft

    _checked(x, count, channels=True)
    n = len(x)
    spectrum = np.tile(rfft(x - x.mean(axis=0), axis=0), (count, 1, 1))
    free = _free(n, 0.0)
    spectrum[:, free] *= np.exp(2j * np.pi * rng.random((count, free.stop - free.start)))[:, :, None]
    return irfft(spectrum, n, axis=1) + x.mean(axis=0)


def multivariate_iaaft(x: Array, count: int, rng: np.random.Generator, *, iterations: int = 100) -> Array:
    """Surrogates `(count, time, channel)` with the exact values of each channel, its spectrum and the cross-spectra.

    As `iaaft`, but a frequency gets the phases of the data plus one angle for all channels, the one that is nearest to
    the present phases: tan a_k = sum_c sin(phi_ck - theta_ck) / sum_c cos(phi_ck - theta_ck) (Schreiber and Schmitz,
    Physica D 142, 346, 2000, eq. 15). Cost: two FFTs and one sort a channel and iteration.
    """
    from scipy.fft import irfft, rfft

    from ..kernels.surrogates import argsort_rows, impose_values

    _checked(x, count, channels=True)
    n, mean = len(x), x.mean(axis=0)
    columns = np.ascontiguousarray((x - mean).T)
    values = np.sort(columns, axis=1)
    goal = rfft(columns, axis=1)
    direction = goal / np.maximum(np.abs(goal), 1e-300)
    out, scratch = np.empty((count, *x.shape)), np.empty((2, n, 2), dtype=np.uint32)
    for row in range(count):
        current = columns[:, rng.permutation(n)]
        ranks = np.zeros(columns.shape, dtype=np.int64)
        for _ in range(iterations):
            spectrum = rfft(current, axis=1)
            turn = (spectrum / np.maximum(np.abs(spectrum), 1e-300) * direction.conj()).sum(axis=0)
            turn /= np.maximum(np.abs(turn), 1e-300)
            order = np.empty_like(ranks)
            argsort_rows(irfft(goal * turn, n, axis=1), order, scratch)
            settled = bool((order == ranks).all())
            ranks = order
            for channel in range(len(columns)):
                impose_values(order[channel : channel + 1], values[channel], current[channel : channel + 1])
            if settled:
                break
        exact = np.sort(x, axis=0)
        for channel in range(len(columns)):
            out[row, ranks[channel], channel] = exact[:, channel]
    return out


def _checked(x: Array, count: int, channels: bool = False) -> None:
    """Raise `SettingError` for a count below 1, too few or missing values, or a wrong shape."""
    if count < 1:
        raise SettingError(f"count must be at least 1, got {count}", place="count")
    if x.ndim != 1 + channels or len(x) < 8:
        raise SettingError(f"surrogates need {'(time, channel)' if channels else '(time,)'} with 8 values or more, "
                           f"got shape {x.shape}", place="x")  # fmt: skip
    if not np.isfinite(x).all():
        raise SettingError(
            "values are missing or infinite", place="x", remedy="Use a gap-free stretch, or lomb_scargle for gaps."
        )
