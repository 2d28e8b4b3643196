"""Tangent vectors: what is carried, finite-time exponents, covariant vectors and alignment, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

import takens as tk
from takens.dynamics import (
    covariant_lyapunov_vectors,
    finite_time_exponents,
    gali,
    lyapunov_spectrum,
    sali,
)
from takens.dynamics.products import product_svd
from takens.errors import InsufficientData, SettingError
from takens.systems import ArrayRule, Flow, Map
from takens.systems.variational import joined, reductions

LORENZ = tk.system(
    {
        "name": "Lorenz63",
        "equations": {"x": "sigma*(y - x)", "y": "x*(rho - z) - y", "z": "x*y - beta*z"},
        "parameters": {"sigma": 10.0, "rho": 28.0, "beta": 8 / 3},
        "initial": {"x": 1.0, "y": 1.0, "z": 20.0},
        "period": 0.75,
    }
)
HENON = tk.system(
    {
        "name": "Henon",
        "kind": "map",
        "equations": {"x": "1 - a*x**2 + y", "y": "b*x"},
        "parameters": {"a": 1.4, "b": 0.3},
        "initial": {"x": 0.1, "y": 0.1},
    }
)
MATRIX = np.array([[1.3, 0.4, -0.2], [0.1, 0.9, 0.3], [0.0, 0.2, 0.5]])


def linear(kind: str) -> tk.System:
    """x' = A x as a map or a flow."""
    names = "xyz"
    rows = {names[i]: " + ".join(f"({a})*{n}" for a, n in zip(MATRIX[i], names, strict=True)) for i in range(3)}
    return tk.system({"name": "linear", "kind": kind, "equations": rows, "initial": [0.0, 0.0, 0.0]})


def lattice(size: int) -> tk.System:
    """Lorenz-96."""
    equations = {f"x{i}": f"(x{(i + 1) % size} - x{(i - 2) % size})*x{(i - 1) % size} - x{i} + F" for i in range(size)}
    start = 8 + np.random.default_rng(1).normal(size=size)
    return tk.system({"name": "L96", "equations": equations, "parameters": {"F": 8.0}, "initial": start.tolist()})


def in_arrays(system: tk.System) -> tk.System:
    """The same system without machine code."""
    rule = ArrayRule(system.states, lambda t, x, p: system.rhs(t, x), derivative=lambda t, x, p: system.jacobian(t, x))
    return type(system)(name="arrays", rule=rule, parameters={}, initial=system.initial)


@pytest.mark.parametrize(("kind", "interval"), [("flow", 0.7), ("map", 3.0)])
def test_carried_displacements_are_those_of_the_exact_solution(kind: str, interval: float) -> None:
    from scipy.linalg import expm

    exact = expm(MATRIX * interval) if kind == "flow" else np.linalg.matrix_power(MATRIX, 3)
    vectors = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]])
    state = np.array([1.0, -2.0, 0.5])
    x, moved, volume = linear(kind).carried(state, vectors, 0.0, interval, tolerance=1e-12)
    np.testing.assert_allclose(x, exact @ state, rtol=1e-10)
    np.testing.assert_allclose(moved, exact @ vectors, rtol=1e-10)
    assert volume == pytest.approx(np.linalg.slogdet(exact)[1], rel=1e-10)


@pytest.mark.parametrize("system", [LORENZ, HENON, lattice(6), lattice(8)], ids=lambda s: f"{s.name}{s.dimension}")
def test_machine_code_and_array_code_agree(system: tk.System) -> None:
    """Packed rows (of 4 and of 8), numbers, loops (8 states) and NumPy give the same frames and triangles."""
    size = system.dimension
    vectors = np.linalg.qr(np.random.default_rng(0).normal(size=(size, size)))[0]
    interval = 2.0 if system.stepwise else 0.1
    phase = system.phase()
    one = joined(list(reductions(system, phase, vectors, 0.0, interval, 20, tolerance=1e-12)))
    two = joined(list(reductions(in_arrays(system), phase, vectors, 0.0, interval, 20, tolerance=1e-12)))
    np.testing.assert_allclose(one.states, two.states, atol=1e-8)
    np.testing.assert_allclose(one.frames, two.frames, atol=1e-7)
    np.testing.assert_allclose(one.growth, two.growth, atol=1e-7)
    if not system.stepwise:
        np.testing.assert_allclose(one.volumes, two.volumes, atol=1e-8)
    products = np.swapaxes(one.frames, 1, 2) @ one.frames
    np.testing.assert_allclose(products, np.broadcast_to(np.eye(size), products.shape), atol=1e-10)


def test_few_vectors_of_a_large_system_go_the_same_way() -> None:
    """One vector among 40 states, where loops over vectors are written out, is the first of many."""
    system = lattice(40)
    vectors = np.linalg.qr(np.random.default_rng(0).normal(size=(40, 40)))[0]
    one, many = (
        joined(list(reductions(system, system.phase(), vectors[:, :k], 0.0, 0.1, 10, step=0.01))) for k in (1, 40)
    )
    np.testing.assert_allclose(one.growth[:, 0], many.growth[:, 0], rtol=1e-10)
    np.testing.assert_allclose(many.growth.sum(axis=1), many.volumes, rtol=5e-5)


def test_fixed_steps_have_order_four() -> None:
    exact = np.sort(np.linalg.eigvals(MATRIX).real)[::-1]
    errors = []
    for step in (0.1, 0.05):
        (part,) = reductions(linear("flow"), np.zeros(3), np.eye(3), 0.0, 1.0, 60, step=step)
        errors.append(np.abs(part.growth[-1] - exact).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.15)


def test_singular_values_of_a_product_are_accurate_however_far_apart() -> None:
    """Against 120 digits; the smallest is e^-200 of the largest, far below what the product itself could hold."""
    import mpmath

    mpmath.mp.dps = 120
    rng = np.random.default_rng(0)
    for size in (1, 2, 3, 5):
        shape = np.exp(np.linspace(3, -8, size))[:, None]
        triangles = np.linalg.qr(rng.normal(size=(20, size, size)) * shape)[1]
        _, logs, right = product_svd(triangles[None])
        product = mpmath.eye(size)
        for triangle in triangles:
            product = mpmath.matrix(triangle.tolist()) * product
        exact = [float(mpmath.log(value)) for value in mpmath.svd_r(product, compute_uv=False)]
        np.testing.assert_allclose(logs[0], exact, atol=1e-8)
        grown = mpmath.norm(product * mpmath.matrix(right[0][:, 0].tolist()))
        assert float(mpmath.log(grown)) == pytest.approx(exact[0], abs=1e-12)
    two = np.linalg.qr(rng.normal(size=(7, 2, 4, 4)))[1]
    left, logs, right = product_svd(two)
    rebuilt = (left * np.exp(logs)[:, None, :]) @ np.swapaxes(right, -1, -2)
    np.testing.assert_allclose(rebuilt, two[:, 1] @ two[:, 0], atol=1e-13)


def test_finite_time_exponents_of_a_linear_map_and_flow() -> None:
    from scipy.linalg import expm

    starts = np.random.default_rng(0).normal(size=(4, 5, 3))
    for kind, duration, exact in (("map", 7.0, np.linalg.matrix_power(MATRIX, 7)), ("flow", 2.5, expm(2.5 * MATRIX))):
        found = finite_time_exponents(linear(kind), starts, duration, tolerance=1e-12)
        _, sigma, _ = np.linalg.svd(exact)
        assert found.exponents.shape == (4, 5, 3)
        np.testing.assert_allclose(found.exponents, np.broadcast_to(np.log(sigma) / duration, (4, 5, 3)), atol=1e-9)
        np.testing.assert_allclose(found.final, starts @ exact.T, rtol=1e-9, atol=1e-9)
        moved = exact @ found.before
        np.testing.assert_allclose(moved, found.after * sigma, rtol=1e-8, atol=1e-8)


def test_finite_time_exponents_are_those_of_central_differences() -> None:
    """The double gyre of Shadden et al. (2005), whose exponents come from neighbouring orbits in most programs."""
    inner = "a*sin(w*t)*x**2 + (1 - 2*a*sin(w*t))*x"
    gyre = tk.system(
        {
            "name": "gyre",
            "auxiliary": {"f": inner, "g": "2*a*sin(w*t)*x + 1 - 2*a*sin(w*t)"},
            "equations": {"x": "-pi*A*sin(pi*f)*cos(pi*y)", "y": "pi*A*cos(pi*f)*sin(pi*y)*g"},
            "parameters": {"A": 0.1, "a": 0.25, "w": 0.6283185307179586},
            "initial": [0.5, 0.5],
        }
    )
    x, y = np.meshgrid(np.linspace(0.05, 1.95, 20), np.linspace(0.05, 0.95, 10))
    grid = np.stack([x, y], axis=-1)
    found = finite_time_exponents(gyre, grid, 15.0, tolerance=1e-11)
    h = 1e-6
    moved = [tk.systems.evolve(gyre, (grid + h * e).reshape(-1, 2), [0.0, 15.0], tolerance=1e-13)[:, 1]
             for e in np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])]  # fmt: skip
    slopes = np.stack([(moved[0] - moved[1]) / (2 * h), (moved[2] - moved[3]) / (2 * h)], axis=-1)
    sigma = np.linalg.svd(slopes, compute_uv=False)
    np.testing.assert_allclose(found.largest.ravel(), np.log(sigma[:, 0]) / 15, atol=2e-5)
    np.testing.assert_allclose(found.exponents.sum(axis=-1), 0, atol=1e-9)  # no divergence
    assert found.largest.std() > 0.05


def test_long_finite_times_add_up_and_do_not_depend_on_company() -> None:
    starts = tk.simulate(LORENZ, length=600, dt=0.31, transient=20).values
    found = finite_time_exponents(LORENZ, starts, 40.0)
    np.testing.assert_allclose(found.exponents.sum(axis=1), -41 / 3, rtol=1e-6)
    assert found.largest.mean() == pytest.approx(0.906, abs=0.06)
    alone = finite_time_exponents(LORENZ, starts[577], 40.0, threads=1)
    np.testing.assert_array_equal(alone.exponents, found.exponents[577])


def test_volumes_add_up_the_better_the_smaller_the_tolerance() -> None:
    missed = []
    for tolerance in (1e-4, 1e-6, 1e-8):
        parts = list(reductions(LORENZ, LORENZ.phase(), np.eye(3), 0.0, 0.5, 1000, tolerance=tolerance))
        missed.append(abs(joined(parts).growth.sum() / 500 / (-41 / 3) - 1))
    assert missed[0] < 1e-5
    assert missed[1] < 3e-8
    assert missed[2] < 2e-9


def test_the_steps_do_not_depend_on_how_often_machine_code_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def whole() -> list[np.ndarray]:
        found = joined(list(reductions(LORENZ, LORENZ.phase(), np.eye(3), 0.0, 0.5, 6, tolerance=1e-7)))
        return [found.states, found.frames, found.triangles, found.volumes]

    expected = whole()
    monkeypatch.setattr("takens.systems.native.tangent_run.STEPS", 3)
    monkeypatch.setattr("takens.systems.native.tangent_run.PART", 1)
    for array, value in zip(whole(), expected, strict=True):
        np.testing.assert_allclose(array, value, rtol=1e-10, atol=1e-10)  # other steps would differ by 1e-7


def test_members_that_diverge_are_not_numbers_and_others_stay() -> None:
    blowup = tk.system({"name": "blowup", "equations": {"x": "x**2", "y": "-y"}, "initial": [0.1, 0.1]})
    found = finite_time_exponents(blowup, [[0.1, 1.0], [2.0, 1.0]], 1.0)
    # x = x0 / (1 - x0 t), so that dx/dx0 = 1 / (1 - x0 t)^2
    np.testing.assert_allclose(found.exponents[0], [-2 * np.log(0.9), -1], atol=1e-8)
    assert np.isnan(found.exponents[1]).all()
    assert finite_time_exponents(blowup, np.empty((0, 2)), 1.0).exponents.shape == (0, 2)
    steps = finite_time_exponents(HENON, [[0.1, 0.1], [50.0, 0.0]], 30)
    assert np.isfinite(steps.exponents[0]).all()
    assert np.isnan(steps.exponents[1]).all()
    for wrong in ({"duration": -1.0}, {"duration": 1.0, "tolerance": 0.0}, {"duration": np.nan}):
        with pytest.raises(SettingError):
            finite_time_exponents(blowup, [[0.1, 1.0]], **wrong)
    with pytest.raises(SettingError):
        finite_time_exponents(blowup, [[0.1, 1.0, 2.0]], 1.0)
    with pytest.raises(SettingError, match="whole"):
        finite_time_exponents(HENON, [[0.1, 0.1]], 1.5)


def test_array_code_has_finite_time_exponents_too() -> None:
    starts = tk.simulate(HENON, length=3, dt=1).values
    one, two = (finite_time_exponents(s, starts, 12) for s in (HENON, in_arrays(HENON)))
    np.testing.assert_allclose(one.exponents, two.exponents, atol=1e-10)
    assert isinstance(in_arrays(LORENZ), Flow)
    assert isinstance(in_arrays(HENON), Map)


def test_covariant_vectors_of_a_linear_map_are_its_eigenvectors() -> None:
    values, vectors = np.linalg.eig(MATRIX)
    order = np.argsort(-np.abs(values))
    found = covariant_lyapunov_vectors(linear("map"), length=50)
    for k, index in enumerate(order):
        exact = vectors[:, index].real
        np.testing.assert_allclose(np.abs(found.vectors[..., k] @ exact), 1, atol=1e-9)
        np.testing.assert_allclose(found.growth[:, k], np.log(np.abs(values[index])), atol=1e-9)
    a, b = (vectors[:, i].real for i in order[:2])
    np.testing.assert_allclose(found.angle(0, 1), np.arccos(np.abs(a @ b)), atol=1e-8)
    plane = np.linalg.qr(vectors[:, order[1:]].real)[0]
    np.testing.assert_allclose(found.smallest_angle(1), np.arccos(np.linalg.norm(plane.T @ a)), atol=1e-8)


@pytest.mark.parametrize("system", [HENON, LORENZ], ids=lambda s: s.name)
def test_covariant_vectors_are_mapped_onto_one_another(system: tk.System) -> None:
    found = covariant_lyapunov_vectors(system, length=400)
    spectrum = lyapunov_spectrum(system, duration=4000 if system.stepwise else 400)
    interval = found.times[1] - found.times[0]
    for k in range(0, 399, 23):
        x, moved, _ = system.carried(found.states[k], found.vectors[k], 0.0, interval)
        np.testing.assert_allclose(x, found.states[k + 1], atol=1e-6)
        sizes = np.linalg.norm(moved, axis=0)
        np.testing.assert_allclose(np.log(sizes), found.growth[k], atol=1e-5)
        cosines = np.abs(np.einsum("sv,sv->v", moved / sizes, found.vectors[k + 1]))
        np.testing.assert_allclose(cosines, 1, atol=1e-9)
    assert np.abs(found.exponents - spectrum.value).max() < (0.15 if system.stepwise else 0.3)
    assert found.angle(0, 1).min() >= 0
    assert found.angle(0, 1).max() <= np.pi / 2


def test_the_neutral_covariant_vector_of_a_flow_is_its_velocity() -> None:
    found = covariant_lyapunov_vectors(LORENZ, length=300)
    velocity = LORENZ.rhs(0.0, found.states)
    velocity /= np.linalg.norm(velocity, axis=1, keepdims=True)
    cosines = np.abs(np.einsum("ts,ts->t", velocity, found.vectors[..., 1]))
    assert cosines.min() > 1 - 1e-6


def test_averaged_local_exponents_are_the_spectrum() -> None:
    for system, length in ((HENON, 100_000), (LORENZ, 40_000)):
        found = covariant_lyapunov_vectors(system, length=length)
        spectrum = lyapunov_spectrum(system, duration=length * (1.0 if system.stepwise else 0.0375))
        error = 3 * spectrum.details["standard_error"] + 2e-3
        assert np.all(np.abs(found.exponents - spectrum.value) < 2 * error)


def test_covariant_vectors_refuse_what_they_cannot_follow() -> None:
    flat = tk.system({"name": "flat", "kind": "map", "equations": {"x": "2*x", "y": "x"}, "initial": [0.0, 0.0]})
    with pytest.raises(InsufficientData, match="vanishes"):
        covariant_lyapunov_vectors(flat, length=10)
    assert covariant_lyapunov_vectors(flat, length=10, count=1).exponents[0] == pytest.approx(np.log(2))
    with pytest.raises(InsufficientData, match="shorter"):
        covariant_lyapunov_vectors(LORENZ, length=10, interval=4.0)
    for wrong in ({"length": 1}, {"settle": -1.0}, {"count": 4}, {"interval": -1.0}):
        with pytest.raises(SettingError):
            covariant_lyapunov_vectors(LORENZ, **wrong)


def test_alignment_of_two_known_directions() -> None:
    """A diagonal map: angles between carried vectors in closed form, far below the smallest number."""
    system = tk.system({"name": "saddle", "kind": "map", "equations": {"x": "3*x", "y": "y/3"}, "initial": [0.0, 0.0]})
    found = gali(system, 2, duration=2000, dt=10)
    assert found.rate() == pytest.approx(2 * np.log(3), rel=1e-10)
    assert found.log_index[-1, 0] == pytest.approx(-4000 * np.log(3), rel=1e-3)
    times, index = sali(system, duration=100, dt=1)
    sine = np.exp(gali(system, 2, duration=100, dt=1).log_index[:, 0])
    angle = np.arcsin(np.minimum(sine, 1))
    np.testing.assert_allclose(index, 2 * np.sin(angle / 2), rtol=1e-9)
    assert len(times) == 100


def test_alignment_is_the_product_of_singular_values() -> None:
    """The definition: vectors carried without orthonormalisation, scaled to length 1, and their singular values."""
    henon = tk.system("HenonHeiles")
    frame = np.linalg.qr(tk.random.generator(0, "alignment").normal(size=(4, 3)))[0]
    found = gali(henon, 3, duration=20, dt=1.0, tolerance=1e-12)
    for k in (0, 7, 19):
        moved = henon.carried(henon.phase(), frame, 0.0, k + 1.0, tolerance=1e-12)[1]
        unit = moved / np.linalg.norm(moved, axis=0)
        for order in (2, 3):
            index = np.prod(np.linalg.svd(unit[:, :order], compute_uv=False))
            assert found.log_index[k, order - 2] == pytest.approx(np.log(index), abs=1e-6)


def test_alignment_of_regular_orbits_follows_the_known_powers() -> None:
    """Henon-Heiles near the bottom of its well: GALI_2 stays, GALI_3 falls as t^-2, GALI_4 as t^-4."""
    henon = tk.system("HenonHeiles")
    found = gali(henon, 4, initial=[0.1, 0.05, 0.05, 0.15], duration=20_000, dt=20.0)
    assert found.power(2, since=500) == pytest.approx(0, abs=0.3)
    assert found.power(3, since=500) == pytest.approx(2, abs=0.4)
    assert found.power(4, since=500) == pytest.approx(4, abs=0.6)
    standard = tk.system("StandardMap", k=0.5)
    times, index = sali(standard, initial=[0.5, 3.0], duration=20_000, dt=10)
    power = np.polyfit(np.log(times[100:]), np.log(index[100:]), 1)[0]
    assert power == pytest.approx(-2, abs=0.3)


def test_alignment_of_chaotic_orbits_falls_at_the_rate_of_their_exponents() -> None:
    standard = tk.system("StandardMap", k=5.0)
    found = gali(standard, 2, initial=[0.5, 3.0], duration=20_000, dt=5)
    largest = lyapunov_spectrum(standard, initial=[0.5, 3.0], duration=20_000).value[0]
    assert found.rate() == pytest.approx(2 * largest, rel=0.03)
    orbit = gali(LORENZ, 3, duration=200, dt=0.2)
    assert orbit.rate(2) == pytest.approx(0.9056, rel=0.1)
    assert orbit.rate(3) == pytest.approx(2 * 0.9056 + 14.57, rel=0.05)


def test_bad_questions_about_alignment() -> None:
    for wrong in ({"order": 1}, {"order": 4}, {"dt": -1.0}, {"duration": 0.0}):
        with pytest.raises(SettingError):
            gali(LORENZ, **wrong)
    with pytest.raises(InsufficientData, match="shorter"):
        gali(LORENZ, 3, duration=100, dt=10.0)
    found = gali(LORENZ, 2, duration=10, dt=0.1)
    with pytest.raises(SettingError):
        found.rate(3)
    with pytest.raises(InsufficientData):
        found.rate(since=9.95)
