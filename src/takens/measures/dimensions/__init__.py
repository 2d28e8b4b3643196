"""Dimensions: how many numbers tell where on its attractor a system is."""

from .correlation import correlation_dimension, takens_dimension
from .fixed_mass import fixed_mass_dimension
from .generalised import generalised_dimensions, generalised_fit
from .higuchi import higuchi_dimension
from .local import extremal_index, local_dimension
from .pairs import correlation_sum, count_pairs
from .slopes import dimension_of
from .waveform import katz, petrosian, sevcik

__all__ = [
    "correlation_dimension", "correlation_sum", "count_pairs", "dimension_of", "extremal_index", "fixed_mass_dimension",
    "generalised_dimensions", "generalised_fit", "higuchi_dimension", "katz", "local_dimension", "petrosian", "sevcik",
    "takens_dimension",
]  # fmt: skip
