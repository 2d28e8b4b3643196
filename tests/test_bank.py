"""The bank: what is planned, that it is reproducible and sound."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

from takens.bank import CLASSES, Entry, plan, realise
from takens.bank.entries import LONGEST, SHORTEST, systems
from takens.bank.families import Range, Registry, sources
from takens.bank.observing import MONOTONE, draw, monotone, observed
from takens.bank.realising import unsound
from takens.bank.relatives import KIN, RELATIVES
from takens.bank.table import Table
from takens.errors import DataError, SettingError

LEAST = {
    "periodic": 45, "quasi-periodic": 30, "chaotic": 100, "linear noise": 30, "nonlinear noise": 30,
    "non-stationary": 25,
}  # fmt: skip


def test_a_plan_is_plain_reproducible_and_its_own_beginning() -> None:
    entries = plan(300, 5)
    assert entries == plan(300, 5)
    assert entries[:100] == plan(100, 5)
    assert entries != plan(300, 6)
    for entry in entries[:60]:
        assert Entry(**json.loads(json.dumps(entry.plain()))) == entry


def test_classes_and_systems_are_equally_frequent() -> None:
    entries = plan(6 * 1000, 1)
    assert Counter(entry.truth for entry in entries) == dict.fromkeys(CLASSES, 1000)
    for truth in CLASSES:
        counts = Counter(entry.system for entry in entries if entry.truth == truth)
        assert len(counts) == len(systems()[truth]) >= LEAST[truth]
        assert max(counts.values()) - min(counts.values()) <= 1


def test_lengths_noise_and_sampling_are_as_promised() -> None:
    entries = plan(3000, 2)
    lengths = np.log([entry.length for entry in entries])
    assert kstest(lengths, "uniform", (np.log(SHORTEST), np.log(LONGEST / SHORTEST))).pvalue > 1e-3
    noise = np.array([entry.noise for entry in entries])
    assert abs(np.mean(noise == 0) - 1 / 3) < 4 * np.sqrt(2 / 9 / 3000)
    assert kstest(np.log(noise[noise > 0]), "uniform", (np.log(0.01), np.log(50))).pvalue > 1e-3
    sampled = np.array([entry.sampling for entry in entries if sources()[entry.settings["source"]].sampled])
    assert kstest(np.log(sampled), "uniform", (np.log(6), np.log(100 / 6))).pvalue > 1e-3
    assert {e.sampling for e in entries if not sources()[e.settings["source"]].sampled} == {1.0}


def test_folds_share_no_system_and_no_near_relative_and_hold_their_share_of_each_class() -> None:
    assert len(KIN) == sum(map(len, RELATIVES)), "a system is in two groups"
    rows = [{"features": {"f": 0.0}, "truth": e.truth, "system": e.system, "family": e.family, "length": e.length,
             "noise": e.noise, "cycles": 1.0} for e in plan(2000, 4)]  # fmt: skip
    table = Table.of(rows)
    fold = table.folds(5, 0)
    parts = [set(table.kin[fold == one].tolist()) for one in range(5)]
    assert sum(map(len, parts)) == len(set(table.kin.tolist()))
    for k, truth in enumerate(CLASSES):
        held = [len(set(table.system[(fold == one) & (table.truth == k)].tolist())) for one in range(5)]
        assert 0.1 * sum(held) <= min(held) <= max(held) <= 0.32 * sum(held), (truth, held)


def test_near_relatives_are_systems_of_the_bank_or_the_catalogue() -> None:
    from takens.bank.regimes import own
    from takens.systems import names

    assert set(KIN) <= {*own(), *names(), *(name for group in systems().values() for name in group)}


def test_the_same_entry_is_the_same_series() -> None:
    for entry in plan(60, 3):
        short = replace(entry, length=min(entry.length, 400))
        assert np.array_equal(realise(short).values, realise(short).values)
        other = realise(replace(short, seed=short.seed + 1)).values
        if entry.noise or "noise" in entry.truth:
            assert not np.array_equal(realise(short).values, other)


def test_series_are_finite_varying_one_channel() -> None:
    for entry in plan(150, 9):
        series = realise(replace(entry, length=min(entry.length, 2000)))
        assert series.shape == (min(entry.length, 2000), 1)
        assert np.isfinite(series.values).all()
        assert series.values.std() > 0


@pytest.mark.long
def test_every_source_gives_series_at_every_length() -> None:
    from takens.random import generator

    for name, source in sources().items():
        random = generator(4, "sources", name)
        for length in (200, 3000):
            sampling = 20.0 if source.sampled else 1.0
            settings = source.draw(random)
            entry = Entry(
                source.family, source.system, source.truth, "test", length, 0.1, sampling, settings["observable"],
                int(random.integers(2**40)), {"source": name, **settings},
            )  # fmt: skip
            assert realise(entry).shape == (length, 1)


def test_noise_has_its_share_of_the_spread() -> None:
    for entry in [entry for entry in plan(120, 8) if entry.noise and entry.truth in ("periodic", "chaotic")]:
        entry = replace(entry, length=3000)
        clean = realise(replace(entry, noise=0.0)).values
        ratio = (realise(entry).values - clean).std() / clean.std()
        assert abs(ratio / entry.noise - 1) < 5 / np.sqrt(2 * 3000)


def test_refusals() -> None:
    entry = plan(6, 1)[3]
    with pytest.raises(SettingError, match="unknown source"):
        realise(replace(entry, settings={"source": "nothing"}))
    with pytest.raises(SettingError, match="a bank of 0"):
        plan(0, 1)
    wild = {"source": "AR(1) positive", "phi": 40.0, "observable": "x"}
    with pytest.raises(DataError, match="20 attempts"):
        realise(replace(entry, length=500, settings=wild))
    with pytest.raises(SettingError, match="unknown observable"):
        monotone("sin(x)", np.arange(3.0))


def test_what_is_unsound_is_seen() -> None:
    x = np.sin(np.arange(500.0))
    assert unsound(x, 500) == ""
    assert "shape" in unsound(x, 501)
    assert "not finite" in unsound(np.where(x > 0.9, np.nan, x), 500)
    assert unsound(np.ones(500), 500) == "constant"
    assert "hardly varies" in unsound((np.arange(500) == 250).astype(float), 500)


def test_observables() -> None:
    x = np.linspace(-3, 3, 1001)
    for name in MONOTONE:
        assert (np.diff(monotone(name, x)) > 0).all(), name
    columns = {"a": x, "b": x[::-1].copy()}
    z = (x - x.mean()) / x.std()
    assert np.array_equal(observed("b", columns), columns["b"])
    assert np.allclose(observed("a + b", columns), z - 0.7 * z)
    assert np.allclose(observed("a * b", columns), (z + 1) * (0.6 - z))
    assert np.allclose(observed("x^3 of a", columns), z**3)
    from takens.random import generator

    random = generator(1, "observables")
    drawn = Counter("state" if name in columns else "more" for name in (draw(("a", "b"), random) for _ in range(2000)))
    assert abs(drawn["state"] / 2000 - 0.5) < 0.05


def test_ranges_and_names() -> None:
    from takens.random import generator

    random = generator(1, "ranges")
    assert {Range(2, 4, whole=True).draw(random) for _ in range(100)} == {2, 3, 4}
    values = [Range(1, 100, logarithmic=True).draw(random) for _ in range(2000)]
    assert abs(np.median(values) - 10) < 1.5
    registry = Registry()
    registry.add(sources()["white noise"])
    with pytest.raises(AssertionError):
        registry.add(sources()["white noise"])
