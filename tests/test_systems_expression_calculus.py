"""Derivatives against SymPy and finite differences, and the two printed forms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from trees import NAMES, SMOOTH, trees

from takens.systems.symbols.differentiate import ZERO, differentiate
from takens.systems.symbols.evaluate import evaluate
from takens.systems.symbols.expression import parse
from takens.systems.symbols.latex import latex, symbol
from takens.systems.symbols.printing import text
from takens.systems.symbols.tree import FUNCTIONS, Binary, Call, Expression, Name, Negative, Number
from takens.systems.symbols.walk import names_in, postorder


def derivative(source: str, name: str = "x") -> str:
    return text(differentiate(parse(source, NAMES), name))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("3", "0"),
        ("y", "0"),
        ("x", "1"),
        ("-x", "-1"),
        ("2*x + y", "2"),
        ("x*y - x*3", "y - 3"),
        ("x**2", "2*x"),
        ("x**3", "3*x**2"),
        ("x**-1", "-x**-2"),
        ("x**y", "y*x**(y - 1)"),
        ("2**x", "2**x*log(2)"),
        ("y/x", "-(y/x**2)"),
        ("x/y", "1/y"),
        ("sin(2*x)", "2*cos(2*x)"),
        ("cos(x)", "-sin(x)"),
        ("exp(-x)", "-exp(-x)"),
        ("abs(x)", "sign(x)"),
        ("floor(x) + ceil(x) + sign(x) + heaviside(x)", "0"),
        ("max(x, y)", "1 if x >= y else 0"),
        ("min(x, 2*x)", "1 if x <= 2*x else 2"),
        ("x % y", "1"),
        ("x**2 if x > 0 else y", "2*x if x > 0 else 0"),
        ("(x > 0)*x", "x > 0"),
        ("3 if x > 0 else y", "0"),
        ("atan2(x, y)", "y/(y**2 + x**2)"),
    ],
)
def test_derivatives_are_simple(source: str, expected: str) -> None:
    assert derivative(source) == expected


def test_derivatives_by_the_divisor_of_a_remainder() -> None:
    slope = differentiate(parse("7.5 % y", NAMES), "y")
    assert float(evaluate(slope, {"y": 2.0})) == -3.0


def test_the_chain_rule_goes_through_definitions() -> None:
    slope = differentiate(parse("rho*y", NAMES), "x", {"y": Name("y'")})
    assert slope == Binary("*", Name("rho"), Name("y'"))


def test_a_constant_that_overflows_is_left_as_it_is() -> None:
    slope = differentiate(parse("x*1e200*1e200", ("x",)), "x")
    assert all(math.isfinite(node.value) for node in postorder([slope]) if isinstance(node, Number))
    assert math.isinf(float(evaluate(slope, {})))


def to_sympy(tree: Expression) -> Any:
    """The SymPy form of a smooth tree."""
    import sympy as sp

    special = {
        "cbrt": sp.cbrt, "expm1": lambda u: sp.exp(u) - 1, "log1p": lambda u: sp.log(1 + u), "abs": sp.Abs,
        "min": sp.Min, "max": sp.Max, "ceil": sp.ceiling,
    }  # fmt: skip
    found: dict[int, Any] = {}
    for node in postorder([tree]):
        match node:
            case Number(value):
                form = sp.Float(value) if not value.is_integer() else sp.Integer(int(value))
            case Name(name):
                form = sp.Symbol(name, real=True)
            case Negative(argument):
                form = -found[id(argument)]
            case Call(function, arguments):
                make = special.get(function) or getattr(sp, function)
                form = make(*(found[id(a)] for a in arguments))
            case Binary(operator, left, right):
                a, b = found[id(left)], found[id(right)]
                form = {"+": a + b, "-": a - b, "*": a * b}[operator] if operator in "+-*" else None
                form = a / b if operator == "/" else a**b if operator == "**" else form
            case _:
                raise AssertionError(node)
        found[id(node)] = form
    return found[id(tree)]


@pytest.mark.parametrize("function", sorted(set(SMOOTH) | {"abs"}))
def test_the_derivative_of_every_smooth_function_is_sympys(function: str) -> None:
    import sympy as sp

    source = "atan2(x, y)" if function == "atan2" else f"{function}(x*y)"
    tree = parse(source, NAMES)
    x, y = 1.75 if function == "acosh" else 0.35, 0.8
    exact = sp.diff(to_sympy(tree), sp.Symbol("x", real=True)).subs({"x": x})
    exact = exact.subs({sp.Symbol("x", real=True): sp.Float(x, 30), sp.Symbol("y", real=True): sp.Float(y, 30)})
    found = float(evaluate(differentiate(tree, "x"), {"x": x, "y": y}))
    assert found == pytest.approx(float(sp.re(exact.evalf(30))), rel=1e-13)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(trees(operators=("+", "-", "*", "/"), functions=["sin", "exp", "tanh", "atan", "sqrt", "log"], tests=False))
def test_derivatives_of_random_smooth_trees_are_sympys(tree: Expression) -> None:
    import sympy as sp

    point = {"x": 0.7, "y": 1.3, "rho": 2.1, "tau_s": 0.4, "x1": 1.9}
    value = float(evaluate(tree, point))
    slope = float(evaluate(differentiate(tree, "x"), point))
    if not (math.isfinite(value) and math.isfinite(slope)) or max(abs(value), abs(slope)) > 1e6:
        return
    exact = sp.diff(to_sympy(tree), sp.Symbol("x", real=True))
    exact = exact.subs({sp.Symbol(name, real=True): sp.Float(v, 40) for name, v in point.items()}).evalf(40)
    if exact.is_real:
        assert slope == pytest.approx(float(exact), rel=1e-8, abs=1e-8)


def slopes_and_differences(tree: Expression, points: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Exact derivatives and central differences by x where two step sizes agree, which leaves kinks and jumps out."""

    def difference(h: float) -> np.ndarray:
        above, below = ({**points, "x": points["x"] + s} for s in (h, -h))
        return (evaluate(tree, above) - evaluate(tree, below)) / (2 * h)

    with np.errstate(all="ignore"):
        coarse, fine = difference(2e-5), difference(1e-5)
        exact = evaluate(differentiate(tree, "x"), points)
        good = np.isfinite(evaluate(tree, points)) & (np.abs(fine) < 1e6) & (np.abs(evaluate(tree, points)) < 1e6)
        good &= np.abs(coarse - fine) < 1e-5 * (1 + np.abs(fine))
    return exact[good], fine[good]


def test_derivatives_of_random_trees_are_the_limits_of_differences() -> None:
    rng = np.random.default_rng(5)
    points = {name: rng.normal(0.0, 2.0, 40) for name in NAMES}
    compared = 0

    @settings(max_examples=400, deadline=None, derandomize=True, database=None)
    @given(trees())
    def check(tree: Expression) -> None:
        nonlocal compared
        exact, differences = slopes_and_differences(tree, points)
        np.testing.assert_allclose(exact, differences, rtol=1e-3, atol=1e-3)
        compared += int(np.count_nonzero(exact))

    check()
    assert compared > 1000


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(trees(leaves=30))
def test_the_size_of_a_derivative_is_linear(tree: Expression) -> None:
    count = sum(1 for _ in postorder([tree]))
    assert sum(1 for _ in postorder([differentiate(tree, "x")])) <= 14 * count + 2


def test_the_derivative_of_what_the_limits_allow_is_quick_and_has_a_value() -> None:
    tree = parse("sin(" * 49 + "x" + ")" * 49, NAMES)
    slope = differentiate(differentiate(tree, "x"), "x")
    x = np.linspace(-1, 1, 5)
    h = 1e-4
    values = [evaluate(tree, {"x": x + s}) for s in (h, 0.0, -h)]
    np.testing.assert_allclose(evaluate(slope, {"x": x}), (values[0] - 2 * values[1] + values[2]) / h**2, atol=1e-6)
    assert differentiate(tree, "y") == ZERO


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("sigma*(y - x)", r"\sigma \, \left(y - x\right)"),
        ("x*(rho - z) - y", r"x \, \left(\rho - z\right) - y"),
        ("x_1/(1 + x_1)**2", r"\frac{x_{1}}{\left(1 + x_{1}\right)^{2}}"),
        ("x1**2", "x_{1}^{2}"),
        ("2*3*x", r"2 \cdot 3 \, x"),
        ("x*2", r"x \cdot 2"),
        ("x*(y*z)", r"x \, \left(y \, z\right)"),
        ("-x**2", "-x^{2}"),
        ("(-x)**2", r"\left(-x\right)^{2}"),
        ("x**y**z", "x^{y^{z}}"),
        ("(x**y)**z", r"\left(x^{y}\right)^{z}"),
        ("(x/y)**2", r"\left(\frac{x}{y}\right)^{2}"),
        ("exp(-x/2)", r"e^{\frac{-x}{2}}"),
        ("exp(x)**2", r"\left(e^{x}\right)^{2}"),
        ("sin(x)**2", r"\sin^{2}\left(x\right)"),
        ("sin(x)**-1", r"\left(\sin\left(x\right)\right)^{-1}"),
        ("x - (y - z)", r"x - \left(y - z\right)"),
        ("x + (-y)", r"x + \left(-y\right)"),
        ("x*-2", r"x \, \left(-2\right)"),
        ("-(x + y)", r"-\left(x + y\right)"),
        ("abs(x) + sqrt(y)", r"\left|x\right| + \sqrt{y}"),
        ("log1p(x*y)", r"\ln\left(1 + x \, y\right)"),
        ("2*expm1(x)", r"2 \, \left(e^{x} - 1\right)"),
        ("1e-5*x", r"10^{-5} \, x"),
        ("1.5e20*x", r"1.5 \cdot 10^{20} \, x"),
        ("(1e-5)**x", r"\left(10^{-5}\right)^{x}"),
        ("(x > 0)*y", r"\left[x > 0\right] \, y"),
        ("-(x > 0)/2", r"\frac{-\left[x > 0\right]}{2}"),
        ("exp(x < y) + (x or y)", r"e^{\left[x < y\right]} + \left[x \vee y\right]"),
        ("x**(x > y and z)", r"x^{\left[x > y \wedge z\right]}"),
        ("(x > 0)**2", r"\left[x > 0\right]^{2}"),
        ("x % (2*pi)", r"x \bmod \left(2 \, \pi\right)"),
        ("atan2(y, x)", r"\operatorname{atan2}\left(y, x\right)"),
        (
            "x if 0 < x <= 1 else -y",
            r"\begin{cases} x & \text{if } 0 < x \wedge x \le 1 \\ -y & \text{otherwise} \end{cases}",
        ),
    ],
)
def test_latex(source: str, expected: str) -> None:
    assert latex(parse(source, ("x", "y", "z", "x1", "x_1", "sigma", "rho"))) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x", "x"),
        ("rho", r"\rho"),
        ("x12", "x_{12}"),
        ("x_1", "x_{1}"),
        ("omega0", r"\omega_{0}"),
        ("tau_syn", r"\tau_{\mathrm{syn}}"),
        ("gain", r"\mathrm{gain}"),
        ("d_alpha", r"d_{\alpha}"),
        ("g_Na_1", r"g_{\mathrm{Na}, 1}"),
        ("Alpha", r"\mathrm{Alpha}"),
        ("x_", "x"),
    ],
)
def test_symbols(name: str, expected: str) -> None:
    assert symbol(name) == expected


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(trees(tests=False))
def test_latex_is_well_formed(tree: Expression) -> None:
    from matplotlib.mathtext import MathTextParser

    shown = latex(tree)
    # mathtext has no \bmod, and \operatorname only since recently; both are plain words for the purpose of form.
    shown = shown.replace(r"\bmod", "+").replace(r"\operatorname", r"\mathrm")
    assert MathTextParser("path").parse(f"${shown}$").width > 0


def test_every_function_prints_and_differentiates() -> None:
    for name, count in FUNCTIONS.items():
        tree = Call(name, (Name("x"), Name("y"))[:count])
        assert parse(text(tree), NAMES) == tree
        assert latex(tree)
        assert set(names_in(differentiate(tree, "x"))) <= {"x", "y"}
