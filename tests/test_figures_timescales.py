"""Figures of time scales, of transfer operators and of the dimension from exponents draw what was found, in units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from systems import autoregressive, henon, lorenz63

from takens import Series
from takens.errors import InsufficientData
from takens.estimate import Estimate
from takens.figures import family_figures, network_times_figure
from takens.figures.divergence import lyapunov_dimension_figure
from takens.figures.operators import transfer_operator_figure
from takens.figures.style import svg
from takens.figures.tested import power_law_figure
from takens.figures.timescales import decays_figure
from takens.figures.transitions import early_warning_figure
from takens.measures.base import REGISTRY
from takens.measures.network_times import network_times

RED = Series.from_array(autoregressive(2000, 0.9, 3), interval=0.5, unit="d", channels=("level",))
FLOW = Series.from_array(lorenz63(1500, 0.05)[:, 0], interval=0.05, unit="s")


def test_decays_are_drawn_at_their_times():
    estimate = REGISTRY["exponential_times"](RED)
    ax = decays_figure(estimate).axes[0]
    assert ax.get_xlabel() == "lag (d)"
    marked = [line.get_xdata()[0] for line in ax.lines[3:]]
    np.testing.assert_allclose(marked, estimate.value)
    assert f"{float(estimate.value[0]):.3g} d (100% of the variance)" in ax.get_title(loc="left")


def test_the_knee_stands_at_the_frequency_of_its_time():
    estimate = REGISTRY["spectral_time_scale"](RED)
    ax = power_law_figure(estimate).axes[0]
    knee = next(line for line in ax.lines if line.get_label() == "knee")
    assert 2 * np.pi * knee.get_xdata()[0] * estimate.value == pytest.approx(1)
    band = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    np.testing.assert_allclose(1 / (2 * np.pi * np.array([band.x1, band.x0])), estimate.interval)
    assert ax.get_xlabel() == "frequency (cycles per d)"


@pytest.mark.parametrize("name", ["spectral_slope", "higuchi_dimension"])
def test_the_law_falls_by_the_value(name):
    estimate = REGISTRY[name](RED)
    x, y = power_law_figure(estimate).axes[0].lines[1].get_data()
    assert np.log(y[-1] / y[0]) / np.log(x[-1] / x[0]) == pytest.approx(-estimate.value)


def test_units_of_a_network_are_drawn_with_their_mean():
    shared = autoregressive(3000, 0.95, 9)
    x = np.column_stack([autoregressive(3000, 0.3, seed) + 0.3 * shared for seed in range(50)])
    found = network_times(Series.from_array(x[:, :5], interval=0.1, unit="s"))
    ax = network_times_figure(found).axes[0]
    np.testing.assert_allclose(ax.lines[0].get_xdata(), sorted(float(one.value) for one in found.units))
    assert ax.lines[1].get_xdata()[0] == found.network.value
    assert ax.get_xlabel() == "integral time scale (s)"
    many = network_times_figure(network_times(x)).axes[0]
    assert len(many.lines[0].get_xdata()) == 40
    assert "40 of 50 units" in many.get_xlabel()
    with pytest.raises(InsufficientData):
        network_times_figure(replace(found, network=replace(found.network, value=None)))


def test_every_step_of_an_operator_is_drawn_once():
    estimate = REGISTRY["transfer_operator_entropy"](Series.from_array(henon(2000)[:, 0], interval=2.0, unit="h"))
    share = estimate.details["probability"]
    np.testing.assert_allclose(share.sum(axis=1), 1)
    np.testing.assert_allclose(estimate.details["invariant"] @ share, estimate.details["invariant"], atol=1e-9)
    figure = transfer_operator_figure(estimate)
    drawn = np.concatenate([patch.get_path().vertices[::2] for patch in figure.axes[0].patches])
    assert sorted(map(tuple, drawn.astype(int))) == sorted(zip(*np.nonzero(share), strict=True))
    assert "settles in" in svg(figure, "operator")


def test_sums_of_exponents_cross_zero_at_the_dimension():
    estimate = REGISTRY["lyapunov_dimension"](FLOW)
    ax = lyapunov_dimension_figure(estimate).axes[0]
    number, sums = ax.lines[1].get_data()
    assert ax.lines[2].get_xdata()[0] == estimate.value
    j = estimate.details["first"]
    # The second exponent is 0 but for chance, so that the crossing lies beside the value, not on it.
    assert j + sums[j] / (sums[j] - sums[j + 1]) == pytest.approx(estimate.value, abs=0.02)
    assert list(number) == list(range(len(sums)))
    assert ax.get_ylabel() == "their sum (1/s)"


def test_axes_of_time_have_its_unit_also_of_p_values():
    estimate = REGISTRY["early_warning"](RED.rows(0, 300), surrogates=19)
    assert (estimate.unit, estimate.details["time_unit"]) == ("p-value", "d")
    assert early_warning_figure(estimate).axes[-1].get_xlabel() == "time (d)"
    plain = {key: value for key, value in estimate.details.items() if key != "time_unit"}
    assert early_warning_figure(replace(estimate, details=plain)).axes[-1].get_xlabel() == "time"


def test_new_figures_belong_to_their_families_and_refuse_what_has_no_curve():
    nothing = Estimate("exponential_times", None, admissible=False, reason="the channel is constant")
    for draw in (decays_figure, transfer_operator_figure, lyapunov_dimension_figure):
        with pytest.raises(InsufficientData, match="constant"):
            draw(nothing)
    names = ("exponential_times", "spectral_time_scale", "transfer_operator_entropy", "lyapunov_dimension")
    found = {name: family for name, family, _ in family_figures({name: REGISTRY[name](FLOW) for name in names})}
    assert found["exponential_times"] == "time scales"
    assert set(found) == set(names)
