"""A fitted law is a system: what is found of it is what is known of the system that its data came from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import takens as tk
from takens.dynamics import fixed_points, orbit_diagram
from takens.errors import LawError
from takens.inspection import exponents, inspect, numbers_of, pieces_of, settings_of, unwrapped
from takens.models import NVAR, Climatology, EchoStateNetwork
from takens.models.piecewise.almost_linear import AlmostLinearRNN
from takens.models.piecewise.law import PiecewiseLinearLaw
from takens.models.piecewise.shallow import ShallowPLRNN
from takens.models.wrappers import Conformal

HENON = tk.system("Henon", a=1.4, b=0.3)


@pytest.fixture(scope="module")
def henon() -> tk.Series:
    return tk.simulate(HENON, length=3000, transient=100)


@pytest.fixture(scope="module")
def lorenz() -> tk.Series:
    return tk.simulate(tk.system("Lorenz63", sigma=10, rho=28, beta=8 / 3), length=10_000, dt=0.02, transient=20)


def test_polynomials_of_henon_have_its_exponents_and_fixed_points(henon: tk.Series) -> None:
    law = NVAR(delays=1, degree=2, ridge=1e-12).fit(henon)
    found = inspect(law, henon)
    assert found.spectrum is not None
    assert found.spectrum.unit == "1/step"
    error = found.spectrum.details["standard_error"]
    assert np.all(np.abs(found.spectrum.value - [0.41922, np.log(0.3) - 0.41922]) < 3.5 * error)
    assert error.max() < 0.003
    exact = fixed_points(HENON).points
    assert np.allclose([point.values for point in found.points], exact, atol=1e-8)
    assert [point.stability for point in found.points] == ["saddle", "saddle"]
    assert found.scores["state_space_divergence"].value < 2 * found.scores["state_space_divergence"].floor
    assert not found.reasons
    assert found.numbers == 2 * 5 + 2
    assert found.settings == {"degree": 2, "ridge": 1e-12, "delays": [0]}


def test_polynomials_of_lorenz_have_its_exponents_and_fixed_points(lorenz: tk.Series) -> None:
    law = NVAR(delays=2, spacing=1, degree=2, ridge=1e-10).fit(lorenz)
    found = inspect(law, lorenz, duration=600)
    assert found.spectrum is not None
    assert found.spectrum.unit == "1/time unit"
    assert found.spectrum.settings["duration"] == pytest.approx(600, rel=0.01)
    assert found.spectrum.value[0] == pytest.approx(0.9056, rel=0.03)
    assert abs(found.spectrum.value[1]) < 0.05
    near = [p.values for p in found.points if np.abs(p.values).max() < 30 and p.values[2] > -5]
    wing = np.sqrt(8 / 3 * 27)
    for known in ([-wing, -wing, 27], [0, 0, 0], [wing, wing, 27]):
        assert min(np.abs(p - known).max() for p in near) < 0.5
    assert found.points[0].stability == "saddle"


@pytest.mark.long
def test_default_laws_of_lorenz_meet_the_bar(lorenz: tk.Series) -> None:
    law = NVAR().fit(lorenz)
    found = exponents(law, law.system, duration=4000)
    assert found.value[0] == pytest.approx(0.9056, rel=0.03)
    assert abs(found.value[1]) < 0.05
    assert abs(found.value[2] + 14.572) < 0.1
    wing = np.sqrt(72)
    points = np.array([p.values for p in inspect(law, lorenz, duration=20).points])
    for known in ([-wing, -wing, 27], [0, 0, 0], [wing, wing, 27]):
        assert np.abs(points - known).max(axis=1).min() < 1e-3


def test_a_known_input_is_a_parameter() -> None:
    rng = np.random.default_rng(0)
    r, x = rng.uniform(2.8, 4.0, 3000), np.full(3000, 0.3)
    for i in range(2999):
        x[i + 1] = r[i] * x[i] * (1 - x[i])
    series = replace(tk.Series.from_array(np.column_stack([x, r]), channels=("x", "r")), inputs=("r",))
    law = NVAR(delays=1, degree=3, ridge=1e-12).fit(series)
    values = np.linspace(2.8, 4, 150)
    logistic = tk.system({"name": "logistic", "kind": "map", "equations": {"x": "r*x*(1 - x)"},
                          "parameters": {"r": 3.0}, "initial": {"x": 0.3}})  # fmt: skip
    mine, theirs = (orbit_diagram(one, "r", values) for one in (law.system, logistic))
    short = (theirs.periods > 0) & (theirs.periods <= 8)
    assert mine.periods[short].tolist() == theirs.periods[short].tolist()
    assert (mine.periods != theirs.periods).sum() <= 2  # 1e-12 of r decides where orbits settle slowly
    assert {1, 2, 4, 8} <= set(mine.periods.tolist())
    held = exponents(law, law.system.with_parameters(r=3.9))
    assert held.value[0] == pytest.approx(0.4945, abs=0.01)  # of the logistic map at 3.9
    driven = inspect(law, series, duration=2000)
    assert driven.generated is not None
    assert driven.generated.channels == ("x",)
    assert driven.scores["state_space_divergence"].value < 0.5
    alone = inspect(law, duration=2000)
    assert alone.generated is None
    assert "known inputs r" in alone.reasons["comparison"]
    assert np.allclose(sorted(p.values[0] for p in alone.points), [0, 1 - 1 / r[-1]], atol=1e-6)


def test_exponents_are_per_unit_of_the_data(henon: tk.Series) -> None:
    half = tk.Series.from_array(henon.values, interval=0.5, unit="s", channels=henon.channels)
    laws = [NVAR(delays=1, degree=2, ridge=1e-12).fit(series) for series in (henon, half)]
    counted, timed = (exponents(law, law.system, duration=d) for law, d in zip(laws, (8000, 4000), strict=True))
    assert timed.unit == "1/s"
    assert np.allclose(timed.value, 2 * counted.value, rtol=0.02)
    assert np.allclose(np.mean(np.diff([*timed.interval], axis=0)), 2 * np.mean(np.diff([*counted.interval], axis=0)),
                       rtol=0.2)  # fmt: skip
    assert timed.settings["duration"] == pytest.approx(counted.settings["duration"] / 2)


def test_hidden_states_show_their_channels(henon: tk.Series) -> None:
    law = EchoStateNetwork(units=100, spectral_radius=0.1, leak=1.0, input_scale=0.5, ridge=1e-8).fit(henon)
    found = inspect(law, henon, duration=2000)
    assert found.spectrum is not None
    assert len(found.spectrum.value) == 6
    assert found.spectrum.value[0] == pytest.approx(0.419, abs=0.06)
    exact = fixed_points(HENON).points[1]
    assert min(np.abs(point.values - exact).max() for point in found.points) < 0.01


@pytest.mark.parametrize("kind", ["almost linear", "shallow", "clipped"])
def test_networks_are_their_pieces(lorenz: tk.Series, kind: str) -> None:
    part = lorenz.rows(0, 1500)
    small = {"epochs": 2, "batches": 2, "length": 30}
    model = (
        AlmostLinearRNN(latent=6, rectified=2, **small) if kind == "almost linear"
        else ShallowPLRNN(hidden=12, clipped=kind == "clipped", **small)
    )  # fmt: skip
    law = model.fit(part)
    assert isinstance(law, PiecewiseLinearLaw)
    pieces, start = pieces_of(law, law.system)
    units = np.random.default_rng(0).normal(size=(50, pieces.dimension))
    assert np.allclose(pieces.values(units), law.map(units, np.empty((50, 0))), atol=1e-12)
    slopes = pieces.affine(pieces.regions(units))[0]
    assert np.allclose(slopes, law.map.slopes(units), atol=1e-12)
    run = law.generate(20, noise=False).values
    assert np.allclose(law.values(pieces.orbit(start, 20)), run, atol=1e-8)
    found = inspect(law, part, duration=20)
    assert found.symbols is not None
    for point in found.points:
        if point.proved:
            assert np.isfinite(point.values).all()
    if kind == "almost linear":
        assert found.complete
        assert found.cycles[1] == len(found.points)
        assert max(found.cycles) == 6


def test_an_orbit_that_leaves_all_numbers_is_said(henon: tk.Series) -> None:
    law = EchoStateNetwork(units=60, spectral_radius=0.3, leak=1.0, input_scale=0.5, ridge=1e-9).fit(henon)
    found = inspect(law, henon, duration=2000)
    assert "leaves all numbers" in found.reasons["exponents"]


def test_a_law_without_fixed_points_has_none() -> None:
    rising = tk.Series.from_array(0.3 * np.arange(400.0), channels=("water level",))  # no name of a state
    for series in (rising, rising.values):
        found = inspect(NVAR(delays=1, degree=1, ridge=0.0).fit(series), duration=500)
        assert found.points == ()
        assert "fixed points" not in found.reasons


def test_laws_without_a_system_say_so(henon: tk.Series) -> None:
    found = inspect(Climatology().fit(henon), henon)
    assert found.system is None
    assert "no system" in found.reasons["system"]
    assert found.scores["state_space_divergence"].value is not None


def test_a_run_that_comes_to_rest_is_said(henon: tk.Series) -> None:
    rng = np.random.default_rng(0)
    x = np.zeros(800)
    for i in range(799):
        x[i + 1] = 0.8 * x[i] + rng.normal()
    found = inspect(NVAR(delays=1, degree=1, ridge=1e-6).fit(x), x)
    assert found.at_rest
    assert found.spectrum is not None
    assert found.spectrum.value[0] == pytest.approx(np.log(0.8), abs=0.05)
    assert found.noisy["state_space_divergence"].value < found.scores["state_space_divergence"].value


def test_wrappers_and_unfit_data(henon: tk.Series) -> None:
    inner = NVAR(delays=1, degree=2, ridge=1e-10)
    wrapped = Conformal(inner, origins=20, horizon=5).fit(henon)
    assert settings_of(unwrapped(wrapped)) == {"degree": 2, "ridge": 1e-10, "delays": [0]}
    assert numbers_of(unwrapped(wrapped)) == 12
    law = inner.fit(henon)
    with pytest.raises(LawError, match="no channel y"):
        inspect(law, henon.select("x"))
    with pytest.raises(LawError, match="channels"):
        inspect(law, henon.values[:, :1])
    short = inspect(law, henon.rows(0, 100), duration=1000)
    assert "200 are needed" in short.reasons["comparison"]
    swapped = inspect(law, henon.select("y", "x"), duration=1000)  # by name, in the order of the law
    assert swapped.scores["state_space_divergence"].value < 1
