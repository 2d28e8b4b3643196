"""Detrended fluctuations: how far the running sum strays from polynomials in windows of each size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingError
from ..base import Refused

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

BLOCKS = 10
"""Consecutive blocks of time that the jackknife leaves out in turn; the largest window is as long as one of them."""


LONG = 64
"""Samples from which a window is put together from sums over short stretches."""


@dataclass(frozen=True)
class Fluctuations:
    """Mean square residuals of the profile in windows: for each of `scales (scale,)` an array over `variances[scale]`.

    `length` is that of the record, `order` that of the polynomials.
    """

    scales: Integers
    variances: tuple[Array, ...]
    length: int
    order: int

    def block(self, scale: int) -> Integers:
        """The block of time `(window,)` in which the middle of each window of the `scale`-th size lies."""
        size, number = int(self.scales[scale]), self.length // int(self.scales[scale])
        middle = size * (np.arange(number) + 0.5)
        if len(self.variances[scale]) > number:
            middle = np.concatenate([middle, self.length - number * size + middle])
        return (middle * BLOCKS / self.length).astype(np.int64)

    @property
    def curve(self) -> Array:
        """F(s) `(scale,)`: the root of the mean of the residual variances."""
        return np.sqrt([v.mean() for v in self.variances])

    def moments(self, q: Array) -> Array:
        """ln F_q(s) `(1 + block, q, scale)`: of all windows, and without those of each block.

        F_q = <(F^2)^(q/2)>^(1/q); for q = 0 exp <ln F^2> / 2 (Kantelhardt et al. 2002).
        """
        out = np.empty((1 + BLOCKS, len(q), len(self.scales)))
        for s, variance in enumerate(self.variances):
            block = self.block(s)
            number = np.bincount(block, minlength=BLOCKS).astype(float)
            top = variance.max()
            with np.errstate(divide="ignore"):
                logs = np.log(variance / top)
            for k, power in enumerate(q):
                term = logs if power == 0 else np.exp(power / 2 * logs)
                sums = np.bincount(block, term, minlength=BLOCKS)
                total = np.concatenate([[sums.sum()], sums.sum() - sums])
                mean = total / np.concatenate([[number.sum()], number.sum() - number])
                out[:, k, s] = mean / 2 if power == 0 else np.log(mean) / power
            out[:, :, s] += np.log(top) / 2
        return out


def polynomials(size: int, order: int) -> Array:
    """Orthonormal polynomials `(order, size)` of degree 1 to `order` on `size` equidistant points."""
    k = np.linspace(-1.0, 1.0, size)
    out = np.empty((order + 1, size))
    out[0] = size**-0.5
    for degree in range(1, order + 1):
        # Times k, then orthogonal to the last but one: the three-term recurrence, the last being of other symmetry.
        # Sums by einsum, as threads of BLAS cost more to wake here than the sums themselves.
        row = np.multiply(k, out[degree - 1], out=out[degree])
        if degree > 1:
            row -= np.einsum("i,i", out[degree - 2], row) * out[degree - 2]
        row /= np.sqrt(np.einsum("i,i", row, row))
    return out[1:]


def detrended_fluctuations(x: Array, scales: Integers, order: int = 1) -> Fluctuations:
    """Residual variances of the profile y_k = sum_{i <= k} (x_i - <x>) about polynomials of `order` in windows.

    Windows of each of `scales` samples follow one another from the beginning, and again from the end where more than
    1 % of the record would be left out (Kantelhardt et al. 2001). Raises `SettingError` unless order + 2 <= scale <=
    length of `x (time,)`. Cost: O(N) a scale, less than 1 ns a value, and a tenth of that for straight lines in windows
    of hundreds of samples, which are put together from lines through 16.
    """
    from ..kernels.fluctuation import long_window_variances, running_sum, short_fits, window_variances

    x = np.ascontiguousarray(x, dtype=np.float64)
    n = len(x)
    scales = np.asarray(scales, dtype=np.int64)
    if order < 1 or scales.size == 0 or scales.min() < order + 2 or scales.max() > n:
        raise SettingError(f"windows of {scales.tolist()} samples do not fit order {order} and {n} values")
    profile = running_sum(x, x.mean())
    fits = short_fits(profile) if order == 1 and scales.max() >= LONG else None
    variances = []
    for size in scales.tolist():
        number = n // size
        starts = [0] if n - number * size <= n / 100 else [0, n - number * size]
        found = np.empty((len(starts), number))
        for i, start in enumerate(starts):
            if fits is not None and size >= LONG:
                long_window_variances(profile, fits, size, start, found[i])
            else:
                window_variances(profile, polynomials(size, order), start, found[i])
        variances.append(found.ravel())
    return Fluctuations(scales, tuple(variances), n, order)


def default_scales(x: Array, order: int, smallest: int | None, largest: int | None) -> tuple[Integers, dict[str, str]]:
    """Window sizes, about six an octave, from `smallest` to `largest` samples, and how those not given were chosen.

    The smallest is 8 (order + 1): below, fits of so few points bend the curve. It is at least four times the longest
    run of equal values, in which a profile is straight and residuals vanish. The largest is a tenth of the record, so
    that every block of the jackknife holds a window. Raises `Refused` where that leaves less than a factor of 4.
    """
    chosen = {}
    if smallest is None:
        change = np.flatnonzero(np.diff(x) != 0)
        run = int(np.diff(np.concatenate([[-1], change, [len(x) - 1]])).max())
        smallest = max(8 * (order + 1), 4 * run if run > 2 else 0)
        chosen["smallest"] = f"8 (order + 1), or 4 times the longest run of equal values ({run})"
    if largest is None:
        largest, chosen["largest"] = len(x) // BLOCKS, "a tenth of the record"
    if largest < 4 * smallest or largest > len(x) // 2:
        raise Refused(
            f"windows of {smallest} to {largest} samples in {len(x)} values; "
            f"{40 * smallest} values would hold the factor of 4 that is needed"
        )
    number = int(np.clip(6 * np.log2(largest / smallest), 8, 40)) + 1
    return np.unique(np.geomspace(smallest, largest, number).round().astype(np.int64)), chosen


def expected_fluctuations(scales: Integers, order: int, exponent: float, motion: bool = False) -> Array:
    """Expected F^2(s) `(scale,)`, up to a factor, of a profile whose increments scale with `exponent`: exact, not s^2a.

    The sum of fractional Gaussian noise has E (y_j - y_i)^2 = |j - i|^2a =: D_ij, and the mean square residual is
    |sum_k p_k' D p_k| / s with the orthonormal polynomials p_k of degree 0 to `order`. If the record is a
    `motion` (a > 1) its sum has the generalised covariance D whose second difference is that of Brownian motion.
    The ratio to s^2a is what small windows and discrete time do to the curve. Cost: one FFT of twice the scale each.
    """
    h = np.arange(int(scales.max()) + 1, dtype=float)
    distances = h ** (2 * exponent)
    if motion:
        steps = np.cumsum(h ** (2 * exponent - 2))
        distances = np.concatenate([[0.0], np.cumsum(np.concatenate([[0.0], steps[1:-1]]))])
    out = np.empty(len(scales))
    for i, size in enumerate(scales.tolist()):
        basis = np.concatenate([np.full((1, size), size**-0.5), polynomials(size, order)])
        spectrum = np.fft.rfft(np.concatenate([distances[: size + 1], distances[size - 1 : 0 : -1]])).real
        modes = np.abs(np.fft.rfft(basis, 2 * size)) ** 2
        weight = np.full(len(spectrum), 2.0)
        weight[[0, -1]] = 1.0
        out[i] = abs(np.sum(modes.sum(axis=0) * spectrum * weight)) / (2 * size) / size
    return out
