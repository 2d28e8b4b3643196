"""Systems with nearly the same law, which must not be learned from in one and tested on the other."""

from __future__ import annotations

RELATIVES: tuple[tuple[str, ...], ...] = (
    ("Lorenz63", "LorenzBounded", "LorenzCoupled", "HyperLorenz", "LorenzStenflo"),
    ("Rossler", "HyperRossler"),
    ("Lorenz96", "Lorenz96FourSites"),
    ("Lorenz84", "Hadley"),
    ("Chua", "MultiChua"),
    ("Thomas", "ThomasLabyrinth"),
    ("Bouali", "Bouali2"),
    ("DequanLi", "Tsucs2"),
    ("YuWang", "YuWang2"),
    ("CaTwoPlus", "CaTwoPlusQuasiperiodic"),
    ("BlinkingVortex", "BlinkingRotlet"),
    ("Duffing", "TwoToneDuffing", "QuarticOscillator"),
    ("Pendulum", "MathieuPendulum", "TwoTonePendulum"),
    (
        "VanDerPol",
        "RayleighOscillator",
        "ForcedVanDerPol",
        "ModulatedVanDerPol",
        "CoupledVanDerPol",
        "DampedForcedTorus",
    ),
    ("BrusselatorFlow", "ForcedBrusselator", "ForcedBrusselatorTorus"),
    ("FitzHughNagumo", "ForcedFitzHughNagumo", "NoisyFitzHughNagumo"),
    ("StuartLandau", "ForcedStuartLandau", "StuartLandauPyragas", "AveragedTwoMode"),
    ("Repressilator", "CoupledRepressilators"),
    ("LotkaVolterra", "SeasonalPredatorPrey"),
    ("TwoRotors", "ThreeRotors"),
    ("Logistic", "Ulam", "CoupledLogistic", "ForcedLogisticMap", "CoupledMapLattice", "GloballyCoupledMaps"),
    ("Tent", "Bernoulli", "KaplanYorke", "Baker"),
    ("Henon", "GeneralisedHenon", "ForcedHenonMap"),
    ("Lozi", "ForcedLoziMap"),
    ("Cubic", "ForcedCubicMap"),
    ("Ricker", "ForcedRickerMap", "DelayedLogisticTwo", "stable Ricker in noise"),
    ("DelayedLogistic", "MaynardSmith"),
    ("Circle", "SubcriticalCircleMap", "ForcedCircleMap"),
    ("StandardMap", "DissipativeStandardMap", "Froeschle"),
    ("HolmesCubic", "DuffingMap"),
    ("Chialvo", "RingStarChialvo"),
    ("PredatorPreyMap", "DelayedPredatorPreyMap"),
)
"""Groups of systems that differ by coordinates, a drive, a coupling or noise only; a group is left out together."""

KIN: dict[str, str] = {name: group[0] for group in RELATIVES for name in group}
"""The first of the group of each system that is in one."""
