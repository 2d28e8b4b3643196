"""Where the methods of a study come from, read off the measures, models and scores themselves."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from ..models import MODELS
from .words import label, measure_label

if TYPE_CHECKING:
    from ..study import Study

_SOURCE = re.compile(r"\b(?:Sources?|References?):\s*(.+?)\s*$", re.DOTALL)


def references(study: Study) -> list[tuple[str, str]]:
    """(method, what it is and its source) of everything the study used: measures, models, scores; each once."""
    found: dict[str, str] = {}
    for key, estimate in study.estimates.items():
        name = measure_label(estimate.name or key.partition("[")[0])
        if estimate.reference and name not in found:
            found[name] = _sentence(estimate.reference)
    for candidate in study.candidates:
        model = MODELS.get(candidate.model)
        if model is not None and candidate.ok:
            name = label(candidate.model)
            found[name[:1].upper() + name[1:]] = described(model)
    return [*found.items(), *_scores()]


def described(kind: type) -> str:
    """The first sentence of a class's docstring and the source it names."""
    text = inspect.getdoc(kind) or ""
    source = _SOURCE.search(text)
    first = _sentence(" ".join(text.split("\n\n")[0].split()))
    return f"{first} {_sentence(' '.join(source.group(1).split()))}" if source else first


def _scores() -> list[tuple[str, str]]:
    from ..scores import ensembles, geometry, spectra, validity

    return [
        ("CRPS", _sentence(f"{ensembles.GNEITING}; {ensembles.FAIR}")),
        ("Valid prediction time", _sentence(validity.REFERENCES["nrmse"])),
        ("State-space divergence", _sentence(geometry.REFERENCE)),
        ("Spectral Hellinger distance", _sentence(spectra.REFERENCE)),
    ]


def _sentence(text: str) -> str:
    return text.rstrip(". ") + "." if text else ""
