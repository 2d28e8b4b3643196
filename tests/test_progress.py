"""Progress: what is drawn where, and how much time is left."""

from __future__ import annotations

import io

from takens.progress import Bar, Lines, Silent, progress_on, spoken


def test_the_bar_tells_the_time_left_and_never_runs_backwards() -> None:
    stream, moment = io.StringIO(), [0.0]
    bar = Bar(stream, columns=70, now=lambda: moment[0])
    bar("reading", 0.0)
    moment[0] = 10.0
    bar("model nvar", 0.25)
    assert " 25%, 30 s left  model nvar" in stream.getvalue()
    drawn = stream.getvalue().count("\r")
    moment[0] = 10.05
    bar("model nvar", 0.26)
    assert stream.getvalue().count("\r") == drawn
    moment[0] = 11.0
    bar("model nvar", 0.1)
    assert " 26%" in stream.getvalue().split("\r")[-1]
    bar.close()
    assert stream.getvalue().endswith("\r")
    assert all(len(part) <= 70 for part in stream.getvalue().split("\r"))


def test_lines_say_each_stage_once() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    for share in (0.0, 0.1, 0.2):
        lines("measuring", share)
    lines("fitting", 0.5)
    assert stream.getvalue() == "  0% measuring\n 50% fitting\n"


def test_progress_fits_the_stream() -> None:
    assert isinstance(progress_on(io.StringIO()), Lines)
    assert isinstance(progress_on(quiet=True), Silent)
    assert [spoken(s) for s in (0.4, 59.6, 125, 3725)] == ["0 s", "1 min 00 s", "2 min 05 s", "1 h 02 min"]
