"""Figures of the 0-1 test and of spectra from data show the numbers of their estimates."""

from __future__ import annotations

import numpy as np
import pytest
from systems import henon, logistic

from takens import figures
from takens.errors import InsufficientData
from takens.estimate import Estimate
from takens.figures.divergence import exponent_spectrum_figure, growth_figure
from takens.measures.exponent_spectrum import lyapunov_spectrum_from_data
from takens.measures.zero_one import zero_one_test


def drawn(figure):
    return [np.asarray(line.get_xydata()) for line in figure.axes[0].lines]


def test_growth_at_every_frequency():
    estimate = zero_one_test(logistic(1000, 3.97))
    figure = growth_figure(estimate)
    points = np.column_stack([estimate.details["frequency"], estimate.details["growth"]])
    assert any(line.shape == points.shape and np.allclose(line, points) for line in drawn(figure))
    assert f"{estimate.value:.2f}" in figure.axes[0].get_legend().get_texts()[0].get_text()
    assert figures.svg(figure, "growth")


def test_exponents_and_their_marks():
    estimate = lyapunov_spectrum_from_data(henon(2000)[:, 0], embedding_dimension=3)
    figure = exponent_spectrum_figure(estimate)
    shown = np.concatenate([line[:, 1] for line in drawn(figure)])
    for value in estimate.value:
        assert np.isclose(shown, value).any()
    assert f"{estimate.details['kaplan_yorke']:.2f}" in figure.axes[0].get_xlabel()
    assert figures.svg(figure, "spectrum")


@pytest.mark.parametrize("draw", [growth_figure, exponent_spectrum_figure])
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(InsufficientData, match="too short"):
        draw(Estimate("x", None, reason="too short", admissible=False))
