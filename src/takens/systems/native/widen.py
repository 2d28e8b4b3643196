"""Machine code for several members at once: the same functions with a vector in the place of every number."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .elementary import declarations, functions, symbol
from .ir import Code

_CALL = re.compile(r"call double @([\w.]+)\((.*?)\) #0")
_CONSTANT = re.compile(r"\b0x[0-9A-F]{16}\b")
_TRUTH = re.compile(r"(?<!br )\bi1\b")
_VECTOR = {
    "sin": "sin_all", "cos": "cos_all", "exp": "exp", "log": "log", "tanh": "tanh",
    "log2": "log2_rough", "exp2": "exp2_rough",
}  # fmt: skip
"""The vector function for each function of the C library that has one; equations have no log2, only step lengths do."""


def vector(width: int) -> str:
    """The type of `width` doubles."""
    return f"<{width} x double>"


def widened(texts: Iterable[str], width: int) -> tuple[list[str], set[str]]:
    """Functions of `ir.Code` with a lane for each of `width` members, and what their module must declare.

    Arrays of doubles become arrays of vectors, and truth values of numbers vectors of truth values; indices, and loops
    over them, stay as they are. What a lane computes does not depend on the others. Functions of the C library become
    those of `elementary.py`; one that has no vector form is called for one lane after the other. Code that branches on
    numbers has no such form, nor have slots on the heap.
    """
    found, called = [], {}
    for text in texts:
        for match in _CALL.finditer(text):
            called[match[1]] = match[2].count("double")
        text = _CALL.sub(lambda m: f"call double {_symbol(m[1], width)}({m[2]})", text)
        text = _CONSTANT.sub(lambda m: f"splat (scalar {m[0]})", text)
        text = _TRUTH.sub(f"<{width} x i1>", re.sub(r"\bdouble\b", vector(width), text))
        found.append(text.replace("splat (scalar", "splat (double").replace(", true", ", splat (i1 true)"))
    known = [_VECTOR[function] for function in called if function in _VECTOR]
    declared = declarations(known)
    for function, count in called.items():
        if function.startswith("llvm."):
            given = ", ".join([vector(width)] * count)
            declared.add(f"declare {vector(width)} {_symbol(function, width)}({given})")
        elif function not in _VECTOR:
            declared.add(f"declare double @{function}({', '.join(['double'] * count)}) #0")
            found.append(_one_by_one(function, count, width))
    return [*functions(known, width), *found], declared


def _symbol(function: str, width: int) -> str:
    if function.startswith("llvm."):
        return f"@{function.removesuffix('.f64')}.v{width}f64"
    return symbol(_VECTOR[function], width) if function in _VECTOR else f"@takens_{function}.each{width}"


def _one_by_one(function: str, count: int, width: int) -> str:
    """A function of the C library, called for one lane after the other."""
    real, lines, result = vector(width), [], "poison"
    for lane in range(width):
        for i in range(count):
            lines.append(f"  %a{lane}.{i} = extractelement {real} %x{i}, i64 {lane}")
        given = ", ".join(f"double %a{lane}.{i}" for i in range(count))
        lines.append(f"  %r{lane} = call double @{function}({given}) #0")
        lines.append(f"  %v{lane} = insertelement {real} {result}, double %r{lane}, i64 {lane}")
        result = f"%v{lane}"
    inputs = ", ".join(f"{real} %x{i}" for i in range(count))
    define = f"define internal {real} {_symbol(function, width)}({inputs}) nounwind {{"
    return "\n".join([define, "entry:", *lines, f"  ret {real} {result}", "}", ""])


def splat(code: Code, number: str, width: int) -> str:
    """A vector with one number in all lanes."""
    real = vector(width)
    first = code.value(f"insertelement {real} poison, double {number}, i64 0")
    return code.value(f"shufflevector {real} {first}, {real} poison, <{width} x i32> zeroinitializer")


def gather(code: Code, array: str, row: str, size: int, vectors: str, lane: str, width: int) -> None:
    """One lane of some vectors from a row of an array (row, size)."""
    first = code.value(f"mul i64 {row}, {size}")
    for i in range(size):
        value = code.load(array, code.value(f"add i64 {first}, {i}"))
        code.store(value, vectors, code.value(f"add i64 {lane}, {i * width}"))


def scatter(code: Code, vectors: str, lane: str, array: str, row: str, size: int, width: int) -> None:
    """A row of an array (row, size) from one lane of some vectors."""
    first = code.value(f"mul i64 {row}, {size}")
    for i in range(size):
        value = code.load(vectors, code.value(f"add i64 {lane}, {i * width}"))
        code.store(value, array, code.value(f"add i64 {first}, {i}"))
