"""Trajectories: observed orders, known solutions, exact orbits of maps, failures that say when and where."""

from __future__ import annotations

import math

import numpy as np
import pytest

from takens.errors import SettingError, SimulationError
from takens.systems import Flow, Map
from takens.systems.equations import Equations
from takens.systems.native import compile as compilation
from takens.systems.native.compile import adaptive_kernel
from takens.systems.native.dop853 import DOP853
from takens.systems.native.emit import Program
from takens.systems.native.integrate import METHODS, integrate, march
from takens.systems.native.loop import DONE
from takens.systems.native.recurrence import NotAnalytic
from takens.systems.native.tableau import RK4, TSIT5, Tableau
from takens.systems.simulate import simulate, simulate_ensemble

NONE = np.empty(0)


def flow(equations: dict[str, str], initial: list[float], parameters: dict[str, float] | None = None) -> Flow:
    """A flow from text."""
    return Flow("test", Equations.parse(equations, tuple(parameters or ())), parameters or {}, np.array(initial))


def program(**equations: str) -> Program:
    """A program without parameters."""
    return Equations.parse(equations).program


LORENZ = Flow(
    "Lorenz",
    Equations.parse({"x": "s*(y - x)", "y": "x*(r - z) - y", "z": "x*y - b*z"}, ("s", "r", "b")),
    {"s": 10.0, "r": 28.0, "b": 8 / 3},
    np.array([1.0, 2.0, 20.0]),
    dt=0.01,
)
HENON = Map(
    "Henon",
    Equations.parse({"x": "1 - a*x*x + y", "y": "b*x"}, ("a", "b"), time="n"),
    {"a": 1.4, "b": 0.3},
    np.zeros(2),
)

# (equations, x(0), closed form, length): linear, non-autonomous, and both non-autonomous and nonlinear
PROBLEMS = {
    "oscillator": ({"x": "v", "v": "-x"}, [1.0, 0.0], lambda t: (math.cos(t), -math.sin(t)), 6 * math.pi),
    "forced": ({"x": "4*x*cos(t)"}, [1.0], lambda t: (math.exp(4 * math.sin(t)),), 7.0),
    "peaks": ({"x": "x*x*cos(t)"}, [1 / 1.5], lambda t: (1 / (1.5 - math.sin(t)),), 20.0),
}
# two numbers of steps for each, so many that the leading error dominates and so few that rounding does not
STEPS = {
    "RK4": {"oscillator": (640, 1280), "forced": (1280, 2560), "peaks": (2560, 5120)},
    "Tsit5": {"oscillator": (640, 1280), "forced": (640, 1280), "peaks": (640, 1280)},
    "DOP853": {"oscillator": (60, 90), "forced": (90, 135), "peaks": (135, 200)},
}


def slope(sizes: tuple[float, float], errors: list[float]) -> float:
    """d log error / d log size between two sizes."""
    return math.log(errors[1] / errors[0]) / math.log(sizes[1] / sizes[0])


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("method", STEPS)
def test_observed_order_of_steps(method: str, problem: str) -> None:
    equations, initial, solution, length = PROBLEMS[problem]
    errors = []
    for steps in STEPS[method][problem]:
        found = march(
            program(**equations), np.array(initial), NONE, steps + 1, step=length / steps, tableau=METHODS[method]
        ).states
        errors.append(max(np.abs(row - solution(length * i / steps)).max() for i, row in enumerate(found)))
    assert -slope(STEPS[method][problem], errors) == pytest.approx(METHODS[method].order, abs=0.1)


@pytest.mark.parametrize(("tableau", "steps"), [(TSIT5, (0.02, 0.01)), (DOP853, (0.3, 0.2))], ids=["Tsit5", "DOP853"])
def test_observed_order_of_dense_output(tableau: Tableau, steps: tuple[float, float]) -> None:
    # One accepted step of given length from t = 0.3: the local error of samples within it is one order higher.
    errors = []
    kernel = adaptive_kernel(program(x="v", v="-x"), tableau)
    for step in steps:
        times = 0.3 + step * np.array([0.2, 0.4, 0.6, 0.8, 1.0])
        state, out = np.array([math.cos(0.3), -math.sin(0.3)]), np.empty((5, 2))
        progress, counts = np.array([0.3, step, 0.0]), np.zeros(3, dtype=np.int64)
        arrays = [array.ctypes.data for array in (state, NONE, progress, counts)]
        status = kernel.loop(*arrays, 1e9, 10, times.ctypes.data, 5, out.ctypes.data)
        assert (status, *counts) == (DONE, 5, 1, 0)
        assert progress[0] == times[-1]
        exact = np.column_stack([np.cos(times), -np.sin(times)])
        errors.append(float(np.abs(out - exact)[:4].max()))
    assert slope(steps, errors) == pytest.approx(tableau.dense_order + 1, abs=0.1)


@pytest.mark.parametrize("method", ["Tsit5", "DOP853", "Taylor"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_adaptive_errors_follow_the_tolerance(method: str, problem: str) -> None:
    equations, initial, solution, length = PROBLEMS[problem]
    times = np.linspace(0, length, 777)
    exact = np.array([solution(t) for t in times])
    for tolerance in (1e-6, 1e-9, 1e-12):
        course = integrate(
            program(**equations), np.array(initial), NONE, times, method=METHODS[method], tolerance=tolerance
        )
        error = np.abs(course.states - exact).max() / np.abs(exact).max()
        assert error < 20 * tolerance


# every function with a series: the rate is positive and smooth on the way, and depends on the state
ANALYTIC = [
    "sqrt(1 + x)", "cbrt(1 + x)", "exp(-x)", "expm1(-x) + 2", "log(2 + x)", "log1p(1 + x)", "sin(x) + 2", "cos(x) + 2",
    "tan(x/3) + 1", "asin(x/4) + 1", "acos(x/4)", "atan(x) + 1", "sinh(x/2) + 1", "cosh(x/2)", "tanh(x) + 1",
    "asinh(x) + 1", "acosh(2 + x)", "atanh(x/4) + 1", "erf(x) + 1", "1/(1 + x*x)", "(1 + x)**a/3",
    "(1 + x)**(-3) + 1/2",
    "(1 + x)**0.5", "(2 + x)**(x/2)/2", "1 - x**7/30", "2**(-x) + t", "1 + pi*a*sin(t)**2/9", "-x/(a + x) + 1",
    "1 - -x**2/9", "a", "1/a + x*0", "abs(a) + min(a, 1)*x/9", "a if a > 1 else 0",
]  # fmt: skip


@pytest.mark.parametrize("rate", ANALYTIC)
def test_taylor_steps_of_every_function_agree_with_runge_kutta(rate: str) -> None:
    equations = Equations.parse({"x": rate, "y": "h*x - y*g"}, ("a",), {"h": "a/9", "g": "1 + h*x"})
    times, initial, parameters = np.linspace(0, 2, 41), np.array([0.1, 1.0]), np.array([1.7])
    found = [
        integrate(equations.program, initial, parameters, times, method=METHODS[name], tolerance=1e-12)
        for name in ("Taylor", "DOP853")
    ]
    np.testing.assert_allclose(found[0].states, found[1].states, atol=2e-11, rtol=0)
    assert found[0].taken <= 40


@pytest.mark.parametrize(("method", "bound"), [("Tsit5", 2e-5), ("DOP853", 2e-4), ("Taylor", 5e-6)])
def test_lorenz_to_ten_against_a_reference(method: str, bound: float) -> None:
    from scipy.integrate import solve_ivp

    def rule(_: float, x: np.ndarray) -> list[float]:
        return [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]

    reference = solve_ivp(
        rule, (0, 10), LORENZ.initial, "DOP853", t_eval=np.arange(1001) * 0.01, rtol=1e-13, atol=1e-13
    )
    found = simulate(LORENZ, length=1001, dt=0.01, method=method)
    errors = np.abs(found.values - reference.y.T).max(axis=1)
    assert errors[:100].max() < 1e-7
    assert errors.max() < bound  # step errors of 1e-9 (1 + |x|), grown by exp(0.9 t) and more
    tight = simulate(LORENZ, length=1001, dt=0.01, method=method, tolerance=1e-12)
    assert np.abs(tight.values - reference.y.T).max() < 1e-7


def test_many_states_agree_with_scipy() -> None:
    from scipy.integrate import solve_ivp

    found = simulate(ring(40), length=21, dt=0.1, tolerance=1e-12)
    reference = solve_ivp(
        lambda _, x: (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + 8, (0, 2), ring(40).initial, "DOP853",
        t_eval=found.times, rtol=1e-12, atol=1e-12,
    )  # fmt: skip
    np.testing.assert_allclose(found.values, reference.y.T, atol=1e-7)
    fixed = simulate(ring(40), length=21, dt=0.1, method="DOP853", step=0.01)
    np.testing.assert_allclose(fixed.values, reference.y.T, atol=1e-6)


def test_orbits_of_maps_are_those_of_plain_floats() -> None:
    x, y, rows = 0.0, 0.0, []
    for _ in range(5000):
        rows.append((x, y))
        x, y = 1 - 1.4 * x * x + y, 0.3 * x
    assert np.array_equal(simulate(HENON, length=5000).values, np.array(rows))
    assert np.array_equal(simulate(HENON, length=100, dt=7, transient=20).values, np.array(rows)[20:720:7])
    logistic = Map("logistic", Equations.parse({"x": "r*x*(1 - x)"}, ("r",), time="n"), {"r": 3.9}, np.array([0.3]))
    z, orbit = 0.3, []
    for _ in range(5000):
        orbit.append(z)
        z = 3.9 * z * (1 - z)
    found = simulate(logistic, length=5000)
    assert np.array_equal(found.values[:, 0], np.array(orbit))
    assert found.clock.unit == "step"
    assert np.array_equal(found.times, np.arange(5000.0))


def test_the_time_of_a_map_counts_iterations() -> None:
    counting = Map("counting", Equations.parse({"x": "x + n"}, time="n"), {}, np.zeros(1))
    assert list(simulate(counting, length=4, transient=3).values[:, 0]) == [3.0, 6.0, 10.0, 15.0]


def test_transient_and_times_are_those_of_the_equations() -> None:
    forced = flow({"x": "cos(t)"}, [0.0])
    for options in ({}, {"method": "RK4", "step": 0.01}):
        found = simulate(forced, length=50, dt=0.1, transient=3.0, **options)
        np.testing.assert_allclose(found.times, 3 + 0.1 * np.arange(50), rtol=1e-14)
        np.testing.assert_allclose(found.values[:, 0], np.sin(found.times), atol=1e-8)
    assert found.channels == ("x",)
    assert found.clock.unit == "time unit"
    assert simulate(forced, length=1, dt=0.1).values[0, 0] == 0.0


def test_a_constant_flow_stays() -> None:
    assert np.array_equal(simulate(flow({"x": "0*x"}, [2.0]), length=5, dt=1e3).values[:, 0], np.full(5, 2.0))


def test_divergence_says_when_and_where() -> None:
    blow_up = flow({"x": "x*x"}, [1.0])  # x = 1 / (1 - t)
    with pytest.raises(
        SimulationError, match=r"^test: the step fell to the rounding error of the time at t = "
    ) as found:
        simulate(blow_up, length=20, dt=0.1)
    assert found.value.time == pytest.approx(1.0, abs=1e-6)
    assert found.value.state[0] > 1e6
    with pytest.raises(SimulationError, match="not finite within the 10 steps that follow at t = "):
        simulate(blow_up, length=30, dt=0.1, step=0.01)
    with pytest.raises(SimulationError, match="not finite at n = ") as found:
        simulate(HENON, length=100, initial=[3.0, 0.0])
    x, y = found.value.state
    assert np.isfinite(x)
    assert not np.isfinite(1 - 1.4 * x * x + y) or not np.isfinite(0.3 * x)
    with pytest.raises(SimulationError, match="the next state is not finite"):
        simulate(HENON, length=2, transient=300_000, initial=[3.0, 0.0])


def test_leaving_the_domain_says_when_and_where() -> None:
    with pytest.raises(SimulationError, match="the rate of x is not finite at t = 0, x = -1"):
        simulate(flow({"x": "log(x)"}, [-1.0]), length=5, dt=0.1)
    with pytest.raises(SimulationError) as found:  # x = 1 - t, then log of a negative number
        simulate(flow({"x": "-1", "y": "log(x)"}, [1.0, 0.0]), length=20, dt=0.1)
    assert found.value.time == pytest.approx(1.0, abs=1e-6)


def test_too_many_steps_say_when() -> None:
    stiff = Equations.parse({"x": "-1000000*(x - cos(t))"}).program
    with pytest.raises(SimulationError, match=r"more than 400,000 steps at t = .* x = ") as found:
        integrate(stiff, np.array([1.0]), NONE, np.array([1e3]), most_steps=400_000)
    assert 0 < found.value.time < 1e3


def test_portions_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []
    whole = simulate(LORENZ, length=500, report=shares.append)
    orbit = simulate(HENON, length=500, transient=33)
    assert shares == [1.0]
    monkeypatch.setattr("takens.systems.native.integrate.PORTION", 7)
    shares.clear()
    np.testing.assert_allclose(simulate(LORENZ, length=500, report=shares.append).values, whole.values, atol=1e-10)
    assert np.array_equal(simulate(HENON, length=500, transient=33).values, orbit.values)
    assert len(shares) > 20
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_parameters_change_the_result_and_compile_nothing() -> None:
    first = simulate(LORENZ, length=2000, dt=0.02)
    compiled = compilation.adaptive_kernel.cache_info().misses
    fixed = simulate(LORENZ, length=2000, dt=0.02, parameters={"r": 10.0})
    assert compilation.adaptive_kernel.cache_info().misses == compiled
    assert first.values[-500:].std() > 5
    root = math.sqrt(8 / 3 * 9)  # below r = 24.06 the fixed points attract
    np.testing.assert_allclose(np.abs(fixed.values[-1]), [root, root, 9.0], atol=1e-6)
    with pytest.raises(SettingError, match="parameter 'rho'"):
        simulate(LORENZ, length=5, parameters={"rho": 3.0})


def test_noise_is_a_share_of_the_deviation_and_follows_the_seed() -> None:
    clean = simulate(LORENZ, length=5000)
    noisy = simulate(LORENZ, length=5000, noise=0.1, seed=3)
    share = (noisy.values - clean.values).std(axis=0) / clean.values.std(axis=0)
    np.testing.assert_allclose(share, 0.1, rtol=0.05)
    assert np.array_equal(noisy.values, simulate(LORENZ, length=5000, noise=0.1, seed=3).values)
    assert not np.array_equal(noisy.values, simulate(LORENZ, length=5000, noise=0.1, seed=4).values)


@pytest.mark.parametrize("threads", [1, 3])
def test_an_ensemble_is_its_members(threads: int) -> None:
    initial = LORENZ.initial + np.arange(15.0).reshape(5, 3)
    found = simulate_ensemble(LORENZ, initial, length=200, threads=threads)
    assert [member.name for member in found] == [f"Lorenz[{i}]" for i in range(5)]
    for member, state in zip(found, initial, strict=True):
        assert np.array_equal(member.values, simulate(LORENZ, length=200, initial=state).values)
    first, second = simulate_ensemble(LORENZ, [LORENZ.initial] * 2, length=200, noise=0.1, threads=threads)
    assert not np.array_equal(first.values, second.values)
    with pytest.raises(SimulationError, match=r"^Henon\[1\]: "):
        simulate_ensemble(HENON, [[0.0, 0.0], [3.0, 0.0]], length=100, threads=threads)
    assert simulate_ensemble(LORENZ, np.empty((0, 3)), length=5) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 0}, "length is 0"), ({"dt": 0.0}, "dt is 0"), ({"dt": math.nan}, "dt is nan"),
        ({"transient": -1.0}, "transient is -1"), ({"tolerance": 1e-16}, "tolerance is 1e-16"),
        ({"method": "Euler"}, "unknown method 'Euler'"), ({"noise": -0.1}, "noise is -0.1"),
        ({"step": -1.0}, "step is -1"), ({"initial": [1.0]}, r"initial has shape \(1,\) instead of \(3,\)"),
        ({"initial": [1.0, math.nan, 0.0]}, "initial is not finite"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_told(options: dict, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        simulate(LORENZ, **{"length": 10, **options})


def test_a_map_goes_whole_steps_and_a_flow_needs_an_interval() -> None:
    with pytest.raises(SettingError, match="a map goes whole steps"):
        simulate(HENON, length=10, dt=0.5)
    with pytest.raises(SettingError, match="no sampling interval of its own"):
        simulate(flow({"x": "-x"}, [1.0]), length=10)
    with pytest.raises(SettingError, match="RK4 cannot choose its steps"):
        integrate(program(x="-x"), np.ones(1), NONE, np.ones(1), method=RK4)


def test_jumps_and_kinks_are_left_to_runge_kutta() -> None:
    bouncing = flow({"x": "v", "v": "-sign(x)"}, [1.0, 0.0])
    with pytest.raises(NotAnalytic, match="sign has no Taylor series"):
        simulate(bouncing, length=10, dt=0.1, method="Taylor")
    found = simulate(bouncing, length=14, dt=0.1, tolerance=1e-9)
    np.testing.assert_allclose(found.values[:, 0], 1 - found.times**2 / 2, atol=1e-8)
    for text in ("x % 2", "x if x > 0 else 1", "x < 1", "max(x, 0)", "floor(x)", "abs(x)"):
        with pytest.raises(NotAnalytic):
            simulate(flow({"x": text}, [1.0]), length=10, dt=0.1, method="Taylor")


def test_a_singular_series_is_left_to_runge_kutta() -> None:
    # x**n at 0 has a value but its recurrence divides by it: Taylor steps fail, the default does not.
    hill = flow({"x": "1 - x**n"}, [0.0], {"n": 2.5})
    with pytest.raises(SimulationError):
        simulate(hill, length=50, dt=0.1, method="Taylor")
    found = simulate(hill, length=50, dt=0.1)
    peer = simulate(hill, length=50, dt=0.1, method="RK4", step=0.0005)
    np.testing.assert_allclose(found.values, peer.values, atol=1e-8)


def test_taylor_steps_do_not_end_beyond_a_singularity() -> None:
    with pytest.raises(SimulationError) as found:  # x = 1 / (1 - t)
        simulate(flow({"x": "x*x"}, [1.0]), length=20, dt=0.1, method="Taylor")
    assert found.value.time == pytest.approx(1.0, abs=1e-6)


def ring(size: int) -> Flow:
    """Lorenz-96 near its unstable equilibrium."""
    texts = {f"x{i}": f"(x{(i + 1) % size} - x{(i - 2) % size})*x{(i - 1) % size} - x{i} + 8" for i in range(size)}
    return flow(texts, [8.5, *[8.0] * (size - 1)])


def test_taylor_and_runge_kutta_agree_on_many_states() -> None:
    first, second = (simulate(ring(15), length=11, dt=0.1, method=m, tolerance=1e-11) for m in ("Taylor", "DOP853"))
    np.testing.assert_allclose(first.values, second.values, atol=1e-7)
    with pytest.raises(NotAnalytic, match="too long for Taylor steps"):
        simulate(ring(40), length=11, dt=0.1, method="Taylor")


@pytest.mark.parametrize("method", ["Taylor", "DOP853", "Tsit5"])
def test_small_states_beside_large_ones_keep_their_accuracy(method: str) -> None:
    large = flow({"x": "v", "v": "-x", "y": "w", "w": "-4*y"}, [1e6, 0.0, 1.0, 0.0])
    found = simulate(large, length=200, dt=0.1, method=method)
    np.testing.assert_allclose(found.values[:, 2], np.cos(2 * found.times), atol=1e-7)
    np.testing.assert_allclose(found.values[:, 0], 1e6 * np.cos(found.times), atol=0.02)


def test_taylor_steps_see_a_switch_that_is_far_below_rounding_before() -> None:
    # With tanh saturated to the last bit all its coefficients vanish; the steps must still stop at the switch.
    blinking = flow({"x": "(1 + tanh(60*sin(2*pi*t/3)))/2 - x"}, [0.0])
    found = simulate(blinking, length=400, dt=0.03, method="Taylor")
    peer = simulate(blinking, length=400, dt=0.03, method="RK4", step=0.0002)
    np.testing.assert_allclose(found.values, peer.values, atol=1e-8)
