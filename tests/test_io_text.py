"""Text: dialects, stamps, zones, units, long tables; each against what a person reads in the file."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

import takens as tk
from takens import Clock, Series
from takens.errors import DataError, SettingError
from takens.io.stamps import times_of, to_times
from takens.io.table import split_unit


@pytest.fixture
def read(tmp_path):
    def from_text(text: str, encoding: str = "utf-8", **options) -> Series:
        path = tmp_path / "data.csv"
        path.write_bytes(text.encode(encoding))
        return tk.open(path, **options)

    return from_text


def stamps(series: Series) -> list[str]:
    return np.datetime_as_string(series.stamps, unit="m").tolist()


def test_european_csv(read):
    series = read(
        "Datum;Temp [°C];Wind (m/s)\n02.01.2014 03:00;1,5;3\n02.01.2014 04:00;-2,25;\n02.01.2014 05:00;1.002,5;4\n"
    )
    assert (series.channels, series.units) == (("Temp", "Wind"), ("°C", "m/s"))
    np.testing.assert_array_equal(series.values, [[1.5, 3], [-2.25, np.nan], [1002.5, 4]])
    assert stamps(series)[0] == "2014-01-02T03:00"
    assert "decimal comma" in series.reading.told.format
    assert any("thousands" in note for note in series.reading.notes)


def test_blanks_and_comments(read):
    series = read("# made by hand\n# t x y\n 0.0   1.0  2\n 0.1   1.5  3\n# in between\n 0.2   nan  4\n 0.3 1e3 5\n")
    assert series.channels == ("x", "y")
    assert series.times.tolist() == [0, 0.1, 0.2, 0.3]
    np.testing.assert_array_equal(series.values, [[1, 2], [1.5, 3], [np.nan, 4], [1000, 5]])


def test_savetxt_round_trip(tmp_path):
    values = np.random.default_rng(1).normal(size=(50, 3))
    np.savetxt(tmp_path / "a.txt", values, header="u v w")
    series = tk.open(tmp_path / "a.txt")
    assert series.channels == ("u", "v", "w")
    np.testing.assert_allclose(series.values, values, rtol=1e-15)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(read, delimiter, end):
    rows = [["t", "x", "y"], ["0.5", "1.25", "-3e-2"], ["1.0", "7", "4"], ["1.5", "0.5", "NA"]]
    series = read(end.join(delimiter.join(row) for row in rows) + end)
    assert series.times.tolist() == [0.5, 1.0, 1.5]
    np.testing.assert_array_equal(series.values, [[1.25, -0.03], [7, 4], [0.5, np.nan]])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16"])
def test_encodings(read, encoding):
    series = read("time,température [°C]\n0,1\n1,2\n", encoding)
    assert (series.channels, series.units) == (("température",), ("°C",))


def test_quotes_thousands_units_row_and_preamble(read):
    series = read('Station: X\nOwner,Y\n\ntime,"flow, in",note\ns,m3/s,\n0,"1,234.5",dry\n1,"2,000",wet\n2,"12",wet\n')
    assert series.channels == ("flow, in",)
    assert series.units == ("m3/s",)
    assert series.clock.unit == "s"
    assert series.values[:, 0].tolist() == [1234.5, 2000, 12]
    assert series.reading.told.ignored == (("note", "text"),)


def test_one_column_with_blank_lines(read):
    series = read("x\n1,5\n\n2,25\n")
    np.testing.assert_array_equal(series.values[:, 0], [1.5, np.nan, 2.25])
    assert series.clock.unit == "step"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2014-01-30T03:04", "2014-01-30T04:04", "2014-01-30T03:04"),
        ("2014/01/30 03:04:00", "2014/01/30 04:04:00.5", "2014-01-30T03:04"),
        ("30.01.2014 03:04", "30.01.2014 04:04", "2014-01-30T03:04"),
        ("30/01/2014 03:04", "30/01/2014 04:04", "2014-01-30T03:04"),
        ("1/30/2014 3:04 AM", "1/30/2014 3:04 PM", "2014-01-30T03:04"),
        ("30-Jan-2014", "31-Jan-2014", "2014-01-30T00:00"),
        ("Jan 30, 2014", "Jan 31, 2014", "2014-01-30T00:00"),
        ("30.1.14", "31.1.14", "2014-01-30T00:00"),
        ("20140130T0304", "20140130T0404", "2014-01-30T03:04"),
        ("20140130", "20140131", "2014-01-30T00:00"),
        ("2014-01", "2014-02", "2014-01-01T00:00"),
        ("Mar 2014", "Apr 2014", "2014-03-01T00:00"),
        ("2014Q2", "2014Q3", "2014-04-01T00:00"),
        ("2014-01-30 24:00", "2014-01-31 01:00", "2014-01-31T00:00"),
        ("2014-01-30T03:04Z", "2014-01-30T04:04Z", "2014-01-30T03:04"),
        ("2014-01-30T03:04+05:30", "2014-01-30T04:04+05:30", "2014-01-29T21:34"),
    ],
)
def test_forms_of_stamps(read, first, second, expected):
    series = read(f'date,x\n"{first}",1\n"{second}",2\n')
    assert stamps(series)[0] == expected
    assert series.times[1] > series.times[0]


def test_day_or_month_first(read):
    text = "date,x\n01/02/2014,1\n02/03/2014,2\n03/04/2014,2\n"
    with pytest.raises(DataError, match="day_first"):
        read(text)
    assert stamps(read(text, day_first=True))[0] == "2014-02-01T00:00"
    assert stamps(read(text, day_first=False))[0] == "2014-01-02T00:00"
    said = read("date,x\n01/30/2014,1\n02/01/2014,2\n")
    assert stamps(said)[1] == "2014-02-01T00:00"
    assert any("month comes before the day" in note for note in said.reading.notes)


def test_daylight_saving(read):
    autumn = "time,x\n2014-10-26 01:00,1\n2014-10-26 02:00,2\n2014-10-26 02:00,3\n2014-10-26 03:00,4\n"
    with pytest.raises(DataError, match="timezone="):
        read(autumn)
    series = read(autumn, timezone="Europe/Berlin")
    assert series.times.tolist() == [0, 1, 2, 3]
    assert series.clock.labels(series.times[1:3]) == ["2014-10-26T02:00:00+02:00", "2014-10-26T02:00:00+01:00"]
    with pytest.raises(DataError, match=r"row 2 \(line 3\).*\n?.*does not exist|does not exist"):
        read("time,x\n2014-03-30 01:00,1\n2014-03-30 02:00,2\n2014-03-30 03:00,4\n", timezone="Europe/Berlin")
    offsets = read("time,x\n2014-03-30T01:00+01:00,1\n2014-03-30T03:00+02:00,2\n2014-03-30T04:00+02:00,3\n")
    assert offsets.times.tolist() == [0, 1, 2]
    assert offsets.clock.timezone == "UTC"
    local = read("time,x\n2014-03-30T01:00+01:00,1\n2014-03-30T03:00+02:00,2\n", timezone="Europe/Berlin")
    assert local.clock.labels(local.times) == ["2014-03-30T01:00:00+01:00", "2014-03-30T03:00:00+02:00"]


def test_local_days_and_months_are_regular_across_daylight_saving(read):
    days = read("date,x\n2014-03-29,1\n2014-03-30,2\n2014-03-31,4\n2014-04-01,4\n", timezone="Europe/Berlin")
    assert (days.times.tolist(), days.clock.unit, days.sampling.kind) == ([0, 1, 2, 3], "d", "regular")
    assert any("calendar days" in note for note in days.reading.notes)
    months = read("date,x\n2014-02-01,1\n2014-03-01,2\n2014-04-01,4\n2014-05-01,4\n", timezone="Europe/Berlin")
    assert (months.times.tolist(), months.clock.unit) == ([0, 1, 2, 3], "month")
    assert months.clock.labels(months.times)[2] == "2014-04-01T00:00:00+02:00"


@pytest.mark.parametrize(
    ("dates", "unit", "times"),
    [
        (["2014-01", "2014-02", "2014-03", "2014-05"], "month", [0, 1, 2, 4]),
        (["2014-01-31", "2014-02-28", "2014-03-31", "2014-04-30"], "month", [0, 1, 2, 3]),
        (["2014-02-28", "2014-03-28", "2014-04-28"], "month", [-1, 0, 1]),
        (["2010-01-01", "2011-01-01", "2012-01-01"], "year", [0, 1, 2]),
        (["2014-01-15", "2014-04-15", "2014-07-15"], "month", [0, 3, 6]),
        (["2014-01-06", "2014-01-13", "2014-01-20"], "d", [0, 7, 14]),
    ],
)
def test_calendar_clocks(read, dates, unit, times):
    series = read("date,x\n" + "".join(f"{d},{i}\n" for i, d in enumerate(dates)))
    assert series.clock.unit == unit
    np.testing.assert_allclose(series.times - series.times[0], np.array(times) - times[0], atol=1e-12)
    assert [s[: len(d)] for s, d in zip(stamps(series), dates, strict=True)] == dates


def test_numbers_with_and_without_units(read):
    assert read("t (ms),x\n0,1\n10,2\n").clock == Clock("ms")
    assert read("time_s,x\n0,1\n0.5,2\n").clock == Clock("s")
    assert read("time [hours],x\n0,1\n0.5,2\n").clock == Clock("h")
    assert read("time,x\n0,1\n0.5,2\n").clock == Clock("time unit")
    assert read("time,x\n0,1\n0.5,2\n", time_unit="min").clock == Clock("min")
    assert read("x,y\n0,1\n0.5,2\n").clock == Clock("step")
    counter = read(",x\n0,1\n1,5\n2,3\n")
    assert (counter.clock, counter.channels) == (Clock("step"), ("x",))
    first = read("0.0 1.5\n0.1 1.7\n0.2 1.2\n")
    assert first.times.tolist() == [0, 0.1, 0.2]
    assert "evenly" in first.reading.told.recognised


def test_epochs_are_said(read):
    for text, scale in (("timestamp", 1), ("time_ms", 1000)):
        series = read(f"{text},x\n{1400000000 * scale},1\n{1400000060 * scale},2\n")
        assert stamps(series) == ["2014-05-13T16:53", "2014-05-13T16:54"]
        assert "epoch" in series.reading.told.recognised
        assert series.clock.timezone == "UTC"
    assert read("a,x\n100,1\n200,2\n", time="a", time_unit="epoch s").stamps[0] == np.datetime64("1970-01-01T00:01:40")


def test_columns_joined_into_one_time(read):
    parts = read("year,month,day,hour,x\n1900,1,31,22,2\n1900,1,31,23,3\n1900,2,1,0,3\n")
    assert stamps(parts)[2] == "1900-02-01T00:00"
    assert parts.channels == ("x",)
    both = read("Datum;Uhrzeit;x\n01.02.2014;03:00;1,5\n01.02.2014;04:00;2,5\n")
    assert stamps(both)[1] == "2014-02-01T04:00"
    with pytest.raises(DataError, match="without a date"):
        read("time,x\n03:00,1\n04:00,2\n")


def test_long_tables(read):
    found = read("id,time,value\na,0,1\nb,0,3\na,1,2\nb,1,4\nb,2,5\n")
    assert [(s.name, s.values[:, 0].tolist()) for s in found] == [("a", [1, 2]), ("b", [3, 4, 5])]
    named = read("where,time,value\na,0,1\nb,0,3\na,1,2\n", id="where")
    assert [s.name for s in named] == ["a", "b"]
    wide = read("time,variable,value\n2014-01-01,u,1\n2014-01-01,v,2\n2014-01-02,u,3\n2014-01-03,v,4\n")
    assert wide.channels == ("u", "v")
    np.testing.assert_array_equal(wide.values, [[1, 2], [3, np.nan], [np.nan, 4]])


def test_repairs_are_done_as_asked_and_said(read):
    text = "time,x,y\n0,1,1\n2,3,3\n1,2,\n2,5,4\n3,9,9\n"
    expected = {"first": [1, 2, 3, 9], "last": [1, 2, 5, 9], "mean": [1, 2, 4, 9]}
    for how, values in expected.items():
        series = read(text, unsorted="sort", duplicates=how)
        assert series.values[:, 0].tolist() == values
        assert (series.reading.told.unsorted, series.reading.told.duplicates) == (1, 1)
        assert "duplicates: 1 row " in "\n".join(series.reading.lines())


def test_time_column_choices(read):
    text = "timestamp,created,x\n2014-01-01,2014-02-02,2\n2014-01-02,2014-02-04,3\n"
    series = read(text)
    assert series.reading.told.time == "timestamp"
    assert ("created", "another column of time stamps") in series.reading.told.ignored
    assert read(text, time="created").interval == 2
    none = read(text, time=False, interval="2 h")
    assert (none.times.tolist(), none.clock) == ([0, 2], Clock("h"))
    with pytest.raises(SettingError, match="holds the times"):
        read(text, time="timestamp", interval=1)
    with pytest.raises(SettingError, match="'created'"):
        read(text, time="nope")


def test_channels_flags_and_copies(read):
    text = "time,x,x,flag,u [V]\n0,1,2,true,5\n1,2,3,false,6\n"
    series = read(text)
    assert series.channels == ("x", "x (2)", "flag", "u")
    assert series.values[:, 2].tolist() == [1, 0]
    assert read(text, channels=["u [V]"]).channels == ("u",)
    assert read(text, channels="x").reading.told.ignored[0] == ("x (2)", "not asked for")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("speed [m/s]", ("speed", "m/s")),
        ("T (degC)", ("T", "degC")),
        ("value (mean)", ("value (mean)", "")),
        ("x (2)", ("x (2)", "")),
        ("plain", ("plain", "")),
        ("[V]", ("[V]", "")),
    ],
)
def test_units_in_headers(header, expected):
    assert split_unit(header) == expected


def test_gzip(tmp_path):
    with gzip.open(tmp_path / "a.csv.gz", "wt") as stream:
        stream.write("time,x\n0,1\n1,2\n")
    series = tk.open(tmp_path / "a.csv.gz")
    assert series.values[:, 0].tolist() == [1, 2]
    assert series.name == "a"
    assert "gzip" in series.reading.told.format


def test_labels_to_times_and_back():
    rng = np.random.default_rng(3)
    for unit in ("us", "s", "min", "h", "d", "month", "year"):
        for zone in ("", "Europe/Berlin"):
            for origin in ("2013-12-31T10:30:00", "2014-02-28T23:00:00.000001"):
                clock = Clock(unit, np.datetime64(origin, "us"), zone)
                times = np.sort(rng.uniform(-50, 50, 40))
                moments = clock.stamps(times)
                assert (np.diff(moments.astype(np.int64)) >= 0).all()
                back = clock.stamps(times_of(moments.astype(np.int64), clock))
                assert np.abs((back - moments).astype(np.int64)).max() <= 1
                labels = clock.labels(times[:3])
                assert np.abs((clock.stamps(to_times(labels, clock)) - moments[:3]).astype(np.int64)).max() <= 1


def test_labels_that_cannot_be_placed():
    clock = Clock("h", np.datetime64("2014-01-01", "us"))
    assert to_times(["2014-01-02 03:30", "2015"], clock).tolist() == [27.5, 365 * 24]
    for label in ("01/02/2014", "soon", "2014-02-30", "2014-01-01T00:00+01:00", ""):
        with pytest.raises(SettingError):
            to_times([label], clock)


def test_real_files(shared_data):
    oil = tk.open(shared_data("ETTh1.csv"))
    assert oil.shape == (17420, 7)
    assert (oil.clock.unit, oil.interval, oil.sampling.kind) == ("h", 1.0, "regular")
    assert oil.values[0, -1] == 30.5310001373291
    assert stamps(oil)[-1] == "2018-06-26T19:00"
    taxi = tk.open(shared_data("nyc_taxi.csv"))
    assert (taxi.shape, taxi.interval, taxi.clock.unit) == ((10320, 1), 30.0, "min")
    machine = shared_data("machine_temperature.csv")
    with pytest.raises(DataError, match=r"row 10150 \(line 10151\).*12 repeated times"):
        tk.open(machine)
    repaired = tk.open(machine, unsorted="sort", duplicates="mean")
    assert repaired.shape == (22683, 1)
    assert (repaired.reading.told.unsorted, repaired.reading.told.duplicates) == (1, 12)
    assert (repaired.sampling.kind, repaired.interval) == ("regular", 5.0)
