"""Systems of any size: functions from a structure (sizes, seeds, graphs) to a definition, one file a subject.

A family has an entry in the catalogue, with `family = "name"`, parameters and what is known; its function gives the
equations and an initial state, in the form of a definition. The arguments of the function are its structure: they are
given to `takens.system` beside the parameters, `takens.system("Lorenz96", size=100, f=10)`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import SettingError
from . import bodies, chains, epidemics, games, neurons, oscillators, weather

FAMILIES: dict[str, Callable[..., dict[str, Any]]] = {
    function.__name__: function
    for function in (
        weather.lorenz96, weather.lorenz96_two_scale, oscillators.kuramoto, oscillators.kuramoto_network,
        oscillators.noisy_kuramoto, oscillators.hamiltonian_mean_field, chains.fput, chains.coupled_maps,
        chains.globally_coupled_maps, neurons.ring_star_chialvo, neurons.chialvo_rulkov_chain, games.replicator,
        bodies.gravity, epidemics.metapopulation,
    )
}  # fmt: skip
"""The functions by the names that entries of the catalogue use."""


def structure(table: Mapping[str, Any]) -> dict[str, Any]:
    """The structural arguments of an entry of the catalogue and their defaults; none where it is no family."""
    if "family" not in table:
        return {}
    name = table["family"]
    if not isinstance(name, str) or name not in FAMILIES:
        raise SettingError(f"is {name!r}", place="family", remedy=f"The families are {', '.join(FAMILIES)}.")
    return {key: argument.default for key, argument in inspect.signature(FAMILIES[name]).parameters.items()}


def built(table: Mapping[str, Any], given: Mapping[str, Any], place: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The definition of a member of a family, and what of the arguments `given` are parameters.

    What is known holds for the default structure only and is left out for another. Raises `SettingError` for sizes that
    do not fit.
    """
    try:
        defaults = structure(table)
        chosen = {name: value for name, value in given.items() if name in defaults}
        made = FAMILIES[table["family"]](**chosen)
    except SettingError as error:
        where = ": ".join(part for part in (place, str(table.get("name", "")), error.place) if part)
        raise SettingError(error.cause, place=where, remedy=error.remedy) from None
    left_out = {"family"} if not chosen else {"family", "known"}
    kept = {key: value for key, value in table.items() if key not in left_out}
    return {**kept, **made}, {name: value for name, value in given.items() if name not in defaults}
