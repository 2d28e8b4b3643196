"""Random numbers of machine code: known answers, distributions, independence; Wiener paths refined by shorter steps."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from scipy import stats

import takens
from takens.errors import EquationError, SettingError, SimulationError
from takens.systems import Diffusion
from takens.systems.base import Request
from takens.systems.native.machine import Machine
from takens.systems.native.random_numbers import uniforms


def wiener(processes: int = 1) -> Diffusion:
    """Independent Wiener processes."""
    names = [f"x{i}" for i in range(processes)]
    table = {"equations": dict.fromkeys(names, "0"), "noise": dict.fromkeys(names, "1"), "initial": [0.0] * processes}
    found = takens.system({"kind": "diffusion", **table})
    assert isinstance(found, Diffusion)
    return found


def paths(members: int, length: int, *, processes: int = 1, **asked: object) -> np.ndarray:
    """Wiener processes (member, time, process) at unit intervals."""
    request = Request(length, 1.0, **{"step": 1.0, "seed": 9, **asked})  # type: ignore[arg-type]
    return wiener(processes).trajectories(request, np.zeros((members, processes)), {})[1]


def normals(members: int, length: int, **asked: object) -> np.ndarray:
    """Standard normal numbers (member, number): increments over unit intervals."""
    return np.diff(paths(members, length + 1, **asked)[..., 0], axis=1)


def philox(counter: tuple[int, ...], key: int) -> np.ndarray:
    """The two uniform numbers for a counter, from compiled code."""
    call = """define void @draw(i64 %a, i64 %b, i64 %c, i64 %d, i64 %key, ptr %out) {
  %pair = call {double, double} @takens_uniforms(i64 %a, i64 %b, i64 %c, i64 %d, i64 %key)
  %u = extractvalue {double, double} %pair, 0
  %v = extractvalue {double, double} %pair, 1
  store double %u, ptr %out
  %next = getelementptr double, ptr %out, i64 1
  store double %v, ptr %next
  ret void
}
"""
    machine = Machine([uniforms(1), call], ())
    draw = machine.function("draw", None, *[ctypes.c_uint64] * 5, ctypes.c_void_p)
    out = np.empty(2)
    draw(*counter, key, out.ctypes.data)
    return out


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, 0xFFFFFFFFFFFFFFFF, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), 0x299F31D0A4093822,
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)  # fmt: skip
def test_known_answers_of_the_generator(counter: tuple[int, ...], key: int, words: tuple[int, ...]) -> None:
    # The vectors that Salmon et al. publish with their implementation.
    expected = [((words[2 * i] | words[2 * i + 1] << 32) >> 12) * 2.0**-52 for i in range(2)]
    assert philox(counter, key).tolist() == expected


def test_moments_and_distribution_of_normal_numbers() -> None:
    found = normals(320, 10_000).ravel()
    size = len(found)
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96), (6, 15, 10_170)):
        assert abs(np.mean(found**power) - moment) < 4.5 * np.sqrt(variance / size), power
    assert stats.kstest(found[:1_000_000], "norm").pvalue > 1e-3
    for level in (3.0, 4.0):  # tails, both sides
        share = stats.norm.sf(level)
        for count in (np.sum(found > level), np.sum(found < -level)):
            assert abs(count - share * size) < 4.5 * np.sqrt(share * size) + 1


def test_no_correlation_in_time_between_members_and_between_processes() -> None:
    found = normals(64, 20_000)
    bound = 5 / np.sqrt(found.size)
    for lag in (1, 2, 3, 7, 16, 64):
        assert abs(np.mean(found[:, lag:] * found[:, :-lag])) < bound
        assert abs(np.mean(found[:, lag:] ** 2 * found[:, :-lag] ** 2) - 1) < 6 * bound
    correlation = np.corrcoef(found) - np.eye(64)
    assert np.abs(correlation).max() < 5 / np.sqrt(20_000)
    squares = np.corrcoef(found**2) - np.eye(64)  # pairs of normal numbers share a radius, and are independent still
    assert np.abs(squares).max() < 5 / np.sqrt(20_000)
    several = np.diff(paths(16, 20_001, processes=3), axis=1).transpose(2, 0, 1).reshape(3, -1)
    assert np.abs(np.corrcoef(several) - np.eye(3)).max() < 5 / np.sqrt(several.shape[1])


@pytest.mark.parametrize("steps", [2, 8, 64])
def test_shorter_steps_refine_the_same_path(steps: int) -> None:
    coarse = paths(40, 50)
    fine = paths(40, 50, step=1 / steps)
    np.testing.assert_allclose(fine, coarse, atol=1e-11)


def test_increments_of_refined_paths_are_independent_normal_numbers() -> None:
    # x collects products of successive increments: dx = w dW, dw = dW, so that x = (w^2 - sum dW^2)/2.
    table = {"equations": {"x": "0", "w": "0"}, "noise": {"x": ["w"], "w": ["1"]}, "initial": [0.0, 0.0]}
    system = takens.system({"kind": "diffusion", **table})
    request = Request(2, 1.0, step=1 / 64, seed=2, method="Euler-Maruyama")
    x, w = system.trajectories(request, np.zeros((20_000, 2)), {})[1][:, 1].T
    quadratic = w**2 - 2 * x  # the sum of 64 squares of variance 1/64 each
    assert abs(quadratic.mean() - 1) < 4.5 * np.sqrt(2 / 64 / len(x))
    assert quadratic.var() == pytest.approx(2 / 64, rel=0.06)
    assert stats.kstest(quadratic * 64, stats.chi2(64).cdf).pvalue > 1e-3


def test_a_member_s_path_depends_on_nobody_else() -> None:
    system = takens.system("NoisyVanDerPol")
    starts = system.initial + 0.1 * np.random.default_rng(0).normal(size=(37, 2))
    alone = takens.simulate(system, length=20, initial=starts[0], seed=3).values
    runs = [
        [s.values for s in takens.simulate_ensemble(system, starts[:count], length=20, seed=3, threads=threads)]
        for count, threads in ((37, 1), (37, 3), (5, 2))
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[0][:5], runs[2])
    np.testing.assert_array_equal(runs[0][0], alone)
    eleventh = system.trajectory(Request(20, system.dt, seed=3, stream=(11,)), starts[11])[1]
    np.testing.assert_array_equal(runs[0][11], eleventh)
    other = takens.simulate(system, length=20, initial=starts[0], seed=4).values
    assert np.abs(other - alone).max() > 0.01


def test_a_transient_is_the_same_path_seen_later() -> None:
    system = takens.system("OrnsteinUhlenbeck")
    whole = takens.simulate(system, length=500, dt=0.1, seed=1)
    late = takens.simulate(system, length=100, dt=0.1, transient=39.95, seed=1)
    np.testing.assert_array_equal(whole.values[400:], late.values)
    assert late.times[0] == pytest.approx(40.0)


def test_members_have_parameters_of_their_own() -> None:
    system = takens.system("OrnsteinUhlenbeck")
    sigma = np.linspace(0.0, 2.0, 20)
    found = takens.simulate_ensemble(system, [1.0], length=30, dt=0.1, parameters={"sigma": sigma}, seed=5)
    one = takens.simulate(system.with_parameters(sigma=0.0), length=30, dt=0.1, initial=[1.0])
    np.testing.assert_array_equal(found[0].values, one.values)
    np.testing.assert_allclose(one.values[:, 0], np.exp(-0.1 * np.arange(30)), rtol=1e-3)
    for wrong in ({"sigma": np.append(sigma, np.nan)}, {"sgima": sigma}):
        with pytest.raises(SettingError):
            takens.simulate_ensemble(system, [1.0], length=3, parameters=wrong)


def test_a_path_that_diverges_is_told_with_member_time_and_state() -> None:
    system = takens.system({"kind": "diffusion", "equations": {"x": "x**3"}, "noise": {"x": "0.01"}, "initial": [0.1]})
    starts = np.full((40, 1), -0.1)
    starts[23] = 2.0
    with pytest.raises(SimulationError) as caught:
        takens.simulate_ensemble(system, starts, length=100, dt=0.1, transient=1.0)
    assert "[23]" in str(caught.value)
    assert 0 <= caught.value.time < 0.5  # the exact solution diverges at 1/8
    assert np.isfinite(caught.value.state).all()
    assert abs(caught.value.state[0]) >= 2
    with pytest.raises(SettingError, match="too short"):
        takens.simulate(system, length=2, dt=1.0, step=1e-12)


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({"noise": {}}, SettingError, "no noise"),
        ({"noise": {"y": "1"}}, SettingError, "'y' is not a state"),
        ({"noise": {"x": "sgima"}}, EquationError, "Did you mean sigma"),
        ({"noise": {"x": True}}, SettingError, "not text"),
        ({"noise": {"x": "0"}}, SettingError, "acts on nothing"),
        ({"noise": {"x": ["1", "2"], "v": ["1"]}}, SettingError, "different lengths"),
        ({"noise": {"x": "log(-1 - x)"}}, SettingError, "no finite value"),
        ({"interpretation": "itoh"}, SettingError, "stratonovich"),
        ({"nosie": {}}, SettingError, "Did you mean noise"),
    ],
)
def test_wrong_definitions_are_told(change: dict, error: type[Exception], told: str) -> None:
    table = {
        "kind": "diffusion", "equations": {"x": "-x", "v": "0"}, "noise": {"x": "sigma"}, "parameters": {"sigma": 1.0},
        "initial": [0.0, 0.0],
    }  # fmt: skip
    with pytest.raises(error, match=told):
        takens.system({**table, **change})


def test_equations_are_shown_with_their_noise() -> None:
    table = {
        "kind": "diffusion", "equations": {"x": "-a*x", "v": "0"}, "noise": {"x": ["1", "x"], "v": "0.5"},
        "parameters": {"a": 2.0}, "initial": [0.0, 1.0],
    }  # fmt: skip
    assert takens.system(table).text() == "dx = (-a*x) dt + dW1 + (x) dW2\ndv = (0.5) dW3"
    shown = takens.system({**table, "interpretation": "stratonovich"})
    assert shown.text().splitlines()[0] == "dx = (-a*x) dt + o dW1 + (x) o dW2"
    assert r"\circ dW_{2}" in shown.latex()


def test_displacements_of_a_noisy_path_are_refused_with_a_way_out() -> None:
    system = takens.system("NoisyVanDerPol")
    with pytest.raises(SettingError, match="deterministic"):
        takens.lyapunov_spectrum(system, count=1)
    flow = system.deterministic()
    assert flow.kind == "flow"
    np.testing.assert_array_equal(flow.rhs(0.0, [1.0, 2.0]), system.rhs(0.0, [1.0, 2.0]))
