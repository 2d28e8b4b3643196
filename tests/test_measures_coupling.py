"""Couplings: closed forms of normal and linear processes, coupled logistic maps, false alarms and intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import psi
from systems import autoregressive, logistic

import takens
from takens.errors import DataError, SettingError
from takens.measures.base import Refused
from takens.measures.causality import autoregressive_order, cells, conditional_terms
from takens.measures.causality_maps import smap_errors
from takens.measures.coupling import ksg_terms, lagged_correlation, largest_correlations
from takens.measures.coupling_null import effective_size, p_value, spaced_shifts
from takens.measures.coupling_phases import event_synchronisation_of
from takens.measures.relations import RELATIONS


def normal_pair(n: int, r: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return np.column_stack([x, r * x + np.sqrt(1 - r * r) * rng.normal(size=n)])


def driven(n: int, c: float, seed: int = 0, a: float = 0.6, b: float = 0.5) -> np.ndarray:
    """x_t = a x + e, y_t = b y + c x_{t-1} + e: the first drives the second."""
    noise = np.random.default_rng(seed).normal(size=(n + 200, 2))
    z = np.zeros((n + 200, 2))
    for t in range(1, n + 200):
        z[t] = a * z[t - 1, 0] + noise[t, 0], b * z[t - 1, 1] + c * z[t - 1, 0] + noise[t, 1]
    return z[200:]


def coupled_logistic(n: int, strength: float, seed: int = 0) -> np.ndarray:
    """Sugihara et al. (2012): the first map drives the second."""
    x, y = 0.1 + 0.8 * np.random.default_rng(seed).random(2)
    out = np.empty((n + 100, 2))
    for t in range(n + 100):
        x, y = x * (3.8 - 3.8 * x), y * (3.5 - 3.5 * y - strength * x)
        out[t] = x, y
    return out[100:]


def independent(kind: str, n: int, seed: int) -> np.ndarray:
    if kind == "AR":
        return np.column_stack([autoregressive(n, 0.9, 2 * seed), autoregressive(n, 0.8, 2 * seed + 1)])
    return np.column_stack([logistic(n, 3.9, 2 * seed), logistic(n, 3.8, 2 * seed + 1)])


def test_counts_of_neighbours_agree_with_all_pairs():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 300))
    dx, dy = np.abs(x[:, None] - x), np.abs(y[:, None] - y)
    joint = np.maximum(dx, dy)
    np.fill_diagonal(joint, np.inf)
    for k in (1, 4):
        radius = np.sort(joint, axis=1)[:, k - 1 : k]
        nx, ny = (dx < radius).sum(axis=1), (dy < radius).sum(axis=1)  # each counts itself, which is the + 1
        np.testing.assert_allclose(ksg_terms(x, y, k), psi(k) + psi(300) - psi(nx) - psi(ny), atol=1e-12)


def test_conditional_counts_agree_with_all_pairs():
    rng = np.random.default_rng(2)
    x, z, y = rng.normal(size=(250, 2)), rng.normal(size=(250, 3)), rng.normal(size=250)

    def apart(points):
        return np.abs(points[:, None] - points[None]).max(axis=2)

    dx, dy, dz = apart(x), apart(y[:, None]), apart(z)
    joint = np.maximum(np.maximum(dx, dy), dz)
    np.fill_diagonal(joint, np.inf)
    radius = np.sort(joint, axis=1)[:, 4:5]
    nxz, nyz, nz = (
        (d < radius).sum(axis=1) for d in (np.maximum(dx, dz), np.maximum(dy, dz), dz)
    )  # fmt: skip
    np.testing.assert_allclose(conditional_terms(x, y, z, 5), psi(5) - psi(nxz) - psi(nyz) + psi(nz), atol=1e-12)


@pytest.mark.parametrize("r", [0.0, 0.6, 0.9])
def test_mutual_information_of_normal_variables(r):
    found = takens.mutual_information(normal_pair(4000, r, seed=3), surrogates=19)
    assert float(found) == pytest.approx(-0.5 * np.log(1 - r * r), abs=0.03)
    assert (found.details["p_value"] <= 0.05) == (r > 0)
    assert abs(found.details["bias"]) < 0.02


def test_mutual_information_does_not_change_under_monotone_functions():
    pair = normal_pair(1000, 0.7)
    plain, bent = (takens.mutual_information(data, surrogates=19).value for data in (pair, np.exp(2 * pair)))
    assert plain == pytest.approx(bent, abs=1e-12)


def test_a_function_is_not_called_an_amount_of_information():
    x = np.random.default_rng(0).normal(size=1000)
    found = takens.mutual_information(np.column_stack([x, np.sin(x)]), surrogates=19)
    assert not found.admissible
    assert "lower bound" in found.reason


def test_interval_of_mutual_information_covers_the_truth():
    truth, runs = -0.5 * np.log(1 - 0.36), 80
    inside = 0
    for seed in range(runs):
        low, high = takens.mutual_information(normal_pair(1000, 0.6, seed), surrogates=19).interval
        inside += low <= truth <= high
    assert 0.87 <= inside / runs <= 0.99  # a jackknife of neighbours is wide: 97 % at nominal 90 %


def test_correlation_finds_the_lag_and_its_sign():
    x = autoregressive(1007, 0.8)
    noise = np.random.default_rng(5).normal(size=1000)
    found = takens.cross_correlation(np.column_stack([x[7:], x[:-7] + noise]))  # the second repeats the first later
    assert found.details["best_lag"] == 7
    assert found.details["p_value"] == pytest.approx(1 / 200)
    assert takens.cross_correlation(np.column_stack([x[:-7] + noise, x[7:]])).details["best_lag"] == -7
    curve = lagged_correlation(x, x, 3)
    assert curve[3] == pytest.approx(1.0)
    np.testing.assert_allclose(curve, curve[::-1])
    np.testing.assert_allclose(curve[4], np.corrcoef(x[:-1], x[1:])[0, 1], atol=1e-12)


def test_largest_correlations_agree_with_a_loop():
    x, copies = np.random.default_rng(0).normal(size=60), np.random.default_rng(1).normal(size=(3, 60))
    a, b = x - x.mean(), copies - copies.mean(axis=1, keepdims=True)
    for row, found in zip(b, largest_correlations(x, copies, 4), strict=True):
        sums = [sum(a[t] * row[t + lag] for t in range(60) if 0 <= t + lag < 60) for lag in range(-4, 5)]
        assert found == pytest.approx(max(map(abs, sums)) / np.sqrt((a @ a) * (row @ row)))


def test_effective_size_of_autoregressions():
    # Two AR(1) with phi: N (1 - phi^2) / (1 + phi^2).
    sizes = [effective_size(*independent("AR", 4000, seed).T) for seed in range(20)]
    assert np.mean(sizes) == pytest.approx(4000 * (1 - 0.72) / (1 + 0.72), rel=0.1)


def test_spaced_shifts_form_a_group():
    shifts, rows = spaced_shifts(*np.random.default_rng(0).normal(size=(2, 1030)), 49)
    assert rows == 50 * shifts[0] <= 1030
    assert set(((shifts[:, None] + shifts) % rows).ravel().tolist()) <= {0, *shifts.tolist()}
    with pytest.raises(Refused, match="40 are needed"):
        spaced_shifts(*np.cumsum(np.random.default_rng(0).normal(size=(2, 200)), axis=1), 49)
    assert p_value(2.0, np.array([1.0, 2.0, 3.0])) == 0.75
    assert p_value(9.0, np.zeros(99)) == 0.01


def test_granger_agrees_with_an_independent_regression():
    z = driven(400, 0.3, seed=1)
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    target, ones = z[1:, 1], np.ones(399)
    both, own = np.column_stack([ones, z[:-1]]), np.column_stack([ones, z[:-1, 1]])
    rss = [np.sum((target - d @ (np.linalg.inv(d.T @ d) @ d.T @ target)) ** 2) for d in (both, own)]
    found = takens.granger_causality(z, order=1)
    assert found.value == pytest.approx(np.log(rss[1] / rss[0]), rel=1e-9)
    assert found.details["f"] == pytest.approx((rss[1] - rss[0]) / (rss[0] / 396), rel=1e-9)


def test_granger_of_a_linear_process_is_its_closed_form():
    # With b = 0 the own past of y leaves it an MA-like process; a = 0 too: y = c x_{t-1} + e, G = ln(1 + c^2).
    found = takens.granger_causality(driven(20_000, 0.7, a=0.0, b=0.0), order=1)
    assert float(found) == pytest.approx(np.log(1 + 0.49), abs=0.02)
    assert found.interval[0] <= np.log(1.49) <= found.interval[1]
    back = takens.granger_causality(driven(20_000, 0.7, a=0.0, b=0.0)[:, ::-1])
    assert back.value < 0.001
    assert autoregressive_order(driven(5000, 0.5), 8) == 1


def test_transfer_entropy_of_a_linear_process_is_its_closed_form():
    z = driven(2000, 0.7, a=0.0, b=0.0, seed=4)
    found = takens.transfer_entropy(z, history=1, surrogates=19)
    assert float(found) == pytest.approx(0.5 * np.log(1.49), abs=0.03)
    assert found.details["p_value"] == 0.05
    back = takens.transfer_entropy(z[:, ::-1], history=1, surrogates=19)
    assert abs(back.value) < 0.02


def test_symbolic_transfer_entropy_of_a_copy_is_the_entropy_that_is_new():
    # y is x one step later, both random: the next pattern of y, given its own, is known from x.
    x = np.random.default_rng(0).random(50_001)
    found = takens.symbolic_transfer_entropy(np.column_stack([x[1:], x[:-1]]), order=2, surrogates=19)
    # Patterns of three random values: H(up/down next | up/down) = ln 6 - (1/3) ln 1 ... = entropy rate of order 2.
    p = np.array([1 / 3, 2 / 3])
    assert float(found) == pytest.approx(-np.sum(p * np.log(p)), abs=0.01)
    back = takens.symbolic_transfer_entropy(np.column_stack([x[:-1], x[1:]]), order=2, surrogates=19)
    assert abs(back.value) < 0.01


def test_cells_are_small_and_near():
    points = np.random.default_rng(0).random((500, 2))
    label = cells(points, 8)
    assert np.bincount(label).max() <= 8
    assert np.bincount(label).min() >= 4
    widths = [np.ptp(points[label == c], axis=0).max() for c in range(label.max() + 1)]
    assert np.median(widths) < 0.2


def test_cross_mapping_finds_the_direction_of_coupled_logistic_maps():
    for strength in (0.1, 0.32):
        z = coupled_logistic(1000, strength)
        forth, back = (takens.convergent_cross_mapping(data) for data in (z, z[:, ::-1]))
        assert float(forth) > 0.9
        assert forth.details["p_value"] == 0.01
        assert forth.details["best_lag"] <= 0
        assert (np.diff(forth.details["skill"]) > 0).all()
        assert back.details["p_convergence"] > 0.05


def test_smap_tells_a_logistic_map_from_noise():
    chaos, noise = takens.smap_nonlinearity(logistic(400)), takens.smap_nonlinearity(autoregressive(400, 0.7))
    assert float(chaos) > 0.8
    assert chaos.details["p_value"] == 0.025
    assert noise.details["p_value"] > 0.05


def test_smap_without_weights_is_one_regression():
    x, m = autoregressive(120, 0.6), 2
    points, ahead = np.column_stack([x[:-2], x[1:-1]]), x[2:]
    errors = []
    for i in range(len(points)):
        kept = np.abs(np.arange(len(points)) - i) > 1
        design = np.column_stack([np.ones(len(points)), points])
        c = np.linalg.lstsq(design[kept], ahead[kept], rcond=None)[0]
        errors.append(abs(design[i] @ c - ahead[i]))
    assert smap_errors(x, m, 1, np.zeros(1), 1)[0] == pytest.approx(np.mean(errors) / x.std(), rel=1e-6)


def phase_walks(n: int, coupling: float, seed: int) -> np.ndarray:
    """Two noisy oscillators of nearly the same frequency, the second pulled to the first."""
    rng = np.random.default_rng(seed)
    phase = np.zeros((n, 2))
    for t in range(1, n):
        kick = rng.normal(size=2) * 0.1
        pull = coupling * np.sin(phase[t - 1, 0] - phase[t - 1, 1])
        phase[t] = phase[t - 1] + 0.3 + kick + [0, pull]
    return np.cos(phase)


def test_phases_lock_where_they_are_pulled():
    locked = takens.phase_synchronisation(phase_walks(4000, 0.2, 0))
    # phi' = -K sin phi + noise: <exp(i phi)> = I1(kappa) / I0(kappa), kappa = 2 K / (variance of the difference).
    from scipy.special import i0, i1

    kappa = 2 * 0.2 / (2 * 0.1**2)
    assert locked.admissible
    assert float(locked) == pytest.approx(i1(kappa) / i0(kappa), abs=0.03)
    assert locked.details["p_value"] < 0.05
    np.testing.assert_allclose(locked.details["frequency"], 0.3 / (2 * np.pi), rtol=0.05)
    wide = takens.phase_synchronisation(np.random.default_rng(0).normal(size=(1000, 2)))
    assert "filter" in wide.reason


def test_two_clocks_are_locked_but_that_means_nothing():
    t = np.arange(2000.0)
    clocks = np.column_stack([np.sin(0.31 * t), np.sin(0.31 * t + 1)])
    found = takens.phase_synchronisation(clocks + 1e-3 * np.random.default_rng(0).normal(size=(2000, 2)))
    assert found.value > 0.99
    assert found.details["shift"] == pytest.approx(-1.0, abs=0.01)
    assert found.details["p_value"] > 0.1


def test_events_that_coincide_and_events_that_lead():
    x = np.cumsum(np.random.default_rng(0).uniform(5, 15, 50))
    assert event_synchronisation_of(x, x) == (1.0, 0.0)
    assert event_synchronisation_of(x, x + 1) == (1.0, 1.0)
    assert event_synchronisation_of(x + 1, x) == (1.0, -1.0)
    assert event_synchronisation_of([0.0, 10, 20, 30], [5.0, 15.0, 25.0, 35.0])[0] == 0  # half a gap is too far
    assert event_synchronisation_of([0.0, 10, 20, 30], [1.0, 9.0, 15.0, 26.0])[0] == pytest.approx(0.75)
    with pytest.raises(DataError, match="increase"):
        event_synchronisation_of([1.0, 1.0], [1.0, 2.0])


ALARMS = {
    "cross_correlation": ({"surrogates": 99}, 500), "mutual_information": ({"surrogates": 19}, 500),
    "event_synchronisation": ({"surrogates": 99}, 500), "granger_causality": ({"order": 2}, 500),
    "transfer_entropy": ({"surrogates": 19, "history": 1}, 500), "symbolic_transfer_entropy": ({"surrogates": 99}, 500),
    "convergent_cross_mapping": ({"surrogates": 19, "draws": 5}, 500),
}  # fmt: skip


def alarms(name: str, kind: str, runs: int) -> float:
    settings, rows = ALARMS[name]
    found = [RELATIONS[name](independent(kind, rows, seed), **settings) for seed in range(runs)]
    return float(np.mean([e.details["p_value"] <= 0.05 for e in found if e.value is not None]))


@pytest.mark.parametrize("kind", ["AR", "logistic"])
@pytest.mark.parametrize("name", ALARMS)
def test_false_alarms_are_few(name, kind):
    assert alarms(name, kind, 40) <= 0.175  # one in a thousand at 5 %


@pytest.mark.long
@pytest.mark.parametrize("kind", ["AR", "logistic"])
@pytest.mark.parametrize("name", ALARMS)
def test_false_alarms_are_5_percent(name, kind):
    runs = 300
    assert alarms(name, kind, runs) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.long
def test_transfer_entropy_is_not_alarmed_by_coupling_the_other_way():
    found = [takens.transfer_entropy(driven(500, 0.6, seed)[:, ::-1], history=1, surrogates=19) for seed in range(200)]
    assert np.mean([e.details["p_value"] <= 0.05 for e in found]) <= 0.10


def test_settings_that_make_no_sense_are_refused():
    pair = normal_pair(400, 0.5)
    for name, settings in (("granger_causality", {"order": 0}), ("transfer_entropy", {"k": 0}),
                           ("symbolic_transfer_entropy", {"order": 9})):  # fmt: skip
        with pytest.raises(SettingError):
            RELATIONS[name](pair, **settings)
    assert "max_lag" in takens.cross_correlation(pair, max_lag=300).reason
    assert "neighbours" in takens.mutual_information(pair, k=200).reason
