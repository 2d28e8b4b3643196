"""Entropies: of symbols, as outcome space x probability estimator x definition, of templates, spectra and densities."""

from __future__ import annotations

from ..entropy_definitions import Extropy as Extropy
from ..entropy_definitions import Renyi as Renyi
from ..entropy_definitions import Shannon as Shannon
from ..entropy_definitions import Tsallis as Tsallis
from .algebra import entropy as entropy
from .continuous import kozachenko_leonenko as kozachenko_leonenko
from .estimators import AddConstant as AddConstant
from .estimators import ChaoShen as ChaoShen
from .estimators import Jackknife as Jackknife
from .estimators import MillerMadow as MillerMadow
from .estimators import RelativeFrequency as RelativeFrequency
from .markov import TransferOperator as TransferOperator
from .markov import transfer_operator as transfer_operator
from .multiscale import coarse_grained as coarse_grained
from .sequences import lempel_ziv_phrases as lempel_ziv_phrases
from .spaces import Dispersion as Dispersion
from .spaces import Ordinal as Ordinal
from .spaces import Quantiles as Quantiles
from .spaces import Swaps as Swaps
from .spaces import ValueHistogram as ValueHistogram
from .spread import spectral_entropy as spectral_entropy
from .templates import template_matches as template_matches
