"""Registered measures and relations of recurrence: known systems, laws of noise, coupling, and their contract."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, henon, lorenz63

from takens import Series
from takens.checks import check_measure
from takens.errors import InsufficientData
from takens.figures import recurrence_figure, svg
from takens.figures.recurrence import SHOWN, diagonal_runs
from takens.measures import REGISTRY
from takens.measures.recurrence import (
    cross_recurrence,
    joint_recurrence,
    recurrence_determinism,
    recurrence_entropy,
    recurrence_laminarity,
    recurrence_time,
    recurrence_transitivity,
    visibility_entropy,
)

NAMES = [name for name, measure in REGISTRY.items() if measure.family == "recurrence"]


@pytest.mark.parametrize("name", NAMES)
def test_the_contract_of_measures(name):
    assert len(check_measure(REGISTRY[name])) > 10


def test_all_are_registered():
    assert set(NAMES) == {
        "recurrence_determinism", "recurrence_entropy", "recurrence_laminarity", "recurrence_time",
        "recurrence_transitivity", "visibility_entropy",
    }  # fmt: skip


def test_determinism_tells_dynamics_from_noise():
    # One coordinate: coordinates that overlap make lines of noise, too.
    x, settings = henon(3000)[:, 0], {"embedding_dimension": 1, "theiler": 1}
    shuffled = np.random.default_rng(0).permutation(x)
    chaos, noise = recurrence_determinism(x, **settings), recurrence_determinism(shuffled, **settings)
    assert float(chaos) > 2 * float(noise)
    assert chaos.interval[0] > noise.interval[1]
    assert chaos.details["recurrence_rate"] == pytest.approx(0.05, rel=0.05)
    assert float(recurrence_entropy(x, **settings)) > float(recurrence_entropy(shuffled, **settings))


def test_laminarity_shows_rest():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=2000)
    resting = np.repeat(rng.normal(size=100), 20) + 0.01 * noise
    settings = {"embedding_dimension": 1, "delay": 1, "theiler": 0}
    assert (
        float(recurrence_laminarity(resting, **settings)) > 0.8 > 0.3 > float(recurrence_laminarity(noise, **settings))
    )


def test_recurrence_time_is_the_period_in_time_units():
    t = np.arange(4000) * 0.1
    x = np.sin(2 * np.pi * t / 4.3) + 0.01 * np.random.default_rng(2).normal(size=4000)
    found = recurrence_time(Series.from_array(x, interval=0.1, unit="s"), rate=0.05)
    assert found.unit == "s"
    assert float(found) == pytest.approx(4.3, rel=0.05)
    assert found.interval[0] < found.interval[1]


def test_transitivity_is_higher_for_a_cycle_than_for_chaos():
    cycle = np.sin(2 * np.pi * np.arange(3000) / 41.7) + 0.01 * np.random.default_rng(3).normal(size=3000)
    one, other = recurrence_transitivity(cycle), recurrence_transitivity(lorenz63(10_000)[:3000, 0])
    assert float(one) > float(other)
    assert one.details["transitivity_dimension"] < 1.6
    for found in (one, other):
        assert found.interval[0] < float(found) < found.interval[1]


def test_visibility_entropy_of_noise_and_its_coverage():
    exact = np.log(27 / 4)
    covered = []
    for seed in range(300):
        found = visibility_entropy(np.random.default_rng(seed).exponential(size=1000), seed=seed)
        covered.append(found.interval[0] <= exact <= found.interval[1])
    assert 0.82 <= np.mean(covered) <= 0.97
    assert float(visibility_entropy(autoregressive(20_000, 0.9))) < exact - 0.02
    assert float(visibility_entropy(np.tile([0.0, 1.0], 500))) < 1


def test_the_recurrence_plot_shows_the_pairs_within_the_radius():
    found = recurrence_determinism(henon(1500)[:, 0])
    figure = recurrence_figure(found)
    points, radius = found.details["points"][:SHOWN], found.details["radius"]
    near = np.abs(points[:, None] - points[None]).max(axis=2) <= radius
    drawn = np.zeros_like(near)
    for begin, end in zip(*diagonal_runs(near), strict=True):
        steps = np.arange(end[0] - begin[0] + 1)
        assert end[1] - begin[1] == steps[-1] >= 0
        assert not drawn[begin[0] + steps, begin[1] + steps].any()
        drawn[begin[0] + steps, begin[1] + steps] = True
    np.testing.assert_array_equal(drawn, near)
    (path,) = (patch.get_path() for patch in figure.axes[0].patches)
    np.testing.assert_array_equal(path.vertices[::2], diagonal_runs(near)[0])
    noise = recurrence_determinism(np.random.default_rng(1).normal(size=1000))
    assert len(svg(recurrence_figure(noise), "the most broken plot")) < 150_000
    with pytest.raises(InsufficientData):
        recurrence_figure(recurrence_determinism(np.ones(500)))


def test_rare_vertical_lines_give_no_laminarity():
    found = recurrence_laminarity(henon(2000)[:, 0], embedding_dimension=2)
    assert found.value < 0.1
    assert not found.admissible
    assert "vertical lines" in found.reason


def test_coarse_data_are_told():
    found = recurrence_determinism(np.random.default_rng(4).integers(0, 2, 2000).astype(float), embedding_dimension=1)
    assert not found.admissible
    assert "coarse" in found.reason


def test_joint_recurrence_finds_what_is_coupled():
    rng = np.random.default_rng(5)
    driver = autoregressive(1500, 0.8, seed=1)
    same = joint_recurrence(np.column_stack([driver, np.exp(driver)]), surrogates=39)
    assert same.details["p_value"] == 1 / 40
    assert float(same) > 0.2 > same.details["independent"]
    assert float(joint_recurrence(np.column_stack([driver, 3 * driver]), surrogates=19)) == pytest.approx(1)
    apart = joint_recurrence(np.column_stack([driver, rng.permutation(driver)]), surrogates=39)
    assert abs(float(apart)) < 0.1


@pytest.mark.long
def test_joint_recurrence_of_independent_channels_has_the_size_it_says():
    rejected = []
    for seed in range(200):
        pair = np.column_stack([autoregressive(400, 0.7, seed=2 * seed), autoregressive(400, 0.7, seed=2 * seed + 1)])
        rejected.append(joint_recurrence(pair, surrogates=19, theiler=15, seed=seed).details["p_value"] <= 0.05)
    assert 0.01 <= np.mean(rejected) <= 0.10


def test_cross_recurrence_of_like_and_unlike_systems():
    orbit = henon(3000)[:, 0]
    like = cross_recurrence(np.column_stack([orbit[:1400], orbit[1500:2900]]))
    unlike = cross_recurrence(np.column_stack([orbit[:1400], np.random.default_rng(6).permutation(orbit)[:1400]]))
    assert like.interval[0] > unlike.interval[1]
    driver = autoregressive(1500, 0.5, seed=3)
    late = cross_recurrence(np.column_stack([driver[7:1007], driver[:1000]]))
    assert late.details["lag"][np.argmax(late.details["profile"])] == 7


def test_slow_noise_that_lingers_gives_no_determinism():
    slow = recurrence_determinism(autoregressive(800, 0.9, 3))
    assert not slow.admissible
    assert "wanders slowly" in slow.reason
    assert slow.details["laminarity"] > slow.value
    remedies = (autoregressive(8000, 0.9, 3)[::10], np.diff(autoregressive(800, 0.9, 3)))
    for x in (*remedies, henon(800)[:, 0], lorenz63(800, 0.05)[:, 0]):
        assert recurrence_determinism(x).admissible


@pytest.mark.long
@pytest.mark.parametrize(
    ("record", "refused"),
    [
        (lambda seed: autoregressive(800, 0.9, seed), True),
        (lambda seed: autoregressive(800, 0.97, seed), True),
        (lambda seed: autoregressive(800, 0.5, seed), False),
        (lambda seed: henon(800, seed)[:, 0], False),
        (lambda seed: lorenz63(800, 0.05, seed, 5)[:, 0], False),
    ],
    ids=["AR(1) 0.9", "AR(1) 0.97", "AR(1) 0.5", "henon", "lorenz"],
)
def test_determinism_is_refused_where_its_interval_does_not_cover(record, refused):
    first = recurrence_determinism(record(0), resamples=20)
    held = {key: first.settings[key] for key in ("embedding_dimension", "delay", "theiler")}
    found = [recurrence_determinism(record(seed), seed=seed, **held) for seed in range(40)]
    truth = np.mean([one.value for one in found])
    covered = np.mean([one.interval[0] <= truth <= one.interval[1] for one in found])
    admissible = np.mean([one.admissible for one in found])
    # 33 of 40 is what a nominal 90 % falls below once in a hundred.
    assert (admissible <= 0.1 and covered < 0.8) if refused else (admissible == 1 and covered >= 33 / 40)
