"""Known inputs: channels that laws are driven by and do not forecast; and recursive laws as systems."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from quick import EVERY, quick

import takens as tk
from takens.errors import LawError, SettingError
from takens.models import Conformal, Ensemble, Standardised

RATES = 3.5 + 0.4 * np.abs(np.sin(0.01 * np.arange(3020)))


def driven(rows: int = 3000) -> tk.Series:
    """The logistic map with a rate that is known, and put before the channel that answers to it."""
    x = np.empty(rows)
    x[0] = 0.4
    for i in range(rows - 1):
        x[i + 1] = RATES[i] * x[i] * (1 - x[i])
    return tk.Series(np.arange(float(rows)), np.column_stack([RATES[:rows], x]), ("rate", "x"), inputs=("rate",))


@pytest.fixture(scope="module")
def law():
    return tk.models.NVAR(delays=1, degree=3, ridge=1e-14).fit(driven())


def test_series_keep_their_inputs_and_refuse_impossible_ones():
    series = driven(50)
    assert series.observed.channels == ("x",)
    assert series.inputs_last.channels == ("x", "rate")
    assert series.rows(0, 10).inputs == ("rate",)
    assert series.select("x").inputs == ()
    with pytest.raises(SettingError, match="no channel"):
        replace(series, inputs=("pressure",))
    with pytest.raises(SettingError, match="every channel is an input"):
        replace(series, inputs=("x", "rate"))


@pytest.mark.parametrize("ending", ["csv", "nc"])
def test_saved_series_come_back_with_their_inputs(tmp_path, ending):
    path = tmp_path / f"driven.{ending}"
    driven(40).save(str(path))
    assert tk.open(path).inputs == ("rate",)
    assert tk.open(path, inputs="x").inputs == ("x",)


def test_plain_files_say_their_inputs_when_opened(tmp_path):
    path = tmp_path / "driven.csv"
    np.savetxt(path, driven(40).values, delimiter=",", header="rate,x", comments="")
    opened = tk.open(path, channels="x", inputs="rate")
    assert (opened.channels, opened.inputs) == (("x", "rate"), ("rate",))


def test_a_law_follows_the_future_of_its_input(law):
    x, expected = driven().values[-1, 1], []
    rate = driven().values[-1, 0]
    for following in RATES[3000:3010]:
        x = rate * x * (1 - x)
        expected.append(x)
        rate = following
    found = law.forecast(10, inputs=RATES[3000:3010], members=1)
    assert found.channels == ("x",)
    np.testing.assert_allclose(found.samples[0, :, 0], expected, atol=1e-9)
    other = law.forecast(10, inputs=np.full(10, 3.5), members=1)
    assert other.samples[0, 1, 0] == pytest.approx(3.5 * expected[0] * (1 - expected[0]), abs=1e-9)


def test_inputs_that_do_not_fit_are_refused(law):
    for inputs, cause in ((None, "needs the future"), (np.ones(3), "10 rows"), (np.full(10, np.nan), "missing")):
        with pytest.raises(LawError, match=cause):
            law.forecast(10, inputs=inputs)
    with pytest.raises(LawError, match="without known inputs"):
        tk.models.NVAR(delays=1, degree=1).fit(driven(200).observed).forecast(3, inputs=np.ones(3))


@pytest.mark.parametrize("name", EVERY)
def test_every_model_forecasts_the_observed_channels_only(name):
    fitted = quick(name).fit(driven(500))
    ahead = fitted.forecast(6, inputs=RATES[500:506], members=3, seed=1)
    assert ahead.channels == ("x",)
    assert ahead.samples.shape == (3, 6, 1)
    assert fitted.generate(20, inputs=RATES[500:520]).channels == ("x",)


@pytest.mark.parametrize("wrap", [Standardised, Conformal, lambda m: Ensemble(m, 2)])
def test_wrapped_laws_follow_the_input_too(wrap, law):
    wrapped = wrap(tk.models.NVAR(delays=1, degree=3, ridge=1e-14)).fit(driven())
    found = wrapped.forecast(5, inputs=RATES[3000:3005], members=1).samples
    np.testing.assert_allclose(found, law.forecast(5, inputs=RATES[3000:3005], members=1).samples, atol=1e-7)


def test_a_saved_law_knows_its_inputs(law, tmp_path):
    law.save(tmp_path / "driven.law")
    again = tk.load(tmp_path / "driven.law")
    a, b = (one.forecast(8, inputs=RATES[3000:3008], seed=3).samples for one in (law, again))
    np.testing.assert_array_equal(a, b)


def test_a_study_judges_only_what_is_forecast():
    series = driven(900)
    values = np.concatenate([series.values, np.column_stack([RATES[900:905], np.full(5, np.nan)])])
    with_future = tk.Series(np.arange(905.0), values, series.channels, inputs=("rate",))
    found = tk.study(with_future, horizon=5, budget="1m", models=["persistence", "nvar"], seed=0)
    assert found.chosen == "nvar"
    assert found.candidate("nvar").scores["nrmse"] < 1e-3
    x = series.values[-1, 1]
    assert found.forecast.median[0, 0] == pytest.approx(RATES[899] * x * (1 - x), abs=1e-3)
    assert list(found.verdicts) == ["x"]


def test_the_input_is_a_parameter_of_the_system(law):
    system = law.system
    assert (system.kind, system.states, tuple(system.parameters)) == ("map", ("x",), ("rate",))
    for rate in (2.8, 3.3, 3.9):
        np.testing.assert_allclose(system.rhs(0.0, np.array([0.3]), rate=rate), [rate * 0.21], atol=1e-7)
    found = tk.lyapunov_spectrum(system.with_parameters(rate=3.9), duration=4000)
    assert found.value[0] == pytest.approx(0.4945, abs=0.03)  # of the logistic map at 3.9


def test_a_law_of_delayed_rows_is_a_map_of_the_window():
    run = tk.simulate(tk.system("Henon"), length=3000)
    system = tk.models.NVAR(delays=2, spacing=1, degree=2, ridge=1e-14).fit(run.select("x")).system
    assert system.states == ("x_1", "x")
    rows = run.values[100:103, 0]
    np.testing.assert_allclose(system.rhs(0.0, rows[:2]), rows[1:], atol=1e-6)
    found = tk.lyapunov_spectrum(system, duration=5000, seed=0)
    assert found.value[0] == pytest.approx(0.4192, abs=0.02)
    assert found.value.sum() == pytest.approx(np.log(0.3), abs=1e-3)


def test_a_law_without_a_state_of_its_own_says_so():
    with pytest.raises(LawError, match="is no system"):
        _ = tk.models.Climatology().fit(driven(100)).system


def test_the_command_line_follows_a_known_future(tmp_path, capsys):
    from takens.cli import main

    rows = driven(403).values.copy()
    truth = rows[400:, 1].copy()
    rows[400:, 1] = np.nan
    table = tmp_path / "driven.csv"
    header = "rate,x\n"
    table.write_text(header + "".join(f"{r!r},{'' if np.isnan(x) else repr(x)}\n" for r, x in rows.tolist()))
    setting = ["--set", "delays=1", "--set", "degree=3", "--set", "ridge=1e-14"]
    command = ["forecast", str(table), "--model", "nvar", *setting, "--inputs", "rate", "--horizon", "3"]
    assert main([*command, "--members", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["channels"]["x"]["mean"]
    np.testing.assert_allclose(found, truth, atol=1e-6)
    assert main([*command[:-1], "9"]) == 2
    assert "9 rows" in capsys.readouterr().err
    law, future = tmp_path / "driven.law", tmp_path / "future.csv"
    assert main(["fit", str(table), "--model", "nvar", *setting, "--inputs", "rate", "--out", str(law)]) == 0
    future.write_text("rate\n" + "".join(f"{r!r}\n" for r in RATES[400:403].tolist()))
    capsys.readouterr()
    assert main(["forecast", str(law), "--future", str(future), "--horizon", "3", "--members", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["channels"]["x"]["mean"]
    np.testing.assert_allclose(found, truth, atol=1e-6)
    assert main(["generate", str(law), "--length", "3", "--noise-free", "--future", str(future)]) == 0
