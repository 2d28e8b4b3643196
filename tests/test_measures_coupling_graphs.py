"""Graphs of many channels, and the figures of couplings: chains are not links, chance is found at its rate."""

from __future__ import annotations

import numpy as np
import pytest
from test_measures_coupling import coupled_logistic, driven

import takens
from takens import figures
from takens.errors import DataError, InsufficientData
from takens.estimate import Estimate
from takens.measures.graphs import (
    discovery_rates,
    granger_graph,
    partial_correlation_graph,
    partial_correlations,
    shrunk_correlation,
)
from takens.series import Series


def chain(n: int, seed: int = 0) -> np.ndarray:
    """a drives b drives c, d is alone and slow."""
    noise, x = np.random.default_rng(seed).normal(size=(n, 4)), np.zeros((n, 4))
    for t in range(1, n):
        a, b, c, d = x[t - 1]
        x[t] = np.array([0.7 * a, 0.5 * b + 0.6 * a, 0.5 * c + 0.6 * b, 0.9 * d]) + noise[t]
    return x


def alone(n: int, seed: int) -> np.ndarray:
    noise, x = np.random.default_rng(seed).normal(size=(n, 4)), np.zeros((n, 4))
    for t in range(1, n):
        x[t] = 0.8 * x[t - 1] + noise[t]
    return x


def test_a_chain_has_two_links():
    found = granger_graph(Series.from_array(chain(2000)))
    assert {(a, b) for a, b, _, _ in found.listed()} == {("x1", "x2"), ("x2", "x3")}
    assert found.directed
    pairs = takens.relate(chain(2000), only="granger_causality")
    assert pairs["granger_causality[x1 -> x3]"].details["p_value"] < 1e-6  # two at a time cannot tell


def test_partial_correlations_of_a_known_precision():
    precision = np.array([[1.0, -0.4, 0.0], [-0.4, 1.0, -0.3], [0.0, -0.3, 1.0]])
    values = np.random.default_rng(0).multivariate_normal(np.zeros(3), np.linalg.inv(precision), 20_000)
    scale = np.sqrt(np.diag(np.linalg.inv(precision)))
    exact = partial_correlations(np.linalg.inv(precision) / np.outer(scale, scale))
    np.testing.assert_allclose(exact[np.triu_indices(3, 1)], [0.4, 0.0, 0.3], atol=1e-12)
    found = partial_correlation_graph(values)
    np.testing.assert_allclose(found.strength[np.triu_indices(3, 1)], [0.4, 0.0, 0.3], atol=0.02)
    assert {(a, b) for a, b, _, _ in found.listed()} == {("x1", "x2"), ("x2", "x3")}


def test_shrinkage_of_independent_channels_is_nearly_complete():
    few = np.random.default_rng(0).normal(size=(30, 60))
    correlation, share = shrunk_correlation(few)
    assert share > 0.9
    assert np.linalg.eigvalsh(correlation).min() > 0.5  # the plain one has 31 eigenvalues 0
    strong = np.random.default_rng(1).normal(size=(5000, 1)) + 0.5 * np.random.default_rng(2).normal(size=(5000, 4))
    assert shrunk_correlation(strong)[1] < 0.01


def test_discovery_rates_are_those_of_the_paper():
    # Benjamini and Hochberg (1995), section 3.2: of these 15 the first four are found at 0.05.
    p = np.array([1e-4, 4e-4, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
                  0.759, 1.0])  # fmt: skip
    assert (discovery_rates(p) <= 0.05).sum() == 4
    np.testing.assert_allclose(discovery_rates(p)[3], 0.0095 * 15 / 4)
    np.testing.assert_array_equal(discovery_rates(p[::-1]), discovery_rates(p)[::-1])


def test_false_links_are_rare():
    runs = 150
    graphs = [(granger_graph(alone(400, s)), partial_correlation_graph(alone(400, s))) for s in range(runs)]
    for which in (0, 1):
        pointwise = np.mean([g[which].p_values[0, 1] <= 0.05 for g in graphs])
        any_link = np.mean([bool(g[which].listed()) for g in graphs])
        assert pointwise <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
        assert any_link <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs) + 0.02


def test_graphs_refuse_what_says_nothing():
    with pytest.raises(DataError, match="3 channels"):
        partial_correlation_graph(chain(100)[:, :2])
    with pytest.raises(InsufficientData):
        partial_correlation_graph(np.random.default_rng(0).normal(size=(30, 25)))
    with pytest.raises(InsufficientData, match="independent rows"):
        partial_correlation_graph(np.cumsum(np.random.default_rng(0).normal(size=(60, 4)), axis=0))
    flat = chain(100)
    flat[:, 2] = 1.0
    with pytest.raises(DataError, match="x3 is constant"):
        granger_graph(flat)
    with pytest.raises(InsufficientData, match="coefficients"):
        granger_graph(chain(60), order=5)
    assert granger_graph(chain(300)).to_dict()["channels"] == ["x1", "x2", "x3", "x4"]


def test_every_relation_that_has_a_figure_is_drawn():
    z = driven(600, 0.6)
    names = ("cross_correlation", "mutual_information", "event_synchronisation", "transfer_entropy",
             "symbolic_transfer_entropy")  # fmt: skip
    settings = {name: {"surrogates": 39} for name in names}
    found = {name: getattr(takens, name)(z, **settings[name]) for name in names}
    found["convergent_cross_mapping"] = takens.convergent_cross_mapping(coupled_logistic(500, 0.1), surrogates=39)
    drawn = {name: figure for name, _, figure in figures.family_figures(found)}
    assert set(drawn) == set(found)
    for name, figure in drawn.items():
        assert figures.svg(figure, name).startswith("<svg")
    line = drawn["cross_correlation"].axes[0].lines[1].get_ydata()
    np.testing.assert_allclose(line, found["cross_correlation"].details["correlation"])
    mark = drawn["mutual_information"].axes[0].lines[0].get_xdata()[0]
    assert mark == found["mutual_information"].value
    skill = drawn["convergent_cross_mapping"].axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(skill, found["convergent_cross_mapping"].details["skill"])
    with pytest.raises(InsufficientData, match="cannot be drawn"):
        figures.correlation_figure(Estimate("cross_correlation", None, reason="too short"))


def test_graphs_and_windows_are_drawn():
    graph = figures.graph_figure(granger_graph(chain(500)))
    assert [tick.get_text() for tick in graph.axes[0].get_xticklabels()] == ["x1", "x2", "x3", "x4"]
    table = takens.measure_windows(chain(500), 100, only="autocorrelation")
    figure = figures.windows_figure(table, "autocorrelation")
    np.testing.assert_allclose(figure.axes[2].lines[0].get_ydata(), table.value[0, 2])
    with pytest.raises(InsufficientData, match="no value"):
        figures.windows_figure(table, "magic")
