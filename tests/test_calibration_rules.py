"""The simple rules: what they find in series of known kind, their cuts, and shares with their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from takens.bank.evaluation import bars, evaluate, share
from takens.bank.evaluation_tables import markdown
from takens.bank.rules import RULES, group_of
from takens.bank.rules.base import best_cut
from takens.bank.rules.exponent import PositiveExponent
from takens.bank.rules.peccary import MOST_PERIODIC, Peccary
from takens.bank.rules.toker import Toker, phase_cycles
from takens.bank.rules.zero_one import ZeroOne
from takens.bank.table import Table
from takens.random import generator
from takens.verdicts.calibration import Judged
from takens.verdicts.classes import CLASSES

Array = np.ndarray


def logistic(n: int) -> Array:
    x = np.empty(n)
    x[0] = 0.3
    for i in range(1, n):
        x[i] = 3.97 * x[i - 1] * (1 - x[i - 1])
    return x


def autoregressive(n: int) -> Array:
    x, noise = np.zeros(n), generator(3, "noise").normal(size=n)
    for i in range(1, n):
        x[i] = 0.8 * x[i - 1] + noise[i]
    return x


SAMPLES = {"chaotic": logistic(2000), "regular": np.sin(0.1 * np.arange(3000)), "stochastic": autoregressive(2000)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("group", SAMPLES)
def test_rules_read_clear_cases(rule: object, group: str) -> None:
    """Each rule says the right word where it has one; the 0-1 test takes noise for chaos, as is known."""
    assert isinstance(rule, Toker | Peccary | ZeroOne | PositiveExponent)
    found = rule.look(SAMPLES[group], 0)
    assert tuple(found) == rule.numbers
    np.testing.assert_equal(rule.look(SAMPLES[group], 0), found)
    word = str(rule.answers(np.array([list(found.values())]))[0])
    if isinstance(rule, Peccary) and group == "chaotic":
        assert found["entropy"] == pytest.approx(0.68, abs=0.03)  # measures.md: 0.680, 0.399 at r = 4
        assert found["complexity"] == pytest.approx(0.40, abs=0.03)
    assert word == ("chaotic" if isinstance(rule, ZeroOne) and group == "stochastic" else group)


def test_the_entropy_that_a_periodic_signal_can_have() -> None:
    assert pytest.approx(0.5512, abs=5e-5) == MOST_PERIODIC


def test_cycles_of_the_phase_are_permuted() -> None:
    """The values stay, and so do the ends; the order of the cycles does not."""
    t = np.arange(600)
    x = np.sin(2 * np.pi * t / 20) * (1 + 0.3 * np.sin(0.031 * t))
    copies = phase_cycles(x, 5, generator(0, "cycles"))
    for copy in copies:
        np.testing.assert_allclose(np.sort(copy), np.sort(x))
        assert np.abs(copy - x).max() > 0.1
        assert np.corrcoef(copy[20:], copy[:-20])[0, 1] > 0.85  # each cycle is whole
    constant_phase = phase_cycles(np.linspace(0, 1, 50), 2, generator(0, "cycles"))
    np.testing.assert_array_equal(constant_phase, np.tile(np.linspace(0, 1, 50), (2, 1)))


def test_the_best_cut_is_the_best_of_all() -> None:
    rng = generator(5, "cuts")
    for trial in range(50):
        value = np.round(rng.normal(size=20), 1)
        value[rng.random(20) < 0.2] = np.nan
        above, weight = rng.random(20) < 0.5, rng.uniform(0.1, 2, 20)
        cut, agreement = best_cut(value, above, weight)
        assert weight[(value > cut) == above].sum() == pytest.approx(agreement), trial
        for other in np.concatenate([np.arange(-4, 4, 0.05), [-1e9, 1e9]]):
            assert weight[(value > other) == above].sum() <= agreement + 1e-9


def test_cuts_are_found_again() -> None:
    rng = generator(6, "fit")
    group = np.array(["chaotic", "regular", "stochastic"])[rng.integers(3, size=600)]
    chaos = group == "chaotic"
    weight = np.ones(600)
    k = np.where(chaos, rng.uniform(0.71, 1, 600), rng.uniform(0, 0.69, 600))
    k[group == "stochastic"] = 1.0
    assert ZeroOne().fitted(k[:, None], group, weight).cut == pytest.approx(0.7, abs=0.011)
    outside = np.stack([group != "stochastic", rng.random(600) < 0.5, k], axis=1).astype(float)
    tree = Toker().fitted(outside, group, weight)
    assert (tree.order, tree.cut) == (5, pytest.approx(0.7, abs=0.011))
    assert (tree.answers(outside) == group).all()
    entropy = np.where(group == "regular", rng.uniform(0, 0.55, 600), rng.uniform(0.56, 0.95, 600))
    complexity = 0.5 - 0.4 * (entropy - 0.5) + np.where(chaos, 0.03, -0.03)
    plane = np.stack([entropy, complexity], axis=1)
    assert np.mean(Peccary().fitted(plane, group, weight).answers(plane) == group) > 0.99
    ends = np.stack([np.where(group == "stochastic", np.nan, 0.1), np.where(chaos, 0.05, -0.1)], axis=1)
    ends[group == "stochastic", 1] = np.nan
    assert PositiveExponent().fitted(ends, group, weight).end == "low"


def table(count: int, seed: int = 0) -> Table:
    """Rows without statistics: 5 a system."""
    rng = generator(seed, "rows")
    truth = np.repeat(rng.integers(len(CLASSES), size=count), 5)
    system = np.repeat([f"s{i}" for i in range(count)], 5)
    n = len(truth)
    noise = np.where(rng.random(n) < 0.4, 0, rng.uniform(0, 0.5, n))
    return Table(
        ("log_length",), np.zeros((n, 1)), truth, system, np.full(n, "flows"),
        np.round(10 ** rng.uniform(2.4, 4.2, n)).astype(np.int64), noise,
        rng.uniform(50, 500, n),
    )  # fmt: skip


def test_intervals_of_shares_count_systems() -> None:
    """Rows that agree within systems say no more than one row a system; coverage of the interval is near 90 %."""
    inside = []
    for seed in range(200):
        rows = table(60, seed)
        rows = Table(**(vars(rows) | {"truth": np.zeros(len(rows), dtype=np.int64)}))
        hit = np.repeat(generator(seed, "hits").random(60) < 0.7, 5)
        found = share(hit, rows)
        inside.append(found.low <= 0.7 <= found.high)
        assert (found.rows, found.systems) == (300, 60)
    assert np.mean(inside) == pytest.approx(0.9, abs=0.065)
    none = share(np.zeros(len(rows), dtype=bool), rows)
    assert none.value == 0
    assert none.high == pytest.approx(1.6449**2 / (60 + 1.6449**2))


def test_an_evaluation_counts_what_it_says() -> None:
    """A verdict that is always sure and right, and rules that always say regular."""
    rows = table(240)
    p = np.full((len(rows), len(CLASSES)), 0.01)
    p[np.arange(len(rows)), rows.truth] = 0.95
    judged = Judged(p, np.where(p > 0.5, 0.9, 0.01), np.where(rows.truth == 2, 0.01, 1.0))
    numbers = {rule.name: np.zeros((len(rows), len(rule.numbers))) for rule in RULES}
    numbers["Toker's tree"][:, :2] = 1.0
    found = evaluate(rows, judged, RULES, {rule.name: rule.answers(numbers[rule.name]) for rule in RULES})
    assert found["coverage"]["0.9"]["all"]["value"] == 1
    assert found["accuracy"]["six"]["value"] == 1
    assert found["size"]["all"] == 1
    assert found["chaos"]["false"]["value"] == 0
    assert found["chaos"]["power"]["value"] == 1
    np.testing.assert_array_equal(found["confusion"]["all"][""], np.eye(len(CLASSES)))
    weight = rows.weights()
    for rule in found["rules"].values():
        assert rule["six"]["value"] == pytest.approx(weight[rows.truth == 0].sum() / weight.sum(), abs=1e-3)
        mine = np.isin(group_of(rows.truth), ("regular", "chaotic", "stochastic"))
        regular = weight[mine & (rows.truth < 2)].sum() / weight[mine].sum()
        assert rule["groups"]["value"] == pytest.approx(regular, abs=1e-3)
        assert rule["false_chaos"]["value"] == 0
    kept = {row["bar"]: row["kept"] for row in bars(found)}
    assert [kept[name] for name in kept] == [False, True, True, True, True, True]  # coverage of 100 % is too much
    text = markdown(found)
    assert text.count("\n| periodic |") == 5 * 9  # the verdict and four rules, for all rows and eight bands
    assert "100.0" in text
