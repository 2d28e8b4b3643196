"""What one can ask of any system: exponents and dimensions of its motion."""

from __future__ import annotations

from .alignment import gali, sali
from .attractor_continuation import attractor_continuation
from .attractors import Attractor
from .basin_measures import basin_entropy, sampled_uncertainty_exponent, uncertainty_exponent
from .basins import basin_fractions, basins
from .covariant import covariant_lyapunov_vectors
from .density import invariant_density
from .diagrams import orbit_diagram, parameter_plane
from .dimension import correlation_dimension
from .escape import escape_rate, escape_times
from .exponents import kaplan_yorke_dimension, largest_lyapunov_exponent, lyapunov_spectrum
from .finite_time import finite_time_exponents
from .invariants import invariants
from .period import dominant_period
from .synchronisation import conditional_exponents, cross_correlation, hilbert_phase, order_parameter, phase_locking
from .transfer import transfer_operator
from .transport import diffusion_coefficient, mean_square_displacement

__all__ = [
    "Attractor",
    "attractor_continuation",
    "basin_entropy",
    "basin_fractions",
    "basins",
    "conditional_exponents",
    "correlation_dimension",
    "covariant_lyapunov_vectors",
    "cross_correlation",
    "diffusion_coefficient",
    "dominant_period",
    "escape_rate",
    "escape_times",
    "finite_time_exponents",
    "gali",
    "hilbert_phase",
    "invariant_density",
    "invariants",
    "kaplan_yorke_dimension",
    "largest_lyapunov_exponent",
    "lyapunov_spectrum",
    "mean_square_displacement",
    "orbit_diagram",
    "order_parameter",
    "parameter_plane",
    "phase_locking",
    "sali",
    "sampled_uncertainty_exponent",
    "transfer_operator",
    "uncertainty_exponent",
]
