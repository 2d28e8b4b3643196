"""A polynomial law as a map with equations: the same map as its array code, and what only equations allow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import takens as tk
from takens.dynamics import cycles, fixed_points, lyapunov_spectrum
from takens.models import NVAR
from takens.models.motion import recursion
from takens.models.polynomial_equations import expanded
from takens.systems import ArrayRule, Equations


def driven() -> tk.Series:
    rng = np.random.default_rng(0)
    r, x = rng.uniform(2.8, 4.0, 2000), np.full(2000, 0.3)
    for i in range(1999):
        x[i + 1] = r[i] * x[i] * (1 - x[i])
    return replace(tk.Series.from_array(np.column_stack([x, r]), channels=("x", "r")), inputs=("r",))


def data(name: str) -> tk.Series:
    if name == "driven":
        return driven()
    dt = 0.02 if name == "Lorenz63" else None
    return tk.simulate(tk.system(name), length=2000, dt=dt, transient=20)


@pytest.mark.parametrize(
    ("name", "model"),
    [("Henon", NVAR(delays=1, degree=2, ridge=1e-10)), ("Henon", NVAR(delays=2, spacing=2, degree=3, ridge=1e-8)),
     ("Lorenz63", NVAR(delays=2, spacing=3, degree=2, ridge=1e-8)), ("driven", NVAR(delays=2, degree=3, ridge=1e-8))],
)  # fmt: skip
def test_equations_are_the_same_map_as_the_law(name: str, model: NVAR) -> None:
    series = data(name)
    law = model.fit(series)
    system, slow = law.system, recursion(law)
    assert isinstance(system.rule, Equations)
    assert isinstance(slow.rule, ArrayRule)
    assert system.states == slow.states
    assert dict(system.parameters) == dict(slow.parameters)
    assert np.array_equal(system.initial, slow.initial)
    rng = np.random.default_rng(0)
    spread = series.observed.values.std(axis=0)
    states = slow.initial + rng.normal(size=(50, slow.dimension)) * np.tile(spread, law.memory)
    given = {"r": rng.uniform(3, 4, 50)} if name == "driven" else {}
    close = {"rtol": 1e-9, "atol": 1e-9 * spread.max()}
    assert np.allclose(system.rhs(0.0, states, **given), slow.rhs(0.0, states, **given), **close)
    assert np.allclose(system.jacobian(0.0, states, **given), slow.jacobian(0.0, states, **given), rtol=1e-7, atol=1e-7)
    if name != "driven":  # whose past inputs were others than the one that a parameter holds
        run = law.generate(5, noise=False)
        orbit = tk.simulate(system, length=6).values[1:]
        assert np.allclose(orbit[:, -run.shape[1] :], run.values, **close)


def test_henon_is_read_off_its_data() -> None:
    law = NVAR(delays=1, degree=2, ridge=1e-12).fit(data("Henon"))
    first, second = expanded(law)
    x, y = 0, 1  # increments: of x -x + 1 - 1.4 x^2 + y, of y -y + 0.3 x
    known = {(): 1.0, (x,): -1.0, (y,): 1.0, (x, x): -1.4, (x, y): 0.0, (y, y): 0.0}
    assert all(first[key] == pytest.approx(value, abs=1e-7) for key, value in known.items())
    assert second[x,] == pytest.approx(0.3, abs=1e-7)
    assert second[y,] == pytest.approx(-1.0, abs=1e-7)
    proved = fixed_points(law.system)
    assert proved.complete
    assert np.allclose(proved.points, fixed_points(tk.system("Henon")).points, atol=1e-8)
    orbits = cycles(law.system, 4)
    assert orbits.complete
    assert len(orbits) == 1
    found = lyapunov_spectrum(law.system, duration=500_000)
    assert np.all(np.abs(found.value - [0.41922, np.log(0.3) - 0.41922]) < 4 * found.details["standard_error"])


def test_what_equations_cannot_say_stays_array_code() -> None:
    series = data("Henon")
    named = tk.Series.from_array(series.values, channels=("wind speed", "exp"))
    far = tk.Series.from_array(series.values + 1e5, channels=("x", "y"))  # cubes of a large mean cancel
    long = NVAR(delays=8, degree=2, ridge=1e-6)
    for model, each in (
        (NVAR(delays=1, degree=2, ridge=1e-8), named), (NVAR(delays=1, degree=3, ridge=1e-8), far), (long, series)
    ):  # fmt: skip
        system = model.fit(each).system
        assert isinstance(system.rule, ArrayRule)
        assert np.isfinite(system.rhs(0.0, system.initial)).all()
