"""Saved laws: bit-identical forecasts after a round trip, and clear errors for anything else."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from quick import EVERY, quick

from takens import Clock, Series, load
from takens.errors import LawError, OutputError
from takens.models import MODELS, Conformal, EchoStateNetwork, Ensemble, Law, Standardised, model
from takens.models.mixture import MixtureLaw
from takens.models.store import LAWS, save_law

ALL = {name: quick(name) for name in MODELS} | {
    "standardised": Standardised(model("nvar", delays=1, degree=2, ridge=1e-6)),
    "ensemble": Ensemble(EchoStateNetwork(units=20, trials=1, ridge=1e-4), 2),
    "conformal": Conformal(Standardised(model("drift")), origins=10, horizon=5),
}


@pytest.fixture(scope="module")
def series() -> Series:
    rng = np.random.default_rng(0)
    values = np.sin(np.arange(300)[:, None] / 5 + np.arange(2)) + 0.1 * rng.normal(size=(300, 2))
    clock = Clock("min", np.datetime64("2024-02-29T12:34:56.789012"), "Europe/Berlin")
    return Series(np.arange(300) * 0.1, values, ("ä/b", "c"), ("°C", ""), clock, "Reihe")


@pytest.mark.parametrize("name", [*EVERY, "standardised", "ensemble", "conformal"])
def test_round_trip_gives_the_same_forecast_bit_for_bit(name, series, tmp_path):
    law = ALL[name].fit(series, seed=1)
    law.save(tmp_path / "a.law")
    again = load(tmp_path / "a.law")
    assert type(again) is type(law)
    assert again.signature == law.signature
    one, two = law.forecast(9, members=12, seed=2), again.forecast(9, members=12, seed=2)
    assert one.samples.tobytes() == two.samples.tobytes()
    np.testing.assert_array_equal(one.times, two.times)
    np.testing.assert_array_equal(law.generate(20).values, again.generate(20).values)
    assert sorted(p.name for p in (tmp_path / "a.law").iterdir()) == ["arrays.safetensors", "law.json"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.law"]


def test_every_law_is_in_the_registry():
    assert {type(m.fit(np.sin(np.arange(200.0)))) for m in ALL.values()} == set(LAWS) - {MixtureLaw}


@pytest.fixture
def saved(series, tmp_path):
    path = tmp_path / "x.law"
    model("nvar", delays=1, degree=2, ridge=1e-6).fit(series).save(path)
    return path


def edited(path, change) -> None:
    document = json.loads((path / "law.json").read_text())
    change(document)
    (path / "law.json").write_text(json.dumps(document))


def test_saving_again_replaces_the_law(saved, series):
    model("persistence").fit(series).save(saved)
    assert type(load(saved)).__name__ == "WalkLaw"
    assert [p.name for p in saved.parent.iterdir()] == ["x.law"]


def test_nothing_else_is_overwritten(series, tmp_path):
    law = model("persistence").fit(series)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    for name in ("folder", "file"):
        with pytest.raises(OutputError, match="not a saved law"):
            law.save(tmp_path / name)
    assert (tmp_path / "folder" / "thesis.txt").read_text() == "x"
    with pytest.raises(OutputError):
        law.save(tmp_path / "file" / "below")


def test_a_failed_write_leaves_the_old_law_and_no_rest(saved, series, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OutputError, match="No space left"):
        model("persistence").fit(series).save(saved)
    monkeypatch.undo()
    assert type(load(saved)).__name__ == "PolynomialLaw"
    assert [p.name for p in saved.parent.iterdir()] == ["x.law"]


def test_newer_version_says_update(saved):
    edited(saved, lambda d: d.update(version=99))
    with pytest.raises(LawError, match="Update takens"):
        load(saved)


def test_missing_law(tmp_path):
    with pytest.raises(LawError, match="not a saved law"):
        load(tmp_path / "none")


def test_truncated_and_missing_files(saved):
    arrays = (saved / "arrays.safetensors").read_bytes()
    for broken in (arrays[: len(arrays) // 2], arrays[:7], b"", b"\xff" * 100):
        (saved / "arrays.safetensors").write_bytes(broken)
        with pytest.raises(LawError, match="damaged"):
            load(saved)
    (saved / "arrays.safetensors").unlink()
    with pytest.raises(LawError, match="lacks"):
        load(saved)
    for text in ("", "{", "[" * 100_000, "\xff\xfe", "[]", "{}"):
        (saved / "law.json").write_text(text, encoding="latin-1")
        with pytest.raises(LawError):
            load(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["law"].update({"class": "Popen"}),
        lambda d: d["law"].update({"class": "Clock"}),
        lambda d: d["law"].pop("class"),
        lambda d: d["law"]["fields"].pop("table"),
        lambda d: d["law"]["fields"].update(surprise=1),
        lambda d: d["law"]["fields"].update(table={"array": "law.delays"}),
        lambda d: d["law"]["fields"].update(table=3),
        lambda d: d["law"]["fields"].update(degree={"array": "law.mean"}),
        lambda d: d["law"]["fields"].update(end={"float": "many"}),
        lambda d: d["law"]["fields"].update(end="late"),
        lambda d: d["law"]["fields"].update(readout=d["law"]["fields"]["signature"]),
        lambda d: d["law"]["fields"]["signature"]["fields"].update(channels={"tuple": ["a"]}),
        lambda d: d.update(law=d["law"]["fields"]["signature"]),
        lambda d: d.update(law=[1]),
        lambda d: d.pop("law"),
        lambda d: d.update(version="1"),
        lambda d: d.update(format="other"),
    ],
)
def test_edited_documents_are_refused(saved, change):
    edited(saved, change)
    with pytest.raises(LawError):
        load(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.pop("law.mean"),
        lambda a: a.update(stray=np.zeros(2)),
        lambda a: a.update({"law.table": a["law.table"] + 100}),
        lambda a: a.update({"law.mean": np.zeros(5)}),
        lambda a: a.update({"law.mean": a["law.mean"].astype(np.float32)}),
        lambda a: a.update({"law.mean": a["law.mean"] * np.nan}),
        lambda a: a.update({"law.history": a["law.history"][:, :1]}),
        lambda a: a.update({"law.history": a["law.history"][:0]}),
        lambda a: a.update({"law.readout.weights": a["law.readout.weights"][:-1]}),
        lambda a: a.update({"law.residuals": a["law.residuals"][:0]}),
    ],
)
def test_odd_arrays_are_refused(saved, change):
    from safetensors.numpy import load_file, save_file

    arrays = load_file(saved / "arrays.safetensors")
    change(arrays)
    save_file(arrays, saved / "arrays.safetensors")
    with pytest.raises(LawError):
        load(saved)


def test_foreign_laws_are_not_saved(series, tmp_path):
    @dataclass(frozen=True)
    class Foreign(Law):
        @property
        def memory(self) -> int:
            return 1

        def sample(self, history, horizon, members, rng, known=None):
            return np.zeros((members, horizon, 2))

    law = model("persistence").fit(series)
    with pytest.raises(LawError, match="Foreign"):
        save_law(Foreign(law.signature, law.history, law.end), tmp_path / "f")
    assert list(tmp_path.iterdir()) == []
