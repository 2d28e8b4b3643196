"""Text to trees and back: the grammar, its errors, its limits, and the values of what was read."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trees import NAMES, trees

from takens.errors import EquationError
from takens.systems.symbols import expression as grammar
from takens.systems.symbols.evaluate import evaluate, program
from takens.systems.symbols.expression import parse
from takens.systems.symbols.printing import text
from takens.systems.symbols.tree import FUNCTIONS, Binary, Call, Compare, Conditional, Logical, Name, Negative, Number
from takens.systems.symbols.walk import postorder

X, Y = Name("x"), Name("y")


def error(source: str, names: tuple[str, ...] = NAMES) -> EquationError:
    with pytest.raises(EquationError) as caught:
        parse(source, names)
    return caught.value


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("x", X),
        ("-2", Number(-2)),
        ("--2", Number(2)),
        ("-x**2", Negative(Binary("**", X, Number(2)))),
        ("(-x)**2", Binary("**", Negative(X), Number(2))),
        ("x^-2", Binary("**", X, Number(-2))),
        ("x**y**2", Binary("**", X, Binary("**", Y, Number(2)))),
        ("-x*y", Binary("*", Negative(X), Y)),
        ("x - y - 1", Binary("-", Binary("-", X, Y), Number(1))),
        ("x/y*x", Binary("*", Binary("/", X, Y), X)),
        ("x % y + .5e1", Binary("+", Binary("%", X, Y), Number(5))),
        ("max(x, +y)", Call("max", (X, Y))),
        ("x < y", Compare("<", X, Y)),
        ("0 < x <= y", Logical("and", Compare("<", Number(0), X), Compare("<=", X, Y))),
        (
            "x or y and x > 1 + 2",
            Logical("or", X, Logical("and", Y, Compare(">", X, Binary("+", Number(1), Number(2))))),
        ),
        (
            "1 if x else 2 if y else 3",
            Conditional(X, Number(1), Conditional(Y, Number(2), Number(3))),
        ),
        ("\n x\t+\r\n y ", Binary("+", X, Y)),
        ("2*pi", Binary("*", Number(2), Name("pi"))),
    ],
)
def test_the_grammar(source: str, tree: object) -> None:
    assert parse(source, NAMES) == tree


def test_a_declared_name_takes_precedence_over_a_constant_and_may_be_lambda() -> None:
    assert float(evaluate(parse("e*lambda", ("e", "lambda")), {"e": 2.0, "lambda": 3.0})) == 6.0
    assert float(evaluate(parse("e", ()), {})) == math.e


@pytest.mark.parametrize(
    ("source", "cause", "position", "remedy"),
    [
        ("2x", "operator is missing", 1, "written out"),
        ("(x)(y)", "operator is missing", 3, "written out"),
        ("x(y + 1)", "'x' is not a function", 0, r"x*(...)"),
        ("x y", "operator is missing", 2, "written out"),
        ("sin x", "'sin' is a function", 0, "sin(x)"),
        ("rhoo*x", "unknown name 'rhoo'", 0, "Did you mean rho?"),
        ("x + sinn(x)", "unknown function 'sinn'", 4, "Did you mean sin?"),
        ("max(x)", "takes 2 arguments, not 1", 0, "max(x, max(y, z))"),
        ("sin(x, y)", "takes 1 argument, not 2", 0, "sin(x)"),
        ("x = 3", "unexpected character '='", 2, "=="),
        ("x.real", "unexpected character '.'", 1, "attributes"),
        ("x[0]", "unexpected character '['", 1, "subscripts"),
        ("σ*x", "unexpected character 'σ'", 0, "spell Greek"),
        ("x − y", "unexpected character '−'", 2, "minus"),
        ("x*\0", "unexpected character U+0000", 2, ""),
        ("(x + y", "never closed", 0, ""),
        ("x + y)", "never opened", 5, ""),
        ("x +", "ends where a value is needed", 3, ""),
        ("x * / y", "a value is needed before '/'", 4, ""),
        ("1,5*x", "comma outside", 1, "decimal point"),
        ("x if y", "'else' is missing", 6, "value if test else"),
        ("not x", "no `not`", 0, "Turn the comparison"),
        ("x else y", "'else' does not fit", 2, "value if test else"),
        ("   ", "is empty", 0, "Write 0"),
        ("1e400", "not finite", 0, "1.8e308"),
        ("x + 1/0", "infinite or not a number", 5, "finite"),
        ("9**9**9*x", "infinite or not a number", 1, "finite"),
        ("((9**9)**9999)**9999", "infinite or not a number", 7, "finite"),
        ("x*log(-1)", "infinite or not a number", 2, "finite"),
        ("x + exp(1000)*0", "infinite or not a number", 4, "finite"),
    ],
)
def test_errors_point_at_the_character_and_say_what_to_do(source: str, cause: str, position: int, remedy: str) -> None:
    found = error(source)
    assert cause in found.cause
    assert found.position == position
    assert remedy in found.remedy
    lines = str(found).splitlines()
    assert lines[2] == "  " + " " * position + "^"
    assert len(lines[1]) == 2 + len(source)


def test_the_caret_of_a_long_text_is_under_the_character() -> None:
    source = "x + " * 20 + "?" + " + y" * 20
    _, shown, caret, *_ = str(error(source)).splitlines()
    assert shown[caret.index("^")] == "?"
    assert len(shown) < 90


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("x" + " " * grammar.LONGEST, "characters"),
        ("+".join(["x"] * (grammar.DEEPEST + 1)), "levels deep"),
        ("+".join(["(" + "+".join(["x"] * 50) + ")"] * 45), "numbers, names and operations"),
        ("(" * 4000 + "x" + ")" * 4000, "nested more than"),
        ("-" * 5000 + "x", "nested more than"),
        ("x**" * 2000 + "x", "nested more than"),
        ("sin(" * 2000 + "x", "nested more than"),
        ("x if x else " * 800 + "x", "nested more than"),
        ("abs" * 3000, "unknown name"),
    ],
)
def test_limits(source: str, cause: str) -> None:
    began = time.process_time()
    assert cause in error(source).cause
    assert time.process_time() - began < 1.0


def test_what_keeps_the_limits_is_read() -> None:
    sums = parse("+".join(["x"] * grammar.DEEPEST), NAMES)
    assert float(evaluate(sums, {"x": 1.0})) == grammar.DEEPEST
    nested = parse("(" * grammar.MOST_NESTED + "x" + ")" * grammar.MOST_NESTED, NAMES)
    assert nested == X


def test_chained_comparisons_do_not_grow_beyond_the_limit_of_nodes() -> None:
    source = "x"
    for _ in range(30):
        source = f"(x < {source} < y)"
    assert "numbers, names and operations" in error(source).cause


def test_a_caller_deep_in_recursion_gets_the_same_error() -> None:
    def dig(levels: int) -> None:
        if levels:
            dig(levels - 1)
        else:
            parse("(" * 40 + "x" + ")" * 40, NAMES)

    import inspect
    import sys

    with pytest.raises(EquationError, match="nested too deeply"):
        dig(sys.getrecursionlimit() - len(inspect.stack()) - 60)


@pytest.mark.parametrize("source", [None, 3, b"x", ["x"], 1.5])
def test_what_is_not_text_is_refused(source: object) -> None:
    with pytest.raises(EquationError, match="is text"):
        parse(source, NAMES)  # type: ignore[arg-type]


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(trees())
def test_text_reads_back_as_the_same_tree(tree) -> None:  # type: ignore[no-untyped-def]
    try:
        back = parse(text(tree), NAMES)
    except EquationError as refused:
        assume("infinite or not a number" not in refused.cause)
        raise
    assert back == tree


def python_value(source: str, values: dict[str, float]) -> float:
    """The value of an expression in Python's own grammar and floats (test trees only)."""
    known = {name: getattr(math, name) for name in FUNCTIONS if hasattr(math, name)}
    known |= {"abs": abs, "min": min, "max": max, "cbrt": math.cbrt, "pi": math.pi, "e": math.e}
    known["sign"] = lambda v: math.copysign(1.0, v) if v else 0.0
    known["heaviside"] = lambda v: 0.5 * (known["sign"](v) + 1.0)
    return float(eval(source, {"__builtins__": {}}, {**known, **values}))


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(trees(), st.lists(st.sampled_from([-2.5, -1.0, 0.0, 0.25, 1.0, 3.75]), min_size=5, max_size=5))
def test_values_are_those_of_python(tree, point: list[float]) -> None:  # type: ignore[no-untyped-def]
    values = dict(zip(NAMES, point, strict=True))
    try:
        expected = python_value(text(tree), values)
    except (ArithmeticError, ValueError, TypeError):
        # Python raises (or turns complex) where floats are infinite or not a number.
        assume(False)
    logical = any(isinstance(node, Logical) for node in postorder([tree]))
    # Python's `and` and `or` give an operand, ours 1 or 0.
    assume(not logical)
    assume(not math.isnan(expected))
    found = float(evaluate(tree, values))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_arrays_broadcast_and_nothing_warns() -> None:
    tree = parse("x/y + heaviside(x) + (1 if x > y else 10) + x % y", NAMES)
    x, y = np.array([[1.0], [0.0], [-3.0]]), np.array([2.0, 0.0])
    found = evaluate(tree, {"x": x, "y": y})
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found[:, 0], [0.5 + 1 + 10 + 1, 0 + 0.5 + 10 + 0, -1.5 + 0 + 10 + 1])
    assert np.isnan(found[:, 1]).all()


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1/x", math.inf),
        ("-1/x", -math.inf),
        ("log(x)", -math.inf),
        ("heaviside(x)", 0.5),
        ("sign(x)", 0.0),
        ("(x - 5) % 3", 1.0),
        ("5 % (x - 3)", -1.0),
        ("x**x", 1.0),
        ("(x < 1) + (x < 2)", 2.0),
        ("(x and 1) + 2*(x or 3)", 2.0),
        ("(x + 2)**10 - 1024", 0.0),
        ("(x + 2)**-3", 0.125),
        ("(x + 2)**200/2**200", 1.0),
        ("erf(x + 1)", 0.8427007929497149),
        ("cbrt(x - 27)", -3.0),
        ("atan2(x + 1, x - 1)", 3 * math.pi / 4),
    ],
)
def test_semantics_at_zero(source: str, value: float) -> None:
    assert float(evaluate(parse(source, NAMES), {"x": 0.0})) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "source", ["min(x, 1)", "max(1, x)", "x % 1", "sign(x)", "heaviside(x)", "x + (1 if x else 2)"]
)
def test_nan_is_not_lost(source: str) -> None:
    assert math.isnan(float(evaluate(parse(source, NAMES), {"x": math.nan})))


def test_equal_parts_are_computed_once_and_definitions_come_first() -> None:
    shared = [parse(source, ("x", "a")) for source in ("sin(x)*a + 1", "sin(x)*a + 2")]
    made = program(shared, ("x",), [("a", parse("sin(x)**2", ("x",)))])
    # sin, square, product, two sums
    assert len(made.steps) == 5
    first, second = made([np.array([0.3, 0.4])])
    np.testing.assert_allclose(first, np.sin([0.3, 0.4]) ** 3 + 1, rtol=1e-15)
    np.testing.assert_allclose(second - first, 1.0, rtol=1e-15)
