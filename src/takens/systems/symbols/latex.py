"""Expression trees as LaTeX: fractions, Greek letters, subscripts, cases."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..equations import Equations
from .printing import ATOM, COMPARE, CONDITIONAL, POWER, PRODUCT, SIGN, SUM, level
from .tree import Binary, Call, Compare, Conditional, Expression, Logical, Name, Negative, Number
from .walk import names_in, parts, postorder

GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi",
    "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega", "varepsilon", "vartheta", "varphi", "varrho",
})  # fmt: skip
_OPERATORS = {"<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne", "and": r"\wedge", "or": r"\vee", "%": r"\bmod"}
_FUNCTIONS = {
    **{name: rf"\{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "min", "max")},
    "log": r"\ln", "asin": r"\arcsin", "acos": r"\arccos", "atan": r"\arctan", "heaviside": r"\Theta",
    "sign": r"\operatorname{sgn}", "asinh": r"\operatorname{arsinh}", "acosh": r"\operatorname{arcosh}",
    "atanh": r"\operatorname{artanh}", "atan2": r"\operatorname{atan2}", "erf": r"\operatorname{erf}",
}  # fmt: skip
_AROUND = {
    "abs": (r"\left|", r"\right|"), "sqrt": (r"\sqrt{", "}"), "cbrt": (r"\sqrt[3]{", "}"), "exp": ("e^{", "}"),
    "floor": (r"\left\lfloor ", r" \right\rfloor"), "ceil": (r"\left\lceil ", r" \right\rceil"),
}  # fmt: skip


def symbol(name: str, *, dot: bool = False, index: str = "") -> str:
    r"""A name as LaTeX: `rho` is \rho, `x1` and `x_1` are x_{1}, `tau_syn` is \tau_{\mathrm{syn}}.

    `dot` puts the dot of a time derivative on the letter, `index` adds a last subscript.
    """
    head, *rest = [piece for piece in name.split("_") if piece] or [name]
    match = re.fullmatch(r"([A-Za-z]+?)([0-9]+)", head)
    if match:
        head, rest = match[1], [match[2], *rest]
    letter = rf"\dot{{{_word(head)}}}" if dot else _word(head)
    subscripts = [*map(_word, rest), *([index] if index else [])]
    return f"{letter}_{{{', '.join(subscripts)}}}" if subscripts else letter


def _word(word: str) -> str:
    if word in GREEK:
        return f"\\{word}"
    return word if len(word) == 1 or word.isdigit() else rf"\mathrm{{{word}}}"


def number(value: float) -> str:
    """A constant as LaTeX: 2, 0.25, 10^{-5}, 1.5 \\cdot 10^{20}."""
    mantissa, _, exponent = repr(float(value)).removesuffix(".0").partition("e")
    if not exponent:
        return mantissa
    tens = f"10^{{{int(exponent)}}}"
    mantissa = mantissa.removesuffix(".0")
    if mantissa in ("1", "-1"):
        return mantissa.removesuffix("1") + tens
    return rf"{mantissa} \cdot {tens}"


def latex(expression: Expression, symbols: Mapping[str, str] | None = None) -> str:
    """An expression as LaTeX; `symbols` gives names a form of their own in place of `symbol(name)`.

    Cost: linear in the length of the result.
    """
    forms = {name: symbol(name) for name in names_in(expression)} | dict(symbols or {})
    found: dict[int, str] = {}
    for node in postorder([expression]):
        operands = [_number(node, i, part, found[id(part)]) for i, part in enumerate(parts(node))]
        found[id(node)] = forms[node.name] if isinstance(node, Name) else _latex(node, operands)
    return found[id(expression)]


def _latex(node: Expression, shown: list[str]) -> str:
    """The LaTeX of a node from that of its operands."""
    match node:
        case Number(value):
            return number(value)
        case Negative(argument):
            return f"-{_held(argument, shown[0], PRODUCT)}"
        case Call(function, arguments):
            return _call(function, arguments, shown)
        case Conditional():
            return _cases(node, shown)
        case Binary():
            return _binary(node, shown)
        case Compare():
            left, right = (_held(part, s, SUM) for part, s in zip(parts(node), shown, strict=True))
            return f"{left} {_OPERATORS.get(node.operator, node.operator)} {right}"
        case Logical():
            left, right = (_held(part, s, COMPARE) for part, s in zip(parts(node), shown, strict=True))
            return f"{left} {_OPERATORS[node.operator]} {right}"
    raise TypeError(f"{type(node).__name__} has no LaTeX form")


def _held(part: Expression, shown: str, least: int) -> str:
    """An operand in parentheses unless it holds together at least as tightly as `least`."""
    bracketed = isinstance(part, Compare | Logical) and least > COMPARE
    return shown if bracketed or _level(part) >= least else rf"\left({shown}\right)"


def _number(node: Expression, position: int, part: Expression, shown: str) -> str:
    """A truth value in brackets (Iverson's) where its node needs a number, which is everywhere but in a test."""
    truth_is_meant = isinstance(node, Logical) or (isinstance(node, Conditional) and position == 0)
    return rf"\left[{shown}\right]" if isinstance(part, Compare | Logical) and not truth_is_meant else shown


def _level(part: Expression) -> int:
    match part:
        case Number(value) if value >= 0 and "e" in repr(value):
            return PRODUCT
        case Call("expm1" | "log1p", _):
            return SUM if part.function == "expm1" else ATOM
        case Call("exp", _):
            return POWER
        case Binary("/", _, _):
            return PRODUCT
        case Conditional():
            return CONDITIONAL
    return level(part)


def _call(function: str, arguments: tuple[Expression, ...], shown: list[str]) -> str:
    if function in _AROUND:
        before, after = _AROUND[function]
        return f"{before}{shown[0]}{after}"
    if function == "expm1":
        return f"e^{{{shown[0]}}} - 1"
    if function == "log1p":
        return rf"\ln\left(1 + {_held(arguments[0], shown[0], PRODUCT)}\right)"
    return rf"{_FUNCTIONS[function]}\left({', '.join(shown)}\right)"


def _binary(node: Binary, shown: list[str]) -> str:
    left, right = node.left, node.right
    match node.operator:
        case "/":
            return rf"\frac{{{shown[0]}}}{{{shown[1]}}}"
        case "**":
            if (
                _has_power_of_its_own(left)
                and isinstance(right, Number)
                and right.value.is_integer()
                and right.value > 1
            ):
                name, argument = shown[0].split(r"\left", 1)
                return rf"{name}^{{{shown[1]}}}\left{argument}"
            # A name may end in a subscript, not in a power; everything else that is not a letter is wrapped.
            atomic = isinstance(left, Name) or (isinstance(left, Number) and _level(left) == ATOM)
            base = shown[0] if atomic else _bracketed(left, shown[0])
            return f"{base}^{{{shown[1]}}}"
        case "+" | "-":
            return f"{_held(left, shown[0], SUM)} {node.operator} {_after(right, shown[1])}"
        case "%":
            return rf"{_held(left, shown[0], POWER)} \bmod {_held(right, shown[1], POWER)}"
    first = _held(left, shown[0], PRODUCT if not isinstance(left, Binary) or left.operator != "%" else POWER)
    # A modulo on the right, or a sign, would be read as something else.
    loose = isinstance(right, Binary) and right.operator in ("%", "*")
    second = _held(right, shown[1], POWER if loose else PRODUCT)
    if level(right) == SIGN:
        second = rf"\left({shown[1]}\right)"
    return rf"{first} \cdot {second}" if second[0].isdigit() else rf"{first} \, {second}"


def _has_power_of_its_own(part: Expression) -> bool:
    """Whether powers of a function are written on its name, as in sin^2(x)."""
    return isinstance(part, Call) and part.function in ("sin", "cos", "tan", "sinh", "cosh", "tanh")


def _after(part: Expression, shown: str) -> str:
    """An operand after plus or minus."""
    if level(part) == SIGN or shown.startswith("-"):
        return rf"\left({shown}\right)"
    return _held(part, shown, PRODUCT)


def _bracketed(part: Expression, shown: str) -> str:
    """The base of a power, in brackets unless its own delimiters close it."""
    closed = isinstance(part, Call) and part.function in ("abs", "floor", "ceil", "sqrt", "cbrt")
    return shown if closed else _held(part, shown, ATOM + 1)


def _cases(node: Conditional, shown: list[str]) -> str:
    then = shown[1]
    rows = rf"{then} & \text{{if }} {shown[0]} \\ {shown[2]} & \text{{otherwise}}"
    return rf"\begin{{cases}} {rows} \end{{cases}}"


def aligned(rule: Equations, *, kind: str) -> str:
    """All equations, auxiliary definitions first, as an `aligned` environment.

    A "flow" has dots on the left, a "map" the step as an index on both sides.
    """
    index = kind == "map"
    symbols = {state: symbol(state, index="n" if index else "") for state in rule.states}
    rows = [f"{symbol(name)} &= {latex(expression, symbols)}" for name, expression in rule.auxiliary]
    for state, expression in zip(rule.states, rule.expressions, strict=True):
        left = symbol(state, index="n+1") if index else symbol(state, dot=True)
        rows.append(f"{left} &= {latex(expression, symbols)}")
    body = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"
