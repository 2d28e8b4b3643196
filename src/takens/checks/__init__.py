"""The conformance suite: every model, law, measure and score, built in or not, is held to the same contract.

    >>> takens.checks.check_model(MyModel())
    ('frozen', 'input unchanged', 'same seed, same result', ...)

Each check returns the names of the rules that held and raises `CheckFailed`, which names the first that did not.
"""

from .measures import check_measure
from .models import check_law, check_model
from .relations import check_relation
from .rules import CheckFailed
from .samples import awkward_series, sample_series
from .scores import check_climate_score, check_score

__all__ = [
    "CheckFailed",
    "awkward_series",
    "check_climate_score",
    "check_law",
    "check_measure",
    "check_model",
    "check_relation",
    "check_score",
    "sample_series",
]
