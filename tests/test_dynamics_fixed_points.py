"""Fixed points against closed forms, counts that are known, and places where nothing can be proved."""

from __future__ import annotations

import numpy as np
import pytest

from takens.dynamics.closed_orbits import ClosedOrbit
from takens.dynamics.fixed_points import fixed_points, stability
from takens.dynamics.roots import enclosed
from takens.errors import SettingError
from takens.systems import ArrayRule, Flow, names, system


def flow(equations: dict[str, str], **parameters: float) -> Flow:
    return system({"equations": equations, "parameters": parameters, "initial": [0.1] * len(equations)})


def test_lorenz_has_three() -> None:
    found = fixed_points(system("Lorenz63"))
    away = np.sqrt(8 / 3 * 27)
    assert found.complete
    assert found.points == pytest.approx(np.array([[-away, -away, 27], [0, 0, 0], [away, away, 27]]), abs=1e-12)
    assert set(found.stability) == {"saddle"}
    # At the origin: -8/3 and the roots of l^2 + 11 l - 270.
    exact = [(-11 + np.sqrt(1201)) / 2, -8 / 3, (-11 - np.sqrt(1201)) / 2]
    assert found.eigenvalues[1] == pytest.approx(exact, rel=1e-12)
    assert (found.errors < 1e-12).all()
    assert "no others" in found.status


def test_lorenz_at_smaller_rho() -> None:
    assert fixed_points(system("Lorenz63", rho=20.0)).stability == ("stable focus", "saddle", "stable focus")
    single = fixed_points(system("Lorenz63", rho=0.5), [[-50] * 3, [50] * 3])
    assert (len(single), single.stability, single.complete) == (1, ("stable node",), True)


def test_rossler_has_two() -> None:
    rossler = system("Rossler")
    a, b, c = (rossler.parameters[name] for name in "abc")
    found = fixed_points(rossler)
    z = (c + np.array([-1, 1]) * np.sqrt(c * c - 4 * a * b)) / (2 * a)
    exact = np.stack([a * z, -z, z], axis=1)
    assert found.complete
    assert found.points == pytest.approx(exact, rel=1e-12)
    for point, values in zip(exact, found.eigenvalues, strict=True):
        # The characteristic polynomial l^3 - tr l^2 + m l - det at (x, y, z).
        x, _, z0 = point
        polynomial = [1, -(a + x - c), a * (x - c) + 1 + z0, c - x - a * z0]
        assert np.sort_complex(values) == pytest.approx(np.sort_complex(np.roots(polynomial)), abs=1e-9)


def test_maps() -> None:
    henon = fixed_points(system("Henon"))
    a, b = 1.4, 0.3
    x = (-(1 - b) + np.array([-1, 1]) * np.sqrt((1 - b) ** 2 + 4 * a)) / (2 * a)
    assert henon.complete
    assert henon.points[:, 0] == pytest.approx(x, rel=1e-13)
    assert henon.stability == ("saddle", "saddle")
    assert np.abs(henon.eigenvalues.prod(axis=1)) == pytest.approx(b)
    logistic = fixed_points(system("Logistic", r=2.5))
    assert logistic.points[:, 0] == pytest.approx([0, 0.6], abs=1e-15)
    assert logistic.stability == ("unstable node", "stable node")
    assert logistic.eigenvalues[:, 0] == pytest.approx([2.5, -0.5])


def test_double_well_and_pendulum() -> None:
    well = fixed_points(flow({"x": "y", "y": "x - x**3"}), [[-3, -3], [3, 3]])
    assert well.points == pytest.approx(np.array([[-1, 0], [0, 0], [1, 0]]), abs=1e-14)
    assert (well.stability, well.complete) == (("centre", "saddle", "centre"), True)
    damped = fixed_points(flow({"x": "y", "y": "x - x**3 - 0.1*y"}), [[-3, -3], [3, 3]])
    assert damped.stability == ("stable focus", "saddle", "stable focus")


def test_many_and_none() -> None:
    many = fixed_points(flow({"x": "sin(x)"}), [[-100], [101]])
    assert many.complete
    assert many.points[:, 0] == pytest.approx(np.pi * np.arange(-31, 33), abs=1e-12)
    for name in ("NoseHoover", "SprottA"):
        none = fixed_points(system(name))
        assert none.complete
        assert (len(none), none.points.shape) == (0, (0, 3))
    # Thomas: a x = b sin(y), cyclic: every solution is one of y = g(g(g(y))), g(y) = b sin(y)/a, counted on a line.
    thomas = system("Thomas")
    g = thomas.parameters["b"] / thomas.parameters["a"]
    found = fixed_points(thomas, [[-8] * 3, [8] * 3])
    y = np.linspace(-8.0, 8.0, 4_000_000)
    above = g * np.sin(g * np.sin(g * np.sin(y))) > y
    assert found.complete
    assert len(found) == np.count_nonzero(above[1:] != above[:-1])


def test_no_root_is_lost_and_none_invented() -> None:
    """Random polynomials with known roots in a plane, turned so that no axis is special."""
    random = np.random.default_rng(1)
    for _ in range(10):
        roots = [np.sort(random.uniform(-2, 2, size=4)) for _ in range(2)]
        while min(np.diff(r).min() for r in roots) < 0.01:
            roots = [np.sort(random.uniform(-2, 2, size=4)) for _ in range(2)]
        turn = np.linalg.qr(random.normal(size=(2, 2)))[0]
        u, v = (f"({row[0]!r}*x + {row[1]!r}*y)" for row in turn.tolist())
        texts = ["*".join(f"({name} - ({float(r)!r}))" for r in rs) for name, rs in zip((u, v), roots, strict=True)]
        found = fixed_points(flow({"x": texts[0], "y": texts[1]}), [[-4, -4], [4, 4]])
        exact = np.array([turn.T @ (a, b) for a in roots[0] for b in roots[1]])
        assert found.complete
        assert len(found) == 16
        distance = np.linalg.norm(found.points[:, None] - exact, axis=2)
        assert distance.min(axis=0).max() < 1e-9
        assert (np.abs(found.points - exact[distance.argmin(axis=1)]) <= found.errors + 1e-10).all()


def test_degenerate_points_are_not_claimed() -> None:
    double = fixed_points(flow({"x": "x**2"}), [[-1], [1.5]])
    assert not double.complete
    assert not double.proved.any()
    assert double.points[:, 0] == pytest.approx([0], abs=1e-6)
    assert double.stability == ("degenerate",)
    assert (np.abs(double.undecided) < 1e-5).all()
    assert "undecided" in double.status
    line = fixed_points(flow({"x": "x*y", "y": "-y"}), [[-1, -1], [1, 1.5]], most_boxes=5000)
    assert not line.complete
    assert np.abs(line.points[:, 1]).max() < 1e-9
    # Just above and below the fold: x' = r + x^2.
    assert len(fixed_points(flow({"x": "r + x**2"}, r=1e-6), [[-1], [1]])) == 0
    pair = fixed_points(flow({"x": "r + x**2"}, r=-1e-6), [[-1], [1]])
    assert (pair.points[:, 0], pair.complete) == (pytest.approx([-1e-3, 1e-3]), True)


def test_jumps_and_kinks() -> None:
    tent = fixed_points(
        system({"kind": "map", "equations": {"x": "1.9*x if x < 0.5 else 1.9*(1 - x)"}, "initial": [0.3]})
    )
    assert tent.complete
    assert tent.points[:, 0] == pytest.approx([0, 1.9 / 2.9])
    jump = fixed_points(flow({"x": "sign(x - 0.3)"}), [[-1], [1]])
    assert not jump.complete
    assert np.allclose(jump.undecided, 0.3, atol=1e-6)
    kink = fixed_points(flow({"x": "abs(x) - 0.5"}), [[-1], [1]])
    assert (kink.complete, kink.points[:, 0]) == (True, pytest.approx([-0.5, 0.5]))
    outside = fixed_points(flow({"x": "log(x)"}), [[-3], [4]])
    assert (outside.complete, outside.points[:, 0]) == (True, pytest.approx([1.0]))


def test_search_without_equations_and_in_many_dimensions() -> None:
    lorenz = system("Lorenz63")
    rule = ArrayRule(lorenz.states, lambda t, x, p: lorenz.rhs(t, x))
    found = fixed_points(Flow("array", rule, {}, lorenz.initial, period=0.75))
    assert (found.method, found.complete, len(found)) == ("search", False, 3)
    assert found.residuals.max() < 1e-9
    assert "not a proof" in found.status
    ring = fixed_points(system("Lorenz96"), method="search", starts=50)
    assert np.isclose(ring.points, 8.0).all(axis=1).any()
    with pytest.raises(SettingError, match="no equations"):
        fixed_points(Flow("array", rule, {}, lorenz.initial, period=0.75), method="proof")


def test_a_budget_leaves_boxes() -> None:
    found = fixed_points(flow({"x": "sin(50*x)"}), [[-3], [4]], most_boxes=20)
    assert not found.complete
    assert len(found.undecided)


@pytest.mark.parametrize(
    ("values", "stepwise", "word"),
    [([-1, -2], False, "stable node"), ([1, 2], False, "unstable node"), ([1, -2], False, "saddle"),
     ([-1 + 2j, -1 - 2j], False, "stable focus"), ([1 + 2j, 1 - 2j], False, "unstable focus"),
     ([2j, -2j], False, "centre"), ([0, -1], False, "degenerate"), ([0.5, -0.9], True, "stable node"),
     ([1.5, 0.2], True, "saddle"), ([0.6 + 0.8j, 0.6 - 0.8j], True, "centre"), ([-1, 0.2], True, "degenerate"),
     ([1j / 2, -1j / 2], True, "stable focus")],
)  # fmt: skip
def test_words_for_stability(values: list[complex], stepwise: bool, word: str) -> None:
    assert stability(values, stepwise=stepwise) == word


def test_refusals() -> None:
    with pytest.raises(SettingError, match="depend on time"):
        fixed_points(system("Duffing"))
    for box in ([[0, 0, 0]], [[1, 1, 1], [0, 2, 2]], [[0, 0, 0], [1, np.inf, 1]]):
        with pytest.raises(SettingError, match="box"):
            fixed_points(system("Lorenz63"), box)
    with pytest.raises(SettingError, match="method"):
        fixed_points(system("Lorenz63"), method="guess")


@pytest.mark.parametrize(("name", "counts"), [("Henon", [2, 4, 2, 8, 2, 16, 30]), ("Logistic", [2, 4, 8, 16, 32, 64])])
def test_fixed_points_of_iterated_maps(name: str, counts: list[int]) -> None:
    chosen = system(name, r=4.0) if name == "Logistic" else system(name)
    for period, count in enumerate(counts, start=1):
        problem = ClosedOrbit(chosen, period)
        found = enclosed(problem, np.full(problem.size, -2.1), np.full(problem.size, 2.0), 100_000)
        assert (len(found.points), len(found.undecided)) == (count, 0)


@pytest.mark.long
def test_a_search_finds_no_point_that_a_proof_says_is_not_there() -> None:
    """Through the catalogue: two methods that share no arithmetic."""
    compared = 0
    for name in names():
        chosen = system(name)
        if chosen.dimension > 4 or not chosen.autonomous or chosen.kind not in ("flow", "map"):
            continue
        proof = fixed_points(chosen, most_boxes=3000)
        search = fixed_points(chosen, proof.box, method="search", starts=200)
        scale = proof.box[1] - proof.box[0]
        open_low, open_high = (proof.undecided[:, end] + side * 1e-9 * scale for end, side in ((0, -1), (1, 1)))
        for point in search.points:
            known = (np.abs((proof.points - point) / scale).max(axis=1) < 1e-6).any() if len(proof) else False
            left = ((point >= open_low) & (point <= open_high)).all(axis=1).any()
            assert known or left, f"{name}: {point}"
            compared += 1
    assert compared > 200


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("MackeyGlass", "a system with delays has no fixed points here"),
        ("OrnsteinUhlenbeck", "a system with noise has no fixed points here"),
    ],
)
def test_a_system_without_fixed_points_is_told_why(name: str, reads: str) -> None:
    with pytest.raises(SettingError, match=reads):
        fixed_points(system(name))
