"""All measures at once: several channels, a failing one, and what every registered measure has to hold."""

from __future__ import annotations

import json

import numpy as np
import pytest
from systems import autoregressive

import takens
from takens import Series
from takens.errors import SettingError
from takens.measures import REGISTRY, measure_series


def test_measures_of_several_channels():
    values = np.stack([autoregressive(300, 0.5), np.ones(300)], axis=1)
    series = Series.from_array(values, channels=("a", "b"))
    calls = []
    found = measure_series(series, only=["autocorrelation", "permutation_entropy"], progress=lambda *c: calls.append(c))
    assert list(found) == [f"{m}[{c}]" for c in "ab" for m in ("autocorrelation", "permutation_entropy")]
    assert found["autocorrelation[a]"].admissible
    assert found["autocorrelation[b]"].reason == "the channel is constant"
    assert [c[1:] for c in calls] == [(i, 4) for i in range(4)]
    with pytest.raises(SettingError, match="no measure 'entropy'"):
        measure_series(series, only=["entropy"])
    with pytest.raises(SettingError, match="one trajectory"):
        measure_series([series, series])


def test_a_failing_measure_is_one_inadmissible_estimate(monkeypatch):
    from dataclasses import replace

    def broken(channel, **settings):
        raise ZeroDivisionError("on purpose")

    monkeypatch.setitem(REGISTRY, "autocorrelation", replace(REGISTRY["autocorrelation"], function=broken))
    found = measure_series(autoregressive(300), only=["autocorrelation"])["autocorrelation"]
    assert not found.admissible
    assert "on purpose" in found.reason


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_measure_is_reproducible_pure_and_documented(name):
    x = autoregressive(1200, 0.6)
    before = x.copy()
    measure = getattr(takens, name)
    first, second = measure(x, seed=3), measure(x, seed=3)
    np.testing.assert_array_equal(x, before)
    assert first.to_dict(details=True) == second.to_dict(details=True)
    assert measure.__doc__
    assert first.reference
    json.dumps(first.to_dict(details=True), allow_nan=False)
    for data in (np.ones(600), np.full(600, np.nan), np.arange(3.0)):
        refused = measure(data)
        assert not refused.admissible
        assert refused.reason
    holes = x.copy()
    holes[[5, 100]] = np.nan
    assert measure(holes).settings["rows"] != "all"
