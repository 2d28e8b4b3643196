"""Markov jump processes: closed forms of simple ones, exact recursions, forms derived from them, errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import linalg, stats

import takens
from takens.errors import EquationError, SettingError, SimulationError
from takens.systems import Jump
from takens.systems.base import Request
from takens.systems.native.gillespie import Reactions, react


def jump(reactions: list[dict], initial: dict[str, int], **keys: object) -> Jump:
    """A jump process from its reactions."""
    found = takens.system({"kind": "jump", "reactions": reactions, "initial": initial, **keys})
    assert isinstance(found, Jump)
    return found


def many(system: Jump, members: int, times: int, dt: float, **asked: object) -> np.ndarray:
    """States (member, time, state)."""
    request = Request(times, dt, **{"seed": 3, **asked})  # type: ignore[arg-type]
    return system.trajectories(request, np.tile(system.initial, (members, 1)), {})[1]


def reaction(rate: str, **change: int) -> dict:
    return {"rate": rate, "change": change}


def test_immigration_and_death_become_a_poisson_distribution() -> None:
    # From 0, the number at time t is Poisson with mean k/g (1 - exp(-g t)), exactly.
    system = jump([reaction("k", n=1), reaction("g*n", n=-1)], {"n": 0}, parameters={"k": 6.0, "g": 1.0})
    values = many(system, 4000, 3, 0.7)[..., 0]
    for row in (1, 2):
        mean = 6 * (1 - math.exp(-0.7 * row))
        counts = np.bincount(values[:, row].astype(int), minlength=25)[:25]
        expected = 4000 * stats.poisson.pmf(np.arange(25), mean)
        keep = expected > 5
        observed, wanted = np.append(counts[keep], 4000 - counts[keep].sum()), np.append(expected[keep], 0)
        wanted[-1] = 4000 - wanted.sum()
        assert stats.chisquare(observed, wanted).pvalue > 1e-3
    long = takens.simulate(system, length=20_000, dt=3.0, transient=20.0, seed=1).values[:, 0]
    assert long.mean() == pytest.approx(6, abs=4 * math.sqrt(6 / 20_000))
    assert long.var() == pytest.approx(6, rel=0.05)


def test_linear_birth_and_death_have_their_mean_variance_and_extinction() -> None:
    birth, death, start, t = 0.8, 1.0, 10, 1.5
    system = jump([reaction("0.8*n", n=1), reaction("n", n=-1)], {"n": start})
    found = many(system, 8000, 2, t)[:, 1, 0]
    growth = math.exp((birth - death) * t)
    variance = start * (birth + death) / (birth - death) * growth * (growth - 1)
    assert abs(found.mean() - start * growth) < 4 * math.sqrt(variance / 8000)
    assert found.var() == pytest.approx(variance, rel=0.07)
    extinct = (death * (growth - 1) / (birth * growth - death)) ** start
    assert abs(np.mean(found == 0) - extinct) < 4 * math.sqrt(extinct * (1 - extinct) / 8000)


def final_sizes(people: int, infected: int, ratio: float) -> np.ndarray:
    """The distribution of those infected in all but the first, by the chain of infections and recoveries."""
    reached = np.zeros((people + 1, people + infected + 1))  # susceptible, infected
    reached[people, infected] = 1.0
    for s in range(people, -1, -1):
        for i in range(people - s + infected, 0, -1):
            share = ratio * s / (ratio * s + people + infected)
            if s:
                reached[s - 1, i + 1] += reached[s, i] * share
            reached[s, i - 1] += reached[s, i] * (1 - share)
    return reached[::-1, 0]


def test_final_size_of_an_epidemic_is_distributed_as_the_chain_says() -> None:
    system = takens.system("StochasticSIR", N=12.0, beta=0.2, gamma=0.1)
    request = Request(2, 5000.0, seed=8)
    ends = system.trajectories(request, np.tile([11.0, 1.0, 0.0], (5000, 1)), {})[1][:, 1]
    assert np.all(ends[:, 1] == 0)
    sizes = (11 - ends[:, 0]).astype(int)
    expected = 5000 * final_sizes(11, 1, 2.0)
    assert expected.sum() == pytest.approx(5000)
    assert stats.chisquare(np.bincount(sizes, minlength=12), expected).pvalue > 1e-3


def test_bistable_numbers_have_the_exact_stationary_distribution() -> None:
    # One state, steps of one: detailed balance gives p(n + 1)/p(n) = up(n)/down(n + 1); its relaxation is slow.
    system = jump(
        [reaction("b + c*x**2/(k**2 + x**2)", x=1), reaction("g*x", x=-1)], {"x": 5},
        parameters={"b": 3.0, "c": 27.0, "k": 13.5, "g": 1.0},
    )  # fmt: skip
    n = np.arange(80.0)
    up = system.propensities(n[:, None])
    log = np.concatenate([[0.0], np.cumsum(np.log(up[:-1, 0]) - np.log(up[1:, 1]))])
    exact = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
    values = takens.simulate(system, length=100_000, dt=4.0, transient=100.0, seed=2).values[:, 0]
    found = np.bincount(values.astype(int), minlength=80)[:80] / len(values)
    assert np.abs(np.cumsum(found) - np.cumsum(exact)).max() < 0.02
    assert exact[:12].sum() > 0.1 < exact[15:].sum()


def test_waiting_times_are_exponential_and_sampled_before_the_event() -> None:
    system = jump([reaction("2*(1 - x)", x=1)], {"x": 0})
    values = many(system, 5000, 60, 0.05)[..., 0]
    assert set(np.unique(values)) == {0.0, 1.0}
    assert np.all(np.diff(values, axis=1) >= 0)
    for row in (1, 10, 20):
        share = 1 - math.exp(-2 * 0.05 * row)
        assert abs(values[:, row].mean() - share) < 4 * math.sqrt(share * (1 - share) / 5000)
    assert np.all(values[:, 0] == 0)


def test_a_state_without_rates_stays_for_ever() -> None:
    system = takens.system("StochasticSIR")
    values = takens.simulate(system, length=50, dt=1e6, seed=0).values
    assert np.all(values[1:] == values[1])
    assert values[1, 1] == 0
    assert np.all(values.sum(axis=1) == 1000)


def test_the_result_does_not_depend_on_how_often_it_is_looked_at_or_on_others() -> None:
    system = takens.system("StochasticPredatorPrey")
    fine = takens.simulate(system, length=401, dt=0.25, seed=6).values
    coarse = takens.simulate(system, length=101, dt=1.0, seed=6).values
    np.testing.assert_array_equal(fine[::4], coarse)
    late = takens.simulate(system, length=51, dt=1.0, transient=50.0, seed=6).values
    np.testing.assert_array_equal(coarse[50:], late)
    members = [s.values for s in takens.simulate_ensemble(system, members=5, length=101, dt=1.0, seed=6, threads=3)]
    np.testing.assert_array_equal(members[0], coarse)
    assert len({m.tobytes() for m in members}) == 5


def test_mean_of_many_runs_follows_the_rate_equation_where_rates_are_linear() -> None:
    system = takens.system("TelegraphGene")
    values = many(system, 4000, 4, 0.8)
    flow = takens.simulate(system.mean_field(), length=4, dt=0.8).values
    error = values.std(axis=0) / math.sqrt(4000)
    assert np.all(np.abs(values.mean(axis=0) - flow)[1:] < 4 * error[1:])


def test_derived_forms_are_those_of_the_books() -> None:
    system = jump(
        [reaction("a*k", x=1), reaction("x*y", x=-2, y=1)], {"x": 3, "y": 2}, parameters={"k": 2.0},
        auxiliary={"a": "k + y"},
    )  # fmt: skip
    x, y = 3.0, 2.0
    np.testing.assert_allclose(system.propensities([x, y]), [8.0, 6.0])
    np.testing.assert_allclose(system.rhs(0.0, [x, y]), [8 - 12, 6])
    np.testing.assert_allclose(system.jacobian(0.0, [x, y]), [[-2 * y, 2 - 2 * x], [y, x]])
    langevin = system.langevin()
    expected = np.array([[1, -2], [0, 1]]) * np.sqrt([8.0, 6.0])
    np.testing.assert_allclose(langevin.coefficients(0.0, [x, y]), expected)
    np.testing.assert_allclose(langevin.rhs(0.0, [x, y]), system.rhs(0.0, [x, y]))
    linear = system.linear_noise()
    assert linear.states == ("x", "y", "x_noise", "y_noise")
    np.testing.assert_allclose(linear.rhs(0.0, [x, y, 0.5, -1.0])[2:], system.jacobian(0.0, [x, y]) @ [0.5, -1.0])
    np.testing.assert_allclose(linear.coefficients(0.0, [x, y, 0, 0])[2:], expected)
    np.testing.assert_array_equal(linear.coefficients(0.0, [x, y, 0, 0])[:2], 0)


def test_langevin_and_linear_noise_agree_with_the_process_in_a_large_system() -> None:
    system = takens.system("StochasticPredatorPrey")
    point = np.array([640.0, 640.0])
    slope = system.jacobian(0.0, point)
    noise = system.langevin().coefficients(0.0, point)
    covariance = linalg.solve_continuous_lyapunov(slope, -noise @ noise.T)
    for one in (system, system.langevin(), system.linear_noise()):
        series = takens.simulate_ensemble(one, members=20, length=400, dt=5.0, transient=500.0, seed=1)
        values = np.stack([s.values for s in series])
        part = values[..., 2:] if one.dimension == 4 else values[..., :2]
        found = np.array([np.cov(member.T) for member in part])
        error = found.std(axis=0) / math.sqrt(20)
        # what the expansion leaves out is of the order of 1/640 and of the cycles' size
        assert np.all(np.abs(found.mean(axis=0) - covariance) < 4 * error + 0.06 * np.abs(covariance)), one.name


@pytest.mark.parametrize(
    ("reactions", "told"),
    [
        ([], "no reactions"),
        ([{"rate": "1"}], "Write reactions"),
        ([reaction("1", x=0)], "changes nothing"),
        ([reaction("1", z=1)], "'z' is not a state"),
        ([{"rate": "1", "change": {"x": 0.5}}], "whole number"),
        ([reaction("xx", x=1)], "Did you mean x"),
        ([reaction("-1", x=1)], "is -1 at the initial state"),
        ([reaction("t*x", x=1)], "unknown name 't'"),
    ],
)
def test_wrong_reactions_are_told(reactions: list[dict], told: str) -> None:
    with pytest.raises((SettingError, EquationError), match=told):
        jump(reactions, {"x": 1, "y": 0})


def test_what_cannot_go_on_is_told_with_time_and_state() -> None:
    falling = jump([reaction("3 - x", x=1), reaction("10*x*(4 - x)", x=1)], {"x": 1}, name="falling")
    with pytest.raises(SimulationError, match=r"rate of reaction 1 is -1 at t = .*x = 4") as caught:
        takens.simulate(falling, length=5, dt=1.0)
    assert caught.value.state == (4.0,)
    assert 0 < caught.value.time < 4
    boom = jump([reaction("x**2", x=1)], {"x": 5})
    plan = Reactions(boom.rule.program, np.ones((1, 1)))
    with pytest.raises(SimulationError, match="more than 5,000 events at t"):
        react(plan, np.array([5.0]), np.empty(0), np.array([0.0, 1e3]), most_events=5000)
    with pytest.raises(SettingError, match="whole numbers"):
        takens.simulate(boom, length=2, dt=0.1, initial=[0.5])
    with pytest.raises(SettingError, match="not in steps"):
        takens.simulate(boom, length=2, dt=0.1, step=0.1)
    with pytest.raises(SettingError, match="mean_field"):
        takens.lyapunov_spectrum(takens.system("Schlogl"), count=1)


def test_reactions_are_shown() -> None:
    system = takens.system("StochasticSIR")
    assert system.text().splitlines()[0] == "S -> S - 1, I -> I + 1  at rate beta*S*I/N"
    assert r"(S, I) &\to (S - 1, I + 1)" in system.latex()
