"""Errors of invariants against known exponents and dimensions and a transcription of the published estimate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from systems import henon, lorenz63

from takens.errors import SettingError
from takens.scores import CLIMATE, INVARIANTS, correlation_dimension_error, largest_exponent_error
from takens.series import Series


def published_dimension(x: np.ndarray) -> float:
    """From all ordered pairs, as the code of dysts counts them."""
    r = cdist(x, x).ravel()
    r = r[r > 0]
    r = r[r > np.percentile(r, 5)]
    r = r[r < np.percentile(r, 50)]
    return float(1 + len(r) / np.log(r / r.min()).sum())


def test_legacy_dimension_reproduces_the_published_estimate():
    true, run = lorenz63(401), lorenz63(397, seed=2) * 1.1
    made = correlation_dimension_error(
        np.concatenate([run, run[:150]]), np.concatenate([true, true[:150]]), legacy="dysts"
    )
    expected = [published_dimension(np.concatenate([x, x[:150]])) for x in (run, true)]
    assert [made.details["generated"], made.details["truth"]] == pytest.approx(expected, rel=1e-12)
    assert made.value == pytest.approx(abs(expected[0] - expected[1]))


def test_dimensions_of_states_with_a_known_one():
    rng = np.random.default_rng(0)
    plane = np.column_stack([rng.random((4000, 2)), np.zeros(4000)]) + 1
    cube = rng.random((4000, 3)) + 1
    made = correlation_dimension_error(cube[:, :2] @ np.array([[1.0, 0, 1], [0, 1, 1]]), cube)
    assert made.details["generated"] == pytest.approx(2, abs=0.15)
    assert made.details["truth"] == pytest.approx(3, abs=0.25)
    assert made.value == pytest.approx(1, abs=0.3)
    assert made.floor < 0.3
    flat = correlation_dimension_error(plane, plane)
    assert flat.details["truth"] == pytest.approx(2, abs=0.15)
    assert flat.value == 0


def test_exponents_that_are_known_are_taken_as_they_are():
    x = Series.from_array(henon(3000)[:, 0])
    given = largest_exponent_error(x, x, exponent=0.43, true_exponent=0.419)
    assert given.value == pytest.approx(0.011)
    assert given.floor is None
    made = largest_exponent_error(henon(3000, seed=1)[:, 0], x, true_exponent=0.419)
    assert made.details["generated"] == pytest.approx(0.419, rel=0.25)


def test_exponents_are_per_unit_of_time():
    values = henon(3000)[:, 0]
    fine, coarse = (Series.from_array(values, interval=step) for step in (0.5, 1.0))
    one, two = (largest_exponent_error(s, s).details["truth"] for s in (fine, coarse))
    assert one == pytest.approx(2 * two)


def test_a_run_without_the_invariant_is_wrong_and_a_truth_without_it_says_nothing():
    x, rng = henon(3000), np.random.default_rng(1)
    cycle = np.column_stack([np.sin(np.arange(3000) * 0.3), np.cos(np.arange(3000) * 0.3)])
    made = largest_exponent_error(cycle, x)
    assert made.value == np.inf
    assert "the run" in made.reason
    undefined = largest_exponent_error(x, cycle)
    assert undefined.value is None
    assert "the truth" in undefined.reason
    for score in INVARIANTS.values():
        broken = x.copy()
        broken[100] = np.nan
        failed = score(broken, x)
        assert failed.value == np.inf
        assert "row 101" in failed.reason
        assert score(np.zeros_like(x), x).value == np.inf
        assert score(x[:300], x).value == np.inf
        assert score(x, rng.normal(size=(100, 2))).value is None
    assert not set(INVARIANTS) & set(CLIMATE)
    with pytest.raises(SettingError):
        correlation_dimension_error(x, x, legacy="nolds")
