"""Delay equations: solutions in closed form, orders of convergence, kinks and jumps, exponents, the catalogue."""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np
import pytest
from scipy.special import lambertw

import takens
from takens.dynamics import kaplan_yorke_dimension
from takens.errors import EquationError, SettingError, SimulationError
from takens.systems.history import from_function
from takens.systems.kinds import Delayed
from takens.systems.native.delay import DelayProgram
from takens.systems.native.delay_run import integrate_delayed
from takens.systems.native.emit import Program
from takens.systems.symbols.tree import Name, Negative


def scalar(text: str, lags: dict[str, float | str], *, initial: float = 1.0, **keys: Any) -> Delayed:
    delays = {name: {"of": "x", "lag": lag} for name, lag in lags.items()}
    table = {"kind": "delayed", "name": "test", "equations": {"x": text}, "delays": delays, "initial": [initial]}
    found = takens.system({**table, **keys})
    assert isinstance(found, Delayed)
    return found


def by_steps(t: np.ndarray) -> np.ndarray:
    """x' = -x(t - 1), x = 1 for t <= 0: the sum of (-1)^k (t - k + 1)^k / k! over k <= t + 1."""
    return np.array([sum((-1) ** k * (u - k + 1) ** k / factorial(k) for k in range(int(u) + 2)) for u in t])


@pytest.mark.parametrize("method", Delayed.methods)
def test_the_solution_by_steps(method: str) -> None:
    series = takens.simulate(scalar("-x1", {"x1": 1}), length=120, dt=0.1, method=method, tolerance=1e-11)
    np.testing.assert_allclose(series.values[:, 0], by_steps(series.times - 1e-13), atol=3e-10)


@pytest.mark.parametrize(("method", "order", "steps"), [("DOP853", 8, (1 / 2, 1 / 4)), ("Tsit5", 5, (1 / 64, 1 / 128))])
def test_observed_order(method: str, order: int, steps: tuple[float, ...]) -> None:
    root = complex(1.5 + lambertw(-4 * np.exp(-1.5)))  # x = exp(root t) solves x' = 1.5 x - 4 x(t - 1)
    keys = {"history": {"x": f"exp({root.real!r}*t)*cos({root.imag!r}*t)"}}
    system = scalar("1.5*x - 4*x1", {"x1": 1}, **keys)
    errors = []
    for step in steps:
        series = takens.simulate(system, length=400, dt=0.0625, method=method, step=step, tolerance=1e-13)
        exact = np.exp(root * series.times)
        errors.append(np.sqrt(np.mean(((series.values[:, 0] - exact.real) / np.abs(exact)) ** 2)))
    slopes = -np.diff(np.log2(errors))
    assert slopes[-1] == pytest.approx(order, abs=0.1), (errors, slopes)


def test_steps_end_where_derivatives_jump() -> None:
    """With steps that straddle the kinks at 1, 2, ... a method of order 8 would have errors of order 2."""
    system = scalar("-x1**3", {"x1": 1})
    fine = takens.simulate(system, length=50, dt=0.1, method="DOP853", step=1 / 64).values
    steps = (0.35, 0.175)  # of which no multiple is 1
    errors = [np.abs(takens.simulate(system, length=50, dt=0.1, step=h).values - fine).max() for h in steps]
    assert errors[0] < 1e-6
    assert errors[0] / errors[1] > 2**7


def test_a_jump_at_the_start_comes_back_on_the_right_side() -> None:
    """x' = -x(t - 1), x = 0 before 0 and 1 at 0: x = 1 on [0, 1], 2 - t on [1, 2], then 2 - t + (t - 2)^2 / 2."""
    series = takens.simulate(scalar("-x1", {"x1": 1}, history={"x": "0"}), length=31, dt=0.1)
    t = series.times
    exact = np.where(t <= 1, 1.0, 2 - t) + np.where(t > 2, (t - 2) ** 2 / 2, 0)
    np.testing.assert_allclose(series.values[:, 0], exact, atol=1e-12)


def test_several_lags_of_several_states() -> None:
    """x' = -x(t - 1) - y(t - 0.3), y' = x(t - 0.3) at lags and steps that do not fit, against RK4 on a common grid."""
    table = {
        "kind": "delayed", "equations": {"x": "-a - b", "y": "c - d*y"}, "parameters": {"d": 0.2, "short": 0.3},
        "delays": {
            "a": {"of": "x", "lag": 1}, "b": {"of": "y", "lag": "short"}, "c": {"of": "x", "lag": 0.3},
        }, "initial": [1.0, 0.5],
    }  # fmt: skip
    h, steps = 0.0025, 2400
    x = np.tile([1.0, 0.5], (steps + 401, 1))  # rows are h / 2 apart in the past of each stage: keep halves by Hermite
    rates = np.zeros_like(x)

    def past(index: float, state: int) -> float:
        low = int(np.floor(index))
        if index <= 400 or index == low:
            return float(x[low, state])
        a, b, p, q = x[low, state], x[low + 1, state], rates[low, state], rates[low + 1, state]
        return float((a + b) / 2 + h * (p - q) / 8)

    def rate(index: float, state: np.ndarray) -> np.ndarray:
        a, b, c = past(index - 400, 0), past(index - 120, 1), past(index - 120, 0)
        return np.array([-a - b, c - 0.2 * state[1]])

    for n in range(400, 400 + steps):
        k1 = rates[n] = rate(n, x[n])
        k2 = rate(n + 0.5, x[n] + h / 2 * k1)
        k3 = rate(n + 0.5, x[n] + h / 2 * k2)
        k4 = rate(n + 1, x[n] + h * k3)
        x[n + 1] = x[n] + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    found = takens.simulate(takens.system(table), length=7, dt=1.0)
    np.testing.assert_allclose(found.values, x[400::400], atol=1e-9)


MACKEY_GLASS = takens.system("MackeyGlass")


def test_mackey_glass_to_the_tolerance_by_two_methods() -> None:
    tight = takens.simulate(MACKEY_GLASS, length=2, dt=500.0, tolerance=1e-13).values[-1, 0]
    for method, tolerance in (("DOP853", 1e-9), ("Tsit5", 1e-9)):
        found = takens.simulate(MACKEY_GLASS, length=2, dt=500.0, method=method, tolerance=tolerance).values[-1, 0]
        assert found == pytest.approx(tight, abs=1e-6)
    # JiTCDDE 1.8.3 with x = 1.2 before 0, steps on discontinuities, rtol = atol = 1e-11, max_step = 1.
    fresh = takens.simulate(MACKEY_GLASS, initial=[1.2], length=3, dt=250.0, tolerance=1e-12).values[:, 0]
    np.testing.assert_allclose(fresh[1:], (1.0813195086946, 1.0634503063365), atol=1e-8)


def test_exponents_of_a_linear_equation_are_its_characteristic_roots() -> None:
    a, b = -0.5, -1.2
    system = scalar("a*x + b*x1", {"x1": 1}, initial=0.0, parameters={"a": a, "b": b})
    roots = sorted(((a + lambertw(b * np.exp(-a), k)).real for k in range(-4, 4)), reverse=True)
    found = takens.lyapunov_spectrum(system, count=6, duration=1000.0, interval=1.0)
    np.testing.assert_allclose(found.value, roots[:6], rtol=2e-3)


def test_carrying_in_two_parts_is_carrying_at_once() -> None:
    phase = MACKEY_GLASS.carried(MACKEY_GLASS.phase(), np.empty((len(MACKEY_GLASS.phase()), 0)), 0.0, 200.0)[0]
    vectors = np.random.default_rng(0).normal(size=(len(phase), 2))
    vectors = MACKEY_GLASS.carried(phase, vectors, 0.0, 40.0)[1]
    phase = MACKEY_GLASS.carried(phase, vectors, 0.0, 40.0)[0]
    once = MACKEY_GLASS.carried(phase, vectors, 0.0, 30.0)
    half = MACKEY_GLASS.carried(phase, vectors, 0.0, 11.0)
    twice = MACKEY_GLASS.carried(half[0], half[1], 11.0, 19.0)
    np.testing.assert_allclose(twice[0], once[0], atol=1e-7)
    np.testing.assert_allclose(twice[1], once[1], atol=1e-6 * np.abs(once[1]).max())
    assert np.isnan(once[2])
    # A displacement is the difference of two solutions.
    near = MACKEY_GLASS.carried(phase + 1e-5 * vectors[:, 0], vectors, 0.0, 30.0)[0]
    far = MACKEY_GLASS.carried(phase - 1e-5 * vectors[:, 0], vectors, 0.0, 30.0)[0]
    np.testing.assert_allclose((near - far) / 2e-5, once[1][:, 0], atol=1e-3 * np.abs(once[1]).max())


@pytest.mark.long
def test_exponents_of_mackey_glass() -> None:
    """tau = 17 and 30: the dimensions 2.10 and 3.58 of Farmer, Physica D 4, 366 (1982), and an exponent 0.0071."""
    short = takens.lyapunov_spectrum(MACKEY_GLASS, count=4, duration=200_000.0, interval=17.0)
    assert kaplan_yorke_dimension(short.value) == pytest.approx(2.10, abs=0.05)
    assert abs(short.value[1]) < 3 * short.details["standard_error"][1] + 1e-4
    long = takens.lyapunov_spectrum(MACKEY_GLASS.with_parameters(tau=30.0), count=6, duration=200_000.0, interval=30.0)
    assert long.value[0] == pytest.approx(0.0071, abs=3 * long.details["standard_error"][0])
    assert kaplan_yorke_dimension(long.value) == pytest.approx(3.58, abs=0.06)


DELAYED = [name for name in takens.systems.names() if takens.system(name).kind == "delayed"]
CHAOTIC = [name for name in DELAYED if "chaotic" in takens.system(name).tags]


def test_the_catalogue_of_delay_equations() -> None:
    assert len(DELAYED) >= 13
    assert {"MackeyGlass", "IkedaDelay", "VossDelay", "ScrollDelay", "PiecewiseCircuit", "SprottDelay"} <= set(DELAYED)
    for name in DELAYED:
        system = takens.system(name)
        assert "delayed" in system.tags
        assert system.period is not None
        assert system.dt == pytest.approx(system.period / 100, rel=0.01)


@pytest.mark.long
@pytest.mark.parametrize("name", DELAYED)
def test_entries_move_and_only_what_is_chaotic_is_tagged(name: str) -> None:
    system = takens.system(name)
    assert isinstance(system, Delayed)
    assert system.period is not None
    values = takens.simulate(system, length=5000, transient=50 * system.period).values
    assert np.all(values.std(axis=0) > 1e-3 * np.abs(values).max(axis=0))
    exponents = takens.lyapunov_spectrum(system, count=1, duration=300 * max(system.period, system.lags().max()))
    positive = exponents.value[0] > 5 * exponents.details["standard_error"][0] + 1e-4
    assert positive == (name in CHAOTIC)


def test_equilibria_of_the_catalogue_are_zeros_of_the_right_hand_side() -> None:
    assert MACKEY_GLASS.rhs(0.0, [1.0]) == pytest.approx(0.0, abs=1e-15)  # beta / (1 + 1) = gamma
    assert takens.system("HutchinsonWright").rhs(0.0, [1.0]) == pytest.approx(0.0)
    adults = 600 * np.log(8.0 / 0.175)
    assert takens.system("NicholsonBlowflies").rhs(0.0, [adults]) == pytest.approx(0.0, abs=1e-9)
    slope = takens.system("HutchinsonWright").jacobian(0.0, [1.0])
    assert slope == pytest.approx(-1.8)


def test_hutchinson_loses_its_balance_where_the_lag_is_half_pi() -> None:
    """The equilibrium of Hutchinson's equation is stable for r tau < pi / 2 (Hayes 1950)."""
    for rate, grows in ((1.5, False), (1.65, True)):
        system = takens.system("HutchinsonWright", r=rate)
        values = takens.simulate(system, initial=[1.01], length=400, dt=0.5).values[:, 0] - 1
        assert (np.abs(values[-40:]).max() > np.abs(values[:40]).max()) == grows


def test_what_a_delayed_system_says() -> None:
    assert MACKEY_GLASS.text() == "dx/dt = beta*x(t - tau)/(1 + x(t - tau)**n) - gamma*x"
    assert r"x\left(t - \tau\right)^{n}" in MACKEY_GLASS.latex()
    rotating = takens.system("StuartLandauPyragas")
    assert "x = sqrt(-lam)*cos((1 - shear*lam)*t) for t < 0" in rotating.text()
    radius = np.hypot(*takens.simulate(rotating, length=2000).values.T)
    np.testing.assert_allclose(radius, np.sqrt(0.005), rtol=1e-6)  # the orbit that feedback does not change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"delays": {}}, "no delays"), ({"delays": {"x1": {"of": "x"}}}, "x1: is"),
        ({"delays": {"x1": {"of": "y", "lag": 1}}}, "'y' is not a state"),
        ({"delays": {"x1": {"of": "x", "lag": "tau"}}}, "'tau' is not a parameter"),
        ({"delays": {"x1": {"of": "x", "lag": 0}}}, "lag 0"), ({"delays": {"x1": {"of": "x", "lag": -1}}}, "lag -1"),
        ({"delays": {"x": {"of": "x", "lag": 1}}}, "both"), ({"history": {"y": "1"}}, "'y' is not a state"),
        ({"history": {"x": "x"}}, "unknown name"), ({"equations": {"x": "-x2"}}, "unknown name"),
    ],
)  # fmt: skip
def test_wrong_definitions_are_refused(change: dict[str, Any], message: str) -> None:
    table = {"kind": "delayed", "equations": {"x": "-x1"}, "delays": {"x1": {"of": "x", "lag": 1}}, "initial": [1.0]}
    with pytest.raises((SettingError, EquationError), match=message):
        takens.system({**table, **change})


def test_failures_say_where() -> None:
    with pytest.raises(SimulationError) as caught:
        takens.simulate(scalar("x**2 + 0*x1", {"x1": 1}), length=100, dt=0.1)
    assert caught.value.time == pytest.approx(1.0, abs=0.01)  # x = 1 / (1 - t)
    assert caught.value.state[0] > 100
    program = Program(("x",), ("x1",), (Negative(Name("x1")),))
    past = from_function(lambda times: np.ones((len(times), 1)), 1e-4, 7, 1e-9)
    with pytest.raises(SimulationError, match="more than 1,000 steps") as caught:  # of a very short lag
        integrate_delayed(
            DelayProgram(program, ((0, 0),)), past, np.ones(1), np.empty(0), np.array([1e-4]), np.array([1e5]),
            most_steps=1000,
        )  # fmt: skip
    assert 0 < caught.value.time < 1e5
    with pytest.raises(SettingError, match="history of x is not finite"):
        takens.simulate(scalar("-x1", {"x1": 1}, history={"x": "log(t)"}), length=3, dt=0.1)
    with pytest.raises(SettingError, match="lag -2"):
        MACKEY_GLASS.with_parameters(tau=-2.0)
