"""Figures of disorder show the numbers of their estimates."""

from __future__ import annotations

import numpy as np
import pytest
from systems import logistic, lorenz63

import takens
from takens.errors import InsufficientData
from takens.figures import svg
from takens.figures.disorder import complexity_plane, complexity_time_figure, multiscale_figure


def test_curves_against_the_pattern_time():
    estimate = takens.complexity_time(lorenz63(5000)[:, 0])
    figure = complexity_time_figure(estimate)
    entropy, complexity, best = figure.axes[0].get_lines()
    np.testing.assert_allclose(entropy.get_ydata(), estimate.details["entropy"])
    np.testing.assert_allclose(complexity.get_ydata(), estimate.details["complexity"])
    assert best.get_xdata()[0] == estimate.value
    assert "<svg" in svg(figure, "curves")
    without = complexity_time_figure(takens.complexity_time(logistic(3000)))
    assert len(without.axes[0].get_lines()) == 2  # not admissible: no time is marked
    with pytest.raises(InsufficientData):
        complexity_time_figure(takens.complexity_time(np.ones(100)))


def test_multiscale_curve():
    estimate = takens.multiscale_entropy(logistic(3000))
    figure = multiscale_figure(estimate)
    np.testing.assert_allclose(figure.axes[0].get_lines()[0].get_ydata(), estimate.value)
    with pytest.raises(InsufficientData):
        multiscale_figure(takens.multiscale_entropy(np.ones(500)))


def test_the_plane_shows_the_region_of_the_estimate():
    x = lorenz63(5000)[:, 0]
    entropy, complexity = takens.permutation_entropy(x), takens.statistical_complexity(x)
    outlines = [patch.get_xy() for patch in complexity_plane(entropy, complexity).axes[0].patches]
    region = entropy.details["region"]
    assert any(len(xy) > len(region) - 1 and np.allclose(xy[: len(region)], region) for xy in outlines)
