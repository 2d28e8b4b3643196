"""Programs compiled once: the same equations and method are the same machine code, whatever the parameters' values."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .adaptive import adaptive_steps
from .crossing import Crossings
from .delay import DelayProgram, delay_steps
from .emit import RULE, Program
from .ir import NO_MEMORY
from .loop import INTEGRATE, SAMPLES
from .machine import Machine
from .recurrence import NotAnalytic
from .steps import MARCH, fixed_steps, map_steps, rule_text
from .symplectic import Gauss, Splitting
from .tableau import Tableau
from .tangent import Tangent
from .tangent_steps import REDUCE, reducing
from .taylor import taylor_steps

KEPT = 512
"""Compilations kept in this process; the least used goes first."""

_POINTER = ctypes.c_void_p
_WHOLE = ctypes.c_int64
_REAL = ctypes.c_double
_INTEGRATE_TYPES = (*(_POINTER,) * 4, _REAL, _WHOLE, _POINTER, _WHOLE, _POINTER)


@dataclass(frozen=True, eq=False)
class Kernel:
    """One compiled loop and the rule it uses; `machine` holds their code."""

    machine: Machine
    loop: Callable[..., int]
    rule: Callable[..., None]

    def rate(self, time: float, state: NDArray[np.float64], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """The right-hand sides at one state `(state,)`."""
        return _evaluate(self.rule, time, state, parameters)


def _kernel(parts: tuple[list[str], set[str]], name: str, *arguments: Any) -> Kernel:
    machine = Machine(*parts)
    rule = machine.function(RULE, None, _REAL, _POINTER, _POINTER, _POINTER)
    return Kernel(machine, _allocating(machine.function(name, _WHOLE, *arguments)), rule)


def _allocating(loop: Callable[..., int]) -> Callable[..., int]:
    """A loop that may find no memory for the states of a large system."""

    def run(*arguments: object) -> int:
        found = loop(*arguments)
        if found == NO_MEMORY:
            raise MemoryError("the states of the steps do not fit into memory")
        return found

    return run


@lru_cache(maxsize=KEPT)
def adaptive_kernel(program: Program, tableau: Tableau, surface: Program | None = None) -> Kernel:
    """The adaptive loop of a flow that writes samples, or crossings of a surface; see `loop.Loop` for its arguments."""
    output = SAMPLES if surface is None else Crossings(surface)
    return _kernel(adaptive_steps(program, tableau, output), INTEGRATE, *_INTEGRATE_TYPES)


def taylor_kernel(program: Program, order: int, surface: Program | None = None) -> Kernel:
    """The same with Taylor steps. Raises `NotAnalytic` for equations with jumps, kinks or too many terms."""
    found = _taylor(program, order, surface)
    if isinstance(found, NotAnalytic):
        raise NotAnalytic(found.cause, remedy=found.remedy)
    return found


@lru_cache(maxsize=KEPT)
def _taylor(program: Program, order: int, surface: Program | None) -> Kernel | NotAnalytic:
    try:
        parts = taylor_steps(program, order, SAMPLES if surface is None else Crossings(surface))
    except NotAnalytic as error:
        return error  # kept, so that it is found out once
    return _kernel(parts, INTEGRATE, *_INTEGRATE_TYPES)


@lru_cache(maxsize=KEPT)
def delay_kernel(delayed: DelayProgram, tableau: Tableau) -> Kernel:
    """The adaptive loop of a delay equation; see `delay.DelayProgram` for its parameters."""
    return _kernel(delay_steps(delayed, tableau), INTEGRATE, *_INTEGRATE_TYPES)


@lru_cache(maxsize=KEPT)
def marching_kernel(program: Program, tableau: Tableau | Splitting | Gauss | None) -> Kernel:
    """The loop of fixed steps of a flow or, without a tableau, of a map; see `steps` for its arguments."""
    if isinstance(tableau, Tableau):
        parts = fixed_steps(program, tableau)
    else:
        parts = map_steps(program) if tableau is None else tableau.steps(program)
    return _kernel(parts, MARCH, _POINTER, _POINTER, _REAL, _REAL, _WHOLE, _WHOLE, _WHOLE, _POINTER)


@lru_cache(maxsize=KEPT)
def reducing_kernel(tangent: Tangent, *, adaptive: bool) -> Kernel:
    """The loop of a state and displacements from it; see `tangent_steps.reducing` for its arguments."""
    types = (*(_POINTER,) * 4, _REAL, _WHOLE, _REAL, _REAL, _WHOLE, _WHOLE, _POINTER, _WHOLE, _POINTER)
    return _kernel(reducing(tangent, adaptive=adaptive), REDUCE, *types)


@lru_cache(maxsize=KEPT)
def compile_rule(program: Program, *, contract: bool = False) -> Callable[..., NDArray[np.float64]]:
    """The right-hand sides as a compiled function `(time, state (state,), parameters (parameter,)) -> (state,)`.

    Without `contract` every operation rounds as in plain double arithmetic. Cost: tens of milliseconds to compile,
    a microsecond a call; for many states at once NumPy's evaluation is the better choice.
    """
    text, code = rule_text(program, contract=contract, uses=1)
    machine = Machine([text], code.used)
    function = machine.function(RULE, None, _REAL, _POINTER, _POINTER, _POINTER)

    def evaluate(time: float, state: NDArray[np.float64], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        assert machine is not None  # the closure holds the code
        return _evaluate(function, time, state, parameters, len(program.expressions) or None)

    return evaluate


def _evaluate(
    rule: Callable[..., None],
    time: float,
    state: NDArray[np.float64],
    parameters: NDArray[np.float64],
    size: int | None = None,
) -> NDArray[np.float64]:
    state = np.ascontiguousarray(state, dtype=np.float64)
    parameters = np.ascontiguousarray(parameters, dtype=np.float64)
    out = np.empty(len(state) if size is None else size)
    rule(float(time), state.ctypes.data, parameters.ctypes.data, out.ctypes.data)
    return out
