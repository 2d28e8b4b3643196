"""The invariants that the package carries: complete, consistent, published, and what a run of today gives."""

from __future__ import annotations

import numpy as np
import pytest

import takens
from takens.dynamics.invariants import invariants
from takens.systems.invariants import stored

DETERMINISTIC = [
    name for name in takens.systems.names() if takens.system(name).kind in ("flow", "map", "delayed", "field")
]
COMPUTED = {name: entry for name in DETERMINISTIC if (entry := stored(name)) is not None and "failed" not in entry}
FULL = [name for name, entry in COMPUTED.items() if "sum" in entry]


def test_every_deterministic_system_has_an_entry() -> None:
    missing = [name for name in DETERMINISTIC if stored(name) is None]
    assert missing == []
    failed = {name for name in DETERMINISTIC if name not in COMPUTED}
    assert failed <= UNANSWERED.keys(), failed - UNANSWERED.keys()


UNANSWERED = {
    "HyperLu": "escapes to infinity after thousands of periods",
    "Sakarya": "escapes to infinity after thousands of periods",
    "MacArthur": "stiff for the steps of its exponents: not done in minutes",
    "NonlinearSchroedinger": "512 numbers with short steps: not done in minutes",
}
"""Systems whose orbit could not be followed that far, and why."""


@pytest.mark.parametrize("name", FULL)
def test_exponents_sum_to_the_divergence(name: str) -> None:
    entry = COMPUTED[name]
    spectrum = np.abs(entry["lyapunov_spectrum"]["value"])
    # Both are means along the same orbit; rounding counts beside the largest exponent.
    assert entry["sum"] == pytest.approx(entry["divergence"], rel=1e-6, abs=1e-6 * spectrum.max() + 1e-9)


def test_published_exponents_are_reproduced() -> None:
    wrong = {}
    for name, entry in COMPUTED.items():
        known = takens.system(name).known.get("largest_lyapunov_exponent")
        if known is None or not entry["settled"] or name in SLOW:
            continue
        value, error = (entry["lyapunov_spectrum"][key][0] for key in ("value", "standard_error"))
        if abs(value - known.value) > 4 * error + 0.03 * abs(known.value):
            wrong[name] = (value, error, known.value)
    assert wrong == {}


SLOW = {"SprottA", "SprottI", "Cusp", "GaussContinuedFraction"}
"""Averages that converge too slowly for a bar; see the page on the catalogue."""


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("Lorenz63", [0.9056, 0.0, -14.572]),  # Sprott 2003
        ("Rossler", [0.0714, 0.0, -5.394]),
        ("Henon", [0.41922, np.log(0.3) - 0.41922]),
        ("Logistic", [np.log(2)]),
    ],
)
def test_famous_spectra(name: str, truth: list[float]) -> None:
    spectrum = COMPUTED[name]["lyapunov_spectrum"]
    value, error = np.array(spectrum["value"]), np.array(spectrum["standard_error"])
    assert np.all(np.abs(value - truth) <= 3 * error + 1e-4)
    assert np.all(np.abs(value - truth) <= 0.01 * np.maximum(np.abs(truth), np.abs(truth).max() / 10))


@pytest.mark.parametrize("name", ["Lorenz63", "Henon", "SprottB", "Thomas", "MackeyGlass", "Ikeda"])
def test_a_run_of_today_agrees_with_what_is_stored(name: str) -> None:
    system, entry = takens.system(name), COMPUTED[name]
    duration = 20_000 if system.stepwise else 300 * system.period
    count = min(2, len(system.phase()))
    found = takens.dynamics.lyapunov_spectrum(system, duration=duration, count=count, seed=5)
    kept = entry["lyapunov_spectrum"]
    error = np.hypot(found.details["standard_error"], kept["standard_error"][:count])
    assert np.all(np.abs(found.value - np.array(kept["value"][:count])) < 5 * error + 1e-3 * abs(kept["value"][0]))


def test_chaos_is_tagged_where_it_was_found() -> None:
    wrong = []
    for name, entry in COMPUTED.items():
        if "chaotic" not in takens.system(name).tags or not entry["settled"]:
            continue
        value, error = (entry["lyapunov_spectrum"][key][0] for key in ("value", "standard_error"))
        if not value > 3 * error:
            wrong.append((name, value, error))
    assert wrong == []


@pytest.mark.long
def test_the_job_gives_the_stored_numbers_again() -> None:
    entry = COMPUTED["Henon"]
    again = invariants(takens.system("Henon"), duration=entry["lyapunov_spectrum"]["duration"])
    np.testing.assert_allclose(again["lyapunov_spectrum"]["value"], entry["lyapunov_spectrum"]["value"], rtol=1e-6)


@pytest.mark.long
@pytest.mark.parametrize("name", DETERMINISTIC)
def test_a_hundred_periods_can_be_simulated(name: str) -> None:
    system = takens.system(name)
    rows = 1000
    if system.stepwise:
        found = takens.simulate(system, length=100)
    else:
        found = takens.simulate(system, length=rows, dt=100 * (system.period or 1.0) / rows)
    assert np.isfinite(found.values).all()
