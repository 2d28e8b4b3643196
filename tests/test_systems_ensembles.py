"""Many members at once: each is its own trajectory, whatever the others, the threads and the length of the batch."""

from __future__ import annotations

import numpy as np
import pytest

import takens
from takens.errors import SettingError
from takens.systems.evolve import evolve, orbit
from takens.systems.kinds import Flow, Map
from takens.systems.native.batch import integrate_members
from takens.systems.native.dop853 import DOP853
from takens.systems.native.integrate import integrate
from takens.systems.native.tableau import TSIT5, Tableau
from takens.systems.native.taylor import Taylor
from takens.systems.rule import ArrayRule
from takens.systems.simulate import simulate, simulate_ensemble


def made(equations: dict[str, str], initial: list[float], kind: str = "flow", **parameters: float) -> takens.System:
    return takens.system(
        {"name": "made", "kind": kind, "equations": equations, "initial": initial, "parameters": parameters}
    )


LORENZ = takens.system("Lorenz63")
HENON = made({"x": "1 - a*x**2 + y", "y": "b*x"}, [0.1, 0.1], "map", a=1.4, b=0.3)
OSCILLATOR = made({"x": "v", "v": "-w**2*x"}, [1.0, 0.0], w=1.0)
BLOW_UP = made({"x": "x**2"}, [1.0])


def around(system: takens.System, members: int, width: float = 1.0) -> np.ndarray:
    return system.initial + width * np.random.default_rng(1).normal(size=(members, system.dimension))


@pytest.mark.parametrize("members", [1, 7, 16, 45])
def test_linear_oscillators_of_many_frequencies_are_exact(members: int) -> None:
    w, times = np.linspace(0.5, 3, members), np.linspace(0.0, 20, 201)
    found = evolve(OSCILLATOR, np.tile([1.0, 0.0], (members, 1)), times, parameters={"w": w})
    np.testing.assert_allclose(found[..., 0], np.cos(w[:, None] * times), rtol=0, atol=2e-8)
    np.testing.assert_allclose(found[..., 1], -w[:, None] * np.sin(w[:, None] * times), rtol=0, atol=6e-8)


@pytest.mark.parametrize("method", [Taylor(), DOP853, TSIT5])
def test_errors_are_those_of_single_trajectories(method: Taylor | Tableau) -> None:
    times, states = np.array([5.0]), around(LORENZ, 40)
    given = np.tile(LORENZ.values_of_parameters(), (40, 1))
    program = LORENZ.rule.program
    exact = np.array([orbit(LORENZ, x, times, tolerance=1e-13) for x in states])
    for tolerance in (1e-6, 1e-9, 1e-11):
        found = integrate_members(program, states, given, times, method=method, tolerance=tolerance)
        single = [integrate(program, x, given[0], times, method=method, tolerance=tolerance).states for x in states]
        errors = [np.median(np.abs(x - exact).max(axis=(1, 2))) for x in (found, np.array(single))]
        assert errors[0] < 1.5 * errors[1] + 5e-11  # rounding
        assert errors[0] < 1e4 * tolerance


EQUATIONS = {
    "forced": {"x": "y", "y": "-0.2*y + x - x**3 + a*cos(1.1*t)"},
    "many": {"x": "sin(y) - tanh(x)", "y": "exp(-x**2) - log(2 + y**2)/a"},
    "library": {"x": "atan(y) - sinh(x)/3 + sqrt(1 + x**2)**1.5/9", "y": "-x*erf(y) - asin(y/(2 + y**2)) + a**x/5"},
    "jumps": {"x": "y", "y": "-x - a*sign(x) + (0.1 if x > 0.25 else 0.0) + 0.1*abs(x) + min(x, y)/9"},
    "remainder": {"x": "1 - x*floor(1.5 + y)/4", "y": "cos(t) % 1 - a*heaviside(x)*y + max(x, 0)"},
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_members_are_trajectories_for_all_kinds_of_equations(name: str) -> None:
    system = made(EQUATIONS[name], [0.3, 0.2], a=0.7)
    states, a, times = around(system, 19, 0.3), np.linspace(0.5, 0.9, 19), np.arange(1, 41) * 0.25
    found = evolve(system, states, times, parameters={"a": a}, tolerance=1e-10)
    assert np.isfinite(found).all()
    for i in (0, 7, 18):
        expected = orbit(system.with_parameters(a=float(a[i])), states[i], times, tolerance=1e-10)
        loose = 1e-6 if name in ("jumps", "remainder") else 1e-8  # errors at jumps are those of where a step ends
        np.testing.assert_allclose(found[i], expected, rtol=0, atol=loose)


@pytest.mark.parametrize("step", [None, 0.01])
def test_a_member_depends_neither_on_the_others_nor_on_threads(step: float | None) -> None:
    states, rho = around(LORENZ, 83, 5.0), np.linspace(20, 200, 83)
    times = np.linspace(1, 20, 40)
    found = evolve(LORENZ, states, times, parameters={"rho": rho}, step=step, threads=1)
    for threads in (2, 5):
        again = evolve(LORENZ, states, times, parameters={"rho": rho}, step=step, threads=threads)
        np.testing.assert_array_equal(found, again)
    order = np.random.default_rng(2).permutation(83)[:37]
    part = evolve(LORENZ, states[order], times, parameters={"rho": rho[order]}, step=step)
    np.testing.assert_array_equal(part, found[order])
    alone = evolve(LORENZ, states[5:6], times, parameters={"rho": rho[5:6]}, step=step)
    np.testing.assert_array_equal(alone, found[5:6])


def slow_rk4(system: takens.System, x: np.ndarray, h: float, steps: int) -> np.ndarray:
    for i in range(steps):
        t = h * i
        a = system.rhs(t, x)
        b = system.rhs(t + h / 2, x + h / 2 * a)
        c = system.rhs(t + h / 2, x + h / 2 * b)
        d = system.rhs(t + h, x + h * c)
        x = x + h / 6 * (a + 2 * b + 2 * c + d)
    return x


@pytest.mark.parametrize("members", [1, 8, 33])
def test_fixed_steps_are_those_of_a_plain_loop(members: int) -> None:
    system = made(EQUATIONS["forced"], [0.3, 0.2], a=0.7)
    states = around(system, members, 0.3)
    found = evolve(system, states, [0.0, 1.0, 2.0], step=0.02)
    np.testing.assert_array_equal(found[:, 0], states)
    for row, steps in ((1, 50), (2, 100)):
        np.testing.assert_allclose(found[:, row], slow_rk4(system, states, 0.02, steps), rtol=0, atol=1e-13)
    late = evolve(system, states, [1.0, 2.0], step=0.02)
    np.testing.assert_allclose(late, found[:, 1:], rtol=0, atol=1e-13)


def test_fixed_steps_have_order_four() -> None:
    steps = np.array([0.1, 0.05, 0.025])
    errors = [
        np.abs(evolve(OSCILLATOR, [[1.0, 0.0]], [10.0], step=h)[0, 0] - [np.cos(10), -np.sin(10)]).max() for h in steps
    ]
    np.testing.assert_allclose(np.diff(np.log(errors)) / np.diff(np.log(steps)), 4, atol=0.1)


def test_members_of_maps_are_trajectories_to_the_last_digit() -> None:
    states, a = around(HENON, 41, 0.05), np.linspace(1.0, 1.4, 41)
    found = evolve(HENON, states, np.arange(5, 105, 3), parameters={"a": a})
    for i in range(41):
        one = HENON.with_parameters(a=float(a[i]))
        expected = simulate(one, length=34, dt=3, transient=5, initial=states[i]).values
        np.testing.assert_array_equal(found[i], expected)


def test_divergence_is_nan_from_the_first_row_that_is_not_reached() -> None:
    start, times = np.linspace(0.5, 2, 25), np.linspace(0, 1.9, 20)
    for step in (None, 0.001):
        found = evolve(BLOW_UP, start[:, None], times, step=step)[..., 0]
        pole = 1 / start[:, None]
        exact = np.where(times < pole, start[:, None] / (1 - start[:, None] * times), np.nan)
        clear = np.abs(times - pole) > (0.01 if step is None else 0.05)
        near = times < pole - 0.05
        np.testing.assert_allclose(found[near], exact[near], rtol=1e-6)
        assert np.isnan(found[clear & (times > pole)]).all()
        assert (np.diff(np.isnan(found).astype(int), axis=1) >= 0).all()  # once NaN, always NaN


def test_maps_that_diverge_stay_nan_though_infinity_leads_back() -> None:
    system = made({"x": "1/(x*x*x) if x > 1e90 else x**40"}, [0.5], "map")
    found = evolve(system, [[0.5], [1e10], [1.0]], np.arange(6))[..., 0]
    assert found[1, 0] == 1e10
    assert np.isnan(found[1, 1:]).all()
    assert np.isfinite(found[[0, 2]]).all()


def test_large_systems_and_the_same_rules_go_one_by_one() -> None:
    names = [f"x{i}" for i in range(25)]
    system = made({n: f"{n}**2" for n in names}, [0.5] * 25)
    states = np.full((3, 25), [[0.5], [1.0], [2.0]])
    times = np.linspace(0.1, 0.9, 9)
    found = evolve(system, states, times)
    assert np.isfinite(found[:2]).all()
    np.testing.assert_allclose(found[2, :4], np.repeat(2 / (1 - 2 * times[:4]), 25).reshape(4, 25), rtol=1e-6)
    assert np.isnan(found[2, 5:]).all()


def test_array_code_goes_many_at_once() -> None:
    def rule(_: object, x: np.ndarray, p: dict) -> np.ndarray:
        return np.stack([1 - p["a"] * x[..., 0] ** 2 + x[..., 1], 0.3 * x[..., 0]], axis=-1)

    henon = Map("henon", ArrayRule(("x", "y"), rule, ("a",)), {"a": 1.4}, np.zeros(2))
    states, a = around(HENON, 9, 0.05), np.linspace(1, 1.4, 9)
    states[4] = 10.0
    found = evolve(henon, states, np.arange(2, 12, 2), parameters={"a": a})
    expected = evolve(HENON, states, np.arange(2, 12, 2), parameters={"a": a})
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert np.isnan(found[4, -1]).all()
    spring = Flow(
        "spring", ArrayRule(("x", "v"), lambda t, x, p: np.stack([x[..., 1], -x[..., 0]], -1)), {}, np.ones(2)
    )
    times = np.linspace(0.3, 3, 10)
    for step in (None, 0.01):
        found = evolve(spring, [[1.0, 0.0], [0.0, 2.0]], times, step=step)
        np.testing.assert_allclose(found[0, :, 0], np.cos(times), atol=1e-8)
        np.testing.assert_allclose(found[1, :, 0], 2 * np.sin(times), atol=1e-8)


def test_ensembles_of_many_members_take_the_same_way() -> None:
    states, times = around(LORENZ, 100), 0.02 * np.arange(50)
    found = simulate_ensemble(LORENZ, states, length=50, dt=0.02)
    np.testing.assert_array_equal(np.array([s.values for s in found]), evolve(LORENZ, states, times))
    with pytest.raises(takens.errors.SimulationError, match=r"^made\[70\]: .* at t = 1, ") as caught:
        simulate_ensemble(BLOW_UP, np.where(np.arange(100) < 70, 0.1, 1.0)[:, None], length=20, dt=0.1)
    assert caught.value.time == pytest.approx(1.0, abs=0.01)


def test_reports_grow_to_one() -> None:
    shares: list[float] = []
    evolve(LORENZ, around(LORENZ, 200), [1.0], report=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"initial": [[np.nan, 0.0]]}, "initial is not finite"),
        ({"initial": [0.0, 0.0]}, "initial has shape"),
        ({"times": [0.0, 1.0, 3.0]}, "evenly spaced"),
        ({"times": []}, "times has shape"),
        ({"times": [-1.0]}, "evenly spaced"),
        ({"step": 0.0}, "step is 0.0"),
        ({"tolerance": 0.0}, "tolerance is 0.0"),
        ({"parameters": {"q": 1.0}}, "unknown parameter 'q'"),
        ({"parameters": {"w": [1.0, 2.0, 3.0]}}, "w has shape"),
        ({"parameters": {"w": [1.0, np.inf]}}, "w is inf"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(options: dict, message: str) -> None:
    given = {"initial": np.zeros((2, 2)), "times": [1.0], **options}
    with pytest.raises(SettingError, match=message):
        evolve(OSCILLATOR, given.pop("initial"), given.pop("times"), **given)


def test_no_members_are_no_rows() -> None:
    assert evolve(LORENZ, np.empty((0, 3)), [1.0, 2.0]).shape == (0, 2, 3)
