"""Noisy cycles of the bank stay near their cycle, and those that were left out do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from takens.bank.families.noisy_motion import FRAGILE, noisy, sources, strong
from takens.bank.regimes import Regime, regimes
from takens.systems.simulate import simulate

MOST, HALF = 0.12, 0.035
"""Strengths of the noise: the most that the bank uses, and the one at which half of the distance is too far."""
KEPT = {source.system: source.regime for source in sources().values() if source.truth == "periodic"}


def first_cycle(system: str) -> Regime:
    """The first strongly attracting cycle of a system: the one the bank would use."""
    return next(r for r in regimes() if r.system == system and r.truth == "periodic" and strong(r))


def distance(regime: Regime, strength: float, seed: int = 1) -> float:
    """How far one state in a hundred of the noisy motion is from the cycle, in spreads of the states."""
    cycle = regime.cycle
    quiet = simulate(
        regime.law(), length=4000, dt=cycle / 100, transient=regime.transient, initial=regime.initial
    ).values  # fmt: skip
    spread = np.where(quiet.std(axis=0) > 0, quiet.std(axis=0), 1.0)
    law = noisy(regime.system)
    noise = strength * quiet.std(axis=0) / np.sqrt(cycle)
    law = law.with_parameters(
        **regime.parameters, **{f"spread_{s}": float(v) for s, v in zip(law.states, noise, strict=True)}
    )
    path = simulate(
        law, length=4000, dt=cycle / 20, transient=10 * cycle, initial=quiet[-1], step=cycle / 200, seed=seed
    ).values  # fmt: skip
    return float(np.quantile(cKDTree(quiet / spread).query(path / spread)[0], 0.99))


def ends(regime: Regime) -> bool:
    """The criterion behind FRAGILE."""
    from takens.errors import SimulationError

    try:
        return distance(regime, HALF) > 0.5 or distance(regime, MOST) > 1
    except SimulationError:
        return True


def test_systems_left_out_are_cycles_the_bank_would_use() -> None:
    for name in FRAGILE:
        assert first_cycle(name).truth == "periodic"
    assert not FRAGILE & KEPT.keys()


def check(name: str) -> None:
    assert ends(KEPT.get(name) or first_cycle(name)) == (name in FRAGILE)


@pytest.mark.parametrize("name", ["FitzHughNagumo", "BrusselatorFlow", "RosenzweigMacArthur", "SprottL"])
def test_noise_leaves_cycles_of_the_bank_and_ends_those_left_out(name: str) -> None:
    check(name)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted({*KEPT, *FRAGILE}))
def test_so_it_is_for_every_system(name: str) -> None:
    check(name)
