"""The truths of the bank: regimes computed anew, closed forms of processes, the null of linear noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.stats import binom, kstest

from takens.bank.census import classified, refined, return_time, settled_motion, time_between_maxima
from takens.bank.families import sources
from takens.bank.families.linear import circulant, fractional, roots
from takens.bank.regimes import Regime, named, own, regimes
from takens.errors import SettingError
from takens.random import generator
from takens.systems.invariants import stored

SIMPLE = [regime for regime in regimes() if len(regime.observables) <= 4]


def sample(truth: str, count: int) -> list[Regime]:
    rows = [regime for regime in SIMPLE if regime.truth == truth]
    return [rows[i] for i in np.linspace(0, len(rows) - 1, count).astype(int)]


def start(regime: Regime) -> np.ndarray | None:
    return None if regime.initial is None else np.array(regime.initial)


@pytest.mark.parametrize(
    "regime", [r for t in ("periodic", "quasi-periodic", "chaotic") for r in sample(t, 4)], ids=lambda r: r.name[:40]
)
def test_regimes_are_what_the_table_says(regime: Regime) -> None:
    found = classified(regime.system, dict(regime.parameters), start(regime))
    assert found.truth == regime.truth
    if regime.truth == "periodic":
        ratio = found.period / regime.period
        assert abs(ratio - round(ratio)) < 1e-4 or abs(1 / ratio - round(1 / ratio)) < 1e-4


@pytest.mark.long
@pytest.mark.parametrize("truth", ["periodic", "quasi-periodic", "chaotic"])
def test_many_regimes_are_what_the_table_says(truth: str) -> None:
    for regime in sample(truth, 25):
        assert classified(regime.system, dict(regime.parameters), start(regime)).truth == truth, regime.name
        assert set(refined(regime).observables) <= set(regime.observables)


def test_chaos_has_positive_exponents_here_and_in_the_invariants() -> None:
    known = 0
    for regime in regimes():
        if regime.truth != "chaotic":
            continue
        value, error = regime.evidence["exponents"][0], regime.evidence["errors"][0]
        assert value * regime.cycle > max(0.02, 5 * error * regime.cycle)
        spectrum = (stored(regime.system) or {}).get("lyapunov_spectrum")
        if spectrum and not regime.parameters:
            known += 1
            assert spectrum["value"][0] > 3 * spectrum["standard_error"][0], regime.name
    assert known > 120


def test_a_period_is_one_without_noise() -> None:
    for regime in sample("periodic", 12):
        law = named(regime.system)
        source = sources()[f"periodic {regime.name}"]
        settings = {"observable": regime.observables[0], "start": 3.0}
        cycles = 3 * regime.period / regime.cycle
        sampling = 1.0 if law.stepwise else 300.0
        length = int(3 * regime.period) + 1 if law.stepwise else int(cycles * sampling) + 1
        x = source.signal(settings, length, sampling, 0.0, generator(0, "period"))
        lag = regime.period if law.stepwise else regime.period / regime.cycle * sampling
        rows = np.arange(2, int(len(x) - lag) - 2)
        later = x[rows + round(lag)] if law.stepwise else CubicSpline(np.arange(len(x)), x)(rows + lag)
        assert np.sqrt(np.mean((later - x[rows]) ** 2)) < 2e-3 * x.std(), regime.name


def test_the_census_tells_a_limit_cycle_a_torus_chaos_and_rest() -> None:
    assert classified("StuartLandau").period == pytest.approx(2 * np.pi / 2.5, rel=1e-5)  # w - c a = 2.5
    assert classified("Logistic", {"r": 3.5}).period == 4
    assert classified("TwoToneDuffing").truth == "quasi-periodic"
    assert classified("Henon").evidence["exponents"][0] == pytest.approx(0.419, abs=0.02)
    with pytest.raises(SettingError):
        classified("StuartLandau", {"a": -1.0})
    flat = next(r for r in regimes() if r.system == "VanDerPol")
    with pytest.raises(SettingError, match="no torus"):
        refined(replace(flat, truth="quasi-periodic"))


def test_times_between_maxima_and_returns_of_known_motion() -> None:
    x = np.sin(2 * np.pi * np.arange(5000) / 62.5)
    assert time_between_maxima(x) == pytest.approx(62.5, rel=0.02)
    assert time_between_maxima(np.arange(10.0)) == np.inf
    motion = settled_motion(named("VanDerPol"))
    period, defect = return_time(motion)
    assert period == pytest.approx(7.6298745, abs=1e-4)  # mu = 2: 7.62987
    assert defect < 1e-4


def test_equations_of_the_bank_are_new_names() -> None:
    from takens.systems import names

    assert not set(own()) & set(names())


def autocovariance(x: np.ndarray, lag: int) -> float:
    x = x - x.mean()
    return float(np.mean(x[lag:] * x[: len(x) - lag]))


def values(name: str, length: int = 200_000, **settings: float) -> np.ndarray:
    return sources()[name].signal({"observable": "x", **settings}, length, 1.0, 0.0, generator(3, name))


def test_linear_processes_have_their_autocorrelations() -> None:
    for name, settings, lag, expected in (
        ("AR(1) positive", {"phi": 0.8}, 3, 0.8**3),
        ("AR(1) negative", {"phi": -0.6}, 1, -0.6),
        ("MA(1)", {"theta": 0.5}, 1, 0.4),
        ("ARMA(1,1)", {"phi": 0.5, "theta": 0.4}, 1, (1 + 0.2) * 0.9 / (1 + 0.4 + 0.16)),
        ("Ornstein-Uhlenbeck", {"time": 10.0}, 7, np.exp(-0.7)),
        ("ARFIMA persistent", {"d": 0.2}, 1, 0.2 / 0.8),
        ("ARFIMA antipersistent", {"d": -0.3}, 1, -0.3 / 1.3),
        ("fractional Gaussian noise", {"hurst": 0.8}, 1, 2**0.6 - 1),
        ("smooth noise", {"scale": 4.0}, 5, np.exp(-(5**2) / (4 * 4.0**2))),
        ("moving average", {"width": 10}, 4, 0.6),
    ):
        x = values(name, **settings)
        assert autocovariance(x, lag) / autocovariance(x, 0) == pytest.approx(expected, abs=0.025), name


def test_embedding_in_a_circle_is_exact_in_covariance() -> None:
    paths = np.array([fractional(generator(i, "paths"), 64, 0.4) for i in range(4000)])
    found = (paths[:, 0] * paths[:, 10]).mean() / (paths**2).mean()
    lags = np.arange(1, 11)
    assert found == pytest.approx(np.prod((lags - 0.6) / (lags - 0.4)), abs=0.06)
    white = circulant(generator(1, "white"), np.eye(1, 4096)[0])
    assert kstest(white, "norm").pvalue > 1e-3


def test_poles_make_their_polynomial() -> None:
    assert np.allclose(roots((0.9, 0.1)), [1.8 * np.cos(0.2 * np.pi), -0.81])
    assert np.allclose(roots((0.5, 0.0), (-0.3, 0.0)), [0.2, 0.15])


def test_nonlinear_processes_have_their_moments() -> None:
    x = values("square-root diffusion", spread=1.2, dt=0.2)
    assert x.mean() == pytest.approx(1, abs=0.03)
    assert x.var() == pytest.approx(1.2**2 / 2, rel=0.06)
    x = values("GARCH", a=0.15, b=0.5)
    assert x.var() == pytest.approx(0.1 / 0.35, rel=0.03)
    assert autocovariance(x, 1) / x.var() == pytest.approx(0, abs=0.01)
    assert np.mean(x**4) / np.mean(x**2) ** 2 == pytest.approx(
        3 * (1 - 0.65**2) / (1 - 0.65**2 - 2 * 0.15**2), rel=0.05
    )
    x = values("double well", length=60_000, spread=0.5, dt=0.5)
    assert x.var() == pytest.approx(0.8521361521783336, rel=0.03)  # quadrature of exp((x^2 - x^4/2)/sigma^2)
    x = values("count AR", phi=0.5, rate=1.0)
    assert x.mean() == pytest.approx(2, rel=0.03)
    assert x.var() == pytest.approx(2, rel=0.05)
    x = values("superdiagonal bilinear", b=0.5)
    assert x.var() == pytest.approx(1 / 0.75, rel=0.03)


def linearity(name: str, seed: int) -> float:
    """p-value of time reversal asymmetry against amplitude-adjusted surrogates of 1,500 values, two-sided, by rank."""
    from takens.measures.surrogates.linear import iaaft

    source = sources()[name]
    random = generator(seed, "linearity", name)
    settings = {**source.draw(random), "observable": "x"}
    x = source.signal(settings, 1500, 1.0, 0.0, random)
    cut = x[np.argmin(np.abs(x[:200] - x[-1])) :]
    rows = np.vstack([cut, np.asarray(iaaft(cut, 39, random))])
    z = (rows - rows.mean(axis=1, keepdims=True)) / rows.std(axis=1, keepdims=True)
    asymmetry = np.abs(np.mean((z[:, 1:] - z[:, :-1]) ** 3, axis=1))
    return float((1 + np.sum(asymmetry[1:] >= asymmetry[0])) / 40)


def test_linear_noise_is_linear_for_surrogates() -> None:
    linear = [name for name, source in sources().items() if source.truth == "linear noise"]
    rejected = sum(linearity(name, 1) <= 0.05 for name in linear)
    assert rejected <= binom.ppf(0.999, len(linear), 0.05)


def test_chaos_that_ends_does_end_inside_the_record() -> None:
    source = sources()["transient chaos"]
    random = generator(2, "transient")
    for _ in range(5):
        settings = {**source.draw(random), "observable": "x"}
        x = source.signal(settings, 1000, 20.0, 0.0, random)
        turns = np.flatnonzero(np.diff(np.sign(x)))
        assert turns[-1] == pytest.approx(settings["end"] * 1000, abs=2)


def test_a_drift_ends_where_it_should() -> None:
    source = sources()["drifting Logistic"]
    x = source.signal({"observable": "x", "first": 2.5, "last": 2.9}, 2000, 1.0, 0.0, generator(0, "drift"))
    r = 2.5 + 0.4 * np.arange(2000) / 2000  # slow against the pull of the fixed point 1 - 1/r
    assert np.allclose(x, 1 - 1 / r, atol=1e-3)


def test_a_diffusing_phase_diffuses() -> None:
    source = sources()["diffusing sine"]
    ends = []
    for i in range(400):
        x = source.signal({"start": 0.25, "jitter": 0.02}, 101, 10.0, 0.0, generator(i, "phase"))
        ends.append(x[-1])
    # E cos(2 pi phase) = exp(-(2 pi)^2 variance / 2), the variance after 10 cycles is 10 x 0.02^2.
    assert np.mean(ends) == pytest.approx(np.exp(-0.5 * (2 * np.pi) ** 2 * 0.004), abs=0.02)
