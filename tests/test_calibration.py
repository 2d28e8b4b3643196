"""The calibrated model: trees as arrays, conformal coverage, sets, and what is kept on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from takens.bank.conformal import band_thresholds, chaos_thresholds, thresholds
from takens.bank.table import Table
from takens.bank.training import (
    Boosting,
    accuracy,
    exported,
    fit_boosted,
    fit_mixture,
    fit_multinomial,
    log_loss,
    mixing,
    out_of_fold,
)  # fmt: skip
from takens.errors import DataError, SettingError
from takens.random import generator
from takens.verdicts.calibration import ALPHAS, ARRAYS, DOCUMENT, Bands, Calibration, Judged, p_value, read
from takens.verdicts.classes import CHAOTIC, CLASSES
from takens.verdicts.multinomial import Mixture, Multinomial
from takens.verdicts.trees import Trees, softmax

QUICK = Boosting(trees=40, rate=0.15)
CHAOS = CLASSES.index(CHAOTIC)


def synthetic(systems: int, seed: int, *, spread: float = 1.0, each: int = 6) -> Table:
    """Rows of `systems` systems a class: their own centre about that of the class, and rows about it; some missing."""
    rng = generator(seed, "synthetic bank")
    centres = generator(7, "synthetic classes").normal(size=(len(CLASSES), 5))
    centres[CHAOS, 0] += 4.0
    rows: list[dict[str, Any]] = []
    for k, truth in enumerate(CLASSES):
        for s in range(systems):
            own = centres[k] + 0.6 * spread * rng.normal(size=5)
            for _ in range(each):
                length, noise = 10 ** rng.uniform(2.3, 4.3), float(rng.choice([0.0, rng.uniform(0, 0.5)]))
                x = own + 0.8 * (spread + noise) * rng.normal(size=5)
                x[rng.random(5) < 0.1] = np.nan
                features = {"log_length": np.log10(length), "noise_level": noise} | {
                    f"f{i}": v for i, v in enumerate(x)
                }
                about = {"truth": truth, "system": f"{truth} {s}", "family": truth}
                rows.append({"features": features, "length": round(length), "noise": noise, "cycles": 100.0} | about)
    return Table.of(rows)


def calibrated(table: Table, seed: int = 0) -> Calibration:
    """A calibration from a table, without the bank."""
    scores = out_of_fold(table, lambda part: fit_mixture(part, QUICK, seed), table.folds(5, seed))
    folds = softmax(scores.mean(axis=0))
    bands = Bands(("log_length", "noise_level"), ((3.0,), (0.1,)))
    return Calibration(
        table.features, fit_mixture(table, QUICK, seed), bands, band_thresholds(table, folds, bands),
        chaos_thresholds(table, folds),
    )  # fmt: skip


@pytest.fixture(scope="module")
def table() -> Table:
    return synthetic(40, 0)


@pytest.fixture(scope="module")
def calibration(table: Table) -> Calibration:
    return calibrated(table)


def test_trees_give_the_probabilities_of_scikit_learn(table: Table) -> None:
    model = fit_boosted(table)
    trees = exported(model)
    unseen = np.concatenate([synthetic(10, 5).x, np.full((1, table.x.shape[1]), np.nan)])
    np.testing.assert_allclose(trees.probabilities(unseen), model.predict_proba(unseen), atol=1e-12, rtol=0)
    np.testing.assert_allclose(trees.probabilities(table.x), model.predict_proba(table.x), atol=1e-12, rtol=0)


def test_contributions_add_up_to_the_scores(table: Table) -> None:
    trees = exported(fit_boosted(table, QUICK))
    parts, start = trees.contributions(table.x[:50])
    np.testing.assert_allclose(start + parts.sum(axis=2), trees.scores(table.x[:50]), atol=1e-12)
    # The start is the mean score of the training rows: the mean contribution of every feature vanishes with it.
    weight = np.ones(len(table))
    assert np.abs(np.average(trees.scores(table.x), weights=weight, axis=0) - start).max() < 0.25


def test_contributions_follow_one_path() -> None:
    """One tree: x0 <= 0 gives -1; else x1 <= 2 or missing gives 1, else 5; means of inner nodes as given."""
    trees = Trees(
        np.array([0, -1, 1, -1, -1]), np.array([0.0, 0, 2, 0, 0]), np.array([False, False, True, False, False]),
        np.array([1, 0, 3, 0, 0]), np.array([2, 0, 4, 0, 0]), np.array([0.5, -1, 2, 1, 5]),
        np.array([0]), np.array([1]), np.array([0.0, 10.0]),
    )  # fmt: skip
    x = np.array([[-1.0, 9], [1, 1], [1, np.nan], [np.nan, 3]])
    np.testing.assert_array_equal(trees.scores(x), [[0, 9], [0, 11], [0, 11], [0, 15]])
    parts, start = trees.contributions(x)
    np.testing.assert_array_equal(start, [0, 10.5])
    np.testing.assert_array_equal(parts[:, 1], [[-1.5, 0], [1.5, -1], [1.5, -1], [1.5, 3]])
    np.testing.assert_array_equal(parts[:, 0], 0)


@pytest.mark.parametrize(
    "change",
    [{"left": np.array([0, 0, 0])}, {"feature": np.array([0, -2, -1])}, {"root": np.array([9])},
     {"value": np.array([0.0, np.nan, 1])}, {"right": np.array([1, 2])}],
    ids=["circle", "feature", "root", "value", "length"],
)  # fmt: skip
def test_arrays_that_are_not_trees_are_refused(change: dict[str, Any]) -> None:
    sound = Trees(np.array([0, -1, -1]), np.zeros(3), np.zeros(3, bool), np.array([1, 0, 0]), np.array([2, 0, 0]),
                  np.zeros(3), np.array([0]), np.array([0]), np.zeros(2))  # fmt: skip
    with pytest.raises(DataError, match="not trees"):
        replace(sound, **change)


def test_thresholds_are_those_of_the_definition() -> None:
    """p(s) = (W{s_i >= s} + 1) / (W + 1), counted directly, also where scores are equal."""
    rng = generator(1, "scores")
    score, weight = np.round(rng.random(60), 1), rng.uniform(0.2, 3.0, 60)
    kept = thresholds(score, weight)
    assert np.all(np.diff(kept[np.isfinite(kept)]) <= 0)
    for s in (-0.5, 0.0, 0.05, 0.3, 0.35, 0.9, 0.95, 1.0, 2.0):
        p = (weight[score >= s].sum() + 1) / (weight.sum() + 1)
        given = float(p_value(kept, np.array(s)))
        assert p - 1e-9 <= given < p + ALPHAS[0]


def test_p_values_of_new_systems_are_valid() -> None:
    """Exchangeable systems: p <= alpha at most alpha of the time, though rows of a system are alike."""
    below = []
    for seed in range(300):
        rng = generator(seed, "systems")
        score = (rng.normal(size=(40, 1)) + 0.3 * rng.normal(size=(40, 5))).ravel()
        new = float(rng.normal() + 0.3 * rng.normal())
        below.append(p_value(thresholds(score, np.full(200, 1 / 5)), np.array(new)) <= 0.1)
    assert np.mean(below) == pytest.approx(0.1, abs=3 * np.sqrt(0.09 / 300))
    assert thresholds(np.arange(5.0), np.ones(5))[ALPHAS < 1 / 6].min() == np.inf  # too few for so small a p-value


def test_coverage_on_unseen_systems(calibration: Calibration) -> None:
    unseen = synthetic(80, 11)
    judged = calibration.judge(unseen.x)
    rows = np.arange(len(unseen))
    for level in (0.8, 0.9, 0.95):
        covered = judged.sets(level)[rows, unseen.truth]
        # 480 systems of 6 rows: a standard error of about 1.2 %, and as much for the 240 systems of the calibration.
        assert covered.mean() == pytest.approx(level, abs=0.045)
    sets = judged.sets(0.9)
    assert sets.any(axis=1).all()
    alone = sets[:, CHAOS] & (sets.sum(axis=1) == 1)
    others = ~np.isin(unseen.truth, [CHAOS, len(CLASSES) - 1])
    assert alone[others].mean() < 0.03
    assert alone[unseen.truth == CHAOS].mean() > 0.3


def test_a_band_that_is_hard_gets_larger_sets() -> None:
    table = synthetic(30, 3)
    rng = generator(2, "bands")
    hard = table.x[:, 0] < 3.0
    p = np.full((len(table), len(CLASSES)), 0.02)
    p[np.arange(len(table)), table.truth] = 0.9
    p[hard] = rng.dirichlet(np.ones(len(CLASSES)), hard.sum())
    two = Bands(("log_length",), ((3.0,),))
    kept = band_thresholds(table, p, two, prior=5.0)
    at = int(np.argmin(np.abs(ALPHAS - 0.1)))
    assert kept[0, at] > 0.9
    assert kept[1, at] < 0.5


def test_bands_of_statistics() -> None:
    bands = Bands(("a", "b"), ((1.0, 2.0), (0.5,)))
    columns = np.array([[0.0, 0.1], [1.0, 0.5], [1.5, 0.4], [9.0, np.nan], [np.nan, 0.0]])
    np.testing.assert_array_equal(bands.of(columns), [0, 3, 2, 5, 4])
    assert bands.count == 6


def test_chaos_alone_needs_its_own_test() -> None:
    p = np.array([[0.1, 0.0, 0.9, 0, 0, 0], [0.1, 0.0, 0.9, 0, 0, 0], [0.3, 0.1, 0.2, 0.2, 0.1, 0.1]])
    p_values = np.array([[0.02, 0.01, 0.8, 0.01, 0.01, 0.01]] * 2 + [[0.05] * 6])
    sets = Judged(p, p_values, np.array([0.01, 0.2, 1.0])).sets(0.9)
    assert [[CLASSES[k] for k in np.flatnonzero(row)] for row in sets] == [
        ["chaotic"], ["periodic", "chaotic"], ["periodic"]
    ]  # fmt: skip


def test_folds_keep_systems_together_and_classes_apart(table: Table) -> None:
    folds = table.folds(5, 0)
    for system in np.unique(table.system):
        assert len(np.unique(folds[table.system == system])) == 1
    counts = np.array([np.bincount(folds[table.truth == k], minlength=5) for k in range(len(CLASSES))])
    assert (counts == 8 * 6).all()
    np.testing.assert_array_equal(folds, table.folds(5, 0))
    assert (folds != table.folds(5, 1)).any()


def test_weights_count_systems_and_classes_equally() -> None:
    table = synthetic(6, 2)
    table = table.take(np.concatenate([np.flatnonzero(table.truth != 0), np.flatnonzero(table.truth == 0)[:8]]))
    weight = table.weights()
    assert weight.mean() == pytest.approx(1)
    by_class = np.bincount(table.truth, weight)
    np.testing.assert_allclose(by_class, by_class[0])
    mine = table.truth == 0
    by_system = [weight[mine & (table.system == s)].sum() for s in np.unique(table.system[mine])]
    np.testing.assert_allclose(by_system, by_system[0])


def test_both_models_learn_and_together_they_do_best(table: Table) -> None:
    scores = out_of_fold(table, lambda part: fit_mixture(part, QUICK), table.folds(4, 0))
    weights = mixing(table, scores)
    both = log_loss(table, softmax(np.tensordot(weights, scores, axes=1)))
    for k in range(2):
        p = softmax(scores[k])
        assert accuracy(table, p) > 0.45  # chance: 0.17
        assert both <= log_loss(table, p) + 1e-6 < 1.35
    for other in generator(0, "weights").uniform(0, 1.5, size=(50, 2)):
        assert both <= log_loss(table, softmax(np.tensordot(other, scores, axes=1))) + 1e-4
    uniform = np.full((len(table), len(CLASSES)), 1 / len(CLASSES))
    assert log_loss(table, uniform) == pytest.approx(np.log(len(CLASSES)))


def test_the_multinomial_model_is_the_regularised_optimum(table: Table) -> None:
    """The gradient of the penalised log loss vanishes: sum_i w_i (P_ik - [truth is k]) z_i + ridge slope_k = 0."""
    ridge = 20.0
    model = fit_multinomial(table, ridge)
    z, flags = model.inputs(table.x)
    p = softmax(model.scores(table.x))
    away = table.weights()[:, None] * (p - np.eye(len(CLASSES))[table.truth])
    np.testing.assert_allclose(away.T @ z, -ridge * model.slope, atol=0.05)
    np.testing.assert_allclose(away.T @ flags, -ridge * model.missing, atol=0.05)
    np.testing.assert_allclose(away.sum(axis=0), 0, atol=0.05)
    parts, start = model.contributions(table.x[:9])
    np.testing.assert_allclose(start + parts.sum(axis=2), model.scores(table.x[:9]), atol=1e-12)


def test_normal_scores_are_bounded_and_equal_for_equal_values() -> None:
    rng = generator(4, "normal scores")
    rows = synthetic(8, 4)
    x = rows.x.copy()
    x[:, 2], x[:, 3] = np.exp(3 * rng.normal(size=len(x))), np.where(rng.random(len(x)) < 0.5, 0.0, 1.0)
    model = fit_multinomial(replace(rows, x=x))
    z, flags = model.inputs(x)
    assert not flags[:, 2:4].any()
    assert abs(z[:, 2].mean()) < 0.05
    assert z[:, 2].std() == pytest.approx(0.95, abs=0.06)
    assert np.corrcoef(z[:, 2], np.log(x[:, 2]))[0, 1] > 0.99
    assert len(np.unique(z[:, 3])) == 2
    far = np.full((2, x.shape[1]), np.nan)
    far[:, 2] = [-1e30, 1e30]
    assert np.abs(model.inputs(far)[0]).max() < 2.5


def test_parts_of_a_model_that_do_not_fit_are_refused(table: Table) -> None:
    model = fit_mixture(table, QUICK)
    arrays = model.arrays()
    with pytest.raises(DataError, match="no array 'slope'"):
        Mixture.read({k: v for k, v in arrays.items() if k != "multinomial.slope"})
    with pytest.raises(DataError, match="do not fit"):
        replace(model, weights=np.ones(3))
    with pytest.raises(DataError, match="not a multinomial"):
        replace(model.multinomial, start=np.zeros(2))
    assert isinstance(Mixture.read(arrays).multinomial, Multinomial)


def test_a_calibration_is_kept_and_read(calibration: Calibration, table: Table, tmp_path: Path) -> None:
    calibration.save(tmp_path)
    again = read(tmp_path)
    for mine, theirs in ((calibration.judge(table.x), again.judge(table.x)),):
        np.testing.assert_array_equal(mine.probabilities, theirs.probabilities)
        np.testing.assert_array_equal(mine.p_values, theirs.p_values)
        np.testing.assert_array_equal(mine.chaos_p, theirs.chaos_p)
    row = dict(zip(table.features, table.x[0], strict=True))
    assert again.classify(row) == calibration.classify(row)
    assert calibration.thresholds.shape == (4, len(ALPHAS))
    assert calibration.chaos_thresholds.shape == (len(ALPHAS),)


def test_the_evidence_explains_the_odds(calibration: Calibration, table: Table) -> None:
    row = dict(zip(table.features, table.x[0], strict=True)) | {"not used": 1.0}
    found = calibration.classify(row, level=0.8)
    assert found.classes[0] == max(found.probabilities, key=lambda k: found.probabilities[k])
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert list(found.evidence.values()) == sorted(found.evidence.values(), key=lambda v: -abs(v))
    # A statistic whose change would speak against the class most is one of the first named.
    assert next(iter(found.evidence)).startswith("f")
    with pytest.raises(DataError, match="'f3' is missing"):
        calibration.classify({k: v for k, v in row.items() if k != "f3"})
    with pytest.raises(SettingError, match="level"):
        calibration.classify(row, level=1.0)


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
def test_a_damaged_calibration_is_said(calibration: Calibration, tmp_path: Path, damage: str) -> None:
    calibration.save(tmp_path)
    if damage == "gone":
        (tmp_path / ARRAYS).unlink()
    elif damage == "cut":
        (tmp_path / ARRAYS).write_bytes((tmp_path / ARRAYS).read_bytes()[:500])
    else:
        text = (tmp_path / DOCUMENT).read_text().replace('"version": 1', '"version": 99')
        (tmp_path / DOCUMENT).write_text(text)
    with pytest.raises(DataError, match="calibration"):
        read(tmp_path)
