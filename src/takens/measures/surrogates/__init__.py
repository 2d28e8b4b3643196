"""Surrogates: copies of a channel that keep what a null allows and nothing else, and the test among them."""

from __future__ import annotations

from .cycles import cycle_memory as cycle_memory
from .cycles import cycle_starts as cycle_starts
from .cycles import cycle_strengths as cycle_strengths
from .irregular import lomb_scargle as lomb_scargle
from .linear import aaft as aaft
from .linear import block_shuffle as block_shuffle
from .linear import end_matched as end_matched
from .linear import fourier as fourier
from .linear import iaaft as iaaft
from .linear import multivariate_fourier as multivariate_fourier
from .linear import multivariate_iaaft as multivariate_iaaft
from .linear import normal_scores as normal_scores
from .linear import shuffle as shuffle
from .linear import truncated_fourier as truncated_fourier
from .nonlinear import cycle_shuffle as cycle_shuffle
from .nonlinear import pseudo_periodic as pseudo_periodic
from .nonlinear import twin as twin
from .significance import Significance as Significance
from .significance import family_p_values as family_p_values
from .significance import ranked as ranked
from .significance import significance as significance
from .testing import NULLS as NULLS
from .testing import prediction_error as prediction_error
from .testing import surrogate_test as surrogate_test
from .testing import time_reversal_asymmetry as time_reversal_asymmetry
