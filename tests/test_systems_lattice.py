"""Lattices: equal to their equations written out, in values, slopes, trajectories; text, errors, sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import takens
from takens.errors import EquationError, SettingError, SimulationError
from takens.systems import Flow, Map, System
from takens.systems.lattice.graph import Graph
from takens.systems.lattice.rule import Lattice
from takens.systems.lattice.tangent import tangent
from takens.systems.native.compile import compile_rule

rng = np.random.default_rng(5)


def lorenz96_written_out(n: int) -> System:
    equations = {
        f"x{i + 1}": f"(x{(i + 1) % n + 1} - x{(i - 2) % n + 1})*x{(i - 1) % n + 1} - x{i + 1} + f" for i in range(n)
    }
    return takens.system({"equations": equations, "parameters": {"f": 8.0}, "initial": [1.0] * n})


def kuramoto_written_out(w: np.ndarray) -> System:
    n = len(w)
    pulls = {i: " + ".join(f"sin(theta{j + 1} - theta{i + 1})" for j in range(n) if j != i) for i in range(n)}
    equations = {f"theta{i + 1}": f"spread*({float(w[i])!r}) + k/{n}*({pulls[i]})" for i in range(n)}
    return takens.system({"equations": equations, "parameters": {"k": 2.0, "spread": 1.0}, "initial": [0.0] * n})


W = np.linspace(-1, 1.3, 5)
PAIRS = [
    (takens.system("Lorenz96", size=8), lorenz96_written_out(8)),
    (takens.system("Lorenz96", size=4), lorenz96_written_out(4)),
    (takens.system("Kuramoto", size=5, frequencies=W), kuramoto_written_out(W)),
]


@pytest.mark.parametrize(("lattice", "straight"), PAIRS, ids=["Lorenz-96", "four sites", "Kuramoto"])
def test_a_lattice_is_its_equations_written_out(lattice: System, straight: System) -> None:
    assert lattice.states == straight.states
    x = rng.normal(size=(4, 3, lattice.dimension))
    assert np.allclose(lattice.rhs(0.3, x), straight.rhs(0.3, x), rtol=0, atol=1e-13)
    assert np.allclose(lattice.jacobian(0.3, x), straight.jacobian(0.3, x), rtol=0, atol=1e-13)
    assert isinstance(lattice, Flow)
    assert isinstance(straight, Flow)
    assert np.allclose(lattice.divergence(0.3, x), straight.divergence(0.3, x), rtol=0, atol=1e-13)
    given = {"length": 20, "dt": 0.1, "initial": x[0, 0]}
    one = takens.simulate(lattice, **given)
    other = takens.simulate(straight, **given, method="DOP853")
    assert np.allclose(one.values, other.values, rtol=0, atol=1e-7)
    march = takens.simulate(lattice, **given, step=0.01).values
    assert np.allclose(march, takens.simulate(straight, **given, step=0.01).values, rtol=0, atol=1e-12)


def everything(boundary: str, size: int = 30) -> Lattice:
    """A lattice with every feature at once."""
    random = np.random.default_rng(1)
    edges = [(i + 1, j + 1) for i in range(size) for j in range(size) if i != j and random.random() < 0.2]
    table = {
        "equations": {"x": "y + h*0.3 + q*l + c*m*x + w", "y": "-x + a*sin(t) + l*y + exp(-q**2)"},
        "auxiliary": {"q": "x**2 + y"},
        "parameters": {"a": 0.3},
        "lattice": {
            "size": size, "boundary": boundary, "edges": edges, "directed": True,
            "weights": random.normal(size=len(edges)),
            "neighbours": {"l": {"of": "q*x", "offset": -1}, "far": {"of": "q*y*c", "offset": 2}},
            "mean": {"m": "exp(-q**2)*c + q"}, "arrays": {"w": random.normal(size=size)},
            "coupling": {"h": "cos(x_j - x_i + a)*y_j*w_j + q_i*c + tanh(y_i*x_j)"},
            "common": {"c": "m*c - c + a"},
        },
        "initial": {"x": 0.1, "y": 0.2, "c": 0.3},
    }  # fmt: skip
    rule = takens.system(table).rule
    assert isinstance(rule, Lattice)
    return rule


def slow(rule: Lattice, t: float, x: np.ndarray, a: float) -> np.ndarray:
    """The same right-hand side, node by node and edge by edge."""
    n, c = rule.size, x[-1]
    assert rule.graph is not None
    assert rule.graph.weights is not None
    w, u, v = rule.arrays["w"], x[:n], x[n : 2 * n]
    q = u**2 + v
    h = np.zeros(n)
    for i in range(n):
        for e in range(rule.graph.starts[i], rule.graph.starts[i + 1]):
            j = rule.graph.sources[e]
            value = np.cos(u[j] - u[i] + a) * v[j] * w[j] + q[i] * c + np.tanh(v[i] * u[j])
            h[i] += rule.graph.weights[e] * value
    m = sum(np.exp(-(q[i] ** 2)) * c + q[i] for i in range(n)) / n
    out = np.empty(2 * n + 1)
    for i in range(n):
        before = {"ring": i - 1, "edge": max(i - 1, 0), "zero": i - 1 if i else None}[rule.boundary]
        left = 0.0 if before is None else q[before] * u[before]
        out[i] = v[i] + h[i] * 0.3 + q[i] * left + c * m * u[i] + w[i]
        out[n + i] = -u[i] + a * np.sin(t) + left * v[i] + np.exp(-(q[i] ** 2))
    out[-1] = m * c - c + a
    return out


@pytest.mark.parametrize("boundary", ["ring", "zero", "edge"])
@pytest.mark.parametrize("size", [3, 30])
def test_every_feature_against_a_slow_loop_and_differences(boundary: str, size: int) -> None:
    rule = everything(boundary, size)
    x, t, p = rng.normal(size=2 * size + 1), 0.7, {"a": 0.3}
    expected = slow(rule, t, x, 0.3)
    assert np.allclose(rule.values(t, x, p), expected, rtol=0, atol=1e-12)
    for contract in (False, True):
        compiled = compile_rule(rule.program, contract=contract)
        assert np.allclose(compiled(t, x, np.array([0.3])), expected, rtol=0, atol=1e-12)
    h = 1e-6
    slopes = rule.slopes(t, x, p)
    differences = np.stack(
        [(rule.values(t, x + h * e, p) - rule.values(t, x - h * e, p)) / (2 * h) for e in np.eye(len(x))], axis=-1
    )
    assert np.allclose(slopes, differences, rtol=0, atol=1e-7)
    assert rule.trace(t, x, p) == pytest.approx(np.trace(slopes), abs=1e-11)
    vectors = rng.normal(size=(2, len(x)))
    moved = compile_rule(tangent(rule, 2).program)(t, np.concatenate([x, *vectors, [0.0]]), np.array([0.3]))
    assert np.allclose(moved[len(x) : -1].reshape(2, -1), vectors @ slopes.T, rtol=0, atol=1e-10)
    assert moved[-1] == pytest.approx(np.trace(slopes), abs=1e-11)


def test_values_over_leading_axes_and_arrays_of_parameters() -> None:
    system = takens.system("Kuramoto", size=7)
    x, k = rng.normal(size=(2, 3, 7)), np.array([0.5, 1.0, 2.0])
    found = system.rhs(0.0, x, k=k)
    for i in range(2):
        for j in range(3):
            assert np.allclose(found[i, j], system.rhs(0.0, x[i, j], k=k[j]), rtol=0, atol=1e-14)
    assert system.jacobian(0.0, x, k=k).shape == (2, 3, 7, 7)
    assert np.allclose(system.jacobian(0.0, x, k=k)[1, 2], system.jacobian(0.0, x[1, 2], k=2.0), rtol=0, atol=1e-14)


def test_a_coupled_map_lattice_iterates_as_numpy_does() -> None:
    system = takens.system("CoupledMapLattice", size=50)
    assert isinstance(system, Map)
    found = takens.simulate(system, length=30).values
    x = system.initial
    for row in found:
        assert np.allclose(row, x, rtol=0, atol=1e-6)
        f = 1 - 1.8 * x**2
        x = 0.7 * f + 0.15 * (np.roll(f, 1) + np.roll(f, -1))


def test_states_by_the_hundred_thousand_fit() -> None:
    n = 100_000
    system = takens.system("CoupledMapLattice", size=n)
    assert takens.simulate(system, length=3).values.shape == (3, n)
    rotors = takens.system("HamiltonianMeanField", size=n // 2)
    assert np.isfinite(takens.simulate(rotors, length=2, dt=0.01).values).all()  # twenty copies are on the heap
    assert np.isfinite(takens.simulate(rotors, length=2, dt=0.01, step=0.01).values).all()


def test_divergence_is_told_with_time_and_state() -> None:
    table = {"equations": {"x": "x**2 + l"}, "lattice": {"size": 2000, "neighbours": {"l": {"of": "x", "offset": 1}}}}
    with pytest.raises(SimulationError) as caught:
        takens.simulate(takens.system({**table, "initial": {"x": 1.0}}), length=100, dt=0.1)
    assert 0 < caught.value.time < np.log(2) + 1e-6  # x' = x^2 + x from 1 ends at ln 2
    assert len(caught.value.state) == 2000


def test_graphs() -> None:
    graph = Graph.of(4, [(0, 1), (1, 2)], [2.0, 3.0])
    assert graph.sources.tolist() == [1, 0, 2, 1]
    assert graph.gathered(np.array([1.0, 10.0, 100.0, 1000.0])).tolist() == [2.0, 320.0, 3000.0, 0.0]
    directed = Graph.of(3, [(0, 2)], directed=True)
    assert directed.gathered(np.array([[5.0], [6.0]])).tolist() == [[0.0, 0.0, 5.0], [0.0, 0.0, 6.0]]
    assert Graph.of(3, np.zeros((0, 2), int)).gathered(np.zeros((2, 0))).tolist() == [[0.0] * 3] * 2
    for edges, words in (([(0, 4)], "not there"), ([(1, 1)], "itself"), ([(0, 1), (1, 0)], "twice")):
        with pytest.raises(SettingError, match=words):
            Graph.of(4, edges)


def test_text_and_latex_show_the_node() -> None:
    system = takens.system("CoupledMapLattice", size=12)
    assert system.text().splitlines() == [
        "left[i] = f[i - 1]", "right[i] = f[i + 1]", "f[i] = 1 - a*x[i]**2",
        "x[i][n+1] = (1 - eps)*f[i] + eps/2*(left[i] + right[i])", "i = 1 ... 12, on a ring",
    ]  # fmt: skip
    assert r"x_{i, n+1} &= " in system.latex()
    network = takens.system("KuramotoNetwork", size=10, graph=[[1, 2], [2, 3]])
    assert "pull[i] = sum over j -> i of (sin(theta[j] - theta[i]))" in network.text()
    assert r"\sum_{j \to i} \left(\sin\left(\theta_{j} - \theta_{i}\right)\right)" in network.latex()
    assert r"\dot{\theta}_{i} &= \mathrm{spread} \, w_{i}" in network.latex()


GOOD: dict[str, Any] = {
    "equations": {"x": "l - x + w"},
    "lattice": {"size": 5, "neighbours": {"l": {"of": "x", "offset": -1}}, "arrays": {"w": [1, 2, 3, 4, 5]}},
    "initial": {"x": 0.1},
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": 0}, "lattice.size: is 0"), ({"size": 2.5}, "lattice.size"),
        ({"mean": {"m": "l"}}, "unknown name 'l'"),
        ({"mean": {"m": "x +"}}, "lattice.mean.m"), ({"neighbours": {"l": {"of": "x", "offset": 0}}}, "offset: is 0"),
        ({"neighbours": {"l": {"of": "x"}}}, "offset = -1"), ({"edges": [[1, 6]]}, "not there"),
        ({"edges": [["a", "b"]]}, "not pairs"), ({"coupling": {"h": "x_j"}}, "no edges"),
        ({"arrays": {"w": [1, 2]}}, "finite numbers"), ({"arrays": {"w": "many"}}, "not a list"),
        ({"boundary": "torus"}, "ring, zero, edge"), ({"nodes": 3}, "unknown key 'nodes'"),
        ({"common": {"c": "x"}}, "unknown name 'x'"), ({"common": {"w": "1"}}, "is both"),
        ({"edges": [[1, 2]], "coupling": {"x_i": "x_j"}}, "ends of an edge"), ({"directed": 1}, "true or false"),
    ],
)  # fmt: skip
def test_errors_name_the_key(change: dict[str, Any], words: str) -> None:
    takens.system(GOOD)
    with pytest.raises((SettingError, EquationError)) as caught:
        takens.system({**GOOD, "lattice": {**GOOD["lattice"], **change}})
    assert words in str(caught.value)


def test_initial_states_of_nodes() -> None:
    assert takens.system({**GOOD, "initial": {"x": [1, 2, 3, 4, 5]}}).initial.tolist() == [1, 2, 3, 4, 5]
    assert takens.system({**GOOD, "initial": [5, 4, 3, 2, 1]}).initial.tolist() == [5, 4, 3, 2, 1]
    for initial, words in (({"x": [1, 2]}, "2 numbers"), ({"y": 1.0}, "not a variable"), ({}, "no value of 'x'")):
        with pytest.raises(SettingError, match=words):
            takens.system({**GOOD, "initial": initial})
    with pytest.raises(EquationError, match="is inf at the initial state"):
        takens.system({**GOOD, "equations": {"x": "1/x"}, "initial": {"x": 0.0}})


def test_means_may_not_use_what_follows_from_neighbours() -> None:
    table = {**GOOD, "auxiliary": {"d": "l - x"}, "lattice": {**GOOD["lattice"], "mean": {"m": "d"}}}
    with pytest.raises(EquationError, match="uses 'l', which it cannot"):
        takens.system(table)


def test_a_file_may_hold_a_lattice(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "ring.toml"
    path.write_text(
        'equations.x = "k*(left + right - 2*x)"\nparameters.k = 1.0\ninitial.x = [1.0, 0.0, 0.0, 0.0]\n'
        '[lattice]\nsize = 4\nneighbours.left = { of = "x", offset = -1 }\n'
        'neighbours.right = { of = "x", offset = 1 }\n'
    )
    found = takens.simulate(takens.system(path, k=0.5), length=2, dt=1.0).values[-1]
    # The modes of a ring of four decay as exp(-k (2 - 2 cos(pi m / 2))): 1, exp(-1) twice, exp(-2).
    a, b = np.exp(-1.0), np.exp(-2.0)
    assert np.allclose(found, np.array([1 + 2 * a + b, 1 - b, 1 - 2 * a + b, 1 - b]) / 4, rtol=0, atol=1e-9)
