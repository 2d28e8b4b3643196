"""What people see of a verdict: the command line, the figures, the section of the report."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from systems import autoregressive, henon

from takens import Series, study
from takens.cli import main
from takens.cli.judging import wrapped
from takens.errors import InsufficientData
from takens.figures import step_figure, svg, verdict_figure
from takens.measures import REGISTRY
from takens.progress import Delayed
from takens.report import render
from takens.verdicts import CLASSES, STEPS, Step, Verdict, verdict


@pytest.fixture(scope="module")
def chaos() -> Verdict:
    return verdict(Series.from_array(henon(900)[:, 0], channels=("x",)))


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Two channels of the Henon map."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{a:.6f},{b:.6f}" for a, b in henon(500)]
    Path("map.csv").write_text("\n".join(["a,b", *rows]) + "\n")
    return "map.csv"


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    capsys.readouterr()
    assert main(words) == 0
    said = capsys.readouterr()
    return said.out, said.err


def test_the_command_says_the_sentence_the_kinds_and_the_steps(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = run("verdict", table, "--channels", "a", "-q", capsys=capsys)
    text = " ".join(out.split())
    assert text.startswith("a: Chaotic")
    assert "deterministic motion in which small differences grow exponentially" in text
    assert all(step.question in text for step in STEPS)
    assert "corrected for the number of tests" not in text
    told, _ = run("verdict", table, "--channels", "a", "-q", "-v", capsys=capsys)
    assert "99 IAAFT surrogates" in " ".join(told.split())


def test_the_command_takes_a_level_and_gives_json(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = run("verdict", table, "--level", "0.95", "--json", "-q", capsys=capsys)
    found = json.loads(out)
    assert found["level"] == 0.95
    assert set(found["parts"]) == {"a", "b"}
    assert found["sentence"].endswith("(2 views of one system)")
    assert found["parts"]["a"]["steps"][2]["p_value"] == pytest.approx(0.01)
    assert main(["verdict", table, "--level", "1.5"]) == 2
    assert "level must lie between" in capsys.readouterr().err


def test_the_command_draws(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("verdict", table, "--channels", "a", "--plot", "pictures", "-q", capsys=capsys)
    assert sorted(p.name for p in Path("pictures").iterdir()) == ["kinds.svg", *(f"step-{k}.svg" for k in range(1, 7))]


def test_measures_lead_with_the_verdict(
    table: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"stationarity", "false_nearest_neighbours", "embedding_dimension_cao", "largest_lyapunov_exponent"}
    for name in set(REGISTRY) - asked:
        monkeypatch.delitem(REGISTRY, name)
    out, _ = run("measure", table, "--channels", "a", "-q", capsys=capsys)
    assert out.startswith("a: Chaotic")
    found = json.loads(run("measure", table, "--channels", "a", "--json", "-q", capsys=capsys)[0])
    assert next(iter(found)) == "verdict"
    assert set(found) == asked | {"verdict"}
    some = run("measure", table, "--only", "stationarity", "--json", "-q", capsys=capsys)[0]
    assert "verdict" not in json.loads(some)


def test_lines_keep_their_indent_and_percent_signs_their_numbers() -> None:
    made = wrapped(["a: " + "word " * 30 + "90 % confidence.", "  second"])
    assert made[-1] == "  second"
    assert all(line.startswith("  ") for line in made[1:])
    assert all(not line.lstrip().startswith("%") for line in made)


def test_progress_is_silent_for_two_seconds() -> None:
    class Kept:
        def __init__(self) -> None:
            self.seen: list[str] = []

        def __call__(self, stage: str, share: float) -> None:
            self.seen.append(stage)

        def close(self) -> None:
            self.seen.append("closed")

    clock = iter([0.0, 1.0, 1.9, 2.1, 3.0])
    kept = Kept()
    delayed = Delayed(kept, now=lambda: next(clock))
    for stage in "abcd":
        delayed(stage, 0.5)
    delayed.close()
    assert kept.seen == ["c", "d", "closed"]


def test_the_bar_has_every_kind_and_marks_the_set(chaos: Verdict) -> None:
    figure = verdict_figure(chaos)
    ax = figure.axes[0]
    widths = [bar.get_width() for bar in ax.patches[1::2]]
    np.testing.assert_allclose(widths, [chaos.probabilities[name] for name in CLASSES])
    bold = [label.get_text() for label in ax.get_yticklabels() if label.get_fontweight() == "bold"]
    assert set(bold) == set(chaos.classes)
    with pytest.raises(InsufficientData, match="constant"):
        verdict_figure(verdict(np.ones(300)))


def test_every_step_has_a_figure_of_its_curves(chaos: Verdict) -> None:
    for step in chaos.steps:
        assert len(svg(step_figure(step), step.question)) < 150_000
    error = step_figure(chaos.steps[4]).axes[0].lines[-1]
    np.testing.assert_array_equal(error.get_ydata(), chaos.steps[4].details["error"])
    record = step_figure(chaos.steps[0]).axes[0].lines[0]
    np.testing.assert_allclose(record.get_ydata(), chaos.steps[0].details["record"])
    large = [line.get_xdata()[0] for line in step_figure(chaos.steps[2]).axes[0].lines]
    values = np.asarray(chaos.steps[2].details["values"])
    z = (values[0] - values[1:].mean(axis=0)) / values[1:].std(axis=0)
    np.testing.assert_allclose(np.sinh(large), z, rtol=1e-6)
    with pytest.raises(InsufficientData, match="nothing to draw"):
        step_figure(Step("own", "Why?", "yes", "Because."))
    with pytest.raises(InsufficientData, match="no ahead"):
        step_figure(replace(chaos.steps[5], details={"exponent": None}))


def test_figures_of_a_record_without_an_exponent() -> None:
    found = verdict(autoregressive(300, 0.2))
    assert found.steps[5].value is None
    assert all(svg(step_figure(step), "x") for step in found.steps if step.details)


@pytest.fixture(scope="module")
def page() -> str:
    """The report of a record that changes halfway, so that it has stretches."""
    x = np.concatenate([autoregressive(500, 0.3, 1), 8 + 3 * autoregressive(500, 0.3, 2)])
    return render(study(Series.from_array(x), horizon=5, models=["persistence", "climatology"], members=20))


def test_the_report_shows_all_that_is_needed_to_argue(page: str) -> None:
    found = verdict(np.concatenate([autoregressive(500, 0.3, 1), 8 + 3 * autoregressive(500, 0.3, 2)]))
    assert len(re.findall(r'<figure id="step-', page)) == sum(bool(step.details) for step in found.steps)
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "How to argue with it" in text
    for name in CLASSES:
        assert name in text
    for step in found.steps:
        assert all(f">{name}</span>" in page for name in step.statistics)
    assert "Rows 0 to" in text
    assert found.calibration in text
    assert text.index("Kind of dynamics") < text.index("The data")
