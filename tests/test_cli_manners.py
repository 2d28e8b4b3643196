"""The command line with a person in front of it: settings of the wrong kind, help that can be pasted, whole words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from takens.cli import main


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def short() -> str:
    """A noisy cycle of 12 hours, 200 rows."""
    x = np.sin(2 * np.pi * np.arange(200) / 12) + 0.2 * np.random.default_rng(0).normal(size=200)
    Path("short.csv").write_text("x\n" + "\n".join(f"{value:.4f}" for value in x) + "\n")
    return "short.csv"


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(words)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_findings_are_cut_between_sentences() -> None:
    from takens.cli.studying import whole_sentences

    text = "Best model: NVAR is best (skill +9 %). It may not last. " + "And so on. " * 30
    assert whole_sentences(text, 60) == "Best model: NVAR is best (skill +9 %). It may not last."
    assert whole_sentences("Title: " + "long " * 40 + "end. More.", 60).endswith("long end.")


@pytest.mark.parametrize(
    ("model", "pair"),
    [("nvar", "delays=lots"), ("nvar", "delays=2.5"), ("nvar", "delays=true"), ("autoregression", "lags=abc"),
     ("autoregression", "lags=[1,0.5]"), ("seasonal_naive", "period=x"), ("nvar", "delays=-3"), ("nvar", "delay=3")],
)  # fmt: skip
def test_a_setting_of_the_wrong_kind_is_refused(
    short: str, model: str, pair: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run("fit", short, "--model", model, "--set", pair, "--out", "x.law", capsys=capsys)
    assert (code, out) == (2, "")
    assert pair.partition("=")[0] in err
    assert "bug" not in err
    assert not Path("x.law").exists()


def test_a_list_is_a_setting(short: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        "fit", short, "--model", "autoregression", "--set", "lags=[1,2,24]", "--out", "x.law", capsys=capsys
    )
    assert code == 0
    assert "lags 1-2, 24" in out


@pytest.mark.parametrize("command", ["info", "verdict", "fit", "forecast", "generate", "models"])
def test_examples_of_the_help_work_when_pasted(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, text, _ = run(command, "--help", capsys=capsys)
    assert code == 0
    lines = [line.split() for line in text.splitlines() if line.startswith("    takens ")]
    assert lines
    Path("examples").symlink_to(Path(__file__).parent.parent / "examples")
    for _, *words in lines:
        code, _, err = run(*words, capsys=capsys)
        assert code == 0, (words, err)
