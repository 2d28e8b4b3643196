"""Sections of sampled motion against closed forms and against sections of the equations."""

from __future__ import annotations

import numpy as np
import pytest

import takens as tk
from takens.dynamics.sampled_sections import sampled_section
from takens.dynamics.sections import poincare_section
from takens.errors import DataError, SettingError


def circle(interval: float, length: int) -> np.ndarray:
    t = interval * np.arange(length)
    return np.column_stack([np.cos(t), -np.sin(t)])


def test_a_circle_crosses_where_it_should() -> None:
    missed = []
    for interval in (0.2, 0.1):
        up = sampled_section(circle(interval, 2000), ("x", "y"), "x = 0.5", interval=interval)
        expected = 2 * np.pi * np.arange(1, len(up) + 1) - np.pi / 3
        missed.append(float(np.abs(up.times - expected).max()))
        assert np.abs(up.states[:, 1] - np.sqrt(0.75)).max() < 2e-4
    assert missed[1] < 5e-6
    assert missed[0] / missed[1] > 10  # of order 4
    both = sampled_section(circle(0.1, 1000), ("x", "y"), ([1.0, 0.0], 0.5), interval=0.1, direction=0)
    down = sampled_section(circle(0.1, 1000), ("x", "y"), "x=0.5", interval=0.1, direction=-1)
    assert len(both) > len(down) > 10
    assert np.allclose(down.times, 2 * np.pi * np.arange(len(down)) + np.pi / 3, atol=1e-5)
    tilted = sampled_section(circle(0.1, 1000), ("x", "y"), ([1.0, 1.0], 0.0), interval=0.1)
    assert np.allclose(tilted.states.sum(axis=1), 0, atol=1e-5)


def test_lorenz_as_from_its_equations() -> None:
    lorenz = tk.system("Lorenz63")
    exact = poincare_section(lorenz, "z = 27", count=150)
    run = tk.simulate(lorenz, length=6000, dt=0.02)
    found = sampled_section(run.values, run.channels, "z = 27", interval=0.02)
    count = 12  # later the two orbits have diverged
    first = int(np.abs(exact.times - found.times[0]).argmin())
    assert np.allclose(found.times[:count], exact.times[first : first + count], atol=2e-4)
    assert np.allclose(found.states[:count], exact.states[first : first + count], atol=0.02)
    assert np.abs(found.states[:, 2] - 27).max() < 1e-9


def test_what_cannot_be_cut() -> None:
    states = circle(0.1, 100)
    for surface in ("w = 0.5", "x", "x = y", "x > 0.5", ([1.0], 0.0), ([0.0, 0.0], 1.0)):
        with pytest.raises(SettingError):
            sampled_section(states, ("x", "y"), surface)
    with pytest.raises(SettingError, match="direction"):
        sampled_section(states, ("x", "y"), "x = 0.5", direction=2)
    for wrong in (states[:5], states[:, :1], np.full((20, 2), np.nan)):
        with pytest.raises(DataError):
            sampled_section(wrong, ("x", "y"), "x = 0.5")
