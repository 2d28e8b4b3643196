"""Families: sizes, and what theory says of their members."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.special import iv

import takens
from takens.errors import SettingError
from takens.systems.families.structure import edges_of
from takens.systems.lattice.rule import Lattice
from takens.systems.native.integrate import march
from takens.systems.native.tableau import RK4

rng = np.random.default_rng(11)


@pytest.mark.parametrize("size", [4, 5, 40, 101])
def test_lorenz96_of_any_size(size: int) -> None:
    system = takens.system("Lorenz96", size=size, f=9.0)
    x = rng.normal(size=(3, size))
    expected = (np.roll(x, -1, -1) - np.roll(x, 2, -1)) * np.roll(x, 1, -1) - x + 9.0
    assert np.allclose(system.rhs(0.0, x), expected, rtol=0, atol=1e-13)
    values = takens.simulate(system, length=500, dt=0.05, transient=20).values
    assert np.abs(values).max() < 25


def test_lorenz96_energy_is_forced_and_damped_only() -> None:
    system = takens.system("Lorenz96", size=17)
    x = rng.normal(size=(5, 17))
    change = np.sum(x * system.rhs(0.0, x), axis=-1)  # the quadratic terms conserve energy
    assert np.allclose(change, -np.sum(x**2, axis=-1) + 8 * x.sum(axis=-1), rtol=0, atol=1e-11)


def test_two_scales_are_two_rings_and_without_coupling_the_slow_one_is_lorenz96() -> None:
    k, j, h, b, c, f = 6, 4, 0.7, 5.0, 3.0, 10.0
    system = takens.system("Lorenz96TwoScale", slow=k, fast=j, h=h, b=b, c=c, f=f)
    x, y = rng.normal(size=k), rng.normal(size=(k, j))
    ring = y.ravel()
    dx = (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + f - h * c / b * y.sum(axis=1)
    dy = c * b * (np.roll(ring, 1) - np.roll(ring, -2)) * np.roll(ring, -1) - c * ring + h * c / b * np.repeat(x, j)
    expected = np.concatenate([dx, dy.reshape(k, j).T.ravel()])
    assert np.allclose(system.rhs(0.0, np.concatenate([x, y.T.ravel()])), expected, rtol=0, atol=1e-12)
    alone = takens.simulate(system.with_parameters(h=0.0), length=30, dt=0.05).values[:, :k]
    one = takens.system("Lorenz96", size=k, f=f)
    assert np.allclose(alone, takens.simulate(one, length=30, dt=0.05, initial=alone[0]).values, rtol=0, atol=1e-6)


def order(phases: np.ndarray) -> float:
    return float(np.abs(np.exp(1j * phases).mean(axis=-1)).mean())


def test_kuramotos_order_parameter_with_lorentzian_frequencies() -> None:
    """r = sqrt(1 - 2/k) above k = 2 and 0 below (Kuramoto 1975)."""
    n = 10_000
    quantiles = np.tan(np.pi * ((np.arange(n) + 0.5) / n - 0.5))
    for k in (2.5, 4.0):
        system = takens.system("Kuramoto", size=n, frequencies=rng.permutation(quantiles), k=k)
        found = takens.simulate(system, length=20, dt=1.0, transient=60, step=0.02)
        assert order(found.values) == pytest.approx(np.sqrt(1 - 2 / k), abs=0.015)
    below = takens.simulate(system, length=20, dt=1.0, transient=60, step=0.02, parameters={"k": 1.0})
    assert order(below.values) < 0.05


def test_cost_grows_with_the_number_of_oscillators_not_with_its_square() -> None:
    spent = {}
    for n in (8_000, 32_000):
        system = takens.system("Kuramoto", size=n)
        run = []
        for _ in range(6):
            began = time.process_time()
            march(system.rule.program, system.initial, system.values_of_parameters(), 1, skipped=60, tableau=RK4)
            run.append(time.process_time() - began)
        spent[n] = min(run)
    assert spent[32_000] / spent[8_000] < 9  # 4 if linear, 16 if quadratic


def test_noise_melts_the_order_as_mean_field_theory_says() -> None:
    """r = I1(2 k r / sigma^2) / I0(2 k r / sigma^2) for equal frequencies; none below k = sigma^2."""
    system = takens.system("NoisyKuramoto", size=30, spread=0.0, sigma=1.0, k=2.0)
    twin = takens.system("Kuramoto", size=30, spread=0.0, k=2.0)
    x = rng.normal(size=30)
    assert np.allclose(system.rhs(0.0, x), twin.rhs(0.0, x), rtol=0, atol=1e-13)
    r = 0.8
    for _ in range(200):
        r = iv(1, 4 * r) / iv(0, 4 * r)
    assert order(takens.simulate(system, length=400, dt=0.4, transient=20).values) == pytest.approx(r, abs=0.04)
    loose = takens.simulate(system, length=400, dt=0.4, transient=20, parameters={"k": 0.3}).values
    assert order(loose) < 0.3  # 1 / sqrt(30) for no order, enlarged near the threshold


def test_rotors_keep_energy_and_momentum() -> None:
    n = 200
    system = takens.system("HamiltonianMeanField", size=n, energy=0.5)
    values = takens.simulate(system, length=200, dt=1.0, tolerance=1e-12).values
    theta, p = values[:, :n], values[:, n:]
    energy = (p**2).mean(axis=1) / 2 + (1 - np.abs(np.exp(1j * theta).mean(axis=1)) ** 2) / 2
    assert energy[0] == pytest.approx(0.5, abs=1e-13)
    assert np.ptp(energy) < 1e-10
    assert np.abs(p.sum(axis=1)).max() < 1e-9


def chain_energy(values: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    q, p = np.split(values, 2, axis=1)
    d = np.diff(np.pad(q, ((0, 0), (1, 1))), axis=1)
    return np.sum(p**2, axis=1) / 2 + np.sum(d**2 / 2 + alpha * d**3 / 3 + beta * d**4 / 4, axis=1)


def test_fput_chain() -> None:
    system = takens.system("FPUT", size=16, mode=3, beta=0.5)
    values = takens.simulate(system, length=300, dt=2.0, tolerance=1e-12).values
    energy = chain_energy(values, 0.25, 0.5)
    assert np.ptp(energy) < 1e-9 * energy[0]
    period = np.pi / np.sin(3 * np.pi / 34)  # of the third normal mode of 16 linear springs
    linear = takens.simulate(system, length=2, dt=period, parameters={"alpha": 0.0, "beta": 0.0}, tolerance=1e-12)
    assert np.allclose(linear.values[1], linear.values[0], rtol=0, atol=1e-9)


def test_fput_energy_returns_to_the_first_mode() -> None:
    """158 periods of the first mode, with alpha = 0.25 and 32 masses (Fermi, Pasta, Ulam, Tsingou 1955, figure 1)."""
    system = takens.system("FPUT")
    values = takens.simulate(system, length=600, dt=20.0).values
    shape = np.sqrt(2 / 33) * np.sin(np.pi * np.arange(1, 33) / 33)
    frequency = 2 * np.sin(np.pi / 66)
    share = ((values[:, 32:] @ shape) ** 2 + (frequency * values[:, :32] @ shape) ** 2) / 2
    share /= chain_energy(values, 0.25, 0.0)[0]
    assert share.min() < 0.1
    late = share[450:]
    assert late.max() > 0.9
    assert 20.0 * (450 + np.argmax(late)) * frequency / (2 * np.pi) == pytest.approx(158, abs=6)


def test_rock_paper_scissors_goes_in_circles() -> None:
    system = takens.system("Replicator")
    values = takens.simulate(system, length=400, dt=0.5, tolerance=1e-12).values
    assert np.abs(values.sum(axis=1) - 1).max() < 1e-10
    product = values.prod(axis=1)
    assert np.ptp(product) < 1e-10
    hawk_dove = takens.system("Replicator", payoff=[[-1.0, 2.0], [0.0, 1.0]], initial=[0.9, 0.1])
    assert takens.simulate(hawk_dove, length=2, dt=60.0).values[-1] == pytest.approx([0.5, 0.5], abs=1e-6)


def test_three_bodies_run_the_figure_eight() -> None:
    system = takens.system("Gravity")
    values = takens.simulate(system, length=101, tolerance=1e-13).values
    r, v = values[:, :6].reshape(-1, 3, 2), values[:, 6:].reshape(-1, 3, 2)
    assert np.abs(values[-1] - values[0]).max() < 1e-5  # the period is 6.32591398
    distances = [np.linalg.norm(r[:, i] - r[:, j], axis=1) for i, j in ((0, 1), (0, 2), (1, 2))]
    energy = (v**2).sum(axis=(1, 2)) / 2 - sum(1 / d for d in distances)
    spin = (r[..., 0] * v[..., 1] - r[..., 1] * v[..., 0]).sum(axis=1)
    assert np.ptp(energy) < 1e-10
    assert np.abs(spin).max() < 1e-10
    assert np.abs(v.sum(axis=1)).max() < 1e-11
    # After a third of the period each body is where another one was.
    third = takens.simulate(system, length=2, dt=6.32591398 / 3, tolerance=1e-13).values[1, :6].reshape(3, 2)
    assert min(np.abs(third - np.roll(r[0], s, axis=0)).max() for s in (1, 2)) < 1e-5


def test_two_bodies_in_space_follow_kepler() -> None:
    system = takens.system(
        "Gravity", masses=[3.0, 1.0], positions=[[0, 0, 0], [1, 0, 0]], velocities=[[0, 0, -0.5], [0, 0, 1.5]]
    )
    # Circular: the relative speed is 2 = sqrt(4 / 1), and the period 2 pi sqrt(1 / 4).
    values = takens.simulate(system, length=2, dt=np.pi, tolerance=1e-13).values
    assert np.allclose(values[1], values[0], rtol=0, atol=1e-10)


def test_arenstorfs_orbit_closes() -> None:
    system = takens.system("RestrictedThreeBody")
    values = takens.simulate(system, length=2, dt=17.0652165601579625, tolerance=1e-14).values
    assert np.abs(values[1, :2] - values[0, :2]).max() < 1e-4


def test_networks_of_neurons_against_slow_loops() -> None:
    star = takens.system("RingStarChialvo", size=5, mu=0.03, sigma=0.02, tau=0.01)
    x, y, hx, hy = rng.random(5), rng.random(5), 0.3, 0.6
    nodes = [*x, hx]
    gain = [xi**2 * np.exp(yi - xi) + 0.04 for xi, yi in zip(nodes, [*y, hy], strict=True)]
    for i in range(5):
        gain[i] += 0.03 * (hx - x[i]) + 0.02 * (x[i - 1] + x[(i + 1) % 5] - 2 * x[i])
        gain[5] += 0.03 * (x[i] - hx)
        triangle = (i, (i + 1) % 5, 5)
        for a in triangle:
            b, c = (m for m in triangle if m != a)
            gain[a] += 0.01 * (nodes[b] + nodes[c] - 2 * nodes[a])
    found = star.rhs(0, [*x, *y, hx, hy])
    assert np.allclose(found[[0, 1, 2, 3, 4, 10]], gain, rtol=0, atol=1e-13)
    chain = takens.system("ChialvoRulkovChain", size=4, sigma=0.1)
    x, y = rng.random(4), rng.random(4)
    own = [x[0] ** 2 * np.exp(y[0] - x[0]) + 0.04, 4.1 / (1 + x[1] ** 2) + y[1]]
    found = chain.rhs(0, [*x, *y])
    assert found[0] == pytest.approx(own[0] + 0.1 * (x[1] - x[0]))
    assert found[1] == pytest.approx(own[1] + 0.1 * (x[0] + x[2] - 2 * x[1]))
    assert found[4:6] == pytest.approx([0.89 * y[0] - 0.6 * x[0] + 0.28, y[1] - 0.001 * (x[1] + 1)])


def test_epidemics() -> None:
    places = takens.system("Metapopulation", size=10, graph="erdos-renyi", degree=4)
    values = takens.simulate(places, length=100, dt=4.0, tolerance=1e-12).values
    assert np.abs(values.sum(axis=1) - 10.0).max() < 1e-9
    alone = takens.simulate(places, length=2, dt=400.0, parameters={"travel": 0.0}, tolerance=1e-12).values[-1]
    left = 0.99
    for _ in range(200):
        left = 0.99 * np.exp(-2.5 * (1 - left))  # the final size for R0 = 2.5
    assert alone[0] == pytest.approx(left, abs=1e-9)
    season = takens.system("SeasonalSEIR")
    s, e, i, t = 0.06, 2e-4, 1e-4, 0.3
    contact = 1800 * (1 + 0.28 * np.cos(2 * np.pi * t))
    rates = [0.02 * (1 - s) - contact * s * i, contact * s * i - 35.86 * e, 35.84 * e - 100.02 * i]
    assert season.rhs(t, np.log([s, e, i])) * [s, e, i] == pytest.approx(rates, rel=1e-12)
    endemic = takens.simulate(takens.system("SIR"), length=2, dt=3000.0).values[-1]
    assert endemic[0] == pytest.approx(0.21 / 1.4, rel=1e-6)


def test_random_graphs_have_the_degree_asked_for() -> None:
    ring = edges_of("ring", 50, 6, 0.0, 0)
    assert (np.bincount(ring.ravel(), minlength=51)[1:] == 6).all()
    small_world = edges_of("watts-strogatz", 200, 6, 0.3, 1)
    assert len(small_world) == 600
    assert 0.2 < np.mean([tuple(e) not in set(map(tuple, edges_of("ring", 200, 6, 0, 0))) for e in small_world]) < 0.4
    random = edges_of("erdos-renyi", 2000, 10, 0.0, 2)
    assert len(random) == pytest.approx(10_000, abs=400)  # four standard deviations
    degrees = np.bincount(random.ravel(), minlength=2001)[1:]
    assert degrees.var() == pytest.approx(10, rel=0.15)  # Poisson
    for edges in (small_world, random):
        pairs = {tuple(sorted(e)) for e in edges.tolist()}
        assert len(pairs) == len(edges)
        assert all(a != b for a, b in pairs)
    assert (edges_of("erdos-renyi", 200, 5, 0.0, 2)[:50] != edges_of("erdos-renyi", 200, 5, 0.0, 3)[:50]).any()


def test_structure_stands_beside_parameters() -> None:
    system = takens.system("lorenz-96", size=12.0, f=10)
    assert system.dimension == 12
    assert system.parameters["f"] == 10.0
    assert "largest_lyapunov_exponent" not in system.known
    assert takens.system("Lorenz96").known["largest_lyapunov_exponent"].value == 1.69
    assert not np.array_equal(takens.system("Kuramoto", seed=1).initial, takens.system("Kuramoto").initial)
    assert isinstance(takens.system("KuramotoNetwork", graph=[[1, 2]], size=3).rule, Lattice)
    for name, given, words in (
        ("Lorenz96", {"size": 3}, "Lorenz96: size: is 3"), ("Lorenz96", {"size": 4.5}, "whole number"),
        ("Lorenz96", {"sites": 5}, "unknown parameter 'sites'"), ("Kuramoto", {"frequencies": "cauchy"}, "lorentzian"),
        ("KuramotoNetwork", {"graph": "star"}, "erdos-renyi"), ("KuramotoNetwork", {"degree": 200}, "from 0 to 99"),
        ("Replicator", {"payoff": [[1.0, 2.0]]}, "square matrix"), ("Gravity", {"masses": [1.0]}, "2 to 30"),
        ("Replicator", {"initial": [0.5, 0.5, 0.5]}, "distribution"),
        ("Kuramoto", {"frequencies": [1.0]}, "100 finite"),
    ):  # fmt: skip
        with pytest.raises(SettingError, match=words):
            takens.system(name, **given)


@pytest.mark.parametrize("method", ["Leapfrog", "KahanLi8", "Gauss4"])
def test_symplectic_steps_of_a_lattice_are_those_of_its_equations(method: str) -> None:
    chain = takens.system("FPUT", size=3)
    q = ["0", "q1", "q2", "q3", "0"]
    equations = {f"q{i}": f"p{i}" for i in (1, 2, 3)}
    for i in (1, 2, 3):
        up, down = f"({q[i + 1]} - {q[i]})", f"({q[i]} - {q[i - 1]})"
        equations[f"p{i}"] = f"{up} - {down} + 0.25*({up}**2 - {down}**2)"
    straight = takens.system({"equations": equations, "initial": chain.initial.tolist()})
    given = {"length": 40, "dt": 0.5, "step": 0.1, "method": method}
    one, other = takens.simulate(chain, **given), takens.simulate(straight, **given)
    assert np.allclose(one.values, other.values, rtol=0, atol=1e-12)


def test_symplectic_steps_bound_the_energy_error_of_many_rotors() -> None:
    n = 500
    system = takens.system("HamiltonianMeanField", size=n)
    values = takens.simulate(system, length=400, dt=20.0, step=0.1, method="Leapfrog").values
    theta, p = values[:, :n], values[:, n:]
    energy = (p**2).mean(axis=1) / 2 + (1 - np.abs(np.exp(1j * theta).mean(axis=1)) ** 2) / 2
    assert np.ptp(energy[:200]) < 1e-3
    assert abs(energy[200:].mean() - energy[:200].mean()) < 2e-4  # no drift in 80,000 steps
    with pytest.raises(SettingError, match="not separable"):
        takens.simulate(takens.system("Kuramoto"), length=2, method="Leapfrog")
