"""Pictures of dimensions and of scaling show the numbers of their estimates."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive, henon

from takens.errors import InsufficientData
from takens.figures import (
    correlation_dimension_figure,
    fluctuation_figure,
    local_dimension_figure,
    multifractal_figure,
)
from takens.measures.dimensions import correlation_dimension, local_dimension, takens_dimension
from takens.measures.scaling import detrended_fluctuation_exponent, multifractal_exponents


def texts(figure):
    return " ".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")))


@pytest.mark.parametrize("measure", [correlation_dimension, takens_dimension])
def test_dimension_is_drawn_where_it_saturates_and_not_for_noise(measure):
    estimate = measure(henon(2000)[:, 0])
    left, right = correlation_dimension_figure(estimate).axes
    level = [line.get_ydata()[0] for line in left.lines if len(set(line.get_ydata())) == 1]
    assert estimate.value in level
    np.testing.assert_allclose(
        right.lines[0].get_ydata(), estimate.details["correlation_dimension"]
    )  # fmt: skip
    noise = correlation_dimension_figure(measure(np.random.default_rng(0).normal(size=2000)))
    assert "no saturation" in texts(noise)
    with pytest.raises(InsufficientData):
        correlation_dimension_figure(measure(np.ones(1000)))


def test_local_dimensions_are_dots():
    estimate = local_dimension(henon(6000)[:, 0])
    dots = local_dimension_figure(estimate).axes[0].lines[0]
    np.testing.assert_array_equal(dots.get_ydata(), estimate.details["local_dimension"])


def test_fluctuations_show_one_exponent_or_a_crossover():
    one = detrended_fluctuation_exponent(np.random.default_rng(0).normal(size=2000))
    assert f"exponent {one.value:.3g}" in texts(fluctuation_figure(one))
    two = detrended_fluctuation_exponent(autoregressive(20_000, 0.9, 1))
    assert not two.admissible
    shown = texts(fluctuation_figure(two))
    assert all(f"{two.details['crossover'][side][0]:.2f} ±" in shown for side in ("below", "above"))
    with pytest.raises(InsufficientData):
        fluctuation_figure(detrended_fluctuation_exponent(np.arange(50.0)))


def test_multifractal_spectrum_is_drawn():
    estimate = multifractal_exponents(np.random.default_rng(0).normal(size=4000))
    left, right = multifractal_figure(estimate).axes
    np.testing.assert_array_equal(left.lines[0].get_ydata(), estimate.value)
    np.testing.assert_array_equal(right.lines[0].get_xdata(), estimate.details["alpha"])
