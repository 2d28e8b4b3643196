"""Machine code of Fourier transforms of real periodic grids, for sizes that are powers of two.

A grid of N points is held as a block of two rows of `rows_of(N)` numbers: first its even points, then its odd ones.
Read as real and imaginary parts they are N/2 complex numbers, whose transform (Stockham's, radix 4, in order without
a bit reversal) gives the N/2 + 1 modes of the grid in a block of the same form. Source: Van Loan, Computational
Frameworks for the Fast Fourier Transform (1992), sections 1.7, 2.4 and 4.3.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .ir import Code, literal

SMALLEST = 8
"""The smallest grid that is transformed by machine code."""

Array = NDArray[np.float64]


def transformable(points: int) -> bool:
    """Whether there is machine code for grids of this size: powers of two from 8 on."""
    return points >= SMALLEST and points & (points - 1) == 0


def width_of(points: int) -> int:
    """How many numbers one instruction works on: 4, or 1 where the grid is too small for that."""
    return 4 if points >= 32 else 1


def rows_of(points: int) -> int:
    """The length of each of the two rows of a block: half the grid, one more mode, and room to whole instructions."""
    return points // 2 + width_of(points)


class Lanes:
    """Instructions on several neighbouring numbers at once; values are LLVM vectors of `width` doubles."""

    def __init__(self, code: Code, width: int) -> None:
        self.code, self.width = code, width
        self.kind = f"<{width} x double>"

    def load(self, place: str, index: str) -> str:
        """The numbers from place[index] on."""
        return self.code.fresh_value(f"load {self.kind}, ptr {self.code.element(place, index)}, align 8")

    def store(self, value: str, place: str, index: str) -> None:
        """Store numbers from place[index] on."""
        self.code.emit(f"store {self.kind} {value}, ptr {self.code.element(place, index)}, align 8")

    def add(self, left: str, right: str) -> str:
        """left + right"""
        return self.code.value(f"fadd contract {self.kind} {left}, {right}")

    def subtract(self, left: str, right: str) -> str:
        """left - right"""
        return self.code.value(f"fsub contract {self.kind} {left}, {right}")

    def multiply(self, left: str, right: str) -> str:
        """left * right"""
        return self.code.value(f"fmul contract {self.kind} {left}, {right}")

    def constant(self, value: float) -> str:
        """The same number in every place."""
        return "<" + ", ".join([f"double {literal(value)}"] * self.width) + ">"

    def spread(self, scalar: str) -> str:
        """A value in every place."""
        first = self.code.value(f"insertelement {self.kind} poison, double {scalar}, i64 0")
        return self.shuffle(first, first, [0] * self.width)

    def shuffle(self, left: str, right: str, order: list[int]) -> str:
        """The numbers of two values, counted through, in an order."""
        mask = ", ".join(f"i32 {i}" for i in order)
        return self.code.value(f"shufflevector {self.kind} {left}, {self.kind} {right}, <{len(order)} x i32> <{mask}>")

    def reversed(self, value: str) -> str:
        """The last number first."""
        return self.shuffle(value, value, list(range(self.width))[::-1])

    def transposed(self, rows: list[str]) -> list[str]:
        """Four values of four numbers, rows as columns."""
        a, b, c, d = rows
        even = [self.shuffle(x, y, [0, 4, 2, 6]) for x, y in ((a, b), (c, d))]
        odd = [self.shuffle(x, y, [1, 5, 3, 7]) for x, y in ((a, b), (c, d))]
        halves = ([0, 1, 4, 5], [2, 3, 6, 7])
        return [self.shuffle(pair[0], pair[1], half) for half in halves for pair in (even, odd)]


def index(code: Code, *terms: tuple[str, int]) -> str:
    """The whole number sum_i term_i factor_i."""
    total, known = "", 0
    for term, factor in terms:
        if term.lstrip("-").isdigit():
            known += int(term) * factor
            continue
        part = term if factor == 1 else code.value(f"mul i64 {term}, {factor}")
        total = code.value(f"add i64 {total}, {part}") if total else part
    if not total:
        return str(known)
    return code.value(f"add i64 {total}, {known}") if known else total


def repeat(code: Code, count: int | str, body: Callable[[str], None]) -> None:
    """`body(i)` for i = 0 ... count - 1, as a loop; a count that is a value may be 0."""
    if count == 1:
        body("0")
        return
    place = code.slot("i64")
    code.store("0", place, kind="i64")
    begin, again, end = code.label(), code.label(), code.label()
    code.jump(begin)
    code.begin(begin)
    turn = code.load(place, kind="i64")
    code.branch(code.value(f"icmp slt i64 {turn}, {count}"), again, end)
    code.begin(again)
    body(turn)
    code.store(code.value(f"add i64 {turn}, 1"), place, kind="i64")
    code.jump(begin)
    code.begin(end)


def stages_of(points: int) -> list[tuple[int, int, int]]:
    """(radix, length that is left, stride) of each stage of the complex transform of half as many numbers."""
    found, left, stride = [], points // 2, 1
    while left > 1:
        radix = 4 if left % 4 == 0 else 2
        found.append((radix, left, stride))
        left, stride = left // radix, stride * radix
    return found


def table(points: int) -> Array:
    """The factors that the functions of `transforms` read: those of the stages, then cos and sin of 2 pi k / N."""
    parts = []
    for radix, left, _ in stages_of(points):
        if left > radix:
            turns = np.outer(np.arange(1, radix), np.arange(left // radix)) / left
            parts += [part for row in turns for part in (np.cos(2 * np.pi * row), -np.sin(2 * np.pi * row))]
    turns = np.arange(points // 2) / points
    return np.concatenate([*parts, np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)])


def transforms(points: int) -> list[str]:
    """The functions `@forward(grid, spectrum, scratch, table)` and `@backward(spectrum, grid, scratch, table)`.

    `forward` makes the modes sum_j u_j exp(-2 pi i j k / N), k = 0 ... N/2, of a grid, which is lost; `backward` makes
    N times their inverse, for modes 0 and N/2 without imaginary parts. Arguments are blocks of 2 `rows_of(N)` numbers
    that do not overlap. Cost: about 2.5 N log2 N operations, four at a time.
    """
    return [_complex(points), _forward(points), _backward(points)]


def _complex(points: int) -> str:
    """`@fourier(xr, xi, yr, yi, table)`: N/2 complex numbers; the result is in y after an odd number of stages."""
    code = Code(contract=True)
    source, target = ("%xr", "%xi"), ("%yr", "%yi")
    offset = 0
    for radix, left, stride in stages_of(points):
        _stage(code, width_of(points), source, target, radix, left, stride, offset)
        offset += 2 * (radix - 1) * (left // radix) if left > radix else 0
        source, target = target, source
    code.emit("ret void")
    arguments = [f"ptr noalias {name}" for name in ("%xr", "%xi", "%yr", "%yi", "%table")]
    return code.function("fourier", arguments, attributes="noinline nounwind")


def _stage(
    code: Code, width: int, source: tuple[str, str], target: tuple[str, str], radix: int, left: int, stride: int,
    offset: int,
) -> None:  # fmt: skip
    """One stage: `left / radix` butterflies for each of `stride` interleaved sequences."""
    lanes, span = Lanes(code, width), left // radix
    along = stride == 1 and width > 1  # neighbours are then different butterflies of one sequence

    def butterfly(p: str, q: str, factors: list[tuple[str, str]]) -> None:
        places = [index(code, (p, stride), (q, 1), (str(j), stride * span)) for j in range(radix)]
        values = [tuple(lanes.load(part, place) for part in source) for place in places]
        found = _butterfly(lanes, values)
        found = (
            [found[0], *(_turned(lanes, v, w) for v, w in zip(found[1:], factors, strict=False))] if factors else found
        )
        for part, array in enumerate(target):
            outputs = [value[part] for value in found]
            if along:
                for j, row in enumerate(lanes.transposed(outputs)):
                    lanes.store(row, array, index(code, (p, radix), (str(j), width)))
                continue
            for j, output in enumerate(outputs):
                lanes.store(output, array, index(code, (p, radix * stride), (str(j), stride), (q, 1)))

    def factors_at(p: str) -> list[tuple[str, str]]:
        if span == 1:
            return []
        places = [index(code, (p, 1), (str(offset + j * span), 1)) for j in range(2 * (radix - 1))]
        if along:
            loaded = [lanes.load("%table", place) for place in places]
        else:
            loaded = [lanes.spread(code.load("%table", place)) for place in places]
        return list(zip(loaded[::2], loaded[1::2], strict=True))

    def group(number: str) -> None:
        if along:
            p = index(code, (number, width))
            butterfly(p, "0", factors_at(p))
            return
        factors = factors_at(number)
        repeat(code, stride // width, lambda turn: butterfly(number, index(code, (turn, width)), factors))

    repeat(code, span // width if along else span, group)


def _butterfly(lanes: Lanes, values: list[tuple[str, ...]]) -> list[tuple[str, str]]:
    """The transform of two or four complex numbers."""
    add, subtract = lanes.add, lanes.subtract
    if len(values) == 2:
        (a, b), (c, d) = values
        return [(add(a, c), add(b, d)), (subtract(a, c), subtract(b, d))]
    (ar, ai), (br, bi), (cr, ci), (dr, di) = values
    pr, pi, mr, mi = add(ar, cr), add(ai, ci), subtract(ar, cr), subtract(ai, ci)
    qr, qi, nr, ni = add(br, dr), add(bi, di), subtract(br, dr), subtract(bi, di)
    return [
        (add(pr, qr), add(pi, qi)), (add(mr, ni), subtract(mi, nr)),
        (subtract(pr, qr), subtract(pi, qi)), (subtract(mr, ni), add(mi, nr)),
    ]  # fmt: skip


def _turned(lanes: Lanes, value: tuple[str, str], factor: tuple[str, str]) -> tuple[str, str]:
    """The product of two complex numbers."""
    (a, b), (c, d) = value, factor
    return (
        lanes.subtract(lanes.multiply(a, c), lanes.multiply(b, d)),
        lanes.add(lanes.multiply(a, d), lanes.multiply(b, c)),
    )


def _offset_of_turns(points: int) -> int:
    return len(table(points)) - points


def _folded(points: int, source: str, target: str, code: Code, sign: float, scale: float) -> None:
    """Between the modes of the complex numbers and those of the grid, target_k = scale (s - sign i w d).

    s and d are sum and difference of source_k and the conjugate of source_(N/2-k), w is exp(-sign 2 pi i k / N).
    """
    half, row, width = points // 2, rows_of(points), width_of(points)
    lanes, turns = Lanes(code, width), _offset_of_turns(points)
    add, subtract, multiply = lanes.add, lanes.subtract, lanes.multiply

    def some(number: str) -> None:
        k = index(code, (number, width))
        mirror = index(code, (k, -1), (str(half - width + 1), 1))
        a, b = (lanes.load(source, index(code, (k, 1), (str(part), row))) for part in (0, 1))
        e, f = (lanes.reversed(lanes.load(source, index(code, (mirror, 1), (str(part), row)))) for part in (0, 1))
        cosine, sine = (lanes.load("%table", index(code, (k, 1), (str(turns + part * half), 1))) for part in (0, 1))
        dr, di = subtract(a, e), add(b, f)
        # -i w d for sign = 1 is (c di - s dr) - i (c dr + s di); for sign = -1 it is -(s dr + c di) + i (c dr - s di)
        plus, minus = (add, subtract) if sign > 0 else (subtract, add)
        real = subtract(plus(add(a, e), multiply(cosine, di)), multiply(sine, dr))
        imaginary = subtract(minus(subtract(b, f), multiply(cosine, dr)), multiply(sine, di))
        for part, value in enumerate((real, imaginary)):
            scaled = value if scale == 1 else multiply(value, lanes.constant(scale))
            lanes.store(scaled, target, index(code, (k, 1), (str(part), row)))

    repeat(code, half // width, some)


def _halves(code: Code, block: str, points: int) -> tuple[str, str]:
    return block, code.element(block, str(rows_of(points)))


_ARGUMENTS = {
    "forward": ("%grid", "%spectrum", "%scratch", "%table"), "backward": ("%spectrum", "%grid", "%scratch", "%table"),
}  # fmt: skip


def _finished(code: Code, name: str) -> str:
    code.emit("ret void")
    return code.function(name, [f"ptr noalias {a}" for a in _ARGUMENTS[name]], attributes="noinline nounwind")


def _called(code: Code, pointers: tuple[str, ...]) -> None:
    code.emit(f"call void @fourier({', '.join(f'ptr {p}' for p in (*pointers, '%table'))})")


def _forward(points: int) -> str:
    code, half, row = Code(contract=True), points // 2, rows_of(points)
    _called(code, (*_halves(code, "%grid", points), *_halves(code, "%scratch", points)))
    found = "%scratch" if len(stages_of(points)) % 2 else "%grid"
    real, imaginary = code.load(found), code.load(found, str(row))
    code.store(real, found, str(half))
    code.store(imaginary, found, str(row + half))
    _folded(points, found, "%spectrum", code, 1.0, 0.5)
    code.store(code.subtract(real, imaginary), "%spectrum", str(half))
    code.store(literal(0.0), "%spectrum", str(row + half))
    return _finished(code, "forward")


def _backward(points: int) -> str:
    code = Code(contract=True)
    odd = len(stages_of(points)) % 2
    first, second = ("%scratch", "%grid") if odd else ("%grid", "%scratch")
    _folded(points, "%spectrum", first, code, -1.0, 1.0)
    # The inverse is the transform with real and imaginary parts in each other's place.
    _called(code, (*_halves(code, first, points)[::-1], *_halves(code, second, points)[::-1]))
    return _finished(code, "backward")
