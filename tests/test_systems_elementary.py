"""Vector mathematics against many-digit arithmetic: units in the last place, edges, and independence of lanes."""

from __future__ import annotations

import ctypes
from functools import lru_cache

import mpmath
import numpy as np
import pytest

from takens.systems.native.elementary import FUNCTIONS, LIMIT, declarations, functions, symbol
from takens.systems.native.machine import Machine

REFERENCE = {
    "sin": mpmath.sin, "cos": mpmath.cos, "sin_all": mpmath.sin, "cos_all": mpmath.cos, "exp": mpmath.exp,
    "exp2": lambda x: mpmath.mpf(2) ** x, "log": mpmath.log, "log2": lambda x: mpmath.log(x, 2), "tanh": mpmath.tanh,
}  # fmt: skip
NUMPY = {name: getattr(np, name.removesuffix("_all")) for name in REFERENCE}
ULP = {"sin": 0.9, "cos": 0.9, "sin_all": 0.9, "cos_all": 0.9, "exp": 1.0, "exp2": 1.2, "log": 1.0, "log2": 2.0,
       "tanh": 2.0}  # fmt: skip


@lru_cache
def compiled(width: int) -> tuple[Machine, dict]:
    """Loops `n` elements long over all functions."""
    real = f"<{width} x double>" if width > 1 else "double"
    texts = functions(FUNCTIONS, width)
    for name in FUNCTIONS:
        texts.append(f"""
define void @loop_{name}(ptr noalias %x, ptr noalias %y, i64 %n) {{
entry:
  br label %go
go:
  %i = phi i64 [ 0, %entry ], [ %next, %go ]
  %from = getelementptr inbounds {real}, ptr %x, i64 %i
  %to = getelementptr inbounds {real}, ptr %y, i64 %i
  %v = load {real}, ptr %from, align 8
  %f = call {real} {symbol(name, width)}({real} %v)
  store {real} %f, ptr %to, align 8
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %go, label %end
end:
  ret void
}}""")
    machine = Machine(texts, declarations(FUNCTIONS))
    kinds = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    return machine, {name: machine.function(f"loop_{name}", None, *kinds) for name in FUNCTIONS}


def apply(name: str, x: np.ndarray, width: int) -> np.ndarray:
    padded = np.resize(np.asarray(x, float), -(-len(x) // width) * width)
    out = np.empty_like(padded)
    compiled(width)[1][name](padded.ctypes.data, out.ctypes.data, len(padded) // width)
    return out[: len(x)]


def arguments(name: str, count: int = 3000) -> np.ndarray:
    rng = np.random.default_rng(0)
    size = rng.uniform(-1, 1, count)
    spread = np.sign(size) * 10.0 ** rng.uniform(-12, 0, count)
    match name:
        case "sin" | "cos" | "sin_all" | "cos_all":
            near = np.pi / 2 * rng.integers(-80_000_000, 80_000_000, count)  # close to zeros and extremes
            return np.concatenate([4 * size, 1e5 * size, LIMIT * size, 1e3 * spread, near, np.nextafter(near, 0)])
        case "exp" | "exp2":
            return np.concatenate([size, 700 * size, 30 * spread])
        case "log" | "log2":
            return np.concatenate([10.0 ** (300 * size), 1 + 0.5 * size, 1 + spread, np.exp2(np.arange(-1020, 1020.0))])
        case _:
            return np.concatenate([size, 25 * size, spread])


def ulps(name: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    with mpmath.workprec(250):
        exact = [REFERENCE[name](mpmath.mpf(float(v))) for v in x]
        spacing = np.spacing(np.abs(np.array([float(e) for e in exact])))
        return np.array(
            [float(abs(mpmath.mpf(float(v)) - e) / float(s)) for v, e, s in zip(y, exact, spacing, strict=True)]
        )


@pytest.mark.parametrize("name", REFERENCE)
def test_errors_are_below_two_units_in_the_last_place(name: str) -> None:
    x = arguments(name)
    assert ulps(name, x, apply(name, x, 8)).max() < ULP[name]


@pytest.mark.parametrize("name", REFERENCE)
def test_one_number_or_a_vector_of_any_width_is_the_same(name: str) -> None:
    x = arguments(name, 100)
    expected = apply(name, x, 1)
    for width in (2, 4, 8):
        np.testing.assert_array_equal(apply(name, x, width), expected)


@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.parametrize("width", [1, 8])
def test_edges_are_those_of_numpy(name: str, width: int) -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 5e-324, -5e-324, 1e-310, 800.0, -800.0, 1e308, -1e308])
    if name in ("sin", "cos"):
        x = x[np.isnan(x) | ~(np.abs(x) > LIMIT)]
    with np.errstate(all="ignore"):
        expected = NUMPY[name](x)
    found = apply(name, x, width)
    np.testing.assert_allclose(found, expected, rtol=1e-15, atol=0)
    signed = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(found[signed]), np.signbit(expected[signed]))


def test_results_below_the_normal_numbers_keep_what_they_can() -> None:
    x = np.linspace(-745.1, -708.5, 500)
    np.testing.assert_allclose(apply("exp", x, 8), np.exp(x), rtol=0, atol=1e-323)
    x = np.linspace(-1074, -1023, 500)
    np.testing.assert_allclose(apply("exp2", x, 8), np.exp2(x), rtol=0, atol=1e-323)
    assert apply("exp2", np.arange(-1074.0, 1024.0), 8).tolist() == [2.0**k for k in range(-1074, 1024)]


def test_sine_and_cosine_beyond_the_limit_are_nan_or_the_librarys() -> None:
    x = np.array([2 * LIMIT, -1e15, 1e300, 0.5])
    for name in ("sin", "cos"):
        assert np.isnan(apply(name, x, 8)).tolist() == [True, True, True, False]
        np.testing.assert_allclose(apply(f"{name}_all", x, 8), NUMPY[name](x), rtol=1e-15)


def test_a_lane_does_not_feel_its_neighbours() -> None:
    x = np.full(8, 1.2345)
    alone = apply("sin_all", x, 8)
    x[3] = 1e20
    np.testing.assert_array_equal(np.delete(apply("sin_all", x, 8), 3), np.delete(alone, 3))


@pytest.mark.parametrize("name", ["sin", "cos", "exp", "log", "tanh"])
def test_a_loop_of_one_number_at_a_time_is_vectorised(name: str) -> None:
    text = "\n".join(functions([name]))
    assert "br " not in text  # nothing that keeps a loop from being vectorised
    assert "call" not in text


def test_rough_functions_are_as_rough_as_they_say() -> None:
    x = np.concatenate([np.exp2(np.linspace(-1000, 1000, 5001)), np.linspace(0.5, 2, 5001)])
    assert np.abs(apply("log2_rough", x, 8) - np.log2(x)).max() < 2e-4
    y = np.linspace(-999, 999, 20001)
    np.testing.assert_allclose(apply("exp2_rough", y, 8), np.exp2(y), rtol=2e-4)
    assert np.isnan(apply("log2_rough", np.array([np.nan]), 8)).all()
    assert np.isnan(apply("exp2_rough", np.array([np.nan]), 8)).all()
    assert apply("log2_rough", np.array([np.inf]), 8)[0] == np.inf
    assert apply("exp2_rough", np.array([-np.inf]), 8)[0] < 1e-300
