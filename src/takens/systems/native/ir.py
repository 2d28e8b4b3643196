"""LLVM assembly as text: the few instructions the code generator needs, with equal values computed once."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

UNROLLED = 12
"""Loops over at most this many states are written out, so that states stay in registers; longer ones stay loops."""

STACK = 1024
"""Slots for more doubles than this are taken from the heap: threads may have stacks of half a megabyte."""
NO_MEMORY = -1
"""What a function that returns an i64 returns where the heap has no room for its slots."""

_INTRINSIC = {"fabs", "sqrt", "floor", "ceil"}


def literal(value: float) -> str:
    """A double constant as LLVM reads it back without rounding."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


class Code:
    """The body of one function in LLVM assembly: instructions in order, values named %v1, %v2, ...

    Values are strings. Within one basic block the same pure instruction on the same values is written once (values are
    numbered, so text equality is value equality). With `contract`, a multiplication and an addition may become one
    fused operation; no other liberty is taken with floating point. Mutable variables are stack slots, which LLVM turns
    into registers.
    """

    def __init__(self, *, contract: bool, unrolled: int = UNROLLED, inlined: bool = False) -> None:
        self.flags = " contract" if contract else ""
        self._inlined = inlined
        self.unrolled = unrolled
        self._slots: list[str] = []
        self._heap: list[str] = []
        self.without_memory = [f"ret i64 {NO_MEMORY}"]
        """What the function does where the heap has no room for its slots."""
        self._lines: list[str] = []
        self._known: dict[str, str] = {}
        self._count = 0
        self.used: set[str] = set()
        self.operations = 0

    def _fresh(self, prefix: str = "v") -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def emit(self, line: str) -> None:
        """One instruction without a value."""
        self._lines.append(f"  {line}")

    def fresh_value(self, text: str) -> str:
        """The value of an instruction that must run here, such as a load."""
        name = "%" + self._fresh()
        self._lines.append(f"  {name} = {text}")
        return name

    def value(self, text: str) -> str:
        """The value of a pure instruction, computed once in a block."""
        if text not in self._known:
            self._known[text] = self.fresh_value(text)
            self.operations += 1
        return self._known[text]

    def add(self, left: str, right: str) -> str:
        """left + right"""
        return self.value(f"fadd{self.flags} double {left}, {right}")

    def subtract(self, left: str, right: str) -> str:
        """left - right"""
        return self.value(f"fsub{self.flags} double {left}, {right}")

    def multiply(self, left: str, right: str) -> str:
        """left * right"""
        return self.value(f"fmul{self.flags} double {left}, {right}")

    def divide(self, left: str, right: str) -> str:
        """left / right"""
        return self.value(f"fdiv{self.flags} double {left}, {right}")

    def compare(self, predicate: str, left: str, right: str) -> str:
        """A truth value; predicates such as olt are false, such as une true, where an operand is NaN."""
        return self.value(f"fcmp {predicate} double {left}, {right}")

    def select(self, test: str, then: str, otherwise: str) -> str:
        """then where test is true, else otherwise."""
        return self.value(f"select i1 {test}, double {then}, double {otherwise}")

    def call(self, function: str, *arguments: str) -> str:
        """A function of the C mathematics library, or the instruction for it where processors have one.

        With `inlined`, it is one of `elementary.py` where that has it, so that loops go over several states at once.
        """
        if self._inlined:
            from .elementary import FUNCTIONS, functions, symbol

            if function in FUNCTIONS:
                self.used |= set(functions([function]))
                return self.value(f"call double {symbol(function)}(double {arguments[0]})")
        name = f"llvm.{function}.f64" if function in _INTRINSIC else function
        self.used.add(f"declare double @{name}({', '.join(['double'] * len(arguments))}) #0")
        return self.value(f"call double @{name}({', '.join(f'double {a}' for a in arguments)}) #0")

    def minimum(self, left: str, right: str) -> str:
        """The smaller of two, NaN where one is NaN, as NumPy's minimum."""
        return self._extreme("olt", left, right)

    def maximum(self, left: str, right: str) -> str:
        """The larger of two, NaN where one is NaN, as NumPy's maximum."""
        return self._extreme("ogt", left, right)

    def _extreme(self, predicate: str, left: str, right: str) -> str:
        first = self.value(f"or i1 {self.compare(predicate, left, right)}, {self.compare('uno', left, left)}")
        return self.select(first, left, right)

    def slot(self, kind: str = "double", size: int = 1) -> str:
        """A slot for `size` numbers of a kind (double, i64), on the stack unless it is large."""
        name = "%" + self._fresh("s")
        if size > STACK:
            self.used |= {"declare noalias ptr @malloc(i64)", "declare void @free(ptr)"}
            self._heap.append(name)
            self._slots.append(f"  {name} = call noalias ptr @malloc(i64 {8 * size})")
            return name
        self._slots.append(f"  {name} = alloca {kind}, i64 {size}, align 16")
        return name

    def element(self, place: str, index: str) -> str:
        """The place of one double in an array."""
        return place if index == "0" else self.value(f"getelementptr inbounds double, ptr {place}, i64 {index}")

    def load(self, place: str, index: str = "0", kind: str = "double") -> str:
        """The number stored at place[index]."""
        return self.fresh_value(f"load {kind}, ptr {self.element(place, index)}, align 8")

    def store(self, value: str, place: str, index: str = "0", kind: str = "double") -> None:
        """Store a number at place[index]."""
        self.emit(f"store {kind} {value}, ptr {self.element(place, index)}, align 8")

    def accumulate(self, value: str, place: str) -> None:
        """Add to a number stored, in an order of the machine's choice: such a loop goes over several states at once."""
        self.store(self.fresh_value(f"fadd reassoc contract double {self.load(place)}, {value}"), place)

    def label(self) -> str:
        """A new name for a block."""
        return self._fresh("b")

    def begin(self, label: str) -> None:
        """Start a block; values known before are not assumed to be available in it."""
        self._lines.append(f"{label}:")
        self._known = {}

    def jump(self, label: str) -> None:
        """Go to a block."""
        self.emit(f"br label %{label}")

    def branch(self, test: str, then: str, otherwise: str) -> None:
        """Go to one of two blocks."""
        self.emit(f"br i1 {test}, label %{then}, label %{otherwise}")

    def each(self, count: int, body: Callable[[str], None]) -> None:
        """`body(index)` for index 0 ... count - 1: written out where few, a loop where many."""
        if count <= self.unrolled:
            for number in range(count):
                body(str(number))
            return
        place = self.slot("i64")
        self.store("0", place, kind="i64")
        begin, end = self.label(), self.label()
        self.jump(begin)
        self.begin(begin)
        index = self.load(place, kind="i64")
        body(index)
        after = self.value(f"add i64 {index}, 1")
        self.store(after, place, kind="i64")
        self.branch(self.value(f"icmp slt i64 {after}, {count}"), begin, end)
        self.begin(end)

    def function(self, name: str, arguments: Sequence[str], *, result: str = "void", attributes: str = "") -> str:
        """The text of the whole function; its code must end in `ret`."""
        lines = [f"define {result} @{name}({', '.join(arguments)}) {attributes} {{", "entry:"]
        if not self._heap:
            return "\n".join([*lines, *self._slots, *self._lines, "}", ""])
        free = [f"  call void @free(ptr {place})" for place in self._heap]
        check, held = [], "true"
        for number, place in enumerate(self._heap):
            check.append(f"  %there{number} = icmp ne ptr {place}, null")
            check.append(f"  %held{number} = and i1 {held}, %there{number}")
            held = f"%held{number}"
        check += [f"  br i1 {held}, label %enough, label %exhausted", "exhausted:", *free]
        check += [*(f"  {line}" for line in self.without_memory), "enough:"]
        body = [part for line in self._lines for part in ([*free, line] if line.startswith("  ret ") else [line])]
        return "\n".join([*lines, *self._slots, *check, *body, "}", ""])
