"""Files as people have them: what they hold is read as it is meant, or the reading says what looks odd."""

from __future__ import annotations

import numpy as np
import pytest

import takens as tk
from takens.cli import main
from takens.errors import DataError, SettingError


@pytest.fixture
def read(tmp_path):
    def from_text(text: str, **options):
        path = tmp_path / "data.csv"
        path.write_text(text)
        return tk.open(path, **options)

    return from_text


def notes(series) -> str:
    return "\n".join(series.reading.notes)


def test_years_beside_numbers_in_quotes_are_the_time(read):
    series = read("year,people\n" + "".join(f'{1900 + i},"{1000 + i:,}"\n' for i in range(30)))
    assert series.channels == ("people",)
    assert series.values[:2, 0].tolist() == [1000, 1001]
    assert series.stamps[0] == np.datetime64("1900-01-01")


def test_identifiers_of_rows_are_no_channel(read):
    series = read("id,time,x\n" + "".join(f"{9007199254740993 + 7 * i},{i},{i % 5}\n" for i in range(30)))
    assert series.channels == ("x",)
    assert ("id", "it numbers the rows") in series.reading.told.ignored
    assert read("id,x\n3,1\n1,2\n2,5\n").channels == ("id", "x")


def test_a_number_that_marks_missing_values(read):
    text = "time,x\n" + "".join(f"{i},{-9999 if i % 10 == 3 else i % 7}\n" for i in range(50))
    assert "missing=-9999" in notes(read(text))
    told = read(text, missing=-9999)
    assert np.flatnonzero(np.isnan(told.values[:, 0])).tolist() == [3, 13, 23, 33, 43]
    assert "5 values read as missing, as asked" in notes(told)
    assert "marks missing" not in notes(told)
    # Nines that belong to the values, or that occur once, are values.
    assert "marks missing" not in notes(read("time,x\n" + "".join(f"{i},{i % 100}\n" for i in range(300))))
    assert "marks missing" not in notes(read("time,x\n0,1\n1,2\n2,9999\n3,1\n"))


def test_day_numbers_of_a_spreadsheet(read):
    series = read("Date,x\n43831,1\n43831.25,2\n43831.5,5\n")
    assert series.stamps.astype("datetime64[s]").astype(str).tolist() == [
        "2020-01-01T00:00:00", "2020-01-01T06:00:00", "2020-01-01T12:00:00",
    ]  # fmt: skip
    assert "spreadsheet" in series.reading.told.recognised
    assert read("date,x\n1,1\n2,2\n3,5\n").clock.unit == "step"
    assert read("time,x\n43831,1\n43832,2\n").clock.unit == "step"


def test_a_title_with_the_delimiter_in_it(read):
    rows = "".join(f"2021-03-01 {h:02d}:00,{h + 0.5},{2 * h}\n" for h in range(24))
    series = read("Station 14, hourly export\ntime,flow,temp\n,m3/s,degC\n" + rows)
    assert (series.channels, series.units) == (("flow", "temp"), ("m3/s", "degC"))
    assert "1 line before the table left out" in notes(series)
    # A header narrower than the data is no title: the comma is a decimal mark here.
    assert read("x\n0,5\n1,5\n2,5\n0,1\n").values[:, 0].tolist() == [0.5, 1.5, 2.5, 0.1]


def test_percent_and_currency(read):
    rows = "".join(f'2015-01-{d:02d},{d}.5%,"-${d:,}.25"\n' for d in range(1, 29))
    series = read("date,rate,price\n" + rows)
    assert series.channels == ("rate", "price")
    assert series.values[1].tolist() == [2.5, -2.25]
    assert "'rate': numbers in %" in notes(series)
    # Beside bare numbers, 20% may be 20 or 0.2.
    with pytest.raises(DataError, match="'20%' is not a number"):
        read("date,rate\n2015-01-01,20%\n2015-01-02,0.21\n2015-01-03,0.22\n")
    with pytest.raises(DataError, match="such as alpha"):
        read("a,b\nalpha,beta\ngamma,delta\n")


def test_blocks_of_rows_are_pointed_out_and_times_begin_anew_in_each(read):
    text = "site,day,x\n" + "".join(f"{site},{i},{i % 7}\n" for site in "AB" for i in range(30))
    assert "'site' cuts the rows into 2 blocks" in notes(read(text))
    first, second = read(text, id="site")
    assert first.channels == second.channels == ("x",)
    assert second.times.tolist() == list(range(30))


def test_one_row_one_channel_in_words(read, capsys, tmp_path):
    lines = "\n".join(read("time,x\n1,2\n").reading.lines())
    assert "1 row, 1 channel" in lines
    assert "only 1 row" in lines
    assert "sampling" not in lines
    (tmp_path / "runs.csv").write_text("run,t,x\n" + "".join(f"{r},{t},{t % 5}\n" for r in "ab" for t in range(40)))
    assert main(["verdict", str(tmp_path / "runs.csv"), "--id", "run"]) == 0
    said = capsys.readouterr().out
    assert "a: x: Cannot tell: 40 values" in said
    assert "b: x: Cannot tell: 40 values" in said


def test_missing_on_the_command_line(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("time,x\n" + "".join(f"{i},{-99 if i % 9 == 2 else i % 4}\n" for i in range(50)))
    assert main(["info", str(tmp_path / "a.csv"), "--missing", "-99,-999"]) == 0
    assert "6 missing" in capsys.readouterr().out
    assert main(["info", str(tmp_path / "a.csv"), "--missing", "x"]) == 2
    assert "--missing" in capsys.readouterr().err
    with pytest.raises(SettingError, match="not a list"):
        main_codes("9,,x")


def main_codes(text: str):
    from takens.cli.quantities import codes

    return codes(text)
