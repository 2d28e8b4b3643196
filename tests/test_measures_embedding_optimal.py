"""One embedding from seven criteria: known systems, what must be refused, and how often the truth is inside."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, henon, logistic, lorenz63, roessler

from takens import Series
from takens.figures import criteria_figure
from takens.measures.embedding import optimal_embedding, uzal_cost
from takens.measures.embedding.criteria import Vote, candidates
from takens.measures.embedding.optimal import _error, _recurrence

TORUS = np.sin(2 * np.pi * np.arange(5000) / 31.7) + 0.8 * np.sin(2 * np.pi * np.arange(5000) * np.sqrt(2) / 31.7)


def narrow_band(length, memory, seed):
    """Linear noise with a period of 30 samples that forgets its phase in `memory` samples."""
    noise = np.random.default_rng(seed).normal(size=length + 1000)
    x, decay = np.zeros(length + 1000), 1 - 1 / memory
    for t in range(2, len(x)):
        x[t] = 2 * decay * np.cos(2 * np.pi / 30) * x[t - 1] - decay**2 * x[t - 2] + noise[t]
    return x[1000:]


@pytest.mark.parametrize(
    ("system", "lowest", "highest"),
    [("lorenz", 3, 3), ("roessler", 3, 3), ("henon", 2, 2), ("logistic", 1, 2), ("torus", 3, 4)],
)
def test_known_systems(system, lowest, highest):
    x = {
        "lorenz": lambda: lorenz63(10_000)[:5000, 0],
        "roessler": lambda: roessler(10_000)[:5000, 0],
        "henon": lambda: henon(3000)[:, 0],
        "logistic": lambda: logistic(3000),
        "torus": lambda: TORUS,
    }[system]()
    found = optimal_embedding(x)
    assert lowest <= float(found) <= highest
    assert found.interval[0] <= lowest <= found.interval[1]
    details = found.details
    assert len(details["samples"]) == found.value
    assert details["samples"].min() == 0
    if system == "henon":
        assert details["samples"].tolist() == [0, 1]
        assert details["agreement"] == 1
    known = details["dimensions"][np.isfinite(details["dimensions"])]
    assert found.value in known
    assert found.interval == (known.min(), known.max())
    assert details["agreement"] == pytest.approx(np.mean(known == found.value))
    assert all(
        (reason == "") == np.isfinite(vote)
        for vote, reason in zip(details["dimensions"], details["reasons"], strict=True)
    )


def test_delays_are_those_of_the_lowest_cost_in_time_units():
    x = roessler(10_000)[:5000, 0]
    found = optimal_embedding(Series.from_array(x, interval=0.1, unit="s"))
    np.testing.assert_allclose(found.details["delays"], 0.1 * found.details["samples"])
    cost = dict(zip(found.details["candidates"], found.details["cost"], strict=True))
    name = found.chosen["delays"].split(":")[0]
    assert cost[name] == min(cost.values()) or cost[name] < min(cost.values()) + 0.05
    z = (x - x.mean()) / x.std()
    for delays in (found.details["samples"], np.arange(found.value) * found.settings["delay"]):
        first = 120
        points = np.stack([z[first - d : len(z) - d] for d in delays], axis=1)
        cost[tuple(delays)] = uzal_cost(points, horizon=100, theiler=found.settings["theiler"])[-1]
    assert cost[tuple(found.details["samples"])] == pytest.approx(cost[name], abs=0.03)


def test_shortened_embeddings_keep_their_steps_and_begin_now():
    votes = [Vote("own", 3, (3, 3), delays=(26, 0, 14)), Vote("short", 2, (2, 2), delays=(0, 5)), Vote("none", None)]
    assert candidates(votes, 2, {"given": 7}) == {"equal delays (given)": (0, 7), "own": (0, 26), "short": (0, 5)}
    assert candidates(votes, 3, {"given": 7})["own"] == (0, 14, 26)
    assert "short" not in candidates(votes, 3, {"given": 7})


@pytest.mark.parametrize(
    ("series", "words"),
    [
        ("white", "criteria settle"),
        ("first order", "criteria settle"),
        ("narrow band", "linear noise"),
        ("moved", "half of the record"),
        ("trend", "trends and jumps"),
        ("short", "tenth of the record"),
        ("periodic", "criteria settle"),
    ],
)
def test_refusals_say_why(series, words):
    lorenz = lorenz63(10_000)[:, 0]
    x = {
        "white": lambda: np.random.default_rng(0).normal(size=3000),
        "first order": lambda: autoregressive(3000, 0.9),
        "narrow band": lambda: narrow_band(5000, 200, 1),
        "moved": lambda: np.concatenate([lorenz[:2500], 0.4 * roessler(10_000)[::2, 0][:2500]]),
        "trend": lambda: lorenz + np.linspace(0, 30, 10_000),
        "short": lambda: lorenz[:400],
        "periodic": lambda: np.tile(np.sin(2 * np.pi * np.arange(31) / 31), 100),
    }[series]()
    found = optimal_embedding(x)
    assert not found.admissible
    assert words in found.reason


def test_error_of_neighbours_and_distance_of_halves():
    # Independent values: neighbours know nothing of the next one. Halves of the same process are equally far.
    noise = np.random.default_rng(0).normal(size=8000)
    assert _error(noise, 1, 0, 2) == pytest.approx(1, abs=0.06)
    assert _error(np.sin(np.sqrt(2) * np.arange(8000.0)), 1, 0, 2) < 0.01
    assert _recurrence(noise, 1, 0, 3) == pytest.approx(1, abs=0.15)
    halves = noise + 20 * (np.arange(8000) >= 4000)
    assert _recurrence(halves, 1, 0, 3) > 20


def test_same_seed_same_answer_and_given_delay():
    x = henon(1000)[:, 0]
    one, two = (optimal_embedding(x, delay=1, theiler=2, seed=3) for _ in range(2))
    assert str(one.to_dict(details=True)) == str(two.to_dict(details=True))
    assert "delay" not in one.chosen
    assert one.details["delay_candidates"] == {"given": 1}


def test_figure_shows_each_criterion():
    found = optimal_embedding(lorenz63(10_000)[:3000, 0])
    ax = criteria_figure(found).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == found.details["criteria"]
    known = np.isfinite(found.details["dimensions"])
    dots = ax.get_lines()[-1]
    np.testing.assert_array_equal(dots.get_xdata(), found.details["dimensions"][known])
    nothing = criteria_figure(optimal_embedding(np.random.default_rng(0).normal(size=1000))).axes[0]
    assert sum("settle" in text.get_text() for text in nothing.texts) == 7


@pytest.mark.long
def test_range_covers_the_truth_and_linear_noise_is_refused():
    inside = {"lorenz": 0, "roessler": 0, "henon": 0}
    for seed in range(15):
        for name, x, truth in (
            ("lorenz", lorenz63(10_000)[400 * seed : 400 * seed + 2400, 0], 3),
            ("roessler", roessler(10_000)[400 * seed : 400 * seed + 2400, 0], 3),
            ("henon", henon(1500, seed)[:, 0], 2),
        ):
            found = optimal_embedding(x, seed=seed)
            low, high = found.interval
            inside[name] += found.admissible and low <= truth <= high
    assert all(count >= 14 for count in inside.values()), inside
    admitted = sum(
        optimal_embedding(noise, seed=seed).admissible
        for seed in range(25)
        for noise in (narrow_band(2000, 100, seed), narrow_band(2000, 1000, seed))
    )
    assert admitted <= 2
