"""No text escapes the parser: classic injections, and a hundred thousand random texts."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trees import NAMES, trees

from takens.errors import EquationError
from takens.systems.symbols import expression as grammar
from takens.systems.symbols.evaluate import evaluate
from takens.systems.symbols.expression import parse
from takens.systems.symbols.printing import text
from takens.systems.symbols.tree import FUNCTIONS, Binary, Call, Compare, Conditional, Logical, Name, Negative, Number
from takens.systems.symbols.walk import names_in, postorder

INJECTIONS = [
    "__import__('os').system('true')",
    "().__class__.__bases__[0].__subclasses__()",
    "x.__class__",
    "getattr(x, '__class__')",
    "eval('1')",
    "exec('1')",
    "open('/etc/passwd')",
    "lambda: x",
    "(lambda: x)()",
    "[x for x in y]",
    "{x: y}",
    "{x}",
    "[x]",
    "f'{x}'",
    "'x'",
    '"""x"""',
    "b'x'",
    "x if (y := 1) else 2",
    "x; y",
    "x, y",
    "*x",
    "**x",
    "print(x)",
    "globals()",
    "breakpoint()",
    "__builtins__",
    "_",
    "sin.__call__(x)",
    "sin(*x)",
    "sin(x=1)",
    "max(x, y, key=abs)",
    "0x10",
    "1_000",
    "1j",
    "0b1",
    "1e",
    "1e+",
    "True",
    "None",
    "nan",
    "inf",
    "x @ y",
    "x // y",
    "x << 100",
    "~x",
    "x is y",
    "x in y",
    "await x",
    "yield x",
    "#x",
    "x # y",
    "\\x41",
    "x\\\ny",
    "${x}",
    "`x`",
    "x\u200b",
    "ｘ",
    "1٣",
    "\ud800",
    "\ufeffx",
    "x\x0by",
    "factorial(1000000000)",
    "x!",
]


@pytest.mark.parametrize("source", INJECTIONS, ids=ascii)
def test_injections_are_refused(source: str) -> None:
    with pytest.raises(EquationError) as caught:
        parse(source, NAMES)
    assert str(caught.value)


FRAGMENTS = [
    *NAMES, *FUNCTIONS, "pi", "e", "(", ")", "+", "-", "*", "/", "**", "^", "%", "<", "<=", "==", "!=", " if ",
    " else ", " and ", " or ", ",", ".", "1", "2.5", "1e308", "1e-308", "0", "not", " ", "\n", "_", "[", "'", "lambda",
    "__class__", "\0", "é", "²",
]  # fmt: skip
SOURCES = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="xyrho1.e+-*/^%()<>=!, ifelsandor_'[]", max_size=60),
    st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join),
    st.tuples(trees().map(text), st.integers(0, 80), st.sampled_from(FRAGMENTS)).map(
        lambda t: t[0][: t[1]] + t[2] + t[0][t[1] :]
    ),
    st.tuples(st.sampled_from(FRAGMENTS), st.integers(1, 3000)).map(lambda t: t[0] * t[1]),
)
POINT = {name: 0.5 + i for i, name in enumerate(NAMES)}


def check_any_text(source: str) -> None:
    """Either an error that can be shown, or a tree of the allow-list that prints, reads back and has a value."""
    try:
        tree = parse(source, NAMES)
    except EquationError as refused:
        shown = str(refused)
        assert refused.cause in shown  # noqa: PT017
        return
    assert set(names_in(tree)) <= {*NAMES, "pi", "e"}
    for node in postorder([tree]):
        assert type(node) in (Number, Name, Negative, Binary, Call, Compare, Logical, Conditional)
        if isinstance(node, Number):
            assert type(node.value) is float
            assert math.isfinite(node.value)
    shown = text(tree)
    if len(shown) <= grammar.LONGEST:
        assert parse(shown, NAMES) == tree
    assert evaluate(tree, POINT).shape == ()


@pytest.fixture
def without_collection() -> Iterator[None]:
    """No garbage collection: over all that hypothesis keeps it can take as long as the hang that is looked for."""
    gc.disable()
    yield
    gc.enable()


def check_quickly(source: str) -> None:
    """Check within a second of processor time, which a busy machine does not lengthen."""
    began = time.process_time()
    check_any_text(source)
    assert time.process_time() - began < 1.0


@settings(max_examples=2_000, deadline=None, derandomize=True, database=None)
@given(SOURCES)
def test_any_text_is_refused_or_read(source: str) -> None:
    check_quickly(source)


@pytest.mark.long
@pytest.mark.usefixtures("without_collection")
@pytest.mark.parametrize("part", range(20))
@settings(max_examples=5_000, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SOURCES)
def test_any_of_a_hundred_thousand_texts_is_refused_or_read(part: int, source: str) -> None:
    check_quickly(source)
