"""The kinds of dynamics that a verdict tells apart, and the words for them."""

from __future__ import annotations

PERIODIC = "periodic"
QUASIPERIODIC = "quasi-periodic"
CHAOTIC = "chaotic"
LINEAR = "linear noise"
NONLINEAR = "nonlinear noise"
NONSTATIONARY = "non-stationary"

CLASSES = (PERIODIC, QUASIPERIODIC, CHAOTIC, LINEAR, NONLINEAR, NONSTATIONARY)
"""Every kind, in the order of all tables."""

INSUFFICIENT = "insufficient data"
UNDETERMINED = "undetermined"
"""Outcomes that are not kinds of dynamics: the data do not even allow the question, or leave too many answers open."""

MEANINGS = {
    PERIODIC: "a cycle, with or without noise around it",
    QUASIPERIODIC: "regular motion that never repeats: several incommensurate periods, or a torus",
    CHAOTIC: "deterministic motion in which small differences grow exponentially",
    LINEAR: "noise with a linear memory, possibly seen through a monotone function",
    NONLINEAR: "random motion whose future depends on its past in a nonlinear way, or that switches or bursts",
    NONSTATIONARY: "motion whose rules or level change during the record",
}
"""What each kind means, for people."""
