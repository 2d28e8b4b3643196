"""Right-hand sides for other array libraries: the same values, derivatives through them, and no branches on values."""

from __future__ import annotations

import numpy as np
import pytest

import takens
from takens.errors import SettingError

EQUATIONS = {
    "x": "q + y**3 - x**-2 + min(x, y)*max(x, 0.5) + (x if x > y and y < 2 else -y) + pi/e",
    "y": "sin(x)*exp(-y**2) + atan2(y, x) + (x % 0.7) + heaviside(x) + sign(y) + x**1.5 + cbrt(y) + asin(y/9) - a*t",
    "z": "3",
}
TABLE = {
    "name": "made", "equations": EQUATIONS, "auxiliary": {"q": "a*log1p(x*x) + tanh(y)"}, "parameters": {"a": 0.7},
    "initial": [1.0, 0.5, 0.0],
}  # fmt: skip
MADE = takens.system(TABLE)


def states() -> np.ndarray:
    return np.random.default_rng(0).uniform(0.2, 2, (4, 5, 3))


def test_numpy_gives_the_same_values() -> None:
    f, x = MADE.rule.function(np), states()
    np.testing.assert_allclose(f(0.3, x, {"a": 0.7}), MADE.rhs(0.3, x), rtol=1e-14)
    t, a = np.linspace(0, 1, 4)[:, None], np.linspace(1, 2, 5)
    np.testing.assert_allclose(f(t, x, {"a": a}), MADE.rhs(t, x, a=a), rtol=1e-14)
    assert f(0.3, x[0, 0], {"a": 0.7}).shape == (3,)


@pytest.mark.parametrize("name", ["Lorenz63", "Rossler", "Henon"])
def test_the_catalogue_gives_the_same_values(name: str) -> None:
    system = takens.system(name)
    f = system.rule.function(np)
    np.testing.assert_allclose(f(0.0, system.initial, system.parameters), system.rhs(0.0, system.initial), rtol=1e-13)


def test_erf_must_be_given() -> None:
    from scipy.special import erf

    system = takens.system({"name": "made", "equations": {"x": "-erf(x)"}, "initial": [0.3]})
    with pytest.raises(SettingError, match="need erf"):
        system.rule.function(np)
    assert system.rule.function(np, erf=erf)(0.0, np.array([0.3]), {}) == pytest.approx(-erf(0.3))


def test_jax_differentiates_and_compiles_it() -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    f, x = jax.jit(MADE.rule.function(jax.numpy)), states()
    np.testing.assert_allclose(f(0.3, x, {"a": 0.7}), MADE.rhs(0.3, x), rtol=1e-12)
    slopes = jax.vmap(jax.jacobian(lambda s: f(0.3, s, {"a": 0.7})))(x.reshape(-1, 3))
    np.testing.assert_allclose(slopes, MADE.jacobian(0.3, x.reshape(-1, 3)), rtol=1e-10, atol=1e-12)
    gradient = jax.grad(lambda a: f(0.3, x[0, 0], {"a": a})[1])(0.7)
    assert float(gradient) == pytest.approx(-0.3)
