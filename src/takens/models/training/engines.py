"""The two ways an epoch of updates is carried out: a loop over compiled gradients, or one JAX program for all seeds."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeVar, final

import numpy as np

from ...random import generator
from ..base import Array
from .layout import Layout
from .optimisers import Moments
from .precision import jax_in_double
from .problems import Compiled, Moment, Problem, Traced
from .settings import Settings

Item = TypeVar("Item")


@dataclass(frozen=True)
class Place:
    """Everything that updates change for one seed: weights, moments of the optimiser, average, adaptive numbers."""

    vector: Array
    moments: Moments
    average: Array
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Epoch:
    """The work of one epoch of one seed: rates `(update,)` and shares `(update,)` of the training before each."""

    seed: int
    number: int
    rates: Array
    shares: Array

    def draws(self) -> np.random.Generator:
        """The generator of this epoch's batches: by seed and number, so that resuming needs no random state."""
        return generator(self.seed, "train", self.number)

    def moment(self, index: int, values: Mapping[str, float]) -> Moment:
        """Where update `index` of this epoch stands."""
        return Moment(self.number, self.number * len(self.rates) + index, float(self.shares[index]), values)


@dataclass(frozen=True)
class Engine(ABC):
    """Carries out epochs. A concrete engine writes `advance`."""

    problem: Problem
    settings: Settings
    layout: Layout

    @abstractmethod
    def advance(self, places: Sequence[Place], epochs: Sequence[Epoch]) -> list[tuple[Place, Array]]:
        """The places after one epoch, each with the losses `(update,)` on the way."""

    @abstractmethod
    def each(self, function: Callable[[Item], Item], items: Sequence[Item]) -> list[Item]:
        """`function` of each item, side by side where the engine can."""

    def start(self, seed: int) -> Place:
        """The place of a seed before the first update."""
        parameters = self.problem.initial(generator(seed, "train", "initial"))
        vector = np.asarray(self.layout.pack(parameters), dtype=np.float64)
        values = self.problem.values() if isinstance(self.problem, Compiled) else {}
        return Place(vector, self.settings.optimiser.start(vector, np), vector, values)

    def updated(self, place: Place, gradient: Any, rate: Any, mask: Any, xp: Any) -> Place:
        """One update: clip, penalise, step, decay, project, average; the same lines for NumPy and JAX."""
        settings = self.settings
        vector = place.vector
        if settings.clip is not None:
            norm = xp.sqrt(xp.sum(gradient * gradient))
            gradient = gradient * xp.minimum(1.0, settings.clip / xp.maximum(norm, 1e-300))
        if settings.penalty:
            gradient = gradient + settings.penalty * mask * vector
        step, moments = settings.optimiser.update(gradient, place.moments, xp)
        if settings.decay:
            step = step + settings.decay * mask * vector
        vector = vector - rate * step
        if type(self.problem).after is not Problem.after:
            vector = self.layout.pack(self.problem.after(self.layout.unpack(vector)), xp)
        average = vector
        if settings.average:
            # Over fewer updates at the start, so that the first weights are soon forgotten.
            memory = xp.minimum(settings.average, moments[0] / (moments[0] + 9.0))
            average = memory * place.average + (1 - memory) * vector
        return Place(vector, moments, average, place.values)


@final
@dataclass(frozen=True)
class Loop(Engine):
    """Updates one after the other in NumPy, seeds side by side in threads."""

    def advance(self, places: Sequence[Place], epochs: Sequence[Epoch]) -> list[tuple[Place, Array]]:
        return side_by_side(self._epoch, places, epochs)

    def each(self, function: Callable[[Item], Item], items: Sequence[Item]) -> list[Item]:
        return side_by_side(function, items)

    def _epoch(self, place: Place, epoch: Epoch) -> tuple[Place, Array]:
        problem = self.problem
        assert isinstance(problem, Compiled)
        rng, mask = epoch.draws(), self.layout.mask(self.settings.spared)
        losses = np.full(len(epoch.rates), np.nan)
        with np.errstate(all="ignore"):
            for i, rate in enumerate(epoch.rates.tolist()):
                batch = problem.batch(rng, epoch.moment(i, place.values))
                parameters = self.layout.unpack(place.vector)
                values = problem.adapt(parameters, batch, epoch.moment(i, place.values))
                losses[i], gradients = problem.gradient(parameters, batch, epoch.moment(i, values))
                if not np.isfinite(losses[i]):
                    break
                place = self.updated(replace(place, values=values), self.layout.pack(gradients), rate, mask, np)
        return place, losses


@final
@dataclass(frozen=True)
class Vectorised(Engine):
    """A compiled scan over the updates of an epoch, mapped over seeds; on a GPU where JAX finds one."""

    seeds: int

    def advance(self, places: Sequence[Place], epochs: Sequence[Epoch]) -> list[tuple[Place, Array]]:
        # Seeds that have stopped are filled up by copies, so that the program keeps its shape.
        rows = [i % len(places) for i in range(self.seeds)]
        batches = [self._batches(places[i], epochs[i]) for i in range(len(places))]
        jax = jax_in_double()

        def stacked(items: Sequence[Any]) -> Any:
            return jax.tree.map(lambda *leaves: np.stack(leaves), *[items[i] for i in rows])

        states = stacked([(p.vector, p.moments, p.average) for p in places])
        states, losses = _compiled(Program.of(self))(states, stacked(batches), stacked([e.rates for e in epochs]))
        states, losses = jax.tree.map(np.asarray, (states, losses))
        found = []
        for i, place in enumerate(places):
            vector, moments, average = jax.tree.map(lambda leaf: leaf[i], states)  # noqa: B023
            moments = (int(moments[0]), *moments[1:])
            found.append((Place(vector, moments, average, place.values), losses[i]))
        return found

    def each(self, function: Callable[[Item], Item], items: Sequence[Item]) -> list[Item]:
        return [function(item) for item in items]

    def _batches(self, place: Place, epoch: Epoch) -> Any:
        rng = epoch.draws()
        drawn = [self.problem.batch(rng, epoch.moment(i, place.values)) for i in range(len(epoch.rates))]
        return jax_in_double().tree.map(lambda *leaves: np.stack(leaves), *drawn)

    def scan(self, state: Any, batches: Any, rates: Any) -> Any:
        """The state of one seed after an epoch, and its losses; traced by JAX."""
        jax = jax_in_double()
        problem = self.problem
        assert isinstance(problem, Traced)
        mask = self.layout.mask(self.settings.spared)

        def update(carry: Any, given: Any) -> Any:
            batch, rate = given
            vector, moments, average = carry
            value, gradient = jax.value_and_grad(lambda v: problem.loss(self.layout.unpack(v), batch))(vector)
            place = self.updated(Place(vector, moments, average), gradient, rate, mask, jax.numpy)
            return (place.vector, place.moments, place.average), value

        return jax.lax.scan(update, state, (batches, rates))


@dataclass(frozen=True)
class Program:
    """What tells one compiled epoch from another; trainings of equal `key` share it."""

    key: Hashable
    engine: Vectorised = field(compare=False)

    @classmethod
    def of(cls, engine: Vectorised) -> Program:
        """The program of an engine; a problem without a key of its own shares with nothing but itself."""
        problem = engine.problem
        assert isinstance(problem, Traced)
        own = problem.key()
        key = (type(problem), id(problem) if own is None else own, replace(engine.settings, epochs=1), engine.layout)
        return cls(key, engine)


@lru_cache(maxsize=8)
def _compiled(program: Program) -> Callable[[Any, Any, Any], Any]:
    jax = jax_in_double()
    run: Callable[[Any, Any, Any], Any] = jax.jit(jax.vmap(program.engine.scan))
    return run


def side_by_side(function: Callable[..., Item], *arguments: Sequence[Any]) -> list[Item]:
    """`function` of each item in threads, as many as there are processors: compiled code releases the GIL."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = min(len(arguments[0]), processors)
    if threads < 2:
        return [function(*items) for items in zip(*arguments, strict=True)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, *arguments))


def engine_for(problem: Problem, settings: Settings, seeds: Sequence[int]) -> Engine:
    """The engine that fits the kind of problem."""
    layout = Layout.of(problem.initial(generator(seeds[0], "train", "initial")))
    layout.mask(settings.spared)
    if isinstance(problem, Traced):
        return Vectorised(problem, settings, layout, len(seeds))
    return Loop(problem, settings, layout)
