"""MDOP, Garcia and Almeida, Hegger and Kantz, Krakovska: all pairs by hand, published choices, systems and noise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from systems import autoregressive, henon, logistic, lorenz63, roessler

from takens.errors import DataError, SettingError
from takens.measures.embedding import (
    delay_steps,
    embedding_dimension_hegger_kantz,
    embedding_dimension_krakovska,
    false_nearest_neighbours,
    garcia_almeida,
    mdop,
)
from takens.measures.embedding.progressive import _Rows

NOISE = np.random.default_rng(0).normal(size=(2000, 2))


def slow_neighbours(points, theiler):
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    i, j = np.indices(apart.shape)
    apart[np.abs(i - j) <= theiler] = np.inf
    return apart.argmin(axis=1), apart.min(axis=1)


def slow_steps(x, max_delay, theiler, horizon, stretch, steps):
    """Lags and false shares of both methods, every pair compared; `stretch` None for MDOP."""
    z = (x - x.mean()) / x.std()
    count = len(z) - max_delay - horizon
    lags, shares = [0], []
    for _ in range(steps):
        points = np.stack([z[lag : lag + count + horizon] for lag in lags], axis=1)
        j, d = slow_neighbours(points[:count], theiler)
        free = [lag for lag in range(max_delay + 1) if lag not in lags]
        gaps = np.stack([np.abs(z[lag : lag + count] - z[lag + j]) for lag in free], axis=1)
        close = d < 0.1
        shares.append(max((np.hypot(d, gap)[close] > 10 * d[close]).mean() for gap in gaps.T))
        if stretch is None:
            lags.append(free[int(np.argmax(np.mean(np.log10(gaps / d[:, None]), axis=0)))])
            continue
        curve = []
        for lag in free:
            more = np.column_stack([points, z[lag : lag + count + horizon]])
            j, d = slow_neighbours(more[:count], theiler)
            later = np.linalg.norm(more[np.arange(count) + horizon] - more[j + horizon], axis=1)
            curve.append(np.mean(later > stretch * d))
        minima = [
            k for k in range(len(curve) - 2)
            if curve[k] == 0 or (k > 0 and curve[k] < min(np.delete(curve[max(k - 2, 0) : k + 3], min(k, 2))))
        ]  # fmt: skip
        lags.append(free[minima[0]] if minima else free[int(np.argmin(curve))])
    return lags, shares


@pytest.mark.parametrize("stretch", [None, 3.0])
def test_steps_agree_with_all_pairs(stretch):
    x = lorenz63(10_000)[:700:2, 0]
    lags, shares = slow_steps(x, 8, 5, 2 if stretch else 0, stretch, 3)
    settings = {"max_delay": 8, "theiler": 5, "max_dimension": 3, "threshold": 0.0}
    found = garcia_almeida(x, horizon=2, stretch=stretch, **settings) if stretch else mdop(x, **settings)
    size = len(found.delays)
    assert size >= 2
    assert found.delays == tuple(max(lags[:size]) - lag for lag in lags[:size])
    np.testing.assert_allclose(found.false_shares, shares[:size], rtol=1e-12)


def test_published_choices():
    # DelayEmbeddings.jl's tests: Roessler at 0.05, delays up to 26: x takes 26 first; of all channels z, y and y,
    # at 0, 0 and 26. Lorenz x at 0.01: Garcia and Almeida's first delay is 15 to 17 looking 17 ahead, 1 to 3 looking 1.
    x = roessler(10_000, dt=0.05)
    theiler = delay_steps(x[:, 1])
    one = mdop(x[:, 0], max_delay=26, theiler=theiler)
    assert one.delays[0] - one.delays[1] == 26
    many = mdop(x, max_delay=26, theiler=theiler)
    assert many.channels == (2, 1, 1)
    assert many.delays == (26, 26, 0)
    assert many.settled
    x = lorenz63(10_000, dt=0.01)[:, 0]
    for ahead, low, high in ((17, 15, 17), (1, 1, 3)):
        found = garcia_almeida(x, max_delay=100, theiler=ahead, horizon=ahead, max_dimension=2)
        assert low <= abs(found.delays[0] - found.delays[1]) <= high


def test_neighbours_of_several_channels_agree_with_all_pairs():
    table = lorenz63(10_000)[:600]
    rows = _Rows(table, 580, 15, np.arange(0, 580, 3))
    ready = rows.sorted(2)
    places = ((2, 0), (0, 7), (1, 20), (0, 3))
    columns = np.stack([ready.column(place) for place in places])
    d, j = ready.nearest(places, columns, np.full(len(rows.own), -1))
    points = np.stack([table[lag : lag + 580, channel] for channel, lag in places], axis=1)
    np.testing.assert_array_equal(rows.values(places, np.arange(580)), points)
    near, apart = slow_neighbours(points, 15)
    np.testing.assert_array_equal(j, near[rows.own])
    np.testing.assert_allclose(d, apart[rows.own], rtol=1e-12)


def test_several_channels_need_fewer_delays():
    found = garcia_almeida(lorenz63(10_000)[:5000], max_delay=16, theiler=70, horizon=8)
    assert found.settled
    assert len(set(found.channels)) >= 2
    assert len(found.delays) <= 4


@pytest.mark.parametrize("method", [mdop, garcia_almeida])
def test_systems_settle_and_noise_does_not(method):
    assert len(method(henon(3000)[:, 0], theiler=2).delays) == 2
    ahead = {} if method is mdop else {"horizon": 8}
    found = method(lorenz63(10_000)[:5000, 0], theiler=70, **ahead)
    assert found.settled
    assert 2 <= len(found.delays) <= 3
    z = lorenz63(10_000)[:5000, 0]
    z = (z - z.mean()) / z.std()
    for column, delay in zip(found.vectors.T, found.delays, strict=True):
        np.testing.assert_allclose(column, z[found.first - delay : len(z) - delay], atol=1e-12)
    for channels in (1, 2):
        noise = method(NOISE[:, :channels], max_delay=5)
        assert not noise.settled
        assert min(share for share in noise.false_shares if share == share) > 0.3


@pytest.mark.parametrize("method", [mdop, garcia_almeida])
def test_coarse_values_and_refusals(method):
    coarse = method(np.round(lorenz63(10_000)[:3000, 0]), max_delay=18, theiler=60, max_dimension=3)
    assert np.isfinite(coarse.vectors).all()
    for data in (np.ones(500), np.array([1.0, np.nan] * 200), np.zeros((5, 5, 5)), np.arange(60.0)):
        with pytest.raises(DataError):
            method(data, max_delay=5)
    for wrong in ({"max_delay": 0}, {"max_delay": 3, "stride": 4}, {"ratio": 1.0}, {"max_dimension": 0}):
        with pytest.raises(SettingError):
            method(NOISE[:, 0], **wrong)
    with pytest.raises(SettingError):
        garcia_almeida(NOISE[:, 0], horizon=0)


def test_hegger_and_kantz_agree_with_all_pairs():
    x = lorenz63(10_000)[:900, 0]
    delay, theiler, ratio = 8, 20, 4.0
    found = embedding_dimension_hegger_kantz(x, delay=delay, theiler=theiler, ratio=ratio, max_dimension=4)
    for m in range(1, 5):
        count = len(x) - m * delay
        points = np.stack([x[k * delay : k * delay + count] for k in range(m)], axis=1)
        apart = np.abs(points[:, None] - points[None]).max(axis=2)
        i, j = np.indices(apart.shape)
        apart[(np.abs(i - j) <= theiler) | (apart == 0)] = np.inf
        d, near = apart.min(axis=1), apart.argmin(axis=1)
        close = d < x.std() / ratio
        further = np.maximum(d, np.abs(x[np.arange(count) + m * delay] - x[near + m * delay]))
        assert found.details["judged"][m - 1] == close.sum()
        assert found.details["false_share"][m - 1] == pytest.approx(np.mean((further > ratio * d)[close]))


def test_krakovska_agrees_with_all_pairs():
    x = henon(600)[:, 0]
    found = embedding_dimension_krakovska(x, delay=1, theiler=0, max_dimension=3)
    near = []
    for m in range(1, 5):
        count = len(x) - m
        points = np.stack([x[k : k + count] for k in range(m)], axis=1)
        apart = np.abs(points[:, None] - points[None]).max(axis=2)
        np.fill_diagonal(apart, np.inf)
        near.append(apart.argmin(axis=1))
    expected = [np.mean(now[: len(later)] != later) for now, later in pairwise(near)]
    np.testing.assert_allclose(found.details["false_share"], expected, rtol=1e-12)


@pytest.mark.parametrize("measure", [embedding_dimension_hegger_kantz, embedding_dimension_krakovska])
def test_dimension_of_known_systems(measure):
    for x, dimension in (
        (lorenz63(10_000)[:, 0], 3), (roessler(10_000)[:, 0], 3), (henon(3000)[:, 0], 2), (logistic(3000), 1),
    ):  # fmt: skip
        found = measure(x)
        assert float(found) == dimension
        assert found.interval[0] <= dimension <= found.interval[1]
    for x in (NOISE[:, 0], NOISE[:500, 0], autoregressive(3000, 0.9)):
        assert not measure(x).admissible


def test_false_neighbours_of_narrow_band_noise_vanish_for_kennel_only():
    # x_t = 1.937 x_(t-1) - 0.9801 x_(t-2) + noise, memory of 100 samples: the point of Hegger and Kantz's paper.
    noise = np.random.default_rng(0).normal(size=11_000)
    x = np.zeros(11_000)
    for t in range(2, 11_000):
        x[t] = 2 * 0.99 * np.cos(2 * np.pi / 30) * x[t - 1] - 0.9801 * x[t - 2] + noise[t]
    assert false_nearest_neighbours(x[1000:]).admissible
    found = embedding_dimension_hegger_kantz(x[1000:])
    assert not found.admissible
    assert found.details["false_share"][2] > 0.3


def test_ratio_follows_from_the_data():
    assert embedding_dimension_hegger_kantz(lorenz63(10_000)[:, 0]).settings["ratio"] == 10
    assert embedding_dimension_hegger_kantz(NOISE[:500, 0]).settings["ratio"] < 6
    # Five percent of noise: the large ratio finds one dimension more, a small one many.
    x = lorenz63(10_000)[:, 0] + 0.4 * np.random.default_rng(1).normal(size=10_000)
    assert float(embedding_dimension_hegger_kantz(x)) <= 4
    assert not embedding_dimension_hegger_kantz(x, ratio=2.0).admissible
