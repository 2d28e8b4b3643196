"""Numbers that stay together in a register: the same operation on all of them at once."""

from __future__ import annotations

from .ir import Code
from .widen import splat


class Packed:
    """Operations on vectors of `width` doubles, a power of 2, as values of `code`; with width 1 they are plain
    numbers.

    Arrays hold vectors one after another. Unlike lanes of `widen.py`, which each belong to another member, those of one
    vector belong to one state, whose code still decides and branches on numbers.
    """

    def __init__(self, code: Code, width: int) -> None:
        self._code, self.width = code, width
        self._real = "double" if width == 1 else f"<{width} x double>"

    def slot(self, size: int) -> str:
        """A slot for some vectors."""
        return self._code.slot(size=size * self.width)

    def splat(self, number: str) -> str:
        """A number in all places."""
        if self.width == 1:
            return number
        return f"splat (double {number})" if number.startswith("0x") else splat(self._code, number, self.width)

    def load(self, place: str, index: str) -> str:
        """The vector stored at place[index]."""
        return self._code.fresh_value(f"load {self._real}, ptr {self._element(place, index)}, align 8")

    def store(self, value: str, place: str, index: str) -> None:
        """Store a vector at place[index]."""
        self._code.emit(f"store {self._real} {value}, ptr {self._element(place, index)}, align 8")

    def _element(self, place: str, index: str) -> str:
        return self._code.element(place, index if self.width == 1 else str(int(index) * self.width))

    def add(self, left: str, right: str) -> str:
        """left + right"""
        return self._two("fadd", left, right)

    def multiply(self, left: str, right: str) -> str:
        """left * right"""
        return self._two("fmul", left, right)

    def divide(self, left: str, right: str) -> str:
        """left / right"""
        return self._two("fdiv", left, right)

    def _two(self, operation: str, left: str, right: str) -> str:
        return self._code.value(f"{operation}{self._code.flags} {self._real} {left}, {right}")

    def size(self, value: str) -> str:
        """Absolute values."""
        if self.width == 1:
            return self._code.call("fabs", value)
        name = f"llvm.fabs.v{self.width}f64"
        self._code.used.add(f"declare {self._real} @{name}({self._real})")
        return self._code.value(f"call {self._real} @{name}({self._real} {value})")

    def maximum(self, left: str, right: str) -> str:
        """The larger of two in each place, NaN where one is NaN."""
        code, real, truths = self._code, self._real, f"<{self.width} x i1>"
        if self.width == 1:
            return code.maximum(left, right)
        larger = code.value(f"fcmp ogt {real} {left}, {right}")
        unknown = code.value(f"fcmp uno {real} {left}, {left}")
        first = code.value(f"or {truths} {larger}, {unknown}")
        return code.value(f"select {truths} {first}, {real} {left}, {real} {right}")

    def first(self, vector: str) -> str:
        """The number in the first place."""
        if self.width == 1:
            return vector
        return self._code.value(f"extractelement {self._real} {vector}, i64 0")

    def with_first(self, vector: str, number: str) -> str:
        """The vector with another number in the first place."""
        return self._code.value(f"insertelement {self._real} {vector}, double {number}, i64 0")

    def total(self, vector: str) -> str:
        """The sum of a vector's numbers, by halves."""
        if self.width == 1:
            return vector
        found = [self._code.value(f"extractelement {self._real} {vector}, i64 {i}") for i in range(self.width)]
        while len(found) > 1:
            half = len(found) // 2
            found = [self._code.add(a, b) for a, b in zip(found[:half], found[half:], strict=True)]
        return found[0]
