"""Random numbers as machine code: any number of a stream at once, from its place in it.

A counter-based generator (Philox 4x32 with 10 rounds; Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as
1, 2, 3, 2011) turns a key of 64 bits and four counters of 32 bits into 128 random bits without any state, so that what
a member of an ensemble draws depends neither on other members nor on threads, and runs on all lanes of a vector at
once. Pairs of normal numbers are made of them by the transform of Box & Muller (1958).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .elementary import functions, symbol
from .ir import literal

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
LOW = 0xFFFFFFFF
UNIFORMS, NORMALS = "takens_uniforms", "takens_normals"


def uniforms(width: int) -> str:
    """`{V, V} @takens_uniforms(W c0, W c1, W c2, W c3, i64 key)`: two independent uniform numbers in each lane.

    W holds whole numbers of 64 bits, V reals, a vector of `width` or one. The counters are below 2^32. The numbers are
    multiples of 2^-52 in [0, 1).
    """
    whole, real = kind("i64", width), kind("double", width)
    lines, count = [], 0

    def put(text: str) -> str:
        nonlocal count
        count += 1
        lines.append(f"  %v{count} = {text}")
        return f"%v{count}"

    def one(operation: str, left: str, right: str | int) -> str:
        return put(f"{operation} {whole} {left}, {right if isinstance(right, str) else constant('i64', right, width)}")

    counters = ["%c0", "%c1", "%c2", "%c3"]
    keys = [put(f"and i64 %key, {LOW}"), put("lshr i64 %key, 32")]
    for _ in range(ROUNDS):
        first, second = one("mul", counters[0], MULTIPLIERS[0]), one("mul", counters[2], MULTIPLIERS[1])
        k0, k1 = (spread(key, width, put) for key in keys)
        counters = [
            one("xor", one("xor", one("lshr", second, 32), counters[1]), k0), one("and", second, LOW),
            one("xor", one("xor", one("lshr", first, 32), counters[3]), k1), one("and", first, LOW),
        ]  # fmt: skip
        keys = [put(f"and i64 {put(f'add i64 {k}, {weyl}')}, {LOW}") for k, weyl in zip(keys, WEYL, strict=True)]
    result = "poison"
    for place, (low, high) in enumerate((counters[:2], counters[2:])):
        bits = one("or", low, one("shl", high, 32))
        # The upper 52 bits as the fraction of a number in [1, 2).
        number = put(f"bitcast {whole} {one('or', one('lshr', bits, 12), 1023 << 52)} to {real}")
        number = put(f"fsub {real} {number}, {constant('double', 1.0, width)}")
        result = put(f"insertvalue {{{real}, {real}}} {result}, {real} {number}, {place}")
    arguments = ", ".join(f"{whole} %c{i}" for i in range(4))
    head = f"define internal {{{real}, {real}}} @{UNIFORMS}({arguments}, i64 %key) alwaysinline nounwind {{"
    return "\n".join([head, "entry:", *lines, f"  ret {{{real}, {real}}} {result}", "}", ""])


def normals(width: int) -> list[str]:
    """`U @takens_normals(W c0, ..., W c3, i64 key)`: 2 `width` independent standard normal numbers, and what it needs.

    The first half of U are r cos(a), the second r sin(a), with r = sqrt(-2 log(1 - u)) and a = 2 pi v of the uniform
    numbers u and v of each lane. None is beyond 8.5, which a standard normal number is once in 10^17.
    """
    whole, real, out = kind("i64", width), kind("double", width), kind("double", 2 * width)
    arguments = ", ".join(f"{whole} %c{i}" for i in range(4))
    lanes = ", ".join(f"i32 {i}" for i in range(2 * width))
    root = f"llvm.sqrt.v{width}f64"
    body = f"""define internal {out} @{NORMALS}({arguments}, i64 %key) alwaysinline nounwind {{
entry:
  %both = call {{{real}, {real}}} @{UNIFORMS}({arguments}, i64 %key)
  %u = extractvalue {{{real}, {real}}} %both, 0
  %v = extractvalue {{{real}, {real}}} %both, 1
  %rest = fsub {real} {constant("double", 1.0, width)}, %u
  %log = call {real} {symbol("log", width)}({real} %rest)
  %square = fmul {real} {constant("double", -2.0, width)}, %log
  %radius = call {real} @{root}({real} %square)
  %angle = fmul {real} {constant("double", math.tau, width)}, %v
  %cos = call {real} {symbol("cos", width)}({real} %angle)
  %sin = call {real} {symbol("sin", width)}({real} %angle)
  %one = fmul {real} %radius, %cos
  %other = fmul {real} %radius, %sin
  %all = shufflevector {real} %one, {real} %other, <{2 * width} x i32> <{lanes}>
  ret {out} %all
}}
"""
    return [f"declare {real} @{root}({real})", *functions(("log", "sin", "cos"), width), uniforms(width), body]


def kind(scalar: str, width: int) -> str:
    """The type of a vector of scalars, or of one."""
    return f"<{width} x {scalar}>" if width > 1 else scalar


def constant(scalar: str, value: float | int, width: int) -> str:
    """A constant in all lanes."""
    text = literal(value) if scalar == "double" else str(value)
    return f"splat ({scalar} {text})" if width > 1 else text


def spread(value: str, width: int, put: Callable[[str], str]) -> str:
    """A whole number in all lanes."""
    if width == 1:
        return value
    first = put(f"insertelement <{width} x i64> poison, i64 {value}, i64 0")
    return put(f"shufflevector <{width} x i64> {first}, <{width} x i64> poison, <{width} x i32> zeroinitializer")
