"""Which figures go with which measures and relations: what `takens measure --plot` draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import TakensError
from ..estimate import Estimate
from .coupling import correlation_figure, cross_map_figure, null_figure
from .dimensions import correlation_dimension_figure, local_dimension_figure
from .disorder import complexity_plane, complexity_time_figure, multiscale_figure
from .divergence import exponent_spectrum_figure, growth_figure, lyapunov_dimension_figure
from .embeddings import criteria_figure, delay_figure, divergence_figure, embedding_figure
from .operators import transfer_operator_figure
from .recurrence import recurrence_figure
from .scaling import fluctuation_figure, multifractal_figure
from .spectra import spectrum_figure
from .tested import LAWS, autocorrelation_figure, motif_figure, power_law_figure, stationarity_figure, surrogate_figure
from .timescales import decays_figure
from .transitions import change_points_figure, early_warning_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FamilyFigure:
    """A figure of the estimates called `of`, in the order in which `draw` takes them."""

    family: str
    of: tuple[str, ...]
    draw: Callable[..., Figure]


FIGURES = (
    FamilyFigure("time scales", ("autocorrelation",), autocorrelation_figure),
    FamilyFigure("time scales", ("exponential_times",), decays_figure),
    *(FamilyFigure("scaling", (name,), power_law_figure) for name in LAWS),
    FamilyFigure("surrogates", ("surrogate_test",), surrogate_figure),
    FamilyFigure("stationarity", ("stationarity",), stationarity_figure),
    FamilyFigure("transitions", ("change_points",), change_points_figure),
    FamilyFigure("transitions", ("early_warning",), early_warning_figure),
    FamilyFigure("motifs", ("motif",), motif_figure),
    FamilyFigure("motifs", ("discord",), motif_figure),
    FamilyFigure("periods", ("dominant_periods",), spectrum_figure),
    FamilyFigure("embedding", ("delay_mutual_information",), delay_figure),
    FamilyFigure("embedding", ("embedding_dimension_cao",), embedding_figure),
    FamilyFigure("embedding", ("embedding_dimension_hegger_kantz",), embedding_figure),
    FamilyFigure("embedding", ("optimal_embedding",), criteria_figure),
    FamilyFigure("embedding", ("false_nearest_neighbours",), embedding_figure),
    FamilyFigure("chaos", ("largest_lyapunov_exponent",), divergence_figure),
    FamilyFigure("chaos", ("lyapunov_exponent_rosenstein",), divergence_figure),
    FamilyFigure("chaos", ("lyapunov_exponent_kantz",), divergence_figure),
    FamilyFigure("chaos", ("lyapunov_spectrum_from_data",), exponent_spectrum_figure),
    FamilyFigure("chaos", ("lyapunov_dimension",), lyapunov_dimension_figure),
    FamilyFigure("chaos", ("zero_one_test",), growth_figure),
    FamilyFigure("ordinal", ("permutation_entropy", "statistical_complexity"), complexity_plane),
    FamilyFigure("ordinal", ("complexity_time",), complexity_time_figure),
    FamilyFigure("entropies", ("multiscale_entropy",), multiscale_figure),
    FamilyFigure("entropies", ("composite_multiscale_entropy",), multiscale_figure),
    FamilyFigure("entropies", ("refined_composite_multiscale_entropy",), multiscale_figure),
    FamilyFigure("entropies", ("transfer_operator_entropy",), transfer_operator_figure),
    FamilyFigure("dimensions", ("correlation_dimension",), correlation_dimension_figure),
    FamilyFigure("dimensions", ("takens_dimension",), correlation_dimension_figure),
    FamilyFigure("dimensions", ("local_dimension",), local_dimension_figure),
    FamilyFigure("scaling", ("detrended_fluctuation_exponent",), fluctuation_figure),
    FamilyFigure("scaling", ("multifractal_exponents",), multifractal_figure),
    FamilyFigure("recurrence", ("recurrence_determinism",), recurrence_figure),
    FamilyFigure("surrogates", ("smap_nonlinearity",), null_figure),
    FamilyFigure("coupling", ("cross_correlation",), correlation_figure),
    FamilyFigure("coupling", ("mutual_information",), null_figure),
    FamilyFigure("synchronisation", ("event_synchronisation",), null_figure),
    FamilyFigure("causality", ("transfer_entropy",), null_figure),
    FamilyFigure("causality", ("symbolic_transfer_entropy",), null_figure),
    FamilyFigure("causality", ("convergent_cross_mapping",), cross_map_figure),
    FamilyFigure("irreversibility", ("ordinal_irreversibility",), null_figure),
    FamilyFigure("irreversibility", ("visibility_irreversibility",), null_figure),
)
"""Every figure that estimates of one channel or pair give. A new one is one line here."""


def family_figures(estimates: Mapping[str, Estimate]) -> Iterator[tuple[str, str, Any]]:
    """(name, family, figure) of each figure that `estimates` of one channel or pair suffice for.

    `estimates` are by the names of measures; what is missing or has no curve is left out. Cost: 0.1 s a figure.
    """
    for one in FIGURES:
        given = [estimates.get(name) for name in one.of]
        if any(found is None or not found.details for found in given):
            continue
        try:
            yield one.of[0], one.family, one.draw(*given)
        except TakensError:
            continue
