"""Machine code from trees: equal to plain double arithmetic, compiled once, checked tableaux."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from takens.errors import SettingError
from takens.systems.native.compile import adaptive_kernel, compile_rule, taylor_kernel
from takens.systems.native.dop853 import DOP853
from takens.systems.native.emit import Program
from takens.systems.native.tableau import RK4, TSIT5, Tableau
from takens.systems.symbols.evaluate import evaluate
from takens.systems.symbols.expression import parse
from takens.systems.symbols.tree import (
    ARITHMETIC,
    COMPARISONS,
    FUNCTIONS,
    Binary,
    Call,
    Compare,
    Conditional,
    Expression,
    Logical,
    Name,
    Negative,
    Number,
)

LORENZ = ("s*(y - x)", "x*(r - z) - y", "x*y - b*z")


def program(texts: tuple[str, ...], states: str, parameters: str = "", time_name: str = "t") -> Program:
    """A program from text; states and parameters are words."""
    known = (*states.split(), *parameters.split(), time_name)
    return Program(
        tuple(states.split()), tuple(parameters.split()), tuple(parse(text, known) for text in texts), time=time_name
    )


def value(text: str, **values: float) -> float:
    """One compiled expression at given values."""
    return float(compile_rule(program((text,), " ".join(values)))(0.0, np.array(list(values.values())), np.empty(0))[0])


def library(function: str, *arguments: float) -> float:
    """A function as the C library and IEEE 754 have it, where Python raises."""
    try:
        return getattr(math, function)(*arguments)
    except OverflowError:
        return math.inf if function not in ("sinh",) or arguments[0] > 0 else -math.inf
    except ValueError:
        if (function, arguments[0]) in (("log", 0.0), ("log1p", -1.0)):
            return -math.inf
        return math.copysign(math.inf, arguments[0]) if function == "atanh" and abs(arguments[0]) == 1 else math.nan


def trees() -> st.SearchStrategy[Expression]:
    """Random expressions over x and y with every operation of the grammar."""
    leaves = st.one_of(
        st.sampled_from([Name("x"), Name("y"), Name("pi")]),
        st.floats(-4, 4, allow_subnormal=False).map(lambda v: Number(v + 0.0)),
        st.integers(-3, 3).map(lambda n: Number(float(n))),
    )

    def grow(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        unary = st.sampled_from([name for name, count in FUNCTIONS.items() if count == 1])
        binary = st.sampled_from([name for name, count in FUNCTIONS.items() if count == 2])
        return st.one_of(
            inner.map(Negative),
            st.builds(Binary, st.sampled_from(ARITHMETIC), inner, inner),
            st.builds(lambda f, a: Call(f, (a,)), unary, inner),
            st.builds(lambda f, a, b: Call(f, (a, b)), binary, inner, inner),
            st.builds(Compare, st.sampled_from(COMPARISONS), inner, inner),
            st.builds(Logical, st.sampled_from(["and", "or"]), inner, inner),
            st.builds(Conditional, inner, inner, inner),
        )

    return st.recursive(leaves, grow, max_leaves=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(trees(), min_size=8, max_size=8), st.floats(-3, 3), st.floats(-3, 3))
def test_compiled_expressions_equal_those_of_numpy(expressions: list[Expression], x: float, y: float) -> None:
    # NumPy's functions may differ from the C library's in the last bits, which steps such as floor amplify: where the
    # value itself jumps within a few roundings of the inputs, the two need not agree.
    names = ("x", "y")
    found = compile_rule(Program(names, (), tuple(expressions)))(0.0, np.array([x, y]), np.empty(0))
    for tree, got in zip(expressions, found, strict=True):
        near = [evaluate(tree, {"x": x * (1 + a), "y": y * (1 + b)}) for a in (0, 1e-13, -1e-13) for b in (0, 1e-13)]
        expected = float(near[0])
        if math.isnan(expected) or math.isinf(expected):
            steady = all(float(v) == expected or (math.isnan(expected) and math.isnan(v)) for v in near)
            assert not steady or got == expected or (math.isnan(got) and math.isnan(expected)) or abs(got) > 1e300
        else:
            spread = max(abs(float(v) - expected) for v in near)
            assert not np.isfinite(spread) or abs(got - expected) <= 1e-9 * max(1.0, abs(expected)) + 100 * spread


@pytest.mark.parametrize("function", [f for f, count in FUNCTIONS.items() if count == 1 and hasattr(math, f)])
@pytest.mark.parametrize("x", [-2.5, -1.0, -0.3, 0.0, 0.7, 1.0, 3.25, 800.0])
def test_functions_are_those_of_the_c_library(function: str, x: float) -> None:
    expected = library(function, x)
    got = value(f"{function}(x)", x=x)
    assert got == pytest.approx(expected, rel=3e-16, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("x % 3", -1.0, 2.0), ("x % (-3)", 1.0, -2.0), ("x % 3", 7.5, 1.5), ("x % 0", 1.0, math.nan),
        ("heaviside(x)", 0.0, 0.5), ("heaviside(x)", -1.0, 0.0), ("heaviside(x)", 2.0, 1.0),
        ("heaviside(x)", math.nan, math.nan), ("sign(x)", -3.0, -1.0), ("sign(x)", 0.0, 0.0),
        ("min(x, 1)", math.nan, math.nan), ("max(1, x)", math.nan, math.nan), ("max(x, 1)", 2.0, 2.0),
        ("x**3", -2.0, -8.0), ("x**(-2)", 4.0, 0.0625), ("x**0", 0.0, 1.0), ("x**0.5", 9.0, 3.0),
        ("x**2.5", 4.0, 32.0), ("2**x", 10.0, 1024.0), ("1/x", 0.0, math.inf), ("x < 1", 0.0, 1.0),
        ("(x > 1) + (x == 2)", 2.0, 2.0), ("x != x", math.nan, 1.0), ("x if x > 0 else -x", -4.0, 4.0),
        ("x > 0 and x < 1", 0.5, 1.0), ("x < 0 or x > 1", 0.5, 0.0), ("log(x)", -1.0, math.nan),
    ],
)  # fmt: skip
def test_semantics(text: str, x: float, expected: float) -> None:
    assert value(text, x=x) == pytest.approx(expected, nan_ok=True, rel=0, abs=0)


def test_the_time_the_constants_and_names_that_hide_them() -> None:
    plain = compile_rule(program(("t + pi*x",), "x"))
    assert plain(2.0, np.array([1.0]), np.empty(0))[0] == 2 + math.pi
    hidden = compile_rule(program(("pi*x + e",), "x pi", "e"))
    assert hidden(0.0, np.array([2.0, 5.0]), np.array([7.0]))[0] == 17.0


def test_auxiliary_definitions_and_shared_parts_are_computed_once() -> None:
    x, shared = Name("x"), Name("x")
    for _ in range(60):  # as a tree this has 2**60 leaves
        shared = Binary("/", Binary("+", shared, shared), Number(2.0))
    deep = Program(("x",), ("a",), (Binary("*", Name("g"), x),), (("g", Binary("+", shared, Name("a"))),))
    assert compile_rule(deep)(0.0, np.array([3.0]), np.array([1.0]))[0] == 12.0


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(SettingError, match="unknown name 'q'"):
        compile_rule(Program(("x",), (), (Name("q"),)))


def test_equal_programs_share_their_code_and_others_do_not() -> None:
    first, second = program(LORENZ, "x y z", "s r b"), program(LORENZ, "x y z", "s r b")
    assert adaptive_kernel(first, TSIT5) is adaptive_kernel(second, TSIT5)
    assert compile_rule(program(("x + a",), "x", "a")) is not compile_rule(program(("x - a",), "x", "a"))


def test_forty_states_take_loops_instead_of_straight_lines() -> None:
    size = 40
    names = [f"x{i}" for i in range(size)]
    texts = tuple(f"(x{(i + 1) % size} - x{(i - 2) % size})*x{(i - 1) % size} - x{i} + f" for i in range(size))
    rule = compile_rule(program(texts, " ".join(names), "f"))
    x = np.random.default_rng(0).normal(size=size)
    expected = (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + 8.0
    np.testing.assert_allclose(rule(0.0, x, np.array([8.0])), expected, rtol=1e-14)


@pytest.mark.parametrize(("method", "limit"), [("Taylor", 0.1), ("DOP853", 0.2)])
def test_a_small_system_compiles_in_a_tenth_of_a_second(method: str, limit: float) -> None:
    spent = []
    for shift in range(6):  # the first also loads the compiler; a constant makes each program new
        texts = (*LORENZ[:2], f"x*y - b*z + {shift}/1048576")
        began = time.process_time()
        new = program(texts, "x y z", "s r b")
        taylor_kernel(new, 12) if method == "Taylor" else adaptive_kernel(new, DOP853)
        spent.append(time.process_time() - began)
    assert min(spent[1:]) < limit


@pytest.mark.parametrize("tableau", [RK4, TSIT5, DOP853], ids=lambda tableau: tableau.name)
def test_a_wrong_coefficient_is_found(tableau: Tableau) -> None:
    node, row = tableau.stages[2]
    stages = (*tableau.stages[:2], (node, {**row, 1: row[1] + 1e-9}), *tableau.stages[3:])
    with pytest.raises(SettingError, match="row 2"):
        replace(tableau, stages=stages)
    with pytest.raises(SettingError, match="row"):
        replace(tableau, weights={**tableau.weights, 0: 0.0})
    if tableau.errors:
        with pytest.raises(SettingError, match="error weights"):
            replace(tableau, errors=({**tableau.errors[0], 0: 1.0},))
        with pytest.raises(SettingError, match="dense output"):
            replace(tableau, dense=((*tableau.dense[0][:-1], 0.0), *tableau.dense[1:]))
    with pytest.raises(SettingError, match="not explicit"):
        replace(tableau, stages=((0.0, {1: 1.0, 2: -1.0}), *tableau.stages[1:]))


def test_dop853_is_scipys() -> None:
    from scipy.integrate import DOP853 as Peer

    for index, (node, row) in enumerate(DOP853.stages):
        assert node == Peer.C[index]
        assert all(row.get(stage, 0.0) == Peer.A[index, stage] for stage in range(index))
    assert all(DOP853.weights.get(stage, 0.0) == Peer.B[stage] for stage in range(12))
    extra = Peer.A_EXTRA
    for offset, (_, row) in enumerate(DOP853.extra):
        assert all(row.get(stage, 0.0) == extra[offset, stage] for stage in range(16))
