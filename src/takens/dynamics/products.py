"""Singular values of products of triangular matrices, each as accurate as the largest however far they lie apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SWEEPS = 40
"""Most sweeps of rotations; a few suffice."""


def product_svd(triangles: Array) -> tuple[Array, Array, Array]:
    """U, log sigma, V of R_m ... R_2 R_1 = U diag(sigma) V^T for upper triangular `triangles (..., m, k, k)`.

    `log sigma (..., k)` is largest first, -inf for 0, where the column of U is 0; the columns of U and V `(..., k, k)`
    are the singular vectors.
    The product itself holds only what lies within 1e-16 of the largest. Instead its transpose is factored from the
    right, R_1^T ... R_m^T = Z S with S a product of triangular factors, whose rows have the sizes of the singular
    values; rotations of these rows, which never mix sizes, make them orthogonal. Members that hold NaN give NaN. Cost:
    that of m factorisations and some 10 k^2 rotations. Source: Stewart, BIT 35, 138 (1995); Demmel & Veselic, SIAM J.
    Matrix Anal. Appl. 13, 1204 (1992).
    """
    leading, size = triangles.shape[:-3], triangles.shape[-1]
    flat = triangles.reshape(-1, *triangles.shape[-3:])
    sound = np.isfinite(flat).all(axis=(1, 2, 3))
    left, right = (np.full((len(flat), size, size), np.nan) for _ in range(2))
    logs = np.full((len(flat), size), np.nan)
    if sound.any():
        start, rows, scale = _factored(flat[sound])
        left[sound], logs[sound], turned = _orthogonal(rows, scale)
        right[sound] = start @ turned
    shape = (*leading, size, size)
    return left.reshape(shape), logs.reshape(*leading, size), right.reshape(shape)


def _factored(flat: Array) -> tuple[Array, Array, Array]:
    """Z, and S as diag(exp(scale)) times rows of length 1, of the transposed product Z S."""
    members, count, size, _ = flat.shape
    frame = np.broadcast_to(np.eye(size), (members, size, size))
    # S = S_1 ... S_m, built from the last factor on: rows are scaled by what multiplies them from the left.
    factors = []
    for j in reversed(range(count)):
        frame, upper = np.linalg.qr(flat[:, j].transpose(0, 2, 1) @ frame)
        factors.append(upper)
    rows, scale = np.broadcast_to(np.eye(size), (members, size, size)).copy(), np.zeros((members, size))
    for upper in factors:  # S_m first, S_1 last: each stands to the left of those before
        # Row i of U diag(e^s) W is sum_j U_ij e^(s_j) W_j, taken relative to its largest term.
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.log(np.abs(upper)) + scale[:, None, :]
            largest = weight.max(axis=2)
            shift = np.where(np.isfinite(largest), largest, 0.0)
            moved = (np.sign(upper) * np.exp(weight - shift[:, :, None])) @ rows
            length = np.linalg.norm(moved, axis=2)
            rows = np.where(length[:, :, None] > 0, moved / length[:, :, None], 0.0)
            scale = shift + np.log(length)
    return frame, rows, scale


def _orthogonal(rows: Array, scale: Array) -> tuple[Array, Array, Array]:
    """The SVD of the transpose of diag(exp(scale)) rows by Jacobi rotations of pairs of rows, of one side only.

    With G = S^T and its columns the rows of S, rotations J make G J = U diag(sigma): U, log sigma, J, sorted.
    """
    members, size = scale.shape
    turned = np.broadcast_to(np.eye(size), (members, size, size)).copy()
    for _ in range(SWEEPS):
        worst = 0.0
        for i in range(size - 1):
            for j in range(i + 1, size):
                worst = max(worst, _rotate(rows, scale, turned, i, j))
        if worst < 1e-14:
            break
    order = np.argsort(-scale, axis=1, kind="stable")
    rows = np.take_along_axis(rows, order[:, :, None], axis=1)
    turned = np.take_along_axis(turned, order[:, None, :], axis=2)
    return rows.transpose(0, 2, 1), np.take_along_axis(scale, order, axis=1), turned


def _rotate(rows: Array, scale: Array, turned: Array, i: int, j: int) -> float:
    """Make rows i and j of every member orthogonal; the largest cosine between them before.

    With a the longer row, b the other and r their ratio of lengths, a' = c (a - u r^2 b) and b' = c (u a + b), whose
    lengths count from those of a and b: no digit of a short row is lost to a long one.
    """
    swap = scale[:, j] > scale[:, i]
    long, short = np.where(swap, j, i), np.where(swap, i, j)
    each = np.arange(len(rows))
    a, b = rows[each, long], rows[each, short]
    cosine = np.einsum("mk,mk->m", a, b)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.exp(scale[each, short] - scale[each, long])
        gap = 1 - ratio * ratio
        u = -2 * cosine / (gap + np.sqrt(gap * gap + 4 * (cosine * ratio) ** 2))
        u = np.where(np.isfinite(u), u, 0.0)
        ratio = np.where(np.isfinite(ratio), ratio, 0.0)
        c = 1 / np.sqrt(1 + (u * ratio) ** 2)
        s = c * u * ratio
        for n, vector in ((long, a - (u * ratio**2)[:, None] * b), (short, u[:, None] * a + b)):
            length = np.linalg.norm(vector, axis=1)
            rows[each, n] = np.where(length[:, None] > 0, vector / length[:, None], 0.0)
            scale[each, n] += np.log(c * length)
    first, second = turned[each, :, long], turned[each, :, short]
    turned[each, :, long] = c[:, None] * first - s[:, None] * second
    turned[each, :, short] = s[:, None] * first + c[:, None] * second
    return float(np.max(np.abs(cosine), initial=0.0))
