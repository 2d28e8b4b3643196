"""Writing: nothing lost on the way to CSV or NetCDF and back, and nothing half-written."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import takens as tk
from takens import Clock, Series
from takens.errors import OutputError
from takens.io.atomic import atomic_bytes, atomic_folder, atomic_path, atomic_text

ORIGINS = st.sampled_from([np.datetime64("2014-03-29T23:59:59.999999", "us"), np.datetime64("1899-12-31", "us")])
CLOCKS = st.one_of(
    st.builds(Clock, st.sampled_from(["step", "s", "parsec"])),
    st.builds(
        Clock,
        st.sampled_from(["us", "s", "h", "d", "month", "year"]),
        ORIGINS,
        st.sampled_from(["", "UTC", "Asia/Kolkata"]),
    ),
)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


@st.composite
def series(draw) -> Series:
    rows = draw(st.integers(1, 8))
    channels = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    steps = draw(hnp.arrays(float, rows, elements=st.floats(1e-3, 3e3)))
    values = draw(hnp.arrays(float, (rows, len(channels)), elements=st.floats(allow_infinity=False)))
    units = tuple(draw(st.sampled_from(["", "m/s", "°C"])) for _ in channels)
    return Series(np.cumsum(steps), values, tuple(channels), units, draw(CLOCKS), draw(NAMES))


@pytest.mark.parametrize("suffix", [".csv", ".nc"])
@given(series())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_lost(tmp_path, suffix, made):
    path = tmp_path / f"a{suffix}"
    made.save(path)
    back = tk.open(path)
    np.testing.assert_array_equal(back.values, made.values)
    present = ~np.isnan(made.values)
    np.testing.assert_array_equal(np.signbit(back.values)[present], np.signbit(made.values)[present])
    np.testing.assert_array_equal(back.times, made.times)
    for field in ("channels", "units", "clock", "name"):
        assert getattr(back, field) == getattr(made, field)


def test_csv_is_readable_by_people(tmp_path):
    clock = Clock("h", np.datetime64("2014-01-01", "us"), "Europe/Berlin")
    Series([0.0, 1.0], [[1.5], [np.nan]], ("T",), ("K",), clock, "probe").save(tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0].startswith("# takens series {")
    assert lines[1:] == ["time,T [K]", "2014-01-01T00:00:00Z,1.5", "2014-01-01T01:00:00Z,"]


def test_damaged_own_header(tmp_path):
    (tmp_path / "a.csv").write_text('# takens series {"name": 1}\ntime,x\n0,1\n1,2\n')
    with pytest.raises(tk.errors.DataError, match="header of this file is damaged"):
        tk.open(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("# takens series {oops\ntime,x\n0,1\n1,2\n")
    with pytest.raises(tk.errors.DataError, match="header of this file is damaged"):
        tk.open(tmp_path / "b.csv")


def test_where_nothing_can_be_written(tmp_path):
    one = tk.open([1.0, 2.0])
    for bad in ("missing/a.csv", "a.doc", "a", "missing/a.nc"):
        with pytest.raises(OutputError):
            one.save(tmp_path / bad)
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(OutputError, match="folder"):
        one.save(tmp_path / "taken.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["taken.csv"]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    atomic_text(path, "old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        atomic_bytes(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "old"


def test_an_interrupt_leaves_nothing(tmp_path):
    def interrupted(context, name: str):
        with context as part:
            (part / name).write_text("half") if name else part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted(atomic_path(tmp_path / "a"), "")
    with pytest.raises(KeyboardInterrupt):
        interrupted(atomic_folder(tmp_path / "b"), "x")
    assert list(tmp_path.iterdir()) == []


def test_folders(tmp_path):
    target = tmp_path / "deep" / "out"
    with atomic_folder(target) as part:
        (part / "x").write_text("1")
        assert not target.exists()
    assert (target / "x").read_text() == "1"
    with pytest.raises(OutputError, match="not empty"), atomic_folder(target):
        pass
    with atomic_folder(target, replace=True) as part:
        (part / "y").write_text("2")
    assert [p.name for p in target.iterdir()] == ["y"]
    with pytest.raises(ValueError, match="mine"), atomic_folder(target, replace=True) as part:
        raise ValueError("mine")
    assert (target / "y").read_text() == "2"
    assert [p.name for p in target.parent.iterdir()] == ["out"]
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file of this name"), atomic_folder(tmp_path / "file"):
        pass
