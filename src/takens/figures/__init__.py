"""Figures: data in, a matplotlib `Figure` out; `svg` turns one into text that follows the colours of its page."""

from __future__ import annotations

from .attractors import attractor_figure, climate_figure
from .basins import basins_figure, density_figure
from .coupling import correlation_figure, cross_map_figure, graph_figure, null_figure, windows_figure
from .diagrams import continuation_figure, orbit_diagram_figure, parameter_plane_figure
from .dimensions import correlation_dimension_figure, local_dimension_figure
from .disorder import complexity_plane, complexity_time_figure, multiscale_figure
from .divergence import exponent_spectrum_figure, growth_figure, lyapunov_dimension_figure
from .embeddings import criteria_figure, delay_figure, divergence_figure, embedding_figure
from .families import FIGURES, family_figures
from .forecasts import calibration_figure, forecast_fan, skill_figure
from .laws import law_figure
from .motion import place_figure, system_figure
from .observations import series_figure
from .operators import transfer_operator_figure
from .orbits import convergence_figure, portrait_figure, section_figure
from .piecewise import symbolic_figure
from .recurrence import recurrence_figure
from .scaling import fluctuation_figure, multifractal_figure
from .spectra import climate_spectrum_figure, spectrum_figure
from .style import COLOURS, svg
from .tested import autocorrelation_figure, motif_figure, power_law_figure, stationarity_figure, surrogate_figure
from .timescales import decays_figure, network_times_figure
from .transitions import change_points_figure, early_warning_figure
from .verdicts import step_figure, verdict_figure

__all__ = [
    "COLOURS",
    "FIGURES",
    "attractor_figure",
    "autocorrelation_figure",
    "basins_figure",
    "calibration_figure",
    "change_points_figure",
    "climate_figure",
    "climate_spectrum_figure",
    "complexity_plane",
    "complexity_time_figure",
    "continuation_figure",
    "convergence_figure",
    "correlation_dimension_figure",
    "correlation_figure",
    "criteria_figure",
    "cross_map_figure",
    "decays_figure",
    "delay_figure",
    "density_figure",
    "divergence_figure",
    "early_warning_figure",
    "embedding_figure",
    "exponent_spectrum_figure",
    "family_figures",
    "fluctuation_figure",
    "forecast_fan",
    "graph_figure",
    "growth_figure",
    "law_figure",
    "local_dimension_figure",
    "lyapunov_dimension_figure",
    "motif_figure",
    "multifractal_figure",
    "multiscale_figure",
    "network_times_figure",
    "null_figure",
    "orbit_diagram_figure",
    "parameter_plane_figure",
    "place_figure",
    "portrait_figure",
    "power_law_figure",
    "recurrence_figure",
    "section_figure",
    "series_figure",
    "skill_figure",
    "spectrum_figure",
    "stationarity_figure",
    "step_figure",
    "surrogate_figure",
    "svg",
    "symbolic_figure",
    "system_figure",
    "transfer_operator_figure",
    "verdict_figure",
    "windows_figure",
]
