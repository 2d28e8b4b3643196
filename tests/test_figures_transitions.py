"""Figures of transitions draw the changes and indicators that were found."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive

from takens.errors import InsufficientData
from takens.figures.style import svg
from takens.figures.transitions import change_points_figure, early_warning_figure
from takens.measures.change_points import change_points
from takens.measures.transitions import early_warning


def test_changes_are_drawn_where_they_are():
    x = autoregressive(400, 0.3)
    x[200:] += 4
    estimate = change_points(x, copies=39)
    figure = change_points_figure(estimate)
    ax = figure.axes[0]
    marks = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 2]
    np.testing.assert_allclose(marks, estimate.value)
    assert "1 change of mean" in ax.get_title(loc="left")
    assert "1 change of mean" in svg(figure, "changes")
    nothing = change_points_figure(change_points(autoregressive(400, 0.3, 5), copies=39))
    assert "no changes of mean" in nothing.axes[0].get_title(loc="left")


def test_indicators_are_drawn_with_their_trends():
    estimate = early_warning(autoregressive(300, 0.5), surrogates=19)
    figure = early_warning_figure(estimate)
    assert len(figure.axes) == 5
    np.testing.assert_allclose(figure.axes[1].lines[0].get_ydata(), estimate.details["indicators"][0])
    assert f"tau = {estimate.details['taus'][1]:.2f}" in figure.axes[2].get_title(loc="left")


def test_what_was_refused_is_not_drawn():
    with pytest.raises(InsufficientData):
        change_points_figure(change_points(np.ones(100)))
    with pytest.raises(InsufficientData):
        early_warning_figure(early_warning(np.ones(100)))
