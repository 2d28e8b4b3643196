"""The catalogue: every entry against exact facts, independent oracles and its own dynamics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import takens
from takens.systems.catalogue_index import names

NAMES = names()
SYSTEMS = {name: takens.system(name) for name in NAMES}
FLOWS = [name for name in NAMES if SYSTEMS[name].kind == "flow"]
MAPS = [name for name in NAMES if SYSTEMS[name].kind == "map"]
HAMILTONIAN = [name for name in NAMES if "hamiltonian" in SYSTEMS[name].tags]
rng = np.random.default_rng(20)


def near(name: str, count: int = 20, spread: float = 0.1) -> np.ndarray:
    """States (count, state) scattered about the initial one."""
    initial = SYSTEMS[name].initial
    return initial + spread * (0.1 + np.abs(initial)) * rng.standard_normal((count, len(initial)))


def rate(name: str, states: np.ndarray, t: float = 0.0) -> np.ndarray:
    return SYSTEMS[name].rhs(t, states)


def test_the_catalogue_is_as_large_as_it_says() -> None:
    assert len(FLOWS) >= 130
    assert len(MAPS) >= 45
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_entry_is_complete_and_its_right_hand_side_finite(name: str) -> None:
    system = SYSTEMS[name]
    assert system.name == name
    assert np.all(np.isfinite(system.rhs(0.0, system.initial)))
    assert np.all(np.isfinite(system.jacobian(0.0, system.initial)))
    assert len(system.reference) > 10
    assert any(c.isdigit() for c in system.reference)
    assert system.tags
    assert system.period is not None
    assert system.dt is not None
    if system.kind == "flow":
        assert system.period / system.dt == pytest.approx(100, rel=0.01)
    elif system.stepwise:
        assert system.dt == 1


@pytest.mark.parametrize("name", HAMILTONIAN)
def test_hamiltonian_systems_preserve_volume(name: str) -> None:
    system = SYSTEMS[name]
    states = near(name)
    scale = np.abs(system.jacobian(0.7, states)).max()
    assert np.max(np.abs(system.divergence(0.7, states))) < 1e-10 * max(scale, 1)


def pendulum_energy(x: np.ndarray) -> np.ndarray:
    a, b, p, q = np.moveaxis(x, -1, 0)
    kinetic = (p**2 + 2 * q**2 - 2 * p * q * np.cos(a - b)) / (2 * (1 + np.sin(a - b) ** 2))
    return kinetic - 9.81 * (2 * np.cos(a) + np.cos(b))


def atwood_energy(x: np.ndarray) -> np.ndarray:
    r, theta, p, q = np.moveaxis(x, -1, 0)
    return p**2 / 11 + q**2 / (2 * r**2) + 9.82 * r * (4.5 - np.cos(theta))


def henon_heiles_energy(x: np.ndarray) -> np.ndarray:
    x1, y, p, q = np.moveaxis(x, -1, 0)
    return (p**2 + q**2 + x1**2 + y**2) / 2 + x1**2 * y - y**3 / 3


def quadrupole_energy(x: np.ndarray) -> np.ndarray:
    q, r, p, s = np.moveaxis(x, -1, 0)
    square = q**2 + r**2
    return (p**2 + s**2 + square) / 2 + 0.55 / np.sqrt(2) * q * (3 * r**2 - q**2) + 0.1 * square**2


ENERGIES = {
    "DoublePendulum": pendulum_energy,
    "SwingingAtwood": atwood_energy,
    "HenonHeiles": henon_heiles_energy,
    "NuclearQuadrupole": quadrupole_energy,
}


@pytest.mark.parametrize("name", ENERGIES)
def test_energy_does_not_change_along_the_flow(name: str) -> None:
    energy, states, h = ENERGIES[name], near(name), 1e-5
    gradient = np.stack(
        [(energy(states + h * e) - energy(states - h * e)) / (2 * h) for e in np.eye(states.shape[-1])], axis=-1
    )
    flow = rate(name, states)
    power = np.sum(gradient * flow, axis=-1)
    largest = np.linalg.norm(gradient, axis=-1) * np.linalg.norm(flow, axis=-1)
    assert np.max(np.abs(power)) < 1e-9 * np.max(largest)


def test_exact_rates_of_contraction() -> None:
    assert SYSTEMS["Lorenz63"].divergence(0, near("Lorenz63")) == pytest.approx(-(10 + 1 + 8 / 3))
    assert SYSTEMS["SprottS"].divergence(0, near("SprottS")) == pytest.approx(-1)
    assert SYSTEMS["SprottJerk"].divergence(0, near("SprottJerk")) == pytest.approx(-2.017)
    assert SYSTEMS["Halvorsen"].divergence(0, near("Halvorsen")) == pytest.approx(-3 * 1.4)
    assert SYSTEMS["Lorenz96"].divergence(0, near("Lorenz96")) == pytest.approx(-40)
    assert SYSTEMS["HyperRossler"].divergence(0, [[1.0, 2, 3, 4]]) == pytest.approx(0.25 + 1 + 0.05)
    henon = np.linalg.det(SYSTEMS["Henon"].jacobian(0, near("Henon")))
    assert henon == pytest.approx(-0.3)
    assert np.linalg.det(SYSTEMS["Ikeda"].jacobian(0, near("Ikeda"))) == pytest.approx(0.9**2)
    assert SYSTEMS["Zaslavskii"].divergence(0, near("Zaslavskii")) == pytest.approx(-3)


MIRRORS = {
    "Lorenz63": (-1, -1, 1), "Chen": (-1, -1, 1), "Rucklidge": (-1, -1, 1), "ShimizuMorioka": (-1, -1, 1),
    "RikitakeDynamo": (-1, -1, 1), "BurkeShaw": (-1, -1, 1), "NewtonLeipnik": (-1, -1, 1), "Chua": (-1, -1, -1),
    "RabinovichFabrikant": (-1, -1, 1), "LiuChen": (1, -1, -1), "WangSun": (-1, -1, 1), "Thomas": (-1, -1, -1),
    "LorenzBounded": (-1, -1, 1), "MultiChua": (-1, -1, -1), "SprottC": (-1, -1, 1), "Qi": (-1, -1, -1, -1),
}  # fmt: skip


@pytest.mark.parametrize("name", MIRRORS)
def test_symmetric_flows_are_symmetric(name: str) -> None:
    sign, states = np.array(MIRRORS[name]), near(name)
    np.testing.assert_allclose(rate(name, states * sign), rate(name, states) * sign, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["Thomas", "ThomasLabyrinth", "Halvorsen", "Lorenz96"])
def test_cyclic_flows_are_cyclic(name: str) -> None:
    states = near(name)
    np.testing.assert_allclose(rate(name, np.roll(states, 1, -1)), np.roll(rate(name, states), 1, -1), rtol=1e-12)


def lorenz96(x: np.ndarray) -> np.ndarray:
    n = len(x)
    return np.array([(x[(i + 1) % n] - x[i - 2]) * x[i - 1] - x[i] + 8.0 for i in range(n)])


def competition(x: np.ndarray) -> np.ndarray:
    half = [
        [0.39, 0.34, 0.30, 0.24, 0.23], [0.22, 0.39, 0.34, 0.30, 0.27], [0.27, 0.22, 0.39, 0.34, 0.30],
        [0.30, 0.24, 0.22, 0.39, 0.34], [0.34, 0.30, 0.22, 0.20, 0.39],
    ]  # fmt: skip
    content = [
        [0.04, 0.04, 0.07, 0.04, 0.04], [0.08, 0.08, 0.08, 0.10, 0.08], [0.10, 0.10, 0.10, 0.10, 0.14],
        [0.05, 0.03, 0.03, 0.03, 0.03], [0.07, 0.09, 0.07, 0.07, 0.07],
    ]  # fmt: skip
    n, r = x[:5], x[5:]
    growth = np.min(r[:, None] / (np.array(half) + r[:, None]), axis=0)
    supply = np.array([6, 10, 14, 4, 9])
    return np.concatenate([n * (growth - 0.25), 0.25 * (supply - r) - np.array(content) @ (growth * n)])


def hopfield(y: np.ndarray) -> np.ndarray:
    rivals = [(2, 5, 6), (4, 5, 6), (1, 2, 5), (1, 2, 3), (1, 2, 4), (2, 3, 4)]
    drive = np.array([-sum(y[j - 1] for j in row) for row in rivals])
    return -y / 2.5 + (1 + np.tanh(10 * drive)) / 2 - 0.5


def by_stream_function(stream: Callable[[complex], float], z: np.ndarray) -> np.ndarray:
    """(d psi / dy, -d psi / dx) by central differences."""
    h, at = 1e-5, complex(*z)
    return np.array(
        [(stream(at + 1j * h) - stream(at - 1j * h)) / (2 * h), -(stream(at + h) - stream(at - h)) / (2 * h)]
    )


def vortex(z: np.ndarray) -> np.ndarray:
    """At t = tau/4 the first vortex works alone: at b, with its image at a^2/b, both on the x axis."""
    return by_stream_function(lambda w: -np.log(abs(w - 0.5)) + np.log(abs(w - 2.0)), z)


def squirmer(z: np.ndarray) -> np.ndarray:
    """At t = tau/4 only the cosines of the rim work: psi = -(r^2 - 1) sum a Re z^n."""
    return by_stream_function(lambda w: -0.5 * (abs(w) ** 2 - 1) * sum((w**n).real for n in range(1, 6)), z)


@pytest.mark.parametrize(
    ("name", "oracle", "t", "tolerance"),
    [
        ("Lorenz96", lorenz96, 0.0, 1e-12),
        ("MacArthur", competition, 0.0, 1e-12),
        ("Hopfield", hopfield, 0.0, 1e-12),
        ("BlinkingVortex", vortex, 0.75, 1e-7),
        ("InteriorSquirmer", squirmer, 0.75, 1e-7),
    ],
)
def test_large_right_hand_sides_against_oracles(
    name: str, oracle: Callable[[np.ndarray], np.ndarray], t: float, tolerance: float
) -> None:
    states = near(name, 5)
    expected = np.array([oracle(state) for state in states])
    np.testing.assert_allclose(rate(name, states, t), expected, rtol=tolerance, atol=tolerance)


def test_driven_flows_repeat_with_their_force() -> None:
    turns = {
        "Duffing": 2 * np.pi / 1.4,
        "DoubleGyre": 2 * np.pi / 0.62832,
        "TurchinHanski": 1.0,
        "CircadianRhythm": 24.0,
        "BlinkingRotlet": 3.0,
        "FluidTrampoline": 2 * np.pi / 1.21,
    }
    for name, turn in turns.items():
        states = np.abs(near(name, 5)) if name in ("TurchinHanski", "CircadianRhythm") else near(name, 5)
        np.testing.assert_allclose(rate(name, states, 0.3), rate(name, states, 0.3 + turn), rtol=1e-9, atol=1e-9)
        assert np.max(np.abs(rate(name, states, 0.1) - rate(name, states, 0.1 + turn / 2))) > 1e-3
    assert all(("forced" in s.tags) >= (not s.autonomous) for s in SYSTEMS.values() if s.name != "Torus")


def test_torus_is_the_closed_curve_it_claims() -> None:
    system, h = SYSTEMS["Torus"], 1e-6
    for t in (0.0, 0.4, 2.0):
        curve = [
            np.array([(1 + 0.5 * np.cos(15.3 * s)) * np.cos(s), (1 + 0.5 * np.cos(15.3 * s)) * np.sin(s),
                      0.5 * np.sin(15.3 * s)]) for s in (t - h, t + h)
        ]  # fmt: skip
        np.testing.assert_allclose(system.rhs(t, system.initial), (curve[1] - curve[0]) / (2 * h), atol=1e-6)


def orbit(name: str, periods: int) -> np.ndarray:
    system = SYSTEMS[name]
    per_period = 1 if system.stepwise else 100
    series = takens.simulate(system, length=periods * per_period, tolerance=1e-8)
    return np.asarray(series.values)


@pytest.mark.parametrize("name", NAMES)
def test_stays_bounded_for_some_periods(name: str) -> None:
    values = orbit(name, 2000 if SYSTEMS[name].stepwise else 5)
    assert np.all(np.isfinite(values))
    assert np.max(np.abs(values)) < 1e5


KNOWN = [name for name in NAMES if "largest_lyapunov_exponent" in SYSTEMS[name].known]
# Weak chaos and a singular slope: their averages settle too slowly for a test.
SLOW = ("SprottA", "SprottI", "Cusp", "GaussContinuedFraction")


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in KNOWN if name not in SLOW])
def test_published_exponents_are_reproduced(name: str) -> None:
    system = SYSTEMS[name]
    found = takens.lyapunov_spectrum(system, count=1, duration=3000 * system.period if name in FLOWS else None)
    published = system.known["largest_lyapunov_exponent"].value
    assert found.value[0] == pytest.approx(published, rel=0.06, abs=0.001)


CHAOTIC = [name for name in FLOWS if "chaotic" in SYSTEMS[name].tags]


ESCAPING = ("HyperLu", "Sakarya")
"""Chaotic for some hundred periods at least, then gone to infinity; when depends on the last digit."""


@pytest.mark.long
@pytest.mark.parametrize("name", CHAOTIC)
def test_what_is_tagged_chaotic_has_positive_exponents(name: str) -> None:
    system = SYSTEMS[name]
    assert system.period is not None
    count = 2 if "hyperchaotic" in system.tags else 1
    found = takens.lyapunov_spectrum(system, count=count, duration=(100 if name in ESCAPING else 800) * system.period)
    assert np.all(found.value > 0)
    assert found.value[0] > 3 * found.details["standard_error"][0]


@pytest.mark.long
@pytest.mark.parametrize("name", FLOWS)
def test_moves_on_and_oscillates_for_a_hundred_periods(name: str) -> None:
    system, values = SYSTEMS[name], orbit(name, 100)
    assert np.all(np.isfinite(values))
    last = values[-2000:]
    values = np.sin(values) if "synchronisation" in system.tags else values  # phases only grow
    if "transient" not in system.tags:
        assert np.any(last.std(axis=0) > 1e-4 * values.std(axis=0))
    if "damped" in system.tags:
        return
    turns = np.sum(np.diff(np.sign(values - values.mean(axis=0)), axis=0) > 0, axis=0)
    assert np.max(turns) >= 10  # an advected particle turns more slowly than what drives it


# Dry friction contracts in a jump, which a divergence between the jumps does not see.
CONTRACTING = [name for name in FLOWS if "dissipative" in SYSTEMS[name].tags and name != "StickSlipOscillator"]


@pytest.mark.parametrize("name", CONTRACTING[::2])
def test_dissipative_flows_contract_on_average(name: str) -> None:
    system = SYSTEMS[name]
    values = orbit(name, 20)
    times = np.arange(len(values)) * system.dt
    assert np.mean(system.divergence(times, values)) < 0
