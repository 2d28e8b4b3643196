"""Parroting and nearest neighbours: embeddings chosen from the data, and no neighbours that are only near in time."""

from __future__ import annotations

import numpy as np
import pytest
from systems import lorenz63

from takens.checks import check_model
from takens.errors import SettingError
from takens.models import ContextParroting, NearestNeighbour, Training
from takens.models.selection import decorrelation


@pytest.mark.parametrize(
    "model", [ContextParroting(), ContextParroting(5, 1), NearestNeighbour(2, 1, 4, 1.0)], ids=repr
)
def test_contract(model):
    assert "settled model refits the same law" in check_model(model)


def test_parroting_chooses_the_embedding_that_unfolds_the_motion():
    # Two frequencies that only a window of about 3 x 11 rows tells apart.
    t = np.arange(3000)
    x = np.sin(2 * np.pi * t / 97) + np.sin(2 * np.pi * t / 61) + 0.1 * np.random.default_rng(0).normal(size=3000)
    law = ContextParroting().fit(x[:2700])
    chosen, fixed = (np.abs(one.forecast(100, members=1).samples[0, :, 0] - x[2700:2800]).mean()
                     for one in (law, ContextParroting(embedding_dimension=1, delay=1).fit(x[:2700])))  # fmt: skip
    assert (law.embedding_dimension - 1) * law.delay > 4
    assert chosen < 0.7 * fixed
    assert ContextParroting().settled(law) == ContextParroting(law.embedding_dimension, law.delay)
    with pytest.raises(SettingError):
        ContextParroting(delay=0).fit(x)


def test_the_last_rows_of_the_record_are_no_neighbours():
    whole = lorenz63(2000, dt=0.004)

    def nearest(x: np.ndarray, window: int) -> int:
        z = x / x.std(axis=0)
        return int(((z[: len(x) - 1 - window] - z[-1]) ** 2).sum(axis=1).argmin())

    # An end at which the nearest state of all is the row before: its forecast would be the last row again.
    stop = next(k for k in range(1000, 2000) if nearest(whole[:k], 0) == k - 2)
    x = whole[:stop]
    law = NearestNeighbour(delays=1, spacing=1, neighbours=1, correction=0.0).fit(x)
    expected = nearest(x, decorrelation(Training.of(x)))
    assert expected < stop - 50
    np.testing.assert_array_equal(law.forecast(1, members=1).samples[0, 0], x[expected + 1])


def test_the_fitted_correction_is_least_squares_over_neighbours_that_are_far_in_time():
    x = lorenz63(1500)
    law = NearestNeighbour(delays=1, spacing=1, neighbours=2).fit(x)
    window, scale = decorrelation(Training.of(x)), x.std(axis=0)
    z, top, bottom = x / scale, 0.0, 0.0
    for i in range(1499):
        distance = ((z[:1499] - z[i]) ** 2).sum(axis=1)
        distance[max(0, i - window) : i + window + 1] = np.inf
        near = np.argsort(distance)[:2]
        away, gain = z[i] - z[near].mean(axis=0), z[i + 1] - z[near + 1].mean(axis=0)
        top, bottom = top + away @ gain, bottom + away @ away
    assert law.correction in (0.0, 1.0) or law.correction == pytest.approx(top / bottom, rel=1e-6)
    fitted = list(NearestNeighbour()._laws(Training.of(x), (1, 1, 2)))[2]
    assert fitted.correction == pytest.approx(top / bottom, rel=1e-6)
