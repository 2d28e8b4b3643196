"""The rule of a program for many members at once: the same straight-line code with a vector for every number."""

from __future__ import annotations

import re

from .elementary import FUNCTIONS, functions, symbol
from .emit import RULE, Program, rule

_CALL = re.compile(r"call double @([\w.]+)\((.*?)\) #0")
_CONSTANT = re.compile(r"\b0x[0-9A-F]{16}\b")
_VECTOR = {"sin": "sin_all", "cos": "cos_all"} | {name: name for name in FUNCTIONS}
"""The vector function for each function of the C library that has one."""


def vector_rule(program: Program, width: int) -> list[str]:
    """`void @rule(V t, ptr x, ptr p, ptr out)` for vectors V of `width` members, and the functions it needs.

    States, parameters and right-hand sides are arrays of vectors. Functions without a vector form are called once for
    each member.
    """
    real, truth = f"<{width} x double>", f"<{width} x i1>"
    name, code = rule(program, contract=True)
    arguments = ("double %t", "ptr noalias readonly %x", "ptr noalias readonly %p", "ptr noalias writeonly %out")
    text = code.function(name, arguments, attributes="alwaysinline nounwind")
    called: dict[str, int] = {}

    def call(match: re.Match[str]) -> str:
        function, given = match[1], match[2]
        called[function] = given.count("double")
        return f"call double {_symbol(function, width)}({given})"  # made a vector below

    text = _CONSTANT.sub(lambda match: f"splat (scalar {match[0]})", _CALL.sub(call, text))
    text = re.sub(r"\bi1\b", truth, re.sub(r"\bdouble\b", real, text)).replace("splat (scalar", "splat (double")
    elementary = [_VECTOR[function] for function in called if function in _VECTOR]
    needed = [f"declare double @{function}(double) #0" for function in ("sin", "cos") if function in called]
    for function, count in called.items():
        if function.startswith("llvm."):
            needed.append(f"declare {real} {_symbol(function, width)}({', '.join([real] * count)})")
        elif function not in _VECTOR:
            needed.append(_one_by_one(function, count, width))
    return [*needed, *functions(elementary, width), text]


def _symbol(function: str, width: int) -> str:
    if function.startswith("llvm."):
        return f"@{function.removesuffix('.f64')}.v{width}f64"
    return symbol(_VECTOR[function], width) if function in _VECTOR else f"@takens_{function}.each{width}"


def _one_by_one(function: str, count: int, width: int) -> str:
    """A function of the C library, called for one member after the other."""
    real, lines, result = f"<{width} x double>", [], "poison"
    for lane in range(width):
        for i in range(count):
            lines.append(f"  %a{lane}.{i} = extractelement {real} %x{i}, i64 {lane}")
        given = ", ".join(f"double %a{lane}.{i}" for i in range(count))
        lines.append(f"  %r{lane} = call double @{function}({given}) #0")
        lines.append(f"  %v{lane} = insertelement {real} {result}, double %r{lane}, i64 {lane}")
        result = f"%v{lane}"
    inputs = ", ".join(f"{real} %x{i}" for i in range(count))
    head = f"declare double @{function}({', '.join(['double'] * count)}) #0"
    define = f"define internal {real} {_symbol(function, width)}({inputs}) nounwind {{"
    return "\n".join([head, define, "entry:", *lines, f"  ret {real} {result}", "}", ""])


__all__ = ["RULE", "vector_rule"]
