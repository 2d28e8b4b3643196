"""Input that cannot be read as it is: a clear error with place and remedy, or a word in the reading; never a guess."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import time
import zipfile

import numpy as np
import pandas as pd
import pytest

import takens as tk
from takens.errors import DataError, InsufficientData, SettingError, TakensError


@pytest.fixture
def refuse(tmp_path):
    """Asserts that a content is refused with these words, and returns the error."""

    def check(content: str | bytes, *words: str, name: str = "data.csv", **options) -> TakensError:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(TakensError) as caught:
            tk.open(path, **options)
        for word in words:
            assert word in str(caught.value)
        assert caught.value.place
        return caught.value

    return check


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_missing_folder_and_unreadable(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.csv: no such file"):
        tk.open(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="folder"):
        tk.open(tmp_path)
    with pytest.raises(SettingError, match="local"):
        tk.open("https://example.org/data.csv")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(DataError, match="regular file"):
            tk.open(tmp_path / "pipe")


@pytest.mark.parametrize("content", ["", " \n\n", "\ufeff", "# only a comment\n"])
def test_empty(refuse, content):
    refuse(content, "data.csv")


def test_header_only(refuse):
    refuse("time,x\n", "header but no data")


def test_binary(refuse):
    refuse(bytes(range(256)) * 10, "binary")
    refuse("time,x\n0,1\n" * 40000 + "\0", "binary")
    refuse(b"\x89PNG\r\n\x1a\n" + bytes(50), "picture")
    refuse(b"%PDF-1.7", "PDF", name="a.pdf")
    refuse(pickle.dumps(np.arange(3)), "pickle", name="a.pkl")
    refuse(b"time,x\n0,1\n1,2\n", "damaged or something else", name="a.parquet")


def test_truncated_text(refuse):
    refuse("time,x,y\n0,1,2\n1,2,3\n2,3\n", "row 3 (line 4)", "2 fields where 3", "truncated")
    refuse("# c\ntime,x,y\n0,1,2\n1,2,3,4\n2,3,5\n", "row 2 (line 4)", "4 fields where 3")
    whole = gzip.compress(b"time,x\n" + b"".join(b"%d,%d\n" % (i, i * i % 97) for i in range(5000)))
    refuse(whole[: len(whole) // 2], "truncated", name="a.csv.gz")
    refuse(whole[:100] + b"\xff" * 50 + whole[150:], "damaged", name="b.csv.gz")
    refuse('{"x": 1}\n{"x": 2}\n{"x": ', "line 3", "truncated", name="a.jsonl")


def test_truncated_binary(refuse, tmp_path):
    frame = pd.DataFrame({"time": np.arange(1000) * 0.5, "x": np.random.default_rng(0).normal(size=1000)})
    frame.to_parquet(tmp_path / "whole.parquet")
    frame.to_excel(tmp_path / "whole.xlsx", index=False)
    np.savez(tmp_path / "whole.npz", x=frame["x"].to_numpy())
    tk.open(frame).save(tmp_path / "whole.nc")
    (tmp_path / "whole.npy").write_bytes(npy(frame["x"].to_numpy()))
    for suffix in ("parquet", "xlsx", "npz", "nc", "npy"):
        whole = (tmp_path / f"whole.{suffix}").read_bytes()
        assert len(tk.open(tmp_path / f"whole.{suffix}")) == 1000
        error = refuse(whole[: len(whole) // 2], name=f"cut.{suffix}")
        assert isinstance(error, DataError)
        assert "truncated" in str(error) or "damaged" in str(error)


def test_gzip_bomb(refuse):
    bomb = gzip.compress(b"0,0\n" * 2**25)
    assert len(bomb) < 2**20
    started = time.perf_counter()
    refuse(bomb, "ratio of 100", "4 GiB", name="bomb.csv.gz")
    assert time.perf_counter() - started < 5


def test_zip_bomb(refuse):
    for name, member in (("bomb.npz", "x.npy"), ("bomb.xlsx", "xl/workbook.xml")):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, bytes(2**27))
        refuse(stream.getvalue(), "ratio of 100", name=name)


def test_a_header_that_promises_too_much(refuse):
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, header)
    refuse(stream.getvalue() + bytes(64), "truncated", name="a.npy")


def test_pickled_objects(refuse):
    class Evil:
        def __reduce__(self):
            return (pytest.fail, ("an object was unpickled",))

    objects = np.array([Evil(), None], dtype=object)
    stream = io.BytesIO()
    np.save(stream, objects, allow_pickle=True)
    refuse(stream.getvalue(), "pickled", name="a.npy")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("x.npy", stream.getvalue())
    refuse(archive.getvalue(), "pickled", name="a.npz")


def test_pickled_zarr(tmp_path):
    (tmp_path / "a.zarr" / "x").mkdir(parents=True)
    (tmp_path / "a.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    (tmp_path / "a.zarr" / "x" / ".zarray").write_text('{"dtype": "|O", "filters": [{"id": "pickle"}]}')
    with pytest.raises(DataError, match="pickled"):
        tk.open(tmp_path / "a.zarr")


def test_ten_million_rows(tmp_path):
    """Read in seconds; and refused, before it is parsed, where that is more than was allowed."""
    block = "".join(f"{value:.3f}\n" for value in np.random.default_rng(0).normal(size=100_000)).encode()
    (tmp_path / "big.csv").write_bytes(b"x\n" + block * 100)
    started = time.perf_counter()
    series = tk.open(tmp_path / "big.csv")
    seconds = time.perf_counter() - started
    assert series.shape == (10_000_000, 1)
    np.testing.assert_array_equal(series.values[:100_000], series.values[-100_000:])
    assert seconds < 60
    with pytest.raises(DataError, match=r"10,000,000 rows[\s\S]*max_rows="):
        tk.open(tmp_path / "big.csv", max_rows=1_000_000)


def test_no_numeric_column(refuse):
    refuse("a,b\nfoo,bar\nbaz,qux\n", "no numeric column", "'a' (text, such as foo)", "delimiter=")
    refuse("time,b\n2014-01-01,bar\n2014-01-02,qux\n", "no numeric column")


def test_two_time_columns(refuse):
    text = "start,end,x\n2014-01-01,2014-01-02,2\n2014-01-02,2014-01-03,3\n"
    refuse(text, "2 columns could be the time: 'start' and 'end'", "time='start'", "--time")
    refuse(text.replace("start,end", "date,timestamp"), "'date' and 'timestamp'")


def test_unsorted_and_duplicate_times(refuse):
    text = "time,x\n2014-01-01,1\n2014-01-03,2\n2014-01-02,3\n"
    refuse(text, "row 3 (line 4), column 'time'", "2014-01-02", "comes after 2014-01-03", "unsorted='sort'")
    twice = "time,x\n0,1\n1,2\n1,3\n2,4\n"
    refuse(twice, "row 3 (line 4), column 'time'", "the time 1 occurs again; first in row 2", "duplicates='mean'")
    refuse(twice, "not one of", duplicates="median")


def test_unparsable_times(refuse):
    refuse("time,x\n2014-01-01,1\n2014-01-02,2\nsoon,3\n", "'soon'", "row 3 (line 4), column 'time'")
    refuse("time,x\n2014-01-01,1\n2014-02-30,2\n2014-03-01,3\n", "'2014-02-30'", "row 2 (line 3)")
    refuse("time,x\nfoo,1\nbar,2\n", "neither a time stamp nor a number")
    refuse("time,x\n0,1\n,2\n2,2\n", "time is missing", "row 2 (line 3)")
    refuse("time,x\n2014-01-01,1\n,2\n2014-01-03,3\n", "time is missing", "row 2 (line 3)")


def test_mixed_zones(refuse):
    refuse("time,x\n2014-01-01T00:00Z,1\n2014-01-01T01:00,2\n", "row 2 (line 3)", "with and without a time zone")
    refuse("time,x\n2014-01-01T00:00,1\n2014-01-01T01:00Z,2\n", "row 2 (line 3)", "with and without a time zone")
    mixed = "time,x\n2014-01-01T00:00Z,1\n2014-01-01T07:00+05:00,2\n"
    refuse(mixed, "row 2 (line 3)", "UTC, +05:00", "timezone=")
    refuse(mixed, "no time zone 'Mars'", timezone="Mars")


def test_infinite_values(refuse):
    refuse("time,x,y\n0,1,1\n1,2,inf\n2,3,3\n", "infinite", "row 2 (line 3), column 'y'")
    refuse(npy(np.array([1.0, -np.inf])), "infinite", "row 2, column 'x'", name="a.npy")
    with pytest.raises(DataError, match="row 2, column 'x'"):
        tk.open([1.0, np.inf])


def test_text_among_numbers(refuse, tmp_path):
    text = "time,x,y\n0,1,1\n1,broken,2\n2,3,3\n3,4,4\n"
    refuse(text, "'broken' is not a number", "row 2 (line 3), column 'x'")
    (tmp_path / "a.csv").write_text(text)
    assert tk.open(tmp_path / "a.csv", channels=["y"]).values[:, 0].tolist() == [1, 2, 3, 4]
    (tmp_path / "a.csv").write_text("time,x\n0,1\n1,n/a\n2,-\n3,?\n4,NULL\n")
    assert np.isnan(tk.open(tmp_path / "a.csv").values[1:, 0]).all()


def test_unknown_channel(refuse):
    refuse("time,x\n0,1\n1,2\n", "no column 'y'", "'x'", channels=["y"])
    refuse("time,x,note\n0,1,a\n1,2,b\n", "does not hold numbers", "'note'", channels=["note"])


@pytest.fixture
def notes(tmp_path):
    def read(values) -> str:
        rows = "".join(f"{i * 0.5},{'' if np.isnan(v) else v},{i % 7}\n" for i, v in enumerate(values))
        (tmp_path / "data.csv").write_text("time,x,y\n" + rows)
        return "\n".join(tk.open(tmp_path / "data.csv").reading.lines())

    return read


def test_all_missing_is_said(notes):
    assert "channel 'x' has no value at all" in notes([np.nan] * 60)


def test_constant_is_said(notes):
    assert "channel 'x' is constant (3.5)" in notes([3.5] * 60)


def test_ties_are_said(notes):
    values = np.where(np.arange(100) % 10 == 0, np.arange(100.0), 0.0)
    text = notes(values)
    assert "channel 'x' has many ties" in text
    assert "91% of values are the same" in text


def test_five_rows_are_read_and_said(notes):
    assert "only 5 rows" in notes([1.0, 2, 3, 5, 8])


def test_objects_that_hold_no_series():
    for bad in (None, 3, b"abc", True):
        with pytest.raises(SettingError, match="cannot read"):
            tk.open(bad)
    for bad in ([], np.zeros(0), np.zeros((2, 2, 2, 2)), np.array([1j]), np.array(["a"]), [[1, 2], [3]], {}, object()):
        with pytest.raises(DataError):
            tk.open(bad)
    with pytest.raises(DataError, match="no rows"):
        tk.open(pd.DataFrame({"x": []}))
    with pytest.raises(InsufficientData):
        tk.open([1.0, 2.0]).window(5, 6)
