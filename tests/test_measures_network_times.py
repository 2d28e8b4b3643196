"""Time scales of units and of their mean: exact ratios of known processes, coverage, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive

from takens import Series
from takens.errors import DataError, InsufficientData
from takens.measures.network_times import _logarithms, network_times
from takens.measures.timescales import autocorrelation_function

FAST, SLOW = 1.7 / 0.3, 1.95 / 0.05
"""Integral times of AR(1) with 0.7 and with 0.95."""


def units(n, count, seed, shared=0.0):
    """Units `(time, count)` of AR(1) with 0.7, and a `shared` part of their variance that is AR(1) with 0.95."""
    alone = np.stack([autoregressive(n, 0.7, 1000 * seed + k) * np.sqrt(1 - 0.7**2) for k in range(count)], axis=1)
    common = autoregressive(n, 0.95, 1000 * seed + 999)[:, None] * np.sqrt(1 - 0.95**2)
    return np.sqrt(1 - shared) * alone + np.sqrt(shared) * common


def exact(count, shared):
    own = (1 - shared) / count
    network = (shared * SLOW + own * FAST) / (shared + own)
    return network / (shared * SLOW + (1 - shared) * FAST)


def test_time_is_the_windowed_sum_of_the_autocorrelation():
    x = autoregressive(500, 0.8)
    x = (x - x.mean()) / x.std()
    logs = _logarithms(x, 12, 10)
    assert np.exp(logs[0]) == pytest.approx(2 * autocorrelation_function(x, 12).sum() - 1)
    after = [x[t + 1 : t + 13].sum() for t in range(500)]
    left = np.arange(500) >= 50
    want = np.sum((x * (x + 2 * np.array(after)))[left]) / np.sum(x[left] ** 2)
    assert np.exp(logs[1]) == pytest.approx(want)


def test_times_and_ratio_of_known_networks():
    values = units(100_000, 6, 0, 0.3)
    found = network_times(Series.from_array(values * 4 + 7, interval=0.5, unit="s"))
    assert found.ratio.value == pytest.approx(exact(6, 0.3), rel=0.05)
    assert found.ratio.unit == ""
    for unit in found.units:
        assert unit.value == pytest.approx(0.5 * (0.3 * SLOW + 0.7 * FAST), rel=0.08)
        assert unit.unit == "s"
        assert unit.interval[0] < unit.value < unit.interval[1]
    assert found.network.value > found.units[0].value
    assert [unit.channel for unit in found.units] == ["x1", "x2", "x3", "x4", "x5", "x6"]
    plain = network_times(values)
    assert plain.ratio.value == pytest.approx(found.ratio.value)


@pytest.mark.parametrize(("shared", "count", "n"), [(0.0, 5, 4000), (0.2, 5, 6000)])
def test_interval_of_the_ratio_covers(shared, count, n):
    ends = [network_times(units(n, count, seed, shared)).ratio for seed in range(120)]
    assert np.mean([e.admissible for e in ends]) > 0.9
    hits = [e.interval[0] <= exact(count, shared) <= e.interval[1] for e in ends if e.admissible]
    assert 0.78 <= np.mean(hits) <= 0.97


def test_what_does_not_suffice_is_said():
    with pytest.raises(DataError, match="two channels"):
        network_times(np.arange(200.0))
    with pytest.raises(InsufficientData, match="100"):
        network_times(np.ones((50, 2)))
    with pytest.raises(DataError, match="constant"):
        network_times(np.stack([np.ones(300), np.arange(300.0)], axis=1))
    short = network_times(units(300, 3, 0, 0.5))
    assert not short.ratio.admissible
    assert "10 are needed" in short.ratio.reason
    holed = units(3000, 3, 0)
    holed[2000, 1] = np.nan
    assert network_times(holed).ratio.settings["rows"] == 2000
