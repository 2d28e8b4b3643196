"""Awkward numbers: huge, tiny and far from zero, whole numbers, ties, two values, truth values, single precision."""

from __future__ import annotations

import numpy as np
import pytest
from systems import autoregressive

from takens.checks.measures import sound
from takens.estimate import Estimate
from takens.measures.base import REGISTRY, Channel, Refused, representable

X = autoregressive(1000, 0.6, 3)

TEXTS = ("overflow", "divide", "invalid value", "Error:")


def same(one: Estimate, other: Estimate, rtol: float) -> None:
    """Equal up to rounding, refusals included (the numbers in a reason may be in the unit of the channel)."""
    assert one.admissible == other.admissible, (one.reason, other.reason)
    assert (one.value is None) == (other.value is None)
    if one.value is not None:
        np.testing.assert_allclose(
            np.asarray(one.value, dtype=float), np.asarray(other.value, dtype=float), rtol=rtol, atol=1e-9
        )


@pytest.mark.parametrize("name", REGISTRY)
def test_the_unit_and_the_origin_of_the_channel_change_nothing(name: str) -> None:
    measure = REGISTRY[name]
    plain = measure(X)
    for power in (1010, -1010):
        scaled = measure(np.ldexp(X, power))
        if measure.scale_free:
            same(scaled, plain, 1e-6)
            if scaled.value is not None:
                assert "times 2^" in scaled.settings["values"]
        else:
            assert not scaled.admissible
            assert "another unit" in scaled.reason
    far = X + 1e15
    same(measure(far), measure(far - 1e15), 1e-6)


@pytest.mark.parametrize("name", REGISTRY)
def test_coarse_values_have_a_defined_answer(name: str) -> None:
    measure = REGISTRY[name]
    kinds = {
        "whole": np.round(50 * X).astype(np.int64), "ties": np.round(1.5 * X), "two": (X > 0).astype(float),
        "truth": X > 0, "single": X.astype(np.float32),
    }  # fmt: skip
    found = {kind: measure(values) for kind, values in kinds.items()}
    for estimate in found.values():
        sound(estimate)
        assert not any(text in estimate.reason for text in TEXTS), estimate.reason
    same(found["truth"], found["two"], 0)
    same(found["single"], measure(X.astype(np.float32).astype(float)), 0)


def test_values_are_changed_exactly_or_not_at_all() -> None:
    def channel(x: np.ndarray) -> Channel:
        return Channel(x, np.arange(len(x), dtype=float), 1.0, "s", "m", "all")

    for ordinary in (X, 1e40 * X, 1e-40 * X, 1e5 + X):
        kept, words = representable(channel(ordinary))
        assert kept.x is ordinary
        assert words == ""
    huge, words = representable(channel(np.array([-1.7e308, 1.7e308, 1e300])))
    assert np.isfinite(huge.x).all()
    assert words == "times 2^-1024"
    np.testing.assert_array_equal(np.ldexp(np.ldexp(huge.x, 512), 512), [-1.7e308, 1.7e308, 1e300])
    tiny, words = representable(channel(np.array([5e-324, 0.0, 1e-323])))
    np.testing.assert_array_equal(tiny.x * 4, [1.0, 0.0, 2.0])
    assert words == "times 2^1072"
    far, words = representable(channel(1e15 + np.array([0.25, 1.0, -3.5])))
    np.testing.assert_array_equal(np.diff(far.x), [0.75, -4.5])
    assert words.startswith("less 99999999999999")
    with pytest.raises(Refused, match="constant"):
        representable(channel(np.full(5, 1e300)))


def test_a_radius_in_lost_units_is_refused() -> None:
    refused = REGISTRY["sample_entropy"](np.ldexp(X, 1000), radius=1e300)
    assert not refused.admissible
    assert "radius" in refused.reason
