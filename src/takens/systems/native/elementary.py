"""Elementary functions as branch-free machine code, for one number or for vectors of numbers at once.

The C library computes one value a call, which stops loops from being vectorised and costs ten times as much in SIMD
code. These are polynomials after exact reductions of the argument, written as LLVM assembly with selects in place of
branches. Errors are below 2 units in the last place where the result is a normal number (tests measure them); zeros
keep their sign, NaN stays NaN, infinities and overflow give what IEEE 754 says. Reductions and polynomials of sin, cos
and log are those of fdlibm (Sun Microsystems 1993), tanh near 0 is that of Cephes (Moshier 1989).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Sequence

from .ir import literal

LIMIT = 2.0**27
"""sin and cos hold for arguments up to this size; beyond, they are NaN, and sin_all and cos_all call the C library."""

_ROUNDER = 1.5 * 2.0**52
"""Adding this leaves the nearest whole number in the low bits."""
_ROUNDER_BITS = struct.unpack("<q", struct.pack("<d", _ROUNDER))[0]
# pi / 2 in three parts of at most 26 bits, whose products with whole numbers below 2^27 are exact, and the rest.
_HALF_PI = (1.5707963407039642, -1.3909067675399456e-08, 6.123233932053594e-17, 6.36831716351095e-25)
_LOG_2 = (6.93147180369123816490e-01, 1.90821492927058770002e-10)
_SINE = (
    -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06,
    -2.50507602534068634195e-08, 1.58969099521155010221e-10,
)  # fmt: skip
_COSINE = (
    4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05, -2.75573143513906633035e-07,
    2.08757232129817482790e-09, -1.13596475577881948265e-11,
)  # fmt: skip
_LOGARITHM = (
    6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
    1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
)  # fmt: skip
_TANH_ABOVE = (-1.61468768441708447952e3, -9.92877231001918586564e1, -9.64399179425052238628e-1)
_TANH_BELOW = (4.84406305325125486048e3, 2.23548839060100448583e3, 1.12811678491632931402e2, 1.0)


def functions(names: Iterable[str], width: int = 1) -> list[str]:
    """The definitions of some functions of `FUNCTIONS` in LLVM assembly, each once, with those that they need.

    `@takens_sin` takes and returns a double; with `width` > 1 `@takens_sin.v8` a vector of that many. All are to be
    inlined, and equal parts of what is inlined are merged: sin and cos of one argument cost little more than one.
    Modules that use sin_all or cos_all declare the C library's sin and cos: see `declarations`. Raises KeyError for
    an unknown name.
    """
    return [_definition(name, width) for name in dict.fromkeys(names)]


def declarations(names: Iterable[str]) -> set[str]:
    """What a module with these functions must declare."""
    return {_LIBRARY.format(name.removesuffix("_all")) for name in names if name.endswith("_all")}


def symbol(name: str, width: int = 1) -> str:
    """The name of the function for vectors of a width."""
    return f"@takens_{name}" + (f".v{width}" if width > 1 else "")


_LIBRARY = "declare double @{}(double) #0"


def _definition(name: str, width: int) -> str:
    body = _Body(width)
    if name.endswith("_all"):
        _everywhere(body, FUNCTIONS[name], name.removesuffix("_all"))
    else:
        body.lines.append(f"  ret {body.real} {FUNCTIONS[name](body, '%x')}")
    head = f"define internal {body.real} {symbol(name, width)}({body.real} %x) alwaysinline nounwind {{"
    return "\n".join([head, "entry:", *body.lines, "}", ""])


class _Body:
    """Instructions on lanes: reals and whole numbers of 64 bits; constants are Python numbers."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.real, self.whole, self.truth = (f"<{width} x {k}>" if width > 1 else k for k in ("double", "i64", "i1"))
        self.lines: list[str] = []

    def constant(self, value: float | int | str) -> str:
        if isinstance(value, str):
            return value
        kind, text = ("i64", str(value)) if isinstance(value, int) else ("double", literal(value))
        return f"splat ({kind} {text})" if self.width > 1 else text

    def put(self, text: str) -> str:
        self.lines.append(f"  %v{len(self.lines)} = {text}")
        return f"%v{len(self.lines) - 1}"

    def _two(self, operation: str, left: str | float, right: str | float) -> str:
        return self.put(f"{operation} {self.real} {self.constant(left)}, {self.constant(right)}")

    def add(self, left: str | float, right: str | float) -> str:
        return self._two("fadd contract", left, right)

    def subtract(self, left: str | float, right: str | float) -> str:
        return self._two("fsub contract", left, right)

    def multiply(self, left: str | float, right: str | float) -> str:
        return self._two("fmul contract", left, right)

    def divide(self, left: str | float, right: str | float) -> str:
        return self._two("fdiv", left, right)

    def integer(self, operation: str, left: str, right: int | str) -> str:
        return self.put(f"{operation} {self.whole} {left}, {self.constant(right)}")

    def bits(self, value: str) -> str:
        return self.put(f"bitcast {self.real} {value} to {self.whole}")

    def number(self, bits: str) -> str:
        return self.put(f"bitcast {self.whole} {bits} to {self.real}")

    def compare(self, predicate: str, left: str, right: float) -> str:
        return self.put(f"fcmp {predicate} {self.real} {left}, {self.constant(right)}")

    def select(self, test: str, then: str | float, otherwise: str | float) -> str:
        then, otherwise = self.constant(then), self.constant(otherwise)
        return self.put(f"select {self.truth} {test}, {self.real} {then}, {self.real} {otherwise}")

    def size(self, value: str) -> str:
        return self.number(self.integer("and", self.bits(value), (1 << 63) - 1))

    def polynomial(self, coefficients: Sequence[float], x: str) -> str:
        """c_0 + c_1 x + ..., by Horner's rule."""
        total: str | float = coefficients[-1]
        for coefficient in reversed(coefficients[:-1]):
            total = self.add(self.multiply(x, total), coefficient)
        assert isinstance(total, str)
        return total


def _whole_part(body: _Body, x: str) -> tuple[str, str]:
    """The nearest whole number as a real, and as bits whose low end holds it."""
    shifted = body.add(x, _ROUNDER)
    return body.subtract(shifted, _ROUNDER), body.bits(shifted)


def _power_of_two(body: _Body, exponent: str) -> str:
    """2^k from whole k within the exponents of normal numbers."""
    return body.number(body.integer("shl", body.integer("add", exponent, 1023), 52))


def _scaled(body: _Body, x: str, bits: str) -> str:
    """x 2^k for the whole number k left by `_whole_part`; in two steps, as 2^k may leave the range on its own."""
    # The exponent, with its sign, from the low 12 bits.
    k = body.integer("ashr", body.integer("shl", bits, 52), 52)
    half = body.integer("ashr", k, 1)
    rest = body.integer("sub", k, half)
    return body.multiply(body.multiply(x, _power_of_two(body, half)), _power_of_two(body, rest))


def _circular(body: _Body, x: str, quarter: int) -> str:
    """sin(x + quarter pi / 2): x less a multiple of pi / 2, in two parts, and the polynomial of the quadrant."""
    n, bits = _whole_part(body, body.multiply(x, 2 / math.pi))
    first, second, third, rest = _HALF_PI
    near = body.subtract(body.subtract(x, body.multiply(n, first)), body.multiply(n, second))  # exact
    small = body.multiply(n, third)
    high = body.subtract(near, small)
    back = body.subtract(near, high)  # what the difference lost (Knuth's two-sum)
    lost = body.add(body.subtract(near, body.add(high, back)), body.subtract(back, small))
    tail = body.subtract(lost, body.multiply(n, rest))
    r = body.add(high, tail)
    low = body.add(body.subtract(high, r), tail)
    sine, cosine = _sine(body, r, low), _cosine(body, r, low)
    quadrant = body.integer("add", bits, quarter)
    odd = body.put(f"icmp ne {body.whole} {body.integer('and', quadrant, 1)}, {body.constant(0)}")
    sign = body.integer("shl", body.integer("and", quadrant, 2), 62)
    value = body.number(body.integer("xor", body.bits(body.select(odd, cosine, sine)), sign))
    return body.select(body.compare("ole", body.size(x), LIMIT), value, math.nan)


def _sine(body: _Body, r: str, low: str) -> str:
    z = body.multiply(r, r)
    cube = body.multiply(z, r)
    series = body.polynomial(_SINE[1:], z)
    inner = body.subtract(body.multiply(0.5, low), body.multiply(cube, series))
    inner = body.subtract(body.multiply(z, inner), low)
    return body.subtract(r, body.subtract(inner, body.multiply(cube, _SINE[0])))


def _cosine(body: _Body, r: str, low: str) -> str:
    z = body.multiply(r, r)
    series = body.multiply(z, body.polynomial(_COSINE, z))
    half = body.multiply(0.5, z)
    main = body.subtract(1.0, half)
    rest = body.subtract(body.multiply(z, series), body.multiply(r, low))
    return body.add(main, body.add(body.subtract(body.subtract(1.0, main), half), rest))


def _sin(body: _Body, x: str) -> str:
    # The sum of the parts of a reduced -0 is +0.
    return body.select(body.compare("oeq", x, 0.0), x, _circular(body, x, 0))


def _cos(body: _Body, x: str) -> str:
    return _circular(body, x, 1)


_EXPONENTIAL = [1 / math.factorial(k) for k in range(2, 14)]


def _exponential(body: _Body, r: str, low: str) -> str:
    """exp(r + low) for |r| <= log(2) / 2: the small terms first."""
    square = body.multiply(r, r)
    return body.add(1.0, body.add(r, body.add(body.multiply(square, body.polynomial(_EXPONENTIAL, r)), low)))


def _within(body: _Body, x: str, least: float, most: float) -> str:
    """x moved into a range; NaN stays."""
    x = body.select(body.compare("ogt", x, most), most, x)
    return body.select(body.compare("olt", x, least), least, x)


def _exp(body: _Body, x: str) -> str:
    x = _within(body, x, -750.0, 710.0)
    n, bits = _whole_part(body, body.multiply(x, 1 / math.log(2)))
    high, low = body.subtract(x, body.multiply(n, _LOG_2[0])), body.multiply(n, _LOG_2[1])
    r = body.subtract(high, low)
    left = body.subtract(body.subtract(high, r), low)
    return _scaled(body, _exponential(body, r, left), bits)


def _exp2(body: _Body, x: str) -> str:
    x = _within(body, x, -1080.0, 1025.0)
    n, bits = _whole_part(body, x)
    fraction = body.subtract(x, n)  # exact
    high, low = body.multiply(fraction, _LOG_2[0]), body.multiply(fraction, _LOG_2[1])
    r = body.add(high, low)
    return _scaled(body, _exponential(body, r, body.add(body.subtract(high, r), low)), bits)


def _mantissa(body: _Body, x: str) -> tuple[str, str]:
    """(k, m) with x = 2^k m and m between sqrt(1/2) and sqrt(2), for positive finite x."""
    tiny = body.compare("olt", x, 2.0**-1022)
    bits = body.bits(body.select(tiny, body.multiply(x, 2.0**54), x))
    shifted = body.integer("sub", bits, 0x3FE6A09E667F3BCD)
    exponent = body.integer("ashr", shifted, 52)
    m = body.number(body.integer("sub", bits, body.integer("shl", exponent, 52)))
    # Added to the bits of a large number, a whole number becomes a real without an instruction few processors have.
    k = body.subtract(body.number(body.integer("add", exponent, _ROUNDER_BITS)), _ROUNDER)
    return body.subtract(k, body.select(tiny, 54.0, 0.0)), m


def _logarithm(body: _Body, m: str) -> tuple[str, str, str]:
    """(f, c, p) with log(m) = f - (c - p)."""
    f = body.subtract(m, 1.0)
    s = body.divide(f, body.add(2.0, f))
    z = body.multiply(s, s)
    series = body.multiply(z, body.polynomial(_LOGARITHM, z))
    half = body.multiply(0.5, body.multiply(f, f))
    return f, half, body.multiply(s, body.add(half, series))


def _at_edges(body: _Body, x: str, value: str) -> str:
    """The logarithm of zero, infinity and what has none."""
    value = body.select(body.compare("oeq", x, math.inf), math.inf, value)
    value = body.select(body.compare("oeq", x, 0.0), -math.inf, value)
    return body.select(body.compare("oge", x, 0.0), value, math.nan)


def _log(body: _Body, x: str) -> str:
    k, m = _mantissa(body, x)
    f, half, product = _logarithm(body, m)
    low = body.add(product, body.multiply(k, _LOG_2[1]))
    value = body.subtract(body.multiply(k, _LOG_2[0]), body.subtract(body.subtract(half, low), f))
    return _at_edges(body, x, value)


def _log2(body: _Body, x: str) -> str:
    k, m = _mantissa(body, x)
    f, half, product = _logarithm(body, m)
    natural = body.subtract(f, body.subtract(half, product))
    return _at_edges(body, x, body.add(k, body.multiply(natural, 1 / math.log(2))))


_ROUGH_LOG_2 = (-2.50561466, 4.04961689, -2.09940228, 0.635511117, -0.0800108769)
_ROUGH_POWERS = [math.log(2) ** k / math.factorial(k) for k in range(5)]


def _log2_rough(body: _Body, x: str) -> str:
    bits = body.bits(x)
    m = body.number(body.integer("or", body.integer("and", bits, (1 << 52) - 1), 1023 << 52))
    k = body.integer("add", body.integer("sub", body.integer("lshr", bits, 52), 1023), _ROUNDER_BITS)
    value = body.add(body.subtract(body.number(k), _ROUNDER), body.polynomial(_ROUGH_LOG_2, m))
    return body.select(body.compare("olt", x, math.inf), value, x)


def _exp2_rough(body: _Body, x: str) -> str:
    x = _within(body, x, -1000.0, 1000.0)
    n, bits = _whole_part(body, x)
    value = body.polynomial(_ROUGH_POWERS, body.subtract(x, n))
    k = body.integer("ashr", body.integer("shl", bits, 52), 52)
    return body.multiply(value, _power_of_two(body, k))


def _tanh(body: _Body, x: str) -> str:
    size = body.size(x)
    z = body.multiply(x, x)
    quotient = body.divide(body.polynomial(_TANH_ABOVE, z), body.polynomial(_TANH_BELOW, z))
    near = body.add(size, body.multiply(size, body.multiply(z, quotient)))
    # Beyond 22 it rounds to 1; the bound keeps the exponential finite.
    doubled = body.multiply(2.0, body.select(body.compare("ogt", size, 22.0), 22.0, size))
    far = body.subtract(1.0, body.divide(2.0, body.add(_exp(body, doubled), 1.0)))
    value = body.bits(body.select(body.compare("olt", size, 0.625), near, far))
    return body.number(body.integer("or", value, body.integer("and", body.bits(x), -(1 << 63))))


def _everywhere(body: _Body, near: Callable[[_Body, str], str], name: str) -> None:
    """`near`, and the C library's value, lane by lane, where an argument is beyond the limit."""
    value = near(body, "%x")
    beyond = body.compare("ogt", body.size("%x"), LIMIT)
    some = beyond
    if body.width > 1:
        mask = body.put(f"bitcast {body.truth} {beyond} to i{body.width}")
        some = body.put(f"icmp ne i{body.width} {mask}, 0")
    body.lines += [f"  br i1 {some}, label %library, label %done", "library:"]
    found = "poison"
    if body.width == 1:
        found = body.put(f"call double @{name}(double %x) #0")
    for lane in range(body.width if body.width > 1 else 0):
        part = body.put(f"extractelement {body.real} %x, i64 {lane}")
        exact = body.put(f"call double @{name}(double {part}) #0")
        found = body.put(f"insertelement {body.real} {found}, double {exact}, i64 {lane}")
    mixed = body.select(beyond, found, value)  # other lanes do not feel that one is beyond
    body.lines += ["  br label %done", "done:"]
    result = body.put(f"phi {body.real} [ {value}, %entry ], [ {mixed}, %library ]")
    body.lines.append(f"  ret {body.real} {result}")


FUNCTIONS: dict[str, Callable[[_Body, str], str]] = {
    "sin": _sin, "cos": _cos, "sin_all": _sin, "cos_all": _cos, "exp": _exp, "exp2": _exp2, "log": _log, "log2": _log2,
    "tanh": _tanh, "log2_rough": _log2_rough, "exp2_rough": _exp2_rough,
}  # fmt: skip
"""What there is; sin and cos within `LIMIT`, sin_all and cos_all everywhere, with a branch that is rarely taken.

The rough ones are for step lengths: right to 0.0002, for positive normal numbers and within -1000 ... 1000.
"""
