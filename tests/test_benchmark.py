"""Benchmarks: what a cell measures, that nothing depends on the order of work, and the statistics of the table."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import takens as tk
from takens.benchmark import Regime, benchmark, compare, read_spec, read_table, status, summary, table_of
from takens.benchmark.data import of_series, of_system
from takens.benchmark.running import rows_so_far
from takens.benchmark.statistics import holm, wide
from takens.benchmark.table import COSTS, write_table
from takens.cli import main
from takens.errors import DataError, InsufficientData, SettingError, TakensError
from takens.executor import Row
from takens.tasks import Task, perform

SPEC = """
name = "tiny"
systems = ["Henon", "Lorenz63"]
seeds = 2
[regimes.clean]
rows = 600
test = 600
origins = 4
lyapunov_times = 4
[models]
nvar = {delays = 1, degree = 2, ridge = 1e-10}
persistence = {}
true_equations = {}
climatology = {}
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(SPEC)
    return path


def done(spec) -> list[Row]:
    """The rows of all cells, done here one after the other."""
    return [Row(task, perform(task.job, task.settings), True) for task in spec.tasks()]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "tiny.toml"
    path.write_text(SPEC)
    return done(read_spec(path))


def test_scores_of_cells_are_those_of_what_is_known(rows):
    found = {(r.task.settings["system"], r.task.settings["model"]): r.outcome["result"] for r in rows}
    assert not [row.failed for row in rows if row.failed]
    henon, exponent = found["Henon", "persistence"], 0.4192
    assert henon["exponent"] == pytest.approx(exponent, rel=0.01)
    assert henon["horizon"] == pytest.approx(4 / exponent, abs=1)
    # A climatology scores the spread of the data: CRPS of a Gaussian of unit variance would be 0.56.
    assert 0.4 < found["Henon", "climatology"]["crps"] < 0.7
    # The polynomial is the law itself, so its forecasts last as long as those of the true equations.
    assert found["Henon", "nvar"]["valid_time"] >= found["Henon", "true_equations"]["valid_time"] - 0.5
    assert found["Henon", "nvar"]["censored"] == 1.0
    assert found["Lorenz63", "true_equations"]["censored"] == 1.0
    assert found["Henon", "nvar"]["state_space_divergence"] < 3 * found["Henon", "nvar"]["state_space_divergence_floor"]
    assert found["Henon", "persistence"]["state_space_divergence"] > 5


def test_the_order_of_work_and_of_seeds_changes_nothing(spec, rows):
    again = done(read_spec(spec))[::-1]
    one, two = (table_of(part).drop(columns=list(COSTS)) for part in (rows, again))
    pd.testing.assert_frame_equal(one, two)


def test_a_run_resumes_and_says_how_far_it_is(spec, tmp_path, rows, monkeypatch):
    wanted, out = read_spec(spec), tmp_path / "out"
    from takens.store import Store

    for row in rows[:5]:
        Store(out / "cells").put(row.task.key, row.outcome)
    Store(out / "cells").put(rows[5].task.key, {"failed": "the fit burned", "seconds": 1.0})
    now = status(wanted, out)
    assert (now.finished, now.failed, now.open) == (5, 1, len(rows) - 6)
    assert now.reasons == (("the fit burned", 1),)
    assert len(rows_so_far(wanted, out)) == 6
    asked = []

    def instead(tasks, store, **settings):
        asked.extend(task for task in tasks if store.get(task.key) is None)
        return [Row(task, store.get(task.key) or {"failed": "not done"}, False) for task in tasks]

    monkeypatch.setattr("takens.benchmark.running.run_tasks", instead)
    assert len(benchmark(wanted, out)) == len(rows)
    assert len(asked) == len(rows) - 6


@pytest.mark.long
def test_workers_give_the_same_table_as_one_process(spec, tmp_path, rows):
    made = benchmark(read_spec(spec), tmp_path / "out", workers=2)
    one, two = (table_of(part).drop(columns=list(COSTS)) for part in (rows, made))
    pd.testing.assert_frame_equal(one, two)


def test_regimes_are_observed_as_they_say():
    lorenz = tk.system("Lorenz63")
    regime = Regime(rows=2000, test=800, noise=0.1, observed=2, points_per_period=40)
    record = of_system(lorenz, regime, seed=3)
    assert record.training.channels == ("x", "y")
    assert record.states is not None
    assert record.states.shape == (800, 3)
    error = record.observed.values - record.true.values
    np.testing.assert_allclose(error.std(axis=0) / record.training.values.std(axis=0), 0.1, rtol=0.1)
    np.testing.assert_array_equal(record.true.values, record.states[:, :2])
    assert record.interval == pytest.approx(0.75 / 40, rel=0.1)
    again = of_system(lorenz, replace(regime, noise=0.0), seed=3)
    np.testing.assert_array_equal(record.true.values, again.true.values)  # the same trajectory, whatever is seen of it
    by_exponent = of_system(lorenz, replace(regime, points_per_period=None, points_per_lyapunov_time=30.0), seed=3)
    assert by_exponent.interval == pytest.approx(1 / (0.9056 * 30), rel=0.02)


def test_irregular_times_are_exact_rows_of_the_trajectory():
    lorenz = tk.system("Lorenz63")
    regime = Regime(rows=300, test=300, jitter=0.3)
    jittered = of_system(lorenz, regime, seed=1)
    assert jittered.training.sampling.kind == "irregular"
    steps = np.diff(jittered.training.times) / jittered.interval
    assert 0.35 < steps.min() < 0.6
    assert 1.4 < steps.max() < 1.65
    fine = tk.simulate(
        lorenz, length=10, dt=float(np.diff(jittered.training.times)[0]), initial=jittered.training.values[0]
    )
    np.testing.assert_allclose(fine.values[1], jittered.training.values[1], atol=1e-5)


def test_measured_series_are_cut_in_time(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("x\n" + "".join(f"{np.sin(0.3 * i):.6f}\n" for i in range(600)))
    record = of_series({"file": str(path), "horizon": 20}, Regime(rows=200, test=300))
    assert (len(record.training), len(record.true), record.horizon) == (200, 200, 20)
    assert record.training.values[-1, 0] == pytest.approx(np.sin(0.3 * 399), abs=1e-6)
    path.write_text("x\n" + "1\n2\n" * 30)
    with pytest.raises(InsufficientData, match="too few"):
        of_series({"file": str(path)}, Regime())


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("systems = ['Lorenz64']", "no system"), ("name = 'x'", "no system and no series"), ("systems = [", "not TOML"),
        ("systems = ['Henon']\n[models]\nnvra = {}", "no model"),
        ("systems = ['Henon']\n[models]\nnvar = {order = 3}", "no setting"),
        ("systems = ['Henon']\n[regimes.clean]\nrow = 3", "unknown setting"),
        ("systems = ['Henon']\n[regimes.mine]\npreset = 'dirty'", "no preset"),
        ("systems = ['Henon']\n[regimes.clean]\nrows = 3", "rows must be"),
        ("systems = ['Henon']\nseeds = 0", "seeds is 0"), ("system = ['Henon']", "unknown key"),
        ("[[series]]\nfile = 'nowhere.csv'", "does not exist"),
        ("systems = ['Henon']\n[regimes.clean]\npoints_per_lyapunov_time = 3\npoints_per_period = 3", "not both"),
    ],
)  # fmt: skip
def test_a_wrong_spec_is_refused_with_its_cause(tmp_path, text, cause):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(TakensError, match=cause):
        read_spec(path)


def test_failures_are_rows_with_their_reason(tmp_path):
    path = tmp_path / "odd.toml"
    path.write_text("systems = ['Henon']\n[regimes.clean]\nrows = 20\ntest = 100\n[models]\necho_state_network = {}\n")
    table = table_of(done(read_spec(path)))
    assert len(table) == 1
    assert table["failed"][0]
    assert np.isnan(float(table["crps"].astype(float)[0]))


def scored(**columns) -> pd.DataFrame:
    """A table in which each model has the given valid times, a system each."""
    entries = []
    for model, values in columns.items():
        for k, value in enumerate(values):
            cell = {"system": f"S{k}", "regime_name": "clean", "model": model, "seed": 0}
            outcome = {"failed": "no"} if value is None else {"result": {"valid_time": value, "crps": 1 / value}}
            entries.append(Row(Task("x:y", cell), outcome, True))
    return table_of(entries)


def test_a_failed_cell_is_worse_than_any_finished_one():
    values = wide(scored(good=[3, 3, 3], rash=[9, None, 9]), "valid_time")
    assert values["rash"].tolist() == [9, -np.inf, 9]
    row = next(r for r in summary(scored(good=[3.0] * 9, rash=[9.0] * 4 + [None] * 5)) if r["model"] == "rash")
    assert row["valid_time"]["median"] == -np.inf
    assert row["failed"] == 5


def test_ranks_and_tests_are_those_of_the_textbook():
    from scipy import stats

    rng = np.random.default_rng(0)
    base = rng.uniform(1, 2, 14)
    table = scored(a=base + 0.5, b=base + 0.4 * rng.random(14), c=base, d=base - 0.3)
    found = compare(table, "valid_time")
    assert found.models[0] == "a"
    assert found.models[-1] == "d"
    assert found.ranks.sum() == pytest.approx(10)
    assert found.critical_difference == pytest.approx(1.25, abs=0.005)  # Demsar's example: 4 classifiers, 14 data sets
    last = found.models.index("c"), found.models.index("d")
    raw = stats.wilcoxon(base, base - 0.3).pvalue
    assert raw <= found.p[last] <= 6 * raw
    assert found.better[0, 3] == 1.0
    with pytest.raises(InsufficientData, match="too few"):
        compare(scored(a=[1.0, 2.0], b=[2.0, 3.0]), "valid_time")


def test_equal_models_are_called_different_in_five_per_cent_of_tables():
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(200):
        values = rng.normal(5, 1, (3, 20))
        found = compare(scored(a=values[0], b=values[1], c=values[2]), "valid_time")
        alarms += bool((found.p[np.triu_indices(3, 1)] < 0.05).any())
    assert alarms <= 19  # 10 expected at most, since Holm keeps the family at 5 %


def test_holm_agrees_with_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(1).random(20) ** 3
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])


def test_tables_come_back_from_disk(tmp_path, rows):
    table = table_of(rows)
    for name in ("table.parquet", "table.csv"):
        write_table(table, tmp_path / name)
        again = read_table(tmp_path / name)
        assert again["valid_time"].to_numpy(dtype=float) == pytest.approx(table["valid_time"].to_numpy(dtype=float))
        assert (again["failed"] == "").all()
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="no table of a benchmark"):
        read_table(tmp_path / "other.csv")


def test_the_command_line_shows_what_is_kept(spec, tmp_path, rows, capsys):
    from takens.store import Store

    out = tmp_path / "kept"
    assert main(["benchmark", "table", str(spec), "--out", str(out)]) == 2
    assert "no finished cell" in capsys.readouterr().err
    for row in rows:
        Store(out / "cells").put(row.task.key, row.outcome)
    assert main(["benchmark", "table", str(spec), "--out", str(out), "--json"]) == 0
    found = {row["model"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert found["nvar"]["valid_time"]["median"] > found["persistence"]["valid_time"]["median"]
    assert main(["benchmark", "export", str(spec), "--out", str(out), "--to", str(tmp_path / "x.csv")]) == 0
    assert len(read_table(tmp_path / "x.csv")) == len(rows)
    assert main(["benchmark", "table", str(spec), "--out", str(out), "--regime", "noisy"]) == 2
    assert main(["benchmark", "compare", str(spec), "--out", str(out), "--score", "beauty"]) == 2


def test_the_page_holds_every_model_system_and_failure():
    from takens.report.leaderboard import render_benchmark

    rng = np.random.default_rng(3)
    table = scored(good=rng.uniform(3, 4, 8), plain=rng.uniform(1, 2, 8), **{"<b>": [None] * 4 + [1.0] * 4})
    page = render_benchmark("mine & yours", table)
    assert "mine &amp; yours" in page
    assert "<b>" not in page.replace("<b>Figure", "")
    assert all(f"S{k}" in page for k in range(8))
    assert "4 × no" in page
    assert page.count("<svg") == 2  # no costs are known, so the third says why it is not there
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_bars_join_models_that_chance_could_tell_apart():
    from takens.figures.benchmarks import _groups

    assert _groups(np.array([1.0, 1.5, 3.0, 3.2, 6.0]), 0.6) == [(0, 1), (2, 3)]
    assert _groups(np.array([1.0, 2.0, 3.0]), 1.5) == [(0, 1), (1, 2)]
    assert _groups(np.array([1.0, 2.0]), 0.5) == []


def test_regimes_refuse_what_makes_no_sense():
    with pytest.raises(SettingError, match="not both"):
        Regime(points_per_lyapunov_time=30.0)
    with pytest.raises(SettingError, match="observed"):
        Regime(observed=0)
