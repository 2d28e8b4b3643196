"""The report: one page that is whole, inert, bounded in size, and says the numbers of the study."""

from __future__ import annotations

import errno
import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from systems import henon, lorenz63

import takens
from takens.clock import Clock
from takens.errors import InsufficientData, OutputError
from takens.estimate import Estimate
from takens.models.base import Law
from takens.report import captions, render, report_json, write_study
from takens.report.document import thinned
from takens.report.page import command
from takens.report.plate import Press, inline
from takens.report.plates import CURVES
from takens.report.words import estimate_value, number, percent, setting, signed
from takens.series import Series
from takens.study import Study, study

NASTY = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', r"a $\frac{ & b")


@pytest.fixture(scope="session")
def flow() -> Study:
    """A small real study of two channels."""
    series = Series.from_array(
        lorenz63(1200)[:, [0, 2]], interval=0.02, unit="s", channels=("x", "z"), units=("m", ""), name="lorenz"
    )
    return study(series, horizon=25, models=["persistence", "climatology", "nvar"], members=30, seed=1)


@pytest.fixture(scope="session")
def page(flow: Study) -> str:
    return render(flow)


@pytest.fixture(scope="session")
def nasty() -> Study:
    """A real study of data whose names try to break out of the page."""
    values = henon(400)[:, [0, 1, 0]] + [0, 0, 1]
    series = Series.from_array(
        values, channels=NASTY, units=NASTY, name="</title><script>alert(2)</script>", source='x" onload="alert(3)'
    )
    return study(series, horizon=8, models=["persistence", "climatology"], members=20, seed=0)


class Page(HTMLParser):
    """The elements, texts and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.text: list[str] = []
        self.rows: list[list[str]] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.inside not in ("script", "style"):
            self.text.append(data)
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag):
        self.inside = ""

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (float("nan"), "–"), (0.0, "0"), (0.831445, "0.831"), (12345, "12,345"), (-2.5, "−2.5"),
     (123456.7, "123,457"), (1.23e-7, "1.23e−7"), (4.2e9, "4.2e9"), (float("inf"), "∞"), (True, "yes"), (10.0, "10"),
     (0.1, "0.1"), (0.0999, "0.0999"), (99.96, "100")],
)  # fmt: skip
def test_number(value, text):
    assert number(value) == text


def test_number_reads_back():
    rng = np.random.default_rng(0)
    for value in rng.normal(size=200) * 10.0 ** rng.integers(-9, 9, 200):
        back = float(number(float(value)).replace("−", "-").replace(",", ""))
        assert back == pytest.approx(value, rel=5e-3)


def test_words():
    assert percent(0.873) == "87 %"
    assert percent(0.004) == "0.4 %"
    assert percent(None) == "–"
    assert signed(-0.123) == "−12 %"
    assert signed(0.5) == "+50 %"
    assert signed(-0.001) == "0 %"
    assert [signed(share) for share in (0.9997, 0.9949, 1.0)] == ["+99.9 %", "+99.4 %", "+100 %"]
    assert setting([1, 2.5, "a"]) == "1, 2.5, a"
    assert setting(list(range(20))).endswith("(20 in all)")
    value, ends = estimate_value(Estimate("m", [24.0, 168.0], "h", ([23.5, 160.0], [24.5, 170.0])))
    assert (value, ends) == ("24, 168 h", "23.5 to 24.5; 160 to 170")
    assert estimate_value(Estimate("m", None)) == ("–", "")


def test_moments_are_short_and_lossless():
    year = Clock("month", np.datetime64("1950-01-01"))
    assert year.words(np.array([0.0, 11.0])) == ["1950-01", "1950-12"]
    hours = Clock("h", np.datetime64("2014-07-01"))
    assert hours.words(np.array([0.0, 24.0])) == ["2014-07-01", "2014-07-02"]
    assert hours.words(np.array([0.0, 0.5])) == ["2014-07-01 00:00", "2014-07-01 00:30"]
    assert hours.words(np.array([0.0, 1 / 3600])) == ["2014-07-01 00:00:00", "2014-07-01 00:00:01"]
    assert Clock("s").words(np.array([0.1 + 0.2])) == ["0.3 s"]


def test_inline_keeps_references_together():
    text = '<?xml version="1.0"?><svg>'
    text += '<clipPath id="c1"/><g clip-path="url(#c1)"/><use xlink:href="#m"/><g id="m"/></svg>'
    made = inline(text, "fan")
    assert made.startswith("<svg")
    assert set(re.findall(r'id="([^"]+)"', made)) == {"fan-c1", "fan-m"}
    assert "url(#fan-c1)" in made
    assert 'href="#fan-m"' in made


def test_a_figure_that_the_data_refuse_is_said():
    def refuse():
        raise InsufficientData("three rows are too few", remedy="More.")

    press = Press()
    made = press.plate("skill", "Skill", refuse, "caption")
    assert (made.svg, made.caption, press.count) == ("", "three rows are too few.", 0)


def test_thinned_keeps_both_ends():
    made = thinned({"lag": np.arange(5000.0), "short": [1.0, np.nan], "level": 2.0})
    assert made["lag"][0] == 0
    assert made["lag"][-1] == 4999
    assert len(made["lag"]) == 400
    assert made["thinned"] == {"lag": 5000}
    assert made["short"] == [1.0, None]


def test_document_has_the_numbers_of_the_study(flow):
    found = json.loads(json.dumps(report_json(flow), allow_nan=False))
    assert found["series"]["rows"] == 1200
    assert found["series"]["channels"] == ["x", "z"]
    np.testing.assert_allclose(
        found["series"]["summary"][1]["standard_deviation"], flow.series.values[:, 1].std(), rtol=1e-12
    )
    np.testing.assert_allclose(found["forecast"]["quantiles"]["0.95"], np.quantile(flow.forecast.samples, 0.95, axis=0))
    np.testing.assert_allclose(found["last_window"]["truth"], flow.last_window[2].values)
    models = found["models"]
    assert models["chosen"] == flow.chosen
    for candidate, made in zip(flow.candidates, models["candidates"], strict=True):
        assert made["model"] == candidate.model
        assert made["judging"] == pytest.approx(candidate.judging)
        assert sum(made["pit_counts"]) == np.isfinite(candidate.pit).sum()
    assert models["skill"][flow.chosen]["value"] == pytest.approx(flow.skill[flow.chosen][0])
    assert set(found["estimates"]) == set(flow.estimates)
    assert set(found["verdicts"]) == {"x", "z"}
    assert found["verdict"]["sentence"] == flow.verdict.sentence
    assert found["settings"]["seed"] == 1
    assert found["versions"]["takens"] == takens.__version__


def test_page_is_one_file(page):
    parsed = Page(page)
    policy = next(m for m in parsed.all("meta") if m.get("http-equiv"))["content"]
    assert policy.startswith("default-src 'none'")
    for _, attrs in parsed.tags:
        for key in ("src", "href", "xlink:href", "data", "poster", "srcset", "action"):
            assert (attrs.get(key) or "#").startswith(("#", "data:image/png;base64,")), (key, attrs[key][:80])
    assert not parsed.all("link")
    assert not re.search(r"url\((?!#)|@import|\beval\(|new Function|fetch\(|XMLHttpRequest|innerHTML", page)
    assert len(page.encode()) < 2_000_000


def test_page_is_accessible(page):
    parsed = Page(page)
    assert parsed.headings[:2] == [1, 2]
    assert max(np.diff(parsed.headings)) == 1
    assert parsed.headings.count(1) == 1
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in parsed.tags:
        if (attrs.get("href") or "").startswith("#") and attrs["href"] != "#":
            assert attrs["href"][1:] in ids
        for key in ("aria-labelledby", "aria-describedby"):
            assert all(name in ids for name in (attrs.get(key) or "").split()), attrs
    drawings = parsed.all("svg")
    assert len(drawings) >= 10
    assert all(d.get("role") == "img" and d.get("aria-label") for d in drawings)
    assert len(parsed.all("figure")) == len(parsed.all("figcaption"))
    assert all(t.get("scope") for t in parsed.all("th"))


def test_figures_are_numbered_in_reading_order(page):
    numbers = [int(n) for n in re.findall(r"<b>Figure (\d+)\.", page)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_candidate_is_in_the_table(flow, page):
    rows = {row[0].split()[0]: row for row in Page(page).rows if len(row) == 8}
    for candidate in flow.candidates:
        row = rows[{"nvar": "NVAR"}.get(candidate.model, candidate.model)]
        assert row[1].strip() == number(candidate.scores["crps"])
        assert row[3].strip() == percent(candidate.scores["coverage"])
        assert ("chosen" in row[0]) == (candidate.model == flow.chosen)
        assert ("baseline" in row[0]) == candidate.baseline


def test_findings_and_verdicts_are_said_in_full(flow, page):
    text = " ".join(" ".join(Page(page).text).split())
    for finding in flow.findings:
        assert " ".join(finding.text.split()) in text
    assert flow.verdict.sentence in text
    for verdict in flow.verdicts.values():
        assert verdict.sentence in text
        assert all(step.question in text and step.evidence in text for step in verdict.steps)
    for reference in {e.reference for e in flow.estimates.values() if e.reference}:
        assert reference.rstrip(". ") in text


def test_failed_and_skipped_models_are_said(flow):
    failed = replace(flow.candidates[-1], status="failed", reason="a pivot of the ridge is <0>", scores={}, judging=())
    skipped = replace(failed, model="drift", status="skipped", reason="no time left")
    best = [c for c in flow.candidates if c.model in (flow.chosen, flow.best_baseline)]
    changed = replace(flow, candidates=(*best, replace(failed, model="fourier_extension"), skipped))
    text = " ".join(Page(render(changed)).text)
    assert "a pivot of the ridge is <0>" in text
    assert "no time left" in text


def test_names_are_inert(nasty):
    text = render(nasty)
    parsed = Page(text)
    assert len(parsed.all("script")) == 2
    assert not parsed.all("img")
    assert not [a for _, attrs in parsed.tags for a in attrs if a.startswith("on")]
    assert len(parsed.all("title")) <= 1 + len(parsed.all("svg"))
    said = "".join(parsed.text)
    assert NASTY[0] in said
    payload = re.search(r'id="viewer-data">(.*?)</script>', text, re.DOTALL).group(1)
    assert json.loads(payload)[0]["channel"] == NASTY[0]


def test_size_is_bounded(flow):
    rows = 1_000_000
    x = np.cumsum(np.random.default_rng(0).normal(size=(rows, 2)), axis=0)
    x[5000:5100] = np.nan
    big = Series.from_array(x, interval=0.02, unit="s", channels=("x", "z"), units=("m", ""), name="long")
    began = time.perf_counter()
    text = render(replace(flow, series=big))
    assert time.perf_counter() - began < 40
    assert len(text.encode()) < 1_400_000
    assert len(json.dumps(report_json(replace(flow, series=big)))) < 2_000_000


def test_page_is_the_same_twice(flow, page):
    assert render(flow) == page


def test_contrast_meets_aa():
    css = (Path(takens.__file__).parent / "report" / "report.css").read_text()
    themes = re.findall(r"--paper:.*?(?=\})", css, re.DOTALL)
    assert len(themes) == 3

    def luminance(colour: str) -> float:
        c = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        return float(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])

    for theme in themes:
        colours = dict(re.findall(r"--(\w+): (#\w{6})", theme))
        for front in ("ink", "muted", "accent", "warn", "good", "bad"):
            for back in ("paper", "card", "mark"):
                a, b = sorted([luminance(colours[front]), luminance(colours[back])])
                assert (b + 0.05) / (a + 0.05) >= 4.5, (front, back)
    assert themes[1].split() == themes[2].split()


def test_command_repeats_the_study(flow):
    named = replace(flow, series=replace(flow.series, source="my data.csv"))
    assert command(named) == "takens study 'my data.csv' --horizon 25 --budget 120s --seed 1"
    typed = replace(named, settings={**named.settings, "argv": ["takens", "study", "a b.csv"]})
    assert command(typed) == "takens study 'a b.csv'"


@pytest.fixture
def drawn_once(page, monkeypatch):
    """Tests of the folder take the page that was drawn already."""
    monkeypatch.setattr("takens.report.folder.render", lambda study: page)


def test_folder_holds_everything(flow, page, drawn_once, tmp_path):
    import pandas as pd
    import xarray as xr

    paths = write_study(flow, tmp_path / "out")
    assert sorted(p.name for p in paths) == ["forecast.csv", "forecast.nc", "law", "report.html", "report.json"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(p.name for p in paths)
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8") == page
    table = pd.read_csv(tmp_path / "out" / "forecast.csv", index_col=0)
    np.testing.assert_allclose(table["x median"], flow.forecast.median[:, 0])
    with xr.open_dataset(tmp_path / "out" / "forecast.nc", engine="scipy") as data:
        np.testing.assert_array_equal(data["z"].values, flow.forecast.samples[:, :, 1])
    again = takens.load(tmp_path / "out" / "law").forecast(25, members=len(flow.forecast.samples), seed=1)
    np.testing.assert_array_equal(again.samples, flow.forecast.samples)
    write_study(flow, tmp_path / "out")  # over its own result


def test_a_full_disk_leaves_what_was_there(flow, drawn_once, tmp_path, monkeypatch):
    write_study(flow, tmp_path)
    (tmp_path / "report.html").write_text("earlier")

    def full(self: Law, path: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Law, "save", full)
    with pytest.raises(OutputError, match=r"No space left.*\n.*Free some space"):
        write_study(flow, tmp_path)
    assert (tmp_path / "report.html").read_text() == "earlier"
    assert len(list(tmp_path.iterdir())) == 5


def test_a_folder_called_law_is_not_taken(flow, drawn_once, tmp_path):
    (tmp_path / "law").mkdir()
    (tmp_path / "law" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="not a saved law"):
        write_study(flow, tmp_path)
    assert [p.name for p in tmp_path.rglob("*")] == ["law", "thesis.txt"]


def test_the_caption_of_a_spectrum_tells_cycles_from_broad_peaks():
    details = {"narrow": [True, False, False]}
    told = captions.spectrum(Estimate("dominant_periods", np.array([24.0, 9.0, 168.0]), "h", details=details), "h")
    assert "regular cycles, here at 24 hours." in told
    assert "near 9 hours and 7 days, are no regular cycles" in told
    broad = captions.spectrum(Estimate("dominant_periods", np.array([9.0]), "h", details={"narrow": [False]}), "h")
    assert "here at" not in broad


def test_what_the_study_measures_has_its_figure(flow, page):
    anchors = {attrs["id"] for tag, attrs in Page(page).tags if tag == "figure" and "id" in attrs}
    for name in ("autocorrelation", "recurrence", "neighbours", "surrogates", "stationarity"):
        measure = next(key for key, drawn in CURVES.items() if drawn[0] == name)
        for tail, channel in zip(("", "-2"), flow.series.channels, strict=True):
            drawable = flow.estimates[f"{measure}[{channel}]"].value is not None
            assert (f"{name}{tail}" in anchors) == drawable, (name, channel)
    assert {"autocorrelation", "recurrence-2", "surrogates"} <= anchors
    assert f"{flow.estimates['recurrence_determinism[x]'].details['determinism']:.2f}, laminarity" in page
