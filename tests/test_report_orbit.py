"""The delay-embedded orbit that the report turns: what it holds and how it is thinned."""

from __future__ import annotations

import base64

import numpy as np
from systems import henon, lorenz63

from takens.estimate import Estimate
from takens.report.orbit import delay_of, orbit
from takens.series import Series


def test_orbit_is_the_delay_embedding():
    x = lorenz63(3000)[:, 0]
    made = orbit(Series.from_array(x), "x", 8)
    assert made.lines
    assert (made.delay, made.stride) == (8, 1)
    expected = np.array([[x[i], x[i + 8], x[i + 16]] for i in range(3000 - 16)])
    np.testing.assert_allclose(made.points, expected, rtol=1e-6)
    payload = made.payload()
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(payload["values"]), "<f4"), x.astype("<f4"))


def test_orbit_of_a_map_is_not_joined():
    assert not orbit(Series.from_array(henon(500)[:, 0]), "x", 1).lines


def test_orbit_takes_the_longest_stretch_and_thins_long_delays():
    x = np.sin(2 * np.pi * np.arange(400_000) / 4000)
    x[1000] = np.nan
    made = orbit(Series.from_array(x), "x", 1000)
    assert made.stride == 40
    assert made.delay * made.stride == 1000
    assert len(made.values) == (400_000 - 1001 + 39) // 40
    # A quarter of a period later a sine is a cosine: the points lie on a circle, whatever the thinning.
    np.testing.assert_allclose(np.hypot(made.points[:, 0], made.points[:, 1]), 1.0, atol=1e-6)
    assert len(orbit(Series.from_array(np.sin(np.arange(1e5))), "x", 2).points) == 20_000


def test_no_orbit_without_data():
    assert orbit(Series.from_array(np.ones(100)), "x", 1) is None
    assert orbit(Series.from_array(np.arange(20.0)), "x", 8) is None


def test_delay_falls_back_and_says_so():
    found = {"delay_mutual_information": Estimate("d", 0.16, "s", method="first minimum")}
    assert delay_of(found, "x", 0.02) == (8, "first minimum")
    refused = {"delay_mutual_information[x]": Estimate("d", None, admissible=False, reason="too short")}
    assert delay_of(refused, "x", 1.0) == (1, "one step, because no delay could be found: too short")
    assert delay_of({"delay_mutual_information[y]": Estimate("d", 3.0)}, "x", 1.0)[0] == 1
