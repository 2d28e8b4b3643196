"""Cycles and closed orbits against counts, closed forms and published periods."""

from __future__ import annotations

import numpy as np
import pytest

from takens.dynamics.cycles import cycles
from takens.dynamics.periodic_orbits import periodic_orbits
from takens.errors import SettingError
from takens.systems import ArrayRule, Flow, Map, System, system

HENON_CYCLES = [2, 1, 0, 1, 0, 2, 4, 7]
"""Galias, Int. J. Bifurcation Chaos 11, 2427 (2001): 1, 1, 0, 1, 0, 2, 4, 7 in the attractor; a fixed point is not."""


def test_henon_has_the_cycles_it_is_known_to_have() -> None:
    henon = system("Henon")
    for period, count in enumerate(HENON_CYCLES[:7], start=1):
        found = cycles(henon, period)
        assert (found.complete, len(found), found.method) == (True, count, "proof")
        for one in found.orbits:
            assert one.proved
            assert one.residual < 1e-12
            assert np.prod(one.multipliers).real == pytest.approx((-0.3) ** period, rel=1e-9)
    # The 2-cycle: x^2 - (1 - b)/a x + (1 - b)^2/a^2 - 1/a = 0.
    pair = cycles(henon, 2).orbits[0].states[:, 0]
    assert np.sort(pair) == pytest.approx(np.sort(np.roots([1, -0.5, 0.25 - 1 / 1.4])), abs=1e-12)


def test_search_agrees_with_proof_and_goes_further() -> None:
    henon = system("Henon")
    for period, count in enumerate([*HENON_CYCLES, 6, 10], start=1):
        found = cycles(henon, period, method="search")
        assert (found.complete, len(found)) == (False, count)
    rule = ArrayRule(("x", "y"), lambda t, x, p: henon.rhs(t, x))
    coded = cycles(Map("array", rule, {}, henon.initial), 4)
    assert (coded.method, len(coded)) == ("search", 1)
    assert coded.orbits[0].states == pytest.approx(cycles(henon, 4).orbits[0].states, abs=1e-8)


def test_logistic_map_has_two_to_the_p_points() -> None:
    logistic = system("Logistic", r=4.0)
    points = {}
    for period in range(1, 8):
        found = cycles(logistic, period)
        assert found.complete
        points[period] = period * len(found)
        assert sum(count for p, count in points.items() if period % p == 0) == 2**period
        for one in found.orbits:
            # Conjugate to the tent map: |multiplier| is 2^p, but at 0, where it is 4.
            expected = 4.0 if np.abs(one.states).max() < 1e-9 else 2.0**period
            assert abs(one.multipliers[0]) == pytest.approx(expected, rel=1e-6)
    exact = np.sin(np.pi / 7 * np.array([1, 2, 3])) ** 2
    three = [np.sort(one.states[:, 0]) for one in cycles(logistic, 3).orbits]
    assert min(np.abs(states - np.sort(exact)).max() for states in three) < 1e-10


def test_superstable_and_degenerate_cycles() -> None:
    stable = cycles(system("Logistic", r=1 + np.sqrt(5)), 2)
    assert stable.complete
    assert stable.orbits[0].stability == "stable node"
    assert abs(stable.orbits[0].multipliers[0]) < 1e-10
    born = cycles(system("Logistic", r=1 + np.sqrt(8)), 3, most_boxes=20_000)
    assert not born.complete


def van_der_pol(mu: float) -> System:
    table = {"equations": {"x": "y", "y": "mu*(1 - x**2)*y - x"}, "parameters": {"mu": mu}, "initial": [2.0, 0.0]}
    return system({**table, "period": 6.5})


def test_van_der_pol() -> None:
    # Andersen & Geer, SIAM J. Appl. Math. 42, 678 (1982): omega = 1 - mu^2/16 + 17 mu^4/3072 + 35 mu^6/884736 - ...
    mu = 0.3
    found = periodic_orbits(van_der_pol(mu)).orbits
    assert len(found) == 1
    omega = 1 - mu**2 / 16 + 17 * mu**4 / 3072 + 35 * mu**6 / 884736
    assert found[0].period == pytest.approx(2 * np.pi / omega, rel=1e-6)
    one = periodic_orbits(van_der_pol(1.0)).orbits[0]
    assert one.period == pytest.approx(6.6632868593231301896996820305, rel=1e-10)
    assert one.multipliers[0] == pytest.approx(1, abs=1e-8)
    # The other multiplier is exp of the integral of the divergence, mu (1 - x^2): the mean over equal times is exact.
    divergence = (1 - one.states[:, 0] ** 2).mean() * one.period
    assert one.multipliers[1].real == pytest.approx(np.exp(divergence), rel=1e-6)
    assert one.stability == "stable node"
    assert np.abs(one.states[:, 0]).max() == pytest.approx(2.00862, abs=1e-4)


def test_an_exact_limit_cycle() -> None:
    # r' = r (1 - r^2), phi' = 2: the unit circle with period pi and multipliers 1, exp(-2 pi).
    texts = {"x": "x*(1 - x**2 - y**2) - 2*y", "y": "y*(1 - x**2 - y**2) + 2*x"}
    normal = system({"equations": texts, "initial": [0.9, 0.0], "period": 3.0})
    for one in periodic_orbits(normal).orbits:
        assert one.period == pytest.approx(np.pi, rel=1e-11)
        assert one.multipliers == pytest.approx([1, np.exp(-2 * np.pi)], abs=1e-9)
        assert np.hypot(*one.states.T) == pytest.approx(np.ones(840), abs=1e-9)


def test_lorenz() -> None:
    found = periodic_orbits(system("Lorenz63"), starts=60)
    periods = np.array([one.period for one in found.orbits])
    # Viswanath, Nonlinearity 16, 1035 (2003): AB, AAB and its mirror ABB.
    assert np.abs(periods - 1.5586522107161747).min() < 1e-9
    assert np.count_nonzero(np.abs(periods - 2.3059072639398) < 1e-8) == 2
    for one in found.orbits:
        assert np.abs(one.multipliers - 1).min() < 1e-6
        assert one.residual < 1e-9
        # Volumes shrink by 41/3 per unit of time.
        assert np.log(np.abs(one.multipliers)).sum() == pytest.approx(-41 / 3 * one.period, rel=1e-6)
    shortest = found.orbits[int(np.abs(periods - 1.5586522107).argmin())]
    assert np.log(shortest.multipliers[0].real) / shortest.period == pytest.approx(0.99465, abs=1e-4)


def test_rossler() -> None:
    periods = [one.period for one in periodic_orbits(system("Rossler")).orbits]
    first = periodic_orbits(system("Rossler")).orbits[0]
    # Cvitanovic et al., Chaos: Classical and Quantum: the orbits 1, 01, 001 and 011.
    assert first.period == pytest.approx(5.88108845586, rel=1e-9)
    assert first.multipliers[0].real == pytest.approx(-2.40395353, rel=1e-6)
    for known in (11.75862, 17.51580):
        assert np.abs(np.array(periods) - known).min() < 1e-4


def test_a_forced_linear_oscillator() -> None:
    forced = system({"equations": {"x": "v", "v": "cos(1.3*t) - x - 0.4*v"}, "initial": [0.0, 0.0]})
    found = periodic_orbits(forced, forcing=2 * np.pi / 1.3)
    assert len(found) == 1
    w, d = 1.3, 0.2
    exact = (1 - w * w) / ((1 - w * w) ** 2 + (2 * d * w) ** 2)
    assert found.orbits[0].states[0, 0] == pytest.approx(exact, abs=1e-9)
    expected = np.exp(complex(-d, np.sqrt(1 - d * d)) * 2 * np.pi / w)
    assert np.sort_complex(found.orbits[0].multipliers) == pytest.approx(
        np.sort_complex([expected, expected.conjugate()]), abs=1e-8
    )
    assert found.orbits[0].stability == "stable focus"


def test_array_code_and_nothing_to_find() -> None:
    rule = ArrayRule(("x", "y"), lambda t, x, p: np.stack(
        [x[..., 1], (1 - x[..., 0] ** 2) * x[..., 1] - x[..., 0]], axis=-1))  # fmt: skip
    coded = periodic_orbits(Flow("array", rule, {}, [2.0, 0.0], period=6.6), duration=60.0, starts=1)
    assert coded.orbits[0].period == pytest.approx(6.66328686, rel=1e-6)
    rest = system({"equations": {"x": "-x", "y": "-y"}, "initial": [1.0, 0.5], "period": 1.0})
    assert len(periodic_orbits(rest)) == 0


def test_refusals() -> None:
    with pytest.raises(SettingError, match="cycles"):
        periodic_orbits(system("Henon"))
    with pytest.raises(SettingError, match="periodic_orbits"):
        cycles(system("Lorenz63"), 1)
    with pytest.raises(SettingError, match="period"):
        cycles(system("Henon"), 0)
    with pytest.raises(SettingError, match="time"):
        periodic_orbits(system("Duffing"))
    with pytest.raises(SettingError, match="longest"):
        periodic_orbits(system("Lorenz63"), longest=-1.0)


def test_orbits_of_one_energy_near_the_start() -> None:
    """x'' = -x - x^3: the period is a complete elliptic integral of the energy of the orbit that is found."""
    from scipy.special import ellipk

    duffing = system({"equations": {"x": "y", "y": "-x - x**3"}, "initial": [1.0, 0.0], "period": 5.0})
    one = periodic_orbits(duffing, starts=5).orbits[0]
    amplitude = np.abs(one.states[:, 0]).max()
    modulus = amplitude**2 / (2 * (1 + amplitude**2))
    assert one.period == pytest.approx(4 * ellipk(modulus) / np.sqrt(1 + amplitude**2), rel=1e-4)
    energy = one.states[:, 1] ** 2 / 2 + one.states[:, 0] ** 2 / 2 + one.states[:, 0] ** 4 / 4
    assert energy == pytest.approx(np.full(840, 0.75), abs=0.02)
    assert np.ptp(energy) < 1e-9
