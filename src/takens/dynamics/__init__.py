"""What one can ask of any system: exponents, dimensions, special orbits, basins and averages of its motion."""

from __future__ import annotations

from .alignment import gali, sali
from .attractor_continuation import attractor_continuation
from .attractors import Attractor
from .basin_measures import basin_entropy, sampled_uncertainty_exponent, uncertainty_exponent
from .basins import basin_fractions, basins
from .birkhoff import birkhoff_average, birkhoff_weights, rotation_number, weighted_average
from .continuation import Branch, continue_fixed_point
from .covariant import covariant_lyapunov_vectors
from .cycles import PeriodicOrbit, PeriodicOrbits, cycles
from .density import invariant_density
from .diagrams import orbit_diagram, parameter_plane
from .dimension import correlation_dimension
from .escape import escape_rate, escape_times
from .exponents import kaplan_yorke_dimension, largest_lyapunov_exponent, lyapunov_spectrum
from .finite_time import finite_time_exponents
from .fixed_points import FixedPoints, fixed_points
from .invariants import invariants
from .itineraries import Itinerary, itinerary
from .manifolds import Manifold, manifold
from .period import dominant_period
from .periodic_orbits import periodic_orbits
from .piecewise_cycles import region_cycles
from .piecewise_linear import PiecewiseLinear
from .return_times import return_times
from .sampled_sections import sampled_section
from .sections import Section, poincare_section, stroboscopic_section
from .synchronisation import conditional_exponents, cross_correlation, hilbert_phase, order_parameter, phase_locking
from .transfer import transfer_operator
from .transport import diffusion_coefficient, mean_square_displacement

__all__ = [
    "Attractor",
    "Branch",
    "FixedPoints",
    "Itinerary",
    "Manifold",
    "PeriodicOrbit",
    "PeriodicOrbits",
    "PiecewiseLinear",
    "Section",
    "attractor_continuation",
    "basin_entropy",
    "basin_fractions",
    "basins",
    "birkhoff_average",
    "birkhoff_weights",
    "conditional_exponents",
    "continue_fixed_point",
    "correlation_dimension",
    "covariant_lyapunov_vectors",
    "cross_correlation",
    "cycles",
    "diffusion_coefficient",
    "dominant_period",
    "escape_rate",
    "escape_times",
    "finite_time_exponents",
    "fixed_points",
    "gali",
    "hilbert_phase",
    "invariant_density",
    "invariants",
    "itinerary",
    "kaplan_yorke_dimension",
    "largest_lyapunov_exponent",
    "lyapunov_spectrum",
    "manifold",
    "mean_square_displacement",
    "orbit_diagram",
    "order_parameter",
    "parameter_plane",
    "periodic_orbits",
    "phase_locking",
    "poincare_section",
    "region_cycles",
    "return_times",
    "rotation_number",
    "sali",
    "sampled_section",
    "sampled_uncertainty_exponent",
    "stroboscopic_section",
    "transfer_operator",
    "uncertainty_exponent",
    "weighted_average",
]
