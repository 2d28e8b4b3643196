"""Dimensions: how many numbers tell where on its attractor a system is."""

from .correlation import correlation_dimension, takens_dimension
from .pairs import correlation_sum, count_pairs
from .slopes import dimension_of

__all__ = ["correlation_dimension", "correlation_sum", "count_pairs", "dimension_of", "takens_dimension"]
