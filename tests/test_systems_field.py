"""Fields: closed solutions, order in time, spectral accuracy in space, and what their definitions refuse."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import takens
from takens.errors import EquationError, SettingError, SimulationError

HEAT: dict[str, Any] = {
    "name": "Heat", "kind": "field", "linear": {"u": "D*u_xx"}, "domain": "2*pi", "points": 32,
    "parameters": {"D": 0.1}, "initial": {"u": "sin(x)"}, "dt": 0.1,
}  # fmt: skip
ADVECTION = "-c*u_x + D*u_xx + b*u_xxx - s*u_xxxx"


def field(name: str, **given: float) -> Any:
    return takens.system(name, **given)


def order_of(system: Any, duration: float, steps: list[int]) -> list[float]:
    """Observed orders between successive numbers of steps, from differences between them."""
    ends = [takens.simulate(system, length=2, dt=duration, step=duration / count).values[-1] for count in steps]
    errors = [np.abs(a - b).max() for a, b in pairwise(ends)]
    return [float(np.log2(a / b)) for a, b in pairwise(errors)]


@pytest.mark.parametrize(
    ("name", "points", "duration", "first"),
    [
        ("KuramotoSivashinsky", 32, 8.0, 512), ("KuramotoSivashinsky", 36, 8.0, 512), ("Burgers", 64, 0.5, 32),
        ("ForcedBurgers", 64, 0.5, 32), ("ComplexGinzburgLandau", 64, 2.0, 64), ("AllenCahn", 64, 4.0, 32),
        ("KortewegDeVries", 64, 0.2, 128), ("NonlinearSchroedinger", 64, 1.0, 64),
    ],
)  # fmt: skip
def test_steps_are_of_order_4(name: str, points: int, duration: float, first: int) -> None:
    observed = order_of(field(name, points=points), duration, [first, 2 * first, 4 * first, 8 * first])
    assert observed[-1] == pytest.approx(4, abs=0.1)


def test_linear_dispersion_is_exact_whatever_the_step() -> None:
    parameters = {"c": 1.0, "D": 0.05, "b": 0.3, "s": 0.01}
    for points in (32, 30, 33):
        table = HEAT | {"linear": {"u": ADVECTION}, "parameters": parameters, "points": points}
        system = takens.system(table | {"initial": {"u": "sin(x) + 0.5*cos(3*x) + 0.2*sin(7*x + 1)"}})
        found = takens.simulate(system, length=5, dt=0.7, transient=0.3)
        x = system.points
        for t, values in zip(found.times, found.values, strict=True):
            expected = 0.0
            for k, size, phase in ((1, 1.0, 0.0), (3, 0.5, np.pi / 2), (7, 0.2, 1.0)):
                turn = k * x + phase - 1.0 * k * t - 0.3 * k**3 * t
                expected = expected + size * np.exp(-(0.05 * k**2 + 0.01 * k**4) * t) * np.sin(turn)
            np.testing.assert_allclose(values, expected, atol=1e-13)


def test_coupled_linear_parts_turn_exactly() -> None:
    """i psi_t = -psi_xx / 2 turns every mode by k^2 t / 2."""
    table = HEAT | {"linear": {"u": "-v_xx/2", "v": "u_xx/2"}, "parameters": {}, "initial": {"u": "cos(3*x)", "v": 0}}
    end = takens.simulate(takens.system(table), length=2, dt=1.3).values[-1]
    x = takens.system(table).points
    # u + i v = cos(3 x) exp(-i 9 t / 2)
    np.testing.assert_allclose(end[:32], np.cos(3 * x) * np.cos(4.5 * 1.3), atol=1e-13)
    np.testing.assert_allclose(end[32:], -np.cos(3 * x) * np.sin(4.5 * 1.3), atol=1e-13)


def soliton(x: np.ndarray, t: float, speed: float, length: float) -> np.ndarray:
    """The travelling wave of Korteweg and de Vries; the images of a periodic domain are below rounding."""
    place = (x - speed * t + length / 2) % length - length / 2
    return speed / 2 / np.cosh(np.sqrt(speed) / 2 * place) ** 2


def test_a_soliton_keeps_shape_and_speed() -> None:
    length = 40.0
    kdv = field("KortewegDeVries", L=length)
    x = kdv.points - length / 2
    start = soliton(x, 0.0, 4.0, length)
    end = takens.simulate(kdv, length=2, dt=3.0, initial=start).values[-1]
    np.testing.assert_allclose(end, soliton(x, 3.0, 4.0, length), atol=2e-6)


def test_solitons_pass_through_each_other_with_the_known_shift() -> None:
    """With k = sqrt(speed) / 2 each is moved by log((k1 + k2) / (k1 - k2)) / k, the faster one forwards."""
    length, t = 80.0, 8.0
    kdv = field("KortewegDeVries", L=length, points=512)
    x = kdv.points
    start = soliton(x - 20, 0.0, 4.0, length) + soliton(x - 32, 0.0, 1.0, length)
    end = takens.simulate(kdv, length=2, dt=t, initial=start).values[-1]
    fast, slow = 20 + 4 * t + np.log(3.0) / 1.0, 32 + t - np.log(3.0) / 0.5
    expected = soliton(x - fast, 0.0, 4.0, length) + soliton(x - slow, 0.0, 1.0, length)
    assert np.abs(end - expected).max() < 1e-3  # the tails of both overlap a little at either time


def test_a_bright_soliton_of_schroedingers_equation() -> None:
    system, t = field("NonlinearSchroedinger"), 3.0
    end = takens.simulate(system, length=2, dt=t).values[-1]
    place = system.points - 20.0 - t
    # psi = sech(x - v t) exp(i (v x + (1 - v^2) t / 2)), v = 1
    turn = system.points - 20.0
    expected = np.concatenate([np.cos(turn), np.sin(turn)]) * np.tile(1 / np.cosh(place), 2)
    np.testing.assert_allclose(end, expected, atol=1e-7)


def cole_hopf(x: np.ndarray, t: float, nu: float) -> np.ndarray:
    """Burgers' equation from sin x: u = -2 nu phi_x / phi with phi = exp((cos y - 1) / (2 nu)) carried by heat."""
    y = 2 * np.pi * np.arange(4096) / 4096
    modes = np.fft.rfft(np.exp((np.cos(y) - 1) / (2 * nu))) / len(y)
    k = np.arange(200)
    weights = np.where(k == 0, 1.0, 2.0) * modes[:200].real * np.exp(-nu * k**2 * t)
    phi = np.cos(np.outer(x, k)) @ weights
    slope = -np.sin(np.outer(x, k)) @ (k * weights)
    return -2 * nu * slope / phi


def test_burgers_equation_by_cole_and_hopf() -> None:
    burgers = field("Burgers", nu=0.1)
    found = takens.simulate(burgers, length=4, dt=0.5, step=0.0025)
    for t, values in zip(found.times, found.values, strict=True):
        np.testing.assert_allclose(values, cole_hopf(burgers.points, t, 0.1), atol=1e-10)


def test_accuracy_in_space_is_spectral() -> None:
    errors = []
    for points in (16, 32, 64, 128):
        burgers = field("Burgers", points=points, nu=0.2)
        end = takens.simulate(burgers, length=2, dt=1.0, step=0.002).values[-1]
        errors.append(np.abs(end - cole_hopf(burgers.points, 1.0, 0.2)).max())
    falls = np.diff(np.log(errors[:3]))
    assert falls[1] < 1.5 * falls[0] < -3  # faster than any power of N
    assert errors[-1] < 1e-10


def test_fishers_front_has_its_speed() -> None:
    """The place is 2 t - 3/2 log t - 3 sqrt(pi / t) + const for r = D = 1 (Bramson; Ebert & van Saarloos)."""
    system = field("FisherKPP")
    found = takens.simulate(system, length=2, dt=10.0, transient=10.0)
    half = system.points > 50
    places = [float(np.interp(-0.5, -row[half], system.points[half])) for row in found.values]
    expected = [2 * t - 1.5 * np.log(t) - 3 * np.sqrt(np.pi / t) for t in found.times]
    assert (places[1] - places[0]) / (expected[1] - expected[0]) == pytest.approx(1, abs=0.02)


def test_conserved_quantities() -> None:
    ks = takens.simulate(field("KuramotoSivashinsky"), length=200, transient=50).values
    assert np.abs(ks.mean(axis=1)).max() < 1e-13
    assert ks.std() > 0.5
    mixture = takens.simulate(field("CahnHilliard"), length=100, initial=0.2 + field("CahnHilliard").initial).values
    np.testing.assert_allclose(mixture.mean(axis=1), 0.2, atol=1e-13)
    waves = takens.simulate(field("KortewegDeVries"), length=50).values
    np.testing.assert_allclose((waves**2).sum(axis=1), (waves[0] ** 2).sum(), rtol=1e-8)
    density = (takens.simulate(field("NonlinearSchroedinger"), length=50).values ** 2).sum(axis=1)
    np.testing.assert_allclose(density, density[0], rtol=1e-9)


def test_the_energy_of_swift_and_hohenberg_falls() -> None:
    system = field("SwiftHohenberg")
    values = takens.simulate(system, length=100).values
    k = 2 * np.pi * np.arange(65) / system.parameters["L"]
    squares = np.abs(np.fft.rfft(values) / 128) ** 2 * np.array([1] + [2] * 63 + [1])
    energy = 0.5 * squares @ ((1 - k**2) ** 2 - 0.3) + (values**4).mean(axis=1) / 4
    assert np.all(np.diff(energy) < 1e-12)
    assert energy[-1] < -0.01


def test_rows_are_where_they_are_asked_for() -> None:
    system = field("ForcedBurgers")
    whole = takens.simulate(system, length=21, dt=0.1, step=0.05)
    later = takens.simulate(system, length=11, dt=0.1, transient=1.0, step=0.05)
    np.testing.assert_allclose(later.times, whole.times[10:], rtol=1e-14)
    np.testing.assert_allclose(later.values, whole.values[10:], atol=1e-13)
    assert whole.values[0] == pytest.approx(system.initial)
    assert whole.channels[:2] == ("u1", "u2")
    shares: list[float] = []
    takens.simulate(system, length=201, dt=0.5, step=0.001, report=shares.append)
    assert shares == sorted(shares)
    assert len(shares) >= 5
    assert shares[-1] == 1


@pytest.mark.parametrize("name", [name for name in takens.systems.names() if takens.system(name).kind == "field"])
def test_stored_steps_are_short_enough(name: str) -> None:
    """Over one period, or a third of it where chaos amplifies errors, half the step changes little."""
    system = field(name)
    rows = 34 if "chaotic" in system.tags else 101
    one = takens.simulate(system, length=rows).values
    half = takens.simulate(system, length=rows, step=system.step / 2).values
    assert np.abs(one - half).max() < 5e-4 * np.abs(one).max()
    assert "field" in system.tags


def test_members_of_an_ensemble_are_single_runs() -> None:
    system = field("Burgers")
    many = takens.simulate_ensemble(system, length=5, parameters={"nu": [0.05, 0.1]})
    for nu, one in zip((0.05, 0.1), many, strict=True):
        alone = takens.simulate(system, length=5, parameters={"nu": nu})
        np.testing.assert_array_equal(one.values, alone.values)


def test_divergence_is_told_with_time_and_state() -> None:
    for points in (64, 60):
        table = HEAT | {"reaction": {"u": "u**2"}, "initial": {"u": "2 + 0.1*cos(x)"}, "points": points}
        with pytest.raises(SimulationError, match="not finite") as caught:
            takens.simulate(takens.system(table), length=100, dt=0.02)
        assert 0.4 < caught.value.time < 0.6  # du/dt = u^2 from 2.1 ends at 1 / 2.1
        assert len(caught.value.state) == points
        assert np.isfinite(caught.value.state).all()
        with pytest.raises(SimulationError):
            takens.simulate(takens.system(table), length=2, transient=2.0, step=0.001)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"linear": {"u": "D*u_xx + u**2"}}, EquationError, "reaction.u"),
        ({"linear": {"u": "x*u_xx"}}, EquationError, "linear.u"),
        ({"linear": {"u": "D*u_xx + D"}}, EquationError, "is not 0 where the fields are"),
        ({"linear": {"u": "D*u_yy"}}, EquationError, "u_yy"),
        ({"linear": {}}, SettingError, "no equations"),
        ({"linear": {"t": "t_xx"}}, EquationError, "'t'"),
        ({"linear": {"u": "u_xx"}, "reaction": {"u": "1/u"}, "initial": {"u": 0}}, EquationError, "not finite"),
        ({"domain": "D*x"}, EquationError, "domain"),
        ({"domain": "-D"}, SettingError, "length of the domain"),
        ({"points": 4}, SettingError, "points"),
        ({"points": 33.5}, SettingError, "points"),
        ({"step": 0}, SettingError, "step"),
        ({"initial": {"v": "x"}}, SettingError, "the fields are u"),
        ({"initial": {"u": [1.0, 2.0]}}, SettingError, "2 numbers for 32 points"),
        ({"initial": {"u": "u"}}, EquationError, "unknown name"),
        ({"equations": {"u": "u"}}, SettingError, "unknown key"),
    ],
)
def test_definitions_that_are_none(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        takens.system(HEAT | change)


def test_sizes_and_parameters_can_be_given() -> None:
    assert field("KuramotoSivashinsky", points=256).dimension == 256
    wide = field("KuramotoSivashinsky").with_parameters(L=60.0)
    assert wide.points[-1] == pytest.approx(60 * 127 / 128)
    assert not wide.known
    both = field("KuramotoSivashinsky", points=64, L=44.0)
    np.testing.assert_allclose(
        both.initial, np.cos(2 * np.pi * both.points / 44) * (1 + np.sin(2 * np.pi * both.points / 44))
    )
    with pytest.raises(SettingError, match="points"):
        field("KuramotoSivashinsky", points=2)
    with pytest.raises(SettingError, match="unknown parameter 'M'"):
        field("KuramotoSivashinsky", M=2.0)
    # A soliton given in x is as wide in a longer domain; values at points stretch with theirs.
    waves = field("KortewegDeVries", L=80.0, points=512)
    soliton_20 = soliton(waves.points - 20, 0.0, 4.0, 80.0)
    assert np.abs(waves.initial - soliton_20)[: 512 // 3].max() < 0.01
    stretched = field("KortewegDeVries").with_parameters(L=80.0)
    np.testing.assert_array_equal(stretched.initial, field("KortewegDeVries").initial)
    listed = takens.system(HEAT | {"initial": {"u": list(range(32))}})
    assert listed.initial.tolist() == list(range(32))


def test_equations_are_shown() -> None:
    ks = field("KuramotoSivashinsky")
    assert ks.text() == "du/dt = -u_xx - u_xxxx - d(u**2/2)/dx\n0 <= x < L, periodic, 128 points"
    assert r"\partial_t u &= -u_{xx} - u_{xxxx} - \partial_x \left(\frac{u^{2}}{2}\right)" in ks.latex()
    assert field("ComplexGinzburgLandau").text().splitlines()[0] == "s = u**2 + v**2"
    assert r"+ \left(-u^{3}\right)" in field("AllenCahn").latex()
    assert not field("ForcedBurgers").autonomous
    assert ks.autonomous
