"""Results print what they hold, not every number of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import takens as tk
from takens.dynamics import fixed_points, orbit_diagram
from takens.wording import printed


@dataclass(frozen=True)
class Held:
    value: Any
    other: str = "word"

    __repr__ = printed


def shown(value: object) -> str:
    first = str(Held(value)).split("\n  other")[0]
    return first.removeprefix("Held\n  value  ")


def test_short_arrays_are_shown_and_long_ones_described() -> None:
    assert shown(np.array([1.0, 2.5])) == "[1. 2.5]"
    assert shown(np.arange(12.0).reshape(3, 4)) == "3 x 4, 0 to 11"
    assert shown(np.append(np.arange(12.0), [np.nan, np.inf])) == "14, 0 to 11, 2 not finite"
    assert shown(np.arange(10) > 6) == "10, 3 true"
    assert shown(np.zeros((0, 2))) == "0 x 2"
    assert shown(np.exp(1j * np.arange(9))) == "9, complex"
    assert shown(np.full(9, np.nan)) == "9"


def test_lists_are_shown_as_far_as_they_fit() -> None:
    assert shown((1.23456789, "a")) == "1.23457, a"
    assert shown((("x", np.arange(9)),)) == "(x, 9, 0 to 8)"
    assert shown(()) == "none"
    assert shown(tuple(range(50))) == "50 of them"
    assert shown({"x": 1, "y": "b"}) == "x: 1, y: b"
    assert shown("long " * 40) == "a str"


def test_results_and_systems_fit_on_a_screen() -> None:
    henon = tk.system("Henon")
    assert repr(henon) == "Map('Henon': x, y; a=1.4, b=0.3)"
    assert repr(tk.system("Lorenz96")) == "Flow('Lorenz96': 40 states; f=8)"
    found = fixed_points(henon)
    assert "saddle, saddle" in repr(found)
    assert len(repr(found).splitlines()) <= 15
    diagram = repr(orbit_diagram(henon, "a", np.linspace(1.0, 1.4, 300)))
    assert "300, 1 to 1.4" in diagram
    assert len(diagram) < 500
