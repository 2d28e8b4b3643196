"""Figures: what is drawn is the data, the SVG follows its page, and every figure stays small and legible."""

from __future__ import annotations

import math
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import lru_cache

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from systems import autoregressive, henon, lorenz63, roessler

import takens.measures.embedding
import takens.measures.ordinal
from takens import figures
from takens.clock import Clock
from takens.errors import DataError, InsufficientData
from takens.estimate import Estimate
from takens.figures.attractors import projected, smooth
from takens.figures.disorder import landmarks
from takens.figures.observations import decimated
from takens.figures.spectra import peaks_kept
from takens.figures.style import COLOURS, moments
from takens.forecast import Forecast
from takens.measures.base import REGISTRY
from takens.series import Series

HOURS = Clock("h", np.datetime64("2026-01-01T00:00"), "Europe/Berlin")

LORENZ = Series.from_array(lorenz63(2000)[:, 0], interval=0.02, unit="s", name="lorenz")
EVENTS = [("2026-01-05", "first"), (150, "a longer name"), (200, "second"), (340, "nearly last"), (390, "the last one")]


def hourly(length: int = 400, channels: int = 2, seed: int = 0) -> Series:
    rng = np.random.default_rng(seed)
    t = np.arange(length)
    waves = np.column_stack([10 + 3 * np.sin(2 * np.pi * t / 24) + rng.normal(size=length) for _ in range(channels)])
    names = tuple(f"load {c}" for c in range(channels))
    return Series(t.astype(float), waves, names, ("kW",) * channels, HOURS)


def forecast_after(series: Series, horizon: int = 48, members: int = 60) -> Forecast:
    rng = np.random.default_rng(1)
    times = series.times[-1] + 1 + np.arange(horizon, dtype=float)
    samples = 10 + rng.normal(size=(members, horizon, series.shape[1])).cumsum(axis=1) / 5
    return Forecast(samples, times, series.channels, series.units, series.clock)


def spectrum() -> Estimate:
    rng = np.random.default_rng(2)
    frequency = np.fft.rfftfreq(8000)[1:]
    background = 1 / (0.01 + frequency)
    power = background * rng.chisquare(6, len(frequency)) / 6
    for period in (24.0, 168.0):
        power[np.argmin(np.abs(frequency - 1 / period))] *= 100
    curves = {"frequency": frequency, "power": power, "background": background, "threshold": 8 * background}
    return Estimate("dominant_periods", np.array([24.0, 168.0]), "h", details=curves)


@lru_cache
def measured(name: str, **settings) -> Estimate:
    """A measure of the first Lorenz coordinate, computed once for all tests."""
    return REGISTRY[name](LORENZ, **settings)


def all_figures() -> dict[str, object]:
    series = hourly()
    lead = np.arange(1.0, 49)
    return {
        "series": lambda: figures.series_figure(series, events=EVENTS),
        "spectrum": lambda: figures.spectrum_figure(spectrum()),
        "attractor": lambda: figures.attractor_figure(lorenz63(5000), ("x", "y", "z")),
        "plane": lambda: figures.complexity_plane(measured("permutation_entropy"), measured("statistical_complexity")),
        "fan": lambda: figures.forecast_fan(forecast_after(series), history=series, truth=None),
        "skill": lambda: figures.skill_figure({"one": np.exp(-lead / 9), "two": -lead / 40}, lead, unit="h"),
        "calibration": lambda: figures.calibration_figure(np.linspace(0, 1, 99), [0.5, 0.9], [0.4, 0.8]),
        "climate": lambda: figures.climate_figure(henon(5000), henon(5000, seed=1)),
        "climate_spectrum": lambda: figures.climate_spectrum_figure(LORENZ, roessler(2000)[:, 0]),
        "delay": lambda: figures.delay_figure(measured("delay_mutual_information")),
        "embedding": lambda: figures.embedding_figure(measured("embedding_dimension_cao", delay=8)),
        "neighbours": lambda: figures.embedding_figure(measured("false_nearest_neighbours", delay=8)),
        "divergence": lambda: figures.divergence_figure(measured("largest_lyapunov_exponent")),
    }


def lines(figure, panel: int = 0) -> list:
    return figure.axes[panel].get_lines()


def texts(figure) -> list[str]:
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


# --- the SVG


@pytest.mark.parametrize("name", list(all_figures()))
def test_every_figure_is_a_small_well_formed_svg_with_text_and_page_colours(name):
    draw = all_figures()[name]
    before = dict(matplotlib.rcParams)
    text = figures.svg(draw(), 'a "title" & more')
    assert dict(matplotlib.rcParams) == before
    assert text == figures.svg(draw(), 'a "title" & more')  # the same in every run
    root = ET.fromstring(text)
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'a "title" & more'
    assert len(text) < 150_000
    assert "<text" in text
    assert "<image" not in text
    assert "DejaVu" not in text
    for role, colour in COLOURS.items():
        assert text.count(colour) == text.count(f"var(--{role}, {colour})")
    assert text.count("var(--") > 5
    stray = {c for c in ("#ffffff", "#000000", "#1f77b4") if f"fill: {c}" in text or f"stroke: {c}" in text}
    assert not stray  # every colour is a role, so that nothing vanishes in the dark


@pytest.mark.parametrize("name", list(all_figures()))
def test_no_two_texts_of_a_figure_overlap_and_none_is_cut_off(name, monkeypatch):
    figure = all_figures()[name]()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn, original = [], matplotlib.text.Text.draw

    def record(text, renderer, *args, **kwargs):
        if text.get_visible() and text.get_text().strip():
            drawn.append((text, matplotlib.text.Text.get_window_extent(text, renderer)))
        return original(text, renderer, *args, **kwargs)

    monkeypatch.setattr(matplotlib.text.Text, "draw", record)
    canvas.draw()
    assert len(drawn) > 3
    for k, (text, box) in enumerate(drawn):
        assert text.get_fontsize() >= 8.5
        assert box.x0 > -3
        assert box.y0 > -3
        assert box.x1 < figure.bbox.x1 + 3
        assert box.y1 < figure.bbox.y1 + 3
        for other, second in drawn[k + 1 :]:
            across = min(box.x1, second.x1) - max(box.x0, second.x0)
            along = min(box.y1, second.y1) - max(box.y0, second.y0)
            assert across < 2 or along < 3, f"{text.get_text()!r} overlaps {other.get_text()!r}"


def test_figures_never_import_pyplot():
    code = "import sys, numpy as np; from takens import figures as f; f.svg(f.attractor_figure(np.eye(3)), 't'); "
    code += "sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- the data


def test_series_figure_shows_values_gaps_events_and_local_time():
    series = hourly(300, 1)
    values = series.values.copy()
    values[100:120] = np.nan
    kept = np.r_[0:200, 230:300]
    holed = Series(series.times[kept], values[kept], series.channels, series.units, series.clock)
    figure = figures.series_figure(holed, events=[("2026-01-03T12:00", "noon")])
    ax = figure.axes[0]
    drawn = lines(figure)[0]
    y = np.asarray(drawn.get_ydata())
    assert len(y) == 300  # the full grid, so that no line bridges a gap
    assert np.flatnonzero(np.isnan(y)).tolist() == [*range(100, 120), *range(200, 230)]
    assert np.array_equal(y[:100], values[:100, 0])
    spans = [p for p in ax.patches if p.get_facecolor()[:3] == matplotlib.colors.to_rgb(COLOURS["faint"])]
    edges = [(p.get_x(), p.get_x() + p.get_width()) for p in spans]
    start = matplotlib.dates.date2num(np.datetime64("2026-01-01T01:00"))  # midnight UTC is one o'clock in Berlin
    assert np.allclose(edges, [(start + 99 / 24, start + 120 / 24), (start + 199 / 24, start + 230 / 24)])
    assert drawn.get_xdata()[0] == np.datetime64("2026-01-01T01:00")
    noon = next(line for line in lines(figure)[1:] if line.get_color() == COLOURS["late"])
    assert noon.get_xdata()[0] == np.datetime64("2026-01-03T12:00")  # a stamp is local time
    assert ax.get_xlabel() == "time (Europe/Berlin)"
    assert ax.get_title(loc="left") == "load 0 (kW)"


def test_decimation_loses_no_extreme_and_keeps_order():
    rng = np.random.default_rng(3)
    values = rng.normal(size=100_000)
    values[54_321] = 50.0
    values[20_000:30_000] = np.nan
    times, kept = decimated(np.arange(100_000.0), values)
    assert len(kept) <= 1400
    assert (np.diff(times) > 0).all()
    assert np.nanmax(kept) == 50.0
    assert np.nanmin(kept) == np.nanmin(values)
    assert np.array_equal(np.nan_to_num(values[times.astype(int)]), np.nan_to_num(kept))
    assert np.isnan(kept[(times > 20_100) & (times < 29_800)]).all()
    short = np.arange(10.0)
    assert decimated(short, short)[1] is short


def test_moments_are_local_across_a_change_to_summer_time():
    clock = Clock("h", np.datetime64("2026-03-29T00:00"), "Europe/Berlin")
    local = moments(clock, np.array([0.0, 1.0, 2.0]))
    assert [str(m)[11:16] for m in local] == ["01:00", "03:00", "04:00"]
    assert moments(Clock("s"), np.array([1.5])).tolist() == [1.5]


def test_spectrum_figure_names_periods_at_their_peaks_and_needs_every_curve():
    estimate = spectrum()
    figure = figures.spectrum_figure(estimate)
    named = {t.get_text(): t.xy for t in figure.axes[0].texts}
    assert set(named) == {"24 hours", "7 days"}
    assert named["24 hours"][0] == pytest.approx(1 / 24)
    power = estimate.details["power"]
    assert named["7 days"][1] == pytest.approx(power[np.argmin(np.abs(estimate.details["frequency"] - 1 / 168))])
    shown = lines(figure)[0].get_ydata()
    assert len(shown) <= 1000
    assert max(shown) == power.max()
    less = {k: v for k, v in estimate.details.items() if k != "threshold"}
    with pytest.raises(KeyError, match="threshold"):
        figures.spectrum_figure(Estimate("dominant_periods", None, details=less))
    kept = peaks_kept(estimate.details["frequency"], power)
    assert (np.diff(kept) > 0).all()


def test_projection_is_parallel_and_keeps_lengths():
    points = np.random.default_rng(4).normal(size=(50, 3))
    flat, depth = projected(points)
    assert np.allclose(np.linalg.norm(points, axis=1), np.hypot(np.linalg.norm(flat, axis=1), depth))
    assert np.allclose(projected(2 * points)[0], 2 * flat)


def test_attractors_of_flows_are_lines_and_those_of_maps_are_dots():
    h = henon(3000)[:, 0]
    cloud = np.column_stack([h[:-2], h[1:-1], h[2:]])
    assert smooth(lorenz63(2000))
    assert not smooth(cloud)
    assert len(figures.attractor_figure(cloud).axes[0].patches) == 2
    flow = figures.attractor_figure(lorenz63(2000), ("a", "b", "c"))
    assert not flow.axes[0].patches
    assert {"a", "b", "c"} <= set(texts(flow))
    with pytest.raises(DataError, match="shape"):
        figures.attractor_figure(np.zeros((5, 2)))


def test_the_plane_stands_at_the_estimates_inside_its_limits():
    entropy, complexity = (REGISTRY[n](autoregressive(3000)) for n in ("permutation_entropy", "statistical_complexity"))
    figure = figures.complexity_plane(entropy, complexity)
    points = [line.get_xydata()[0] for line in lines(figure) if line.get_marker() == "o"]
    assert np.allclose(points[-1], [entropy.value, complexity.value])
    marks = landmarks(int(entropy.settings["order"]))
    low, high = takens.measures.ordinal.complexity_limits(int(entropy.settings["order"]))
    for h, c in marks.values():
        assert np.interp(h, *low.T) - 1e-3 <= c <= np.interp(h, *high.T) + 1e-3
    assert marks["white noise"][0] > 0.99
    # the published values of the logistic map at order 3: 0.8314, 0.1658
    assert landmarks(3)["logistic map"] == pytest.approx((0.831445, 0.165767), abs=4e-3)
    assert math.dist(marks["logistic map"], (0.680, 0.399)) < 0.02
    with pytest.raises(InsufficientData, match="constant"):
        figures.complexity_plane(REGISTRY["permutation_entropy"](np.ones(500)), complexity)


def test_the_fan_holds_the_intervals_and_shows_the_truth_only_within_the_forecast():
    series = hourly(500)
    forecast = forecast_after(series.rows(0, 400))
    figure = figures.forecast_fan(forecast, history=series.rows(0, 400), truth=series)
    ax = figure.axes[1]
    history, median, truth = ax.get_lines()
    assert len(history.get_xdata()) == 144  # three horizons
    assert np.allclose(median.get_ydata(), forecast.median[:, 1])
    assert np.allclose(truth.get_ydata(), series.values[400:448, 1])
    for band, level in zip(ax.collections, (0.9, 0.5), strict=True):
        low, high = forecast.interval(level)
        heights = band.get_paths()[0].vertices[:, 1]
        assert heights.min() == pytest.approx(low[:, 1].min())
        assert heights.max() == pytest.approx(high[:, 1].max())
    alone = Forecast(forecast.samples[:1], forecast.times, forecast.channels, forecast.units, forecast.clock)
    assert not figures.forecast_fan(alone).axes[0].collections
    assert forecast.plot(history=series).axes[0].get_lines()


def test_skill_ranks_names_and_cuts():
    lead = np.arange(1.0, 21)
    curves = {f"model {k}": np.full(20, 0.5 - 0.001 * k) for k in range(7)} | {"bad": np.full(20, -9.0)}
    figure = figures.skill_figure(curves, lead)
    ax = figure.axes[0]
    named = {t.get_text(): t.xy[1] for t in ax.texts}
    assert set(named) == {f"model {k}" for k in range(5)}
    heights = sorted(named.values())
    assert min(np.diff(heights)) > 0.07
    assert heights[-1] <= 1.0
    assert ax.get_ylim()[0] == pytest.approx(-1.03)
    assert "below -1 not shown" in ax.get_title(loc="left")
    assert "grey: 3 more" in ax.get_title(loc="left")
    with pytest.raises(InsufficientData, match="no model"):
        figures.skill_figure({}, lead)


def test_calibration_figure_counts_the_values():
    pit = np.r_[np.full(30, 0.05), np.full(10, 0.95), np.nan]
    figure = figures.calibration_figure(pit, [0.9, 0.5], [0.7, 0.4])
    heights = figure.axes[0].patches[0].get_data().values
    assert heights.tolist() == [7.5, *[0.0] * 8, 2.5]
    assert np.allclose(lines(figure, 1)[1].get_xydata(), [[50, 40], [90, 70]])
    with pytest.raises(InsufficientData, match="no PIT"):
        figures.calibration_figure([np.nan], [0.5], [0.5])


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_climate_figures_draw_any_number_of_channels(channels):
    data = np.column_stack([lorenz63(1500), roessler(1500), lorenz63(1500, seed=2)])[:, :channels]
    run = np.roll(data, 300, axis=0)
    figure = figures.climate_figure(data, run)
    for subfigure_axes in figure.axes[2:]:
        filled, outline, free = subfigure_axes.patches
        assert filled.get_data().values.sum() == pytest.approx(1.0)
        assert np.allclose(filled.get_data().values, free.get_data().values)  # the same values in another order
        assert np.allclose(outline.get_data().edges, free.get_data().edges)
    assert len(figure.axes) == 2 + min(channels, 4)
    spectra = figures.climate_spectrum_figure(data, run)
    assert len(spectra.axes) == min(channels, 4)
    for name, made in (("climate", figure), ("spectrum", spectra)):
        assert len(figures.svg(made, name)) < 150_000


def test_a_broken_run_and_a_constant_channel_have_a_defined_figure():
    data = lorenz63(1000)
    broken = data.copy()
    broken[500, 0] = np.nan
    for draw in (figures.climate_figure, figures.climate_spectrum_figure):
        with pytest.raises(InsufficientData, match="finite"):
            draw(data, broken)
    flat = np.column_stack([data[:, 0], np.ones(1000)])
    assert figures.svg(figures.series_figure(Series.from_array(flat)), "flat")
    assert figures.svg(figures.climate_figure(flat, flat), "flat")
    assert len(figures.climate_spectrum_figure(flat, flat).axes) == 1
    empty = Series.from_array(np.column_stack([data[:, 0], np.full(1000, np.nan)]))
    assert figures.svg(figures.series_figure(empty), "empty")


def test_the_fitted_line_of_the_divergence_has_the_slope_of_the_estimate():
    estimate = measured("largest_lyapunov_exponent")
    figure = figures.divergence_figure(estimate)
    fitted = next(line for line in lines(figure) if line.get_color() == COLOURS["late"])
    (t0, y0), (t1, y1) = fitted.get_xydata()
    assert (y1 - y0) / (t1 - t0) == pytest.approx(estimate.value)
    assert (t0, t1) == estimate.details["region"]
    inside = (estimate.details["lag"] >= t0) & (estimate.details["lag"] <= t1)
    assert np.abs(np.interp(estimate.details["lag"][inside], [t0, t1], [y0, y1])
                  - estimate.details["divergence"][inside]).max() < 0.7  # fmt: skip
    with pytest.raises(KeyError, match="region"):
        figures.divergence_figure(Estimate("x", 1.0, details={"lag": [0, 1], "divergence": [0, 1]}))


def test_names_of_neighbouring_peaks_do_not_cover_each_other():
    estimate = spectrum()
    crowded = replace(estimate, value=np.array([24.0, 24.6, 23.5, 168.0]))
    figure = figures.spectrum_figure(crowded)
    assert {t.get_text() for t in figure.axes[0].texts} == {"24 hours", "7 days"}


def test_a_short_frequency_axis_has_few_plain_numbers():
    figure = figures.climate_spectrum_figure(henon(60)[:, 0], henon(60, seed=1)[:, 0])
    FigureCanvasAgg(figure).draw()
    ax = figure.axes[0]
    shown = {t.get_text() for t in (*ax.get_xticklabels(), *ax.get_xticklabels(minor=True)) if t.get_text()}
    assert {"0.1", "0.2"} <= shown
    assert all(text.replace("0", "").replace(".", "") in ("1", "2", "5") for text in shown)
