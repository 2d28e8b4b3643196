"""Figures of tests, memory, motifs and scaling laws draw what was found."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, lorenz63

from takens import Series
from takens.errors import InsufficientData
from takens.estimate import Estimate
from takens.figures import family_figures
from takens.figures.style import svg
from takens.figures.tested import (
    LAWS,
    autocorrelation_figure,
    motif_figure,
    power_law_figure,
    stationarity_figure,
    surrogate_figure,
)
from takens.measures.base import REGISTRY

LORENZ = Series.from_array(lorenz63(1200, 0.05)[:, 0], interval=0.05, unit="s")


def test_the_data_stand_among_their_surrogates():
    estimate = REGISTRY["surrogate_test"](LORENZ, surrogates=39)
    figure = surrogate_figure(estimate)
    for panel, ax in enumerate(figure.axes):
        assert ax.lines[0].get_xdata()[0] == estimate.details["statistics"][0, panel]
        assert sum(bar.get_height() for bar in ax.patches) == 39
    assert "together (iaaft)" in svg(figure, "test")


def test_features_of_blocks_are_drawn_and_rises_marked():
    estimate = REGISTRY["stationarity"](np.random.default_rng(0).normal(size=1000))
    figure = stationarity_figure(estimate)
    assert len(figure.axes) == 4
    np.testing.assert_array_equal(figure.axes[1].lines[1].get_ydata(), estimate.details["features"][:, 1])


def test_autocorrelation_and_its_time():
    estimate = REGISTRY["autocorrelation"](LORENZ)
    ax = autocorrelation_figure(estimate).axes[0]
    assert ax.get_xlabel() == "lag (s)"
    assert ax.lines[2].get_xdata()[0] == estimate.value


@pytest.mark.parametrize("name", ["motif", "discord"])
def test_motifs_are_marked_in_time(name):
    estimate = REGISTRY[name](LORENZ, surrogates=39)
    figure = motif_figure(estimate)
    starts = np.asarray(estimate.details["time"])[estimate.details["starts"]]
    marked = [line.get_xdata()[0] for line in figure.axes[0].lines[1:]]
    np.testing.assert_allclose(marked, starts)
    assert figure.axes[0].get_xlim()[1] < 1.1 * LORENZ.times[-1]


@pytest.mark.parametrize("name", LAWS)
def test_laws_are_drawn_on_logarithmic_scales(name):
    estimate = REGISTRY[name](autoregressive(800, 0.5))
    ax = power_law_figure(estimate).axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), estimate.details[LAWS[name][1]])


def test_what_has_no_curve_is_not_drawn():
    nothing = Estimate("autocorrelation", None, admissible=False, reason="the channel is constant")
    for draw in (surrogate_figure, stationarity_figure, autocorrelation_figure, motif_figure):
        with pytest.raises(InsufficientData, match="constant"):
            draw(nothing)
    names = [name for name, _, _ in family_figures({"autocorrelation": REGISTRY["autocorrelation"](LORENZ)})]
    assert names == ["autocorrelation"]
