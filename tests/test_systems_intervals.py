"""Bounds over boxes hold for every point of them, and empty means that there is no value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from takens.systems.symbols.evaluate import evaluate, program
from takens.systems.symbols.expression import parse
from takens.systems.symbols.intervals import Interval, operation

TEXTS = [
    "x*y - x**2", "sin(x) + cos(3*y)", "tan(x)", "exp(x)/y", "log(x)*sqrt(y)", "x**y", "x**-3", "abs(x)**1.5", "x % y",
    "floor(x) + ceil(y)", "min(x, y)*max(x, -y)", "atan2(y, x)", "acos(x/3)", "asin(y)", "cosh(x)*sinh(y)",
    "tanh(x) + erf(y) + cbrt(x)", "heaviside(x) + sign(y)", "x if x > y else y**2",
    "1 if x > 0 and y < 1 or x == y else 2",
    "acosh(x)", "atanh(y)", "log1p(x) + expm1(y)", "asinh(x)", "x**5 - 1/x", "atan(x)", "(x - y)**0.5", "2**x",
    "x**4/(1 + x**4)", "x**0 + y*pi", "(x < y) - (x != y)", "1/(x*x)",
]  # fmt: skip


def bounds(text: str, low: np.ndarray, high: np.ndarray) -> Interval:
    tree = parse(text, ["x", "y"])
    values = [Interval(low[:, i], high[:, i]) for i in range(2)]
    return program([tree], ["x", "y"], operations=operation)(values)[0]


@pytest.mark.parametrize("text", TEXTS)
def test_bounds_hold_everywhere_in_a_box(text: str) -> None:
    random = np.random.default_rng(len(text))
    middle = 2 * random.normal(size=(2000, 2))
    width = 10.0 ** random.uniform(-4, 0.7, size=(2000, 2))
    width[:200] = 0  # points: only rounding is left
    low, high = middle - width, middle + width
    found = bounds(text, low, high)
    points = low + random.uniform(size=(100, 2000, 2)) * (high - low)
    points[0], points[1] = low, high
    points = np.clip(points, low, high)
    values = evaluate(parse(text, ["x", "y"]), {"x": points[..., 0], "y": points[..., 1]})
    nowhere = np.isnan(values)
    assert ((values >= found.low) & (values <= found.high))[~nowhere].all()
    partly = nowhere.any(axis=0) & ~np.broadcast_to(np.isnan(found.low), 2000)
    assert np.broadcast_to(found.rough, 2000)[partly].all()


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("x**2", 0.0, 4.0), ("cos(x)", math.cos(2.0), 1.0), ("abs(x)", 0.0, 2.0), ("exp(x)", math.exp(-1), math.exp(2)),
     ("x*x", 0.0, 4.0), ("1/x", -math.inf, math.inf), ("sqrt(x)", 0.0, math.sqrt(2)), ("min(x, 1)", -1.0, 1.0)],
)  # fmt: skip
def test_bounds_of_one_variable_are_tight(text: str, low: float, high: float) -> None:
    found = bounds(text, np.array([[-1.0, 0.0]]), np.array([[2.0, 1.0]]))
    assert found.low == pytest.approx(low, abs=1e-14)
    assert found.high == pytest.approx(high, abs=1e-14)


def test_a_jump_is_told() -> None:
    low, high = np.array([[0.5, 0.0], [0.9, 0.0]]), np.array([[0.8, 1.0], [1.1, 1.0]])
    for text in ("floor(x)", "x % 1", "1 if x < 1 else 2", "sign(x - 1)"):
        assert np.broadcast_to(bounds(text, low, high).rough, 2).tolist() == [False, True], text
    for text in ("abs(x - 1)", "min(x, 1)", "x**3"):
        assert not np.any(bounds(text, low, high).rough), text
