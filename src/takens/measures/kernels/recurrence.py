"""Recurrence in 64 pairs a word: line lengths of a recurrence matrix that is never stored, and networks of bits.

A row of the matrix is compared with 64 columns at once into one word; words whose columns all lie outside the radius
are skipped by the boxes around stretches of 64 times. Lines begin and end where neighbouring words differ, so that the
cost after the comparison is one operation a line, not one a point.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numba.cpython.unsafe.numbers import trailing_zeros

WORD = 64
ONE, NONE, ALL = np.uint64(1), np.uint64(0), np.uint64(0xFFFFFFFFFFFFFFFF)
LAST = np.uint64(63)
TOGETHER = 16
"""Rows that share one list of the words that may hold a recurrence."""


@njit(cache=True, nogil=True, error_model="numpy")
def within(x, y, r):
    """64 comparisons |x - y| <= r; the compiler makes a few vector operations of them."""
    bits = NONE
    for b in range(WORD):
        bits |= np.uint64(abs(x - y[b]) <= r) << np.uint64(b)
    return bits


@njit(cache=True, nogil=True, error_model="numpy")
def _square(x, y, squares):
    for b in range(WORD):
        squares[b] = (x - y[b]) * (x - y[b])


@njit(cache=True, nogil=True, error_model="numpy")
def _add_square(x, y, squares):
    for b in range(WORD):
        squares[b] += (x - y[b]) * (x - y[b])


@njit(cache=True, nogil=True, error_model="numpy")
def _within_square(x, y, squares, r):
    bits = NONE
    for b in range(WORD):
        bits |= np.uint64(squares[b] + (x - y[b]) * (x - y[b]) <= r) << np.uint64(b)
    return bits


@njit(cache=True, nogil=True, error_model="numpy")
def _within_three(x, y, z, a, b, c, r):
    """Three coordinates in one pass, maximum norm; three times as fast as one after another."""
    bits = NONE
    for k in range(WORD):
        inside = (abs(x - a[k]) <= r) & (abs(y - b[k]) <= r) & (abs(z - c[k]) <= r)
        bits |= np.uint64(inside) << np.uint64(k)
    return bits


@njit(cache=True, nogil=True, error_model="numpy")
def _within_sphere(x, y, z, a, b, c, r):
    """Three coordinates in one pass, Euclid's norm."""
    bits = NONE
    for k in range(WORD):
        square = (x - a[k]) * (x - a[k]) + (y - b[k]) * (y - b[k]) + (z - c[k]) * (z - c[k])
        bits |= np.uint64(square <= r) << np.uint64(k)
    return bits


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_three(rows, i, columns, r, sphere, near, found, out):
    x, y, z = rows[0, i], rows[1, i], rows[2, i]
    for at in range(found):
        begin, end = near[at] * WORD, near[at] * WORD + WORD
        a, b, c = columns[0, begin:end], columns[1, begin:end], columns[2, begin:end]
        if sphere:
            out[near[at]] = _within_sphere(x, y, z, a, b, c, r * r)
        else:
            out[near[at]] = _within_three(x, y, z, a, b, c, r)


@njit(cache=True, nogil=True, error_model="numpy")
def recurrent(rows, i, columns, j, ends, radius):
    """Whether row `i` and column `j` recur, with the same arithmetic as `fill_row`."""
    first = 0
    for g in range(len(ends)):
        r = radius[g, i]
        if ends[g] - first == 1:
            if not abs(rows[first, i] - columns[first, j]) <= r:
                return False
        else:
            square = 0.0
            for k in range(first, ends[g]):
                square += (rows[k, i] - columns[k, j]) * (rows[k, i] - columns[k, j])
            if not square <= r * r:
                return False
        first = ends[g]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def near_words(rows, start, low, high, ends, radius, near):
    """The words, written to `near`, whose columns may recur with one of the `TOGETHER` rows from `start`."""
    stop = min(start + TOGETHER, rows.shape[1])
    found = 0
    first = 0
    bottom, top = np.empty(rows.shape[0]), np.empty(rows.shape[0])
    for g in range(len(ends)):
        widest = radius[g, start:stop].max()
        for k in range(first, ends[g]):
            lowest, highest = rows[k, start:stop].min(), rows[k, start:stop].max()
            # Wider by some rounding errors, so that no pair exactly at the radius is lost.
            slack = 1e-14 * (widest + max(abs(lowest), abs(highest)))
            bottom[k], top[k] = lowest - widest - slack, highest + widest + slack
        first = ends[g]
    for w in range(low.shape[1]):
        inside = True
        for k in range(rows.shape[0]):
            inside &= (low[k, w] <= top[k]) & (high[k, w] >= bottom[k])
        near[found] = w
        found += inside
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def fill_row(rows, i, columns, ends, radius, near, found, squares, out):
    """The recurrences of row `i` in the words `near[:found]` of `out`; the other words are cleared.

    Group g holds the coordinates before `ends[g]`; one coordinate is compared by its distance, several by Euclid's, and
    every group must lie within its radius.
    """
    for w in range(len(out)):
        out[w] = NONE
    sphere = len(ends) == 1
    if len(rows) == 3 and (sphere or (len(ends) == 3 and radius[0, i] == radius[1, i] == radius[2, i])):
        _fill_three(rows, i, columns, radius[0, i], sphere, near, found, out)
        return
    for at in range(found):
        out[near[at]] = ALL
    first = 0
    for g in range(len(ends)):
        r, end = radius[g, i], ends[g]
        for at in range(found):
            begin = near[at] * WORD
            if out[near[at]] == NONE:
                continue
            if end - first == 1:
                out[near[at]] &= within(rows[first, i], columns[first, begin : begin + WORD], r)
            else:
                _square(rows[first, i], columns[first, begin : begin + WORD], squares)
                for k in range(first + 1, end - 1):
                    _add_square(rows[k, i], columns[k, begin : begin + WORD], squares)
                out[near[at]] &= _within_square(
                    rows[end - 1, i], columns[end - 1, begin : begin + WORD], squares, r * r
                )
        first = end


@njit(cache=True, nogil=True, error_model="numpy")
def clear(words, start, stop):
    """Clear the bits from `start` to before `stop`, where they exist."""
    start, stop = max(start, 0), min(stop, len(words) * WORD)
    while start < stop:
        w, b = start // WORD, start % WORD
        width = min(stop - start, WORD - b)
        mask = ALL if width == WORD else ((ONE << np.uint64(width)) - ONE) << np.uint64(b)
        words[w] &= ~mask
        start += width


@njit(cache=True, nogil=True, error_model="numpy")
def count_row(words, i, theiler, step, vertical, white, returns):
    """Add the runs of recurrent columns of row `i`, the gaps between them and the times from run to run.

    A gap that holds the Theiler window (`theiler` >= 0) is no gap of the orbit and is not counted.
    """
    carry = NONE
    opened = -1
    before, closed = -1, -1
    block = i // step
    for w in range(len(words)):
        word = words[w]
        changes = word ^ ((word << ONE) | carry)
        carry = word >> LAST
        while changes != NONE:
            j = w * WORD + np.int64(trailing_zeros(changes))  # type: ignore[call-arg]
            changes &= changes - ONE
            if opened < 0:
                opened = j
                if closed >= 0 and not (theiler >= 0 and closed <= i < j):
                    for b in (block, closed // step):
                        white[b, j - closed] += 1
                        returns[b, j - before] += 1
            else:
                for b in (block, opened // step):
                    vertical[b, j - opened] += 1
                before, closed = opened, j
                opened = -1


@njit(cache=True, nogil=True, error_model="numpy")
def count_lines(
    rows, columns, width, ends, radius, low, high, theiler, symmetric, start, stop, step, diagonal, vertical, white,
    returns, per_diagonal,
):  # fmt: skip
    """Add the lines that begin in the rows from `start` to `stop` to the histograms `(block, length)`.

    `rows (d, n)`, `columns (d, words * 64)` with NaN after `width`, `low` and `high (d, words)` their boxes, `radius
    (group, n)`. Pairs with |j - i| <= `theiler` are left out (none where it is -1). Diagonal lines are counted above
    the diagonal only where `symmetric`. Each line is added to the block (of `step` times) in which its row begins and
    to that in which its column begins, so that all counts are twice those of the matrix. `per_diagonal` counts
    recurrences by j - i + n - 1.
    """
    n, words = rows.shape[1], low.shape[1]
    near = np.empty(words, np.int64)
    squares = np.empty(WORD)
    now, last = np.zeros(words, np.uint64), np.zeros(words, np.uint64)
    begin = np.full(n + columns.shape[1], -1, np.int64)
    found = 0
    for i in range(max(start - 1, 0), stop):
        if i == max(start - 1, 0) or i % TOGETHER == 0:
            found = near_words(rows, i, low, high, ends, radius, near)
        fill_row(rows, i, columns, ends, radius, near, found, squares, now)
        clear(now, i - theiler, i + theiler + 1)
        if i >= start:
            count_row(now, i, theiler, step, vertical, white, returns)
        if symmetric:
            clear(now, 0, i)
        carry = NONE
        for w in range(words):
            moved = (last[w] << ONE) | carry
            carry = last[w] >> LAST
            ended, born = moved & ~now[w], now[w] & ~moved
            while ended != NONE:
                j = w * WORD + np.int64(trailing_zeros(ended))  # type: ignore[call-arg]
                ended &= ended - ONE
                at = j - i + n - 1
                if begin[at] >= 0:
                    _close(i, j, i - begin[at], step, diagonal, per_diagonal, n)
                    begin[at] = -1
            # Lines of the row before `start` belong to the strip above.
            while born != NONE and i >= start:
                j = w * WORD + np.int64(trailing_zeros(born))  # type: ignore[call-arg]
                born &= born - ONE
                begin[j - i + n - 1] = i
        now, last = last, now
    for at in range(len(begin)):
        if begin[at] >= 0:
            i, j = stop, stop + at - n + 1
            while i < n and j < width and recurrent(rows, i, columns, j, ends, radius):
                i, j = i + 1, j + 1
            _close(i, j, i - begin[at], step, diagonal, per_diagonal, n)


@njit(cache=True, nogil=True, error_model="numpy")
def _close(i, j, length, step, diagonal, per_diagonal, n):
    """Count a diagonal line of this `length` that ended before row `i` and column `j`."""
    for b in ((i - length) // step, (j - length) // step):
        diagonal[b, length] += 1
    per_diagonal[j - i + n - 1] += length


@njit(cache=True, nogil=True, error_model="numpy")
def fill_matrix(rows, columns, ends, radius, low, high, theiler, bits):
    """The whole matrix `bits (n, words)`, for networks and for `recurrence_matrix`."""
    words = low.shape[1]
    near = np.empty(words, np.int64)
    squares = np.empty(WORD)
    found = 0
    for i in range(rows.shape[1]):
        if i % TOGETHER == 0:
            found = near_words(rows, i, low, high, ends, radius, near)
        fill_row(rows, i, columns, ends, radius, near, found, squares, bits[i])
        clear(bits[i], i - theiler, i + theiler + 1)


@njit(cache=True, nogil=True, error_model="numpy")
def population(word):
    """The number of bits that are set."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True, error_model="numpy")
def degrees_and_triangles(bits):
    """For each node the number of its neighbours and of the links among them."""
    n, words = bits.shape
    degree, links = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for i in range(n):
        for w in range(words):
            word = bits[i, w]
            degree[i] += population(word)
            while word != NONE:
                j = w * WORD + np.int64(trailing_zeros(word))  # type: ignore[call-arg]
                word &= word - ONE
                common = 0
                for v in range(words):
                    common += population(bits[i, v] & bits[j, v])
                links[i] += common
    return degree, links // 2


@njit(cache=True, nogil=True, error_model="numpy")
def path_lengths(bits, sources):
    """For each of the `sources` the number of steps to all nodes it reaches, summed, and how many it reaches."""
    n, words = bits.shape
    steps, reached = np.zeros(len(sources), np.int64), np.zeros(len(sources), np.int64)
    seen, front, ahead = np.zeros(words, np.uint64), np.zeros(words, np.uint64), np.zeros(words, np.uint64)
    for s in range(len(sources)):
        for w in range(words):
            seen[w], front[w] = NONE, NONE
        front[sources[s] // WORD] = ONE << np.uint64(sources[s] % WORD)
        seen[sources[s] // WORD] = front[sources[s] // WORD]
        for step in range(1, n):
            for w in range(words):
                ahead[w] = NONE
            for w in range(words):
                word = front[w]
                while word != NONE:
                    j = w * WORD + np.int64(trailing_zeros(word))  # type: ignore[call-arg]
                    word &= word - ONE
                    for v in range(words):
                        ahead[v] |= bits[j, v]
            found = 0
            for w in range(words):
                front[w] = ahead[w] & ~seen[w]
                seen[w] |= front[w]
                found += population(front[w])
            if found == 0:
                break
            steps[s] += step * found
            reached[s] += found
    return steps, reached


@njit(cache=True, nogil=True, error_model="numpy")
def horizontal_visibility(x):
    """Degrees of the horizontal visibility graph, with one pass and a stack of the values still seen from the right."""
    degree = np.zeros(len(x), np.int64)
    stack = np.empty(len(x), np.int64)
    height = 0
    for i in range(len(x)):
        while height > 0:
            j = stack[height - 1]
            degree[i] += 1
            degree[j] += 1
            if x[j] > x[i]:
                break
            height -= 1
            if x[j] == x[i]:
                break
        stack[height] = i
        height += 1
    return degree


@njit(cache=True, nogil=True, error_model="numpy")
def natural_visibility(x):
    """Degrees of the natural visibility graph: i sees j where all between lie below the line from one to the other."""
    degree = np.zeros(len(x), np.int64)
    for i in range(len(x)):
        steepest = -np.inf
        for j in range(i + 1, len(x)):
            slope = (x[j] - x[i]) / (j - i)
            if slope > steepest:
                steepest = slope
                degree[i] += 1
                degree[j] += 1
    return degree
