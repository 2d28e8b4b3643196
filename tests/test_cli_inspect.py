"""A saved law on the command line: inspected, and asked like a known system; bad input is refused with exit code 2."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import takens as tk
from takens.cli import main
from takens.models import NVAR, Climatology
from takens.models.piecewise.almost_linear import AlmostLinearRNN


@pytest.fixture(scope="module")
def laws(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and laws: of Henon, of Lorenz, of a logistic map with known r, a network, a climatology."""
    folder = tmp_path_factory.mktemp("laws")
    henon = tk.simulate(tk.system("Henon", a=1.4, b=0.3), length=2000, transient=100)
    lorenz = tk.simulate(tk.system("Lorenz63"), length=4000, dt=0.02, transient=20)
    henon.save(str(folder / "henon.csv"))
    lorenz.save(str(folder / "lorenz.csv"))
    NVAR(delays=1, degree=2, ridge=1e-12).fit(henon).save(folder / "henon.law")
    NVAR(delays=2, spacing=1, degree=2, ridge=1e-10).fit(lorenz).save(folder / "lorenz.law")
    rng = np.random.default_rng(0)
    r, x = rng.uniform(2.8, 4.0, 2000), np.full(2000, 0.3)
    for i in range(1999):
        x[i + 1] = r[i] * x[i] * (1 - x[i])
    driven = tk.Series(np.arange(2000.0), np.column_stack([x, r]), ("x", "r"), inputs=("r",))
    NVAR(delays=1, degree=3, ridge=1e-12).fit(driven).save(folder / "logistic.law")
    network = AlmostLinearRNN(latent=6, rectified=2, epochs=2, batches=2, length=30).fit(lorenz)
    network.save(folder / "network.law")
    Climatology().fit(henon).save(folder / "climate.law")
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, laws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for one in laws.iterdir():
        Path(one.name).symlink_to(one)


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(words)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_inspect_prints_and_draws_what_was_learned(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("inspect", "henon.law", "--data", "henon.csv", "--out", "henon.png", capsys=capsys)
    assert code == 0
    assert out.startswith("PolynomialLaw of Henon (x, y), step by step\nSettings: delays [0], degree 2, ridge 1e-12\n")
    assert "12 numbers, 2 states, 1 rows of memory" in out
    assert re.search(r"x\[n\+1\] = 1 \+ y - 1\.4\*x\*x \+ \d terms below a millionth\ny\[n\+1\] = 0\.3\*x", out)
    assert re.search(r"Lyapunov exponents, with standard errors: 0\.4\d+ \(0\.00\d\), -1\.6\d+ ", out)
    assert "saddle: x 0.63135, y 0.18941 (moduli 1.924, 0.1559)" in out
    assert "saddle: x -1.1314" in out
    assert "Free run, state space divergence = 0." in out
    assert Path("henon.png").stat().st_size > 20_000


def test_inspect_as_json_without_data(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(
        "inspect", "lorenz.law", "--json", "-q", "--duration", "100", "--out", "found.json", capsys=capsys
    )
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found == json.loads(Path("found.json").read_text())
    assert found["unit"] == "time unit"
    assert found["exponents"]["unit"] == "1/time unit"
    assert found["exponents"]["value"][0] == pytest.approx(0.9, abs=0.2)
    assert found["scores"] == {}
    assert "keeps only 2 rows" in found["missing"]["comparison"]
    assert len(found["fixed_points"]) >= 3


def test_inspect_a_network(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("inspect", "network.law", "--data", "lorenz.csv", "--out", "network.svg", capsys=capsys)
    assert code == 0
    assert "all there are, proved" in out
    assert "Cycles, all there are: " in out
    assert "Regions visited: " in out
    assert "nats a step" in out
    assert Path("network.svg").read_text().startswith("<?xml")


def test_inspect_a_law_that_is_no_system_and_one_with_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("inspect", "climate.law", capsys=capsys)
    assert code == 0
    assert "No system: a ClimatologyLaw is no system" in out
    code, out, _ = run("inspect", "logistic.law", capsys=capsys)
    assert code == 0
    assert "With known inputs held at r = " in out
    assert "which come with data" in out


def test_exponents_of_a_law_are_per_unit_of_its_data(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("exponents", "lorenz.law", "--duration", "200", "--json", capsys=capsys)
    assert code == 0
    found = json.loads(out)
    assert found["unit"] == "1/time unit"
    assert found["value"][0] == pytest.approx(0.906, abs=0.1)
    code, out, _ = run("exponents", "logistic.law", "--parameter", "r=4", "--out", "r.png", capsys=capsys)
    assert code == 0
    assert float(out.split()[0]) == pytest.approx(np.log(2), abs=0.02)
    assert Path("r.png").exists()


def test_fixed_points_of_systems_and_laws(capsys: pytest.CaptureFixture[str]) -> None:
    code, known, _ = run("fixed-points", "Henon", "--json", capsys=capsys)
    assert code == 0
    code, learned, _ = run("fixed-points", "henon.law", "--json", capsys=capsys)
    assert code == 0
    first, second = json.loads(known), json.loads(learned)
    assert "proved" in first["status"]
    assert second["status"] == "2 fixed points, proved to be all."
    assert all(point["proved"] for point in second["points"])
    for one, other in zip(first["points"], second["points"], strict=True):
        assert np.allclose(one["states"], other["states"], atol=1e-7)
        assert one["stability"] == other["stability"] == "saddle"
        assert one["eigenvalues"][0]["real"] == pytest.approx(other["eigenvalues"][0]["real"], abs=1e-6)
    code, out, _ = run("fixed-points", "henon.law", "--period", "2", capsys=capsys)
    assert code == 0
    assert out.startswith("1 cycle of period 2, proved to be all.\nsaddle, proved: ")
    # x = (1 - b -+ sqrt(4 a - 3 (1 - b)^2)) / 2 a, y = b times the other
    assert "x -0.4758, y 0.29274; x 0.9758, y -0.14274" in out
    code, out, _ = run("fixed-points", "network.law", "--period", "3", capsys=capsys)
    assert code == 0
    assert re.match(r"\d+ cycles? of period 3, proved to be all.", out)
    code, out, _ = run(
        "fixed-points", "Lorenz63", "--box", "x=-1:1", "--box", "y=-1:1", "--box", "z=-1:1", capsys=capsys
    )
    assert code == 0
    assert out.startswith("All fixed points in the box: 1")


def test_sections_of_systems_and_laws(capsys: pytest.CaptureFixture[str]) -> None:
    gaps = []
    for name in ("Lorenz63", "lorenz.law"):
        code, out, _ = run(
            "section", name, "--at", "z = 27", "--count", "300", "--json", "--out", "s.csv", capsys=capsys
        )
        assert code == 0
        found = json.loads(out)
        assert len(found["times"]) == 300
        assert np.allclose(found["states"]["z"], 27, atol=1e-6)
        gaps.append(np.diff(found["times"]).mean())
        assert len(Path("s.csv").read_text().splitlines()) == 301
    assert gaps[0] == pytest.approx(gaps[1], rel=0.05)
    code, _, _ = run("section", "lorenz.law", "--at", "z = 27", "--count", "100", capsys=capsys)
    assert code == 0
    assert Path("lorenz-section.png").exists()


def test_diagram_and_basins_over_a_known_input(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("diagram", "logistic.law", "--vary", "r=2.8:3.56", "--count", "80", capsys=capsys)
    assert code == 0
    periods = [int(line.split()[-1]) for line in out.splitlines()]
    assert periods == [1, 2, 4, 8]
    assert Path("logistic-diagram.png").exists()
    code, out, _ = run("basins", "logistic.law", "--box", "x=0.01:0.99", "--parameter", "r=3.2", capsys=capsys)
    assert code == 0
    assert "cycle of period 2" in out
    code, out, _ = run("systems", "henon.law", capsys=capsys)
    assert code == 0
    assert "a map of dimension 2" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("inspect", "nowhere.law"), "not a saved law"), (("inspect", "henon.csv"), "not a saved law"),
        (("inspect", "henon.law", "--data", "nowhere.csv"), "nowhere.csv"),
        (("inspect", "henon.law", "--data", "lorenz.csv", "--channels", "x"), "no channel y"),
        (("inspect", "lorenz.law", "--data", "henon.csv"), "no channel z"),
        (("inspect", "henon.law", "--out", "x.txt"), ".txt"), (("inspect", "Lorenz63"), "not a saved law"),
        (("exponents", "climate.law"), "no system"), (("exponents", "henon.law", "--count", "3"), "count is 3"),
        (("exponents", "logistic.law", "--parameter", "q=1"), "unknown parameter 'q'"),
        (("exponents", "henon.law", "--duration", "-1"), "duration"),
        (("fixed-points", "Henon", "--box", "x=0:1"), "Give all states"),
        (("fixed-points", "Lorenz63", "--period", "2"), "cycles"), (("fixed-points", "nosuch"), "nosuch"),
        (("section", "lorenz.law", "--at", "w = 27"), "surface"),
        (("section", "lorenz.law", "--at", "z = 900"), "0 times"),
        (("section", "Henon", "--at", "x = 0"), "flow"), (("diagram", "henon.law", "--vary", "r=1:2"), "r"),
        (("basins", "henon.law", "--box", "q=0:1"), "q"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(*words, "-q", capsys=capsys)
    assert (code, out) == (2, ""), err
    assert err.startswith("Error: ")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["inspect", "exponents", "fixed-points", "section"])
def test_examples_of_the_help_work_when_pasted(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, text, _ = run(command, "--help", capsys=capsys)
    assert code == 0
    lines = [shlex.split(line) for line in text.splitlines() if line.startswith("    takens ")]
    assert lines
    Path("examples").symlink_to(Path(__file__).parent.parent / "examples")
    for _, *words in lines:
        code, _, err = run(*words, capsys=capsys)
        assert code == 0, (words, err)
