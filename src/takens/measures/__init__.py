"""What one can ask of any series: measures by family, the registry of their names, and all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from numpy.typing import ArrayLike

from ..errors import SettingError
from ..estimate import Estimate
from ..series import Series, as_series
from . import causality as causality
from . import causality_maps as causality_maps
from . import change_points as _change_points  # noqa: F401
from . import coupling as coupling
from . import coupling_phases as coupling_phases
from . import dimensions as dimensions
from . import divergence as divergence
from . import embedding as embedding
from . import entropies as _entropies  # noqa: F401
from . import exponent_spectrum as exponent_spectrum
from . import exponential_times as exponential_times
from . import exponents as exponents
from . import graphs as graphs
from . import irreversibility as irreversibility
from . import irreversibility_rate as irreversibility_rate
from . import motifs as motifs
from . import network_times as network_times
from . import ordinal as ordinal
from . import periods as periods
from . import recurrence as recurrence
from . import scaling as scaling
from . import spectral_time as spectral_time
from . import stationarity as _stationarity  # noqa: F401
from . import surrogates as surrogates
from . import timescales as timescales
from . import transitions as transitions
from . import zero_one as zero_one
from .base import REGISTRY as REGISTRY
from .base import Measure as Measure
from .relations import RELATIONS as RELATIONS
from .relations import relate as relate

Progress = Callable[[str, int, int], None]

STUDIED = (
    "autocorrelation", "integral_time_scale", "delay_mutual_information", "embedding_dimension_cao",
    "false_nearest_neighbours", "largest_lyapunov_exponent", "zero_one_test", "permutation_entropy",
    "statistical_complexity", "dominant_periods", "surrogate_test", "stationarity",
    "recurrence_determinism",
)  # fmt: skip
"""The measures that a study computes: those that its findings and figures rest on."""


def measure_series(
    data: Series | ArrayLike,
    *,
    only: Sequence[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Estimate]:
    """Every measure of every channel: estimates by name, or by `name[channel]` where there are several channels.

    `only` names the measures wanted. A measure that fails gives an inadmissible estimate with the reason, never an
    exception, so that one odd channel costs one row. `progress(name, done, total)` is called before each one. Measures
    whose cost grows fast use a stated part of long channels (`settings["used"]`). Raises `SettingError` for an unknown
    name or a list of trajectories. Cost: some seconds for 10,000 values of one channel.
    """
    if isinstance(data, list | tuple) and any(isinstance(item, Series) for item in data):
        raise SettingError(
            "measures take one trajectory", place="data", remedy="Measure each: [tk.measure(item) for item in data]."
        )
    series = as_series(data).observed  # type: ignore[arg-type]
    names = list(REGISTRY) if only is None else [only] if isinstance(only, str) else list(only)
    for name in names:
        if name not in REGISTRY:
            raise SettingError(f"no measure {name!r}", place="only", remedy=f"Measures are: {', '.join(REGISTRY)}.")
    jobs = [(name, channel) for channel in series.channels for name in names]
    found: dict[str, Estimate] = {}
    for done, (name, channel) in enumerate(jobs):
        key = name if len(series.channels) == 1 else f"{name}[{channel}]"
        if progress is not None:
            progress(key, done, len(jobs))
        found[key] = _attempt(REGISTRY[name], series.select(channel), seed)
    return found


def _attempt(measure: Measure, series: Series, seed: int) -> Estimate:
    try:
        return measure(series, seed=seed)
    except Exception as error:
        return Estimate(
            measure.name, None, admissible=False, reason=f"{type(error).__name__}: {error}",
            reference=measure.reference, channel=series.channels[0],
        )  # fmt: skip
