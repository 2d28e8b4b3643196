"""Symplectic methods of fixed steps: compositions of kicks and drifts, and implicit Gauss methods, in machine code."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ...errors import SettingError
from ..symbols.walk import names_in
from .emit import RULE_ARGUMENTS, ZERO, Loops, Program, rule
from .ir import literal
from .steps import Stages, marching

MOST_ITERATIONS = 100
"""Iterations of an implicit step before it is given up."""
SETTLED = 1e-12
"""Changes of an iteration that no longer shrink are rounding if they are below this share of the state."""


@dataclass(frozen=True, eq=False)
class Splitting:
    """A symmetric composition of drifts q += w h f(p) and kicks p += w h g(q, t), for separable equations.

    One step is drift w/2, kick w, drift w/2 for each of the `weights`. It preserves volume, and phase-space structure
    where the equations are Hamilton's, H = T(p) + V(q, t): the energy error stays bounded. Two evaluations of half of
    the equations a weight.
    """

    name: str
    order: int
    weights: tuple[float, ...]
    adaptive: bool = False

    def __post_init__(self) -> None:
        if abs(math.fsum(self.weights) - 1) > 1e-15 or self.weights != self.weights[::-1]:
            raise SettingError("the weights are not symmetric with sum 1", place=self.name)

    def steps(self, program: Program) -> tuple[list[str], set[str]]:
        """The functions of fixed steps. Raises `SettingError` for equations that are not separable."""
        texts: list[str] = []
        used = set[str]()
        if program.loops is not None:
            move = _loops_moved(program, program.loops)
        else:
            texts, used, move = _written_out(program)

        def step(stages: Stages, time: str) -> None:
            code = stages.code
            stages.copy(stages.state, stages.next)

            def go(part: int, weight: float, at: float) -> None:
                moment = code.add(time, code.multiply(literal(at), "%h"))
                move(stages, part, moment, code.multiply(literal(weight), "%h"))

            gone, before = 0.0, 0.0
            for weight in self.weights:
                go(0, (before + weight) / 2, 0.0)
                gone, before = gone + (before + weight) / 2, weight
                go(1, weight, gone)
            go(0, before / 2, 0.0)

        found, more = marching(program, step, stages=1, contract=True)
        return [*texts, *found], used | more


Move = Callable[[Stages, int, str, str], None]
"""Code that moves one part of the next state, q (0) or p (1), at a time by a length."""


def _written_out(program: Program) -> tuple[list[str], set[str], Move]:
    """Functions for the rates of each part, and code that calls them."""
    groups = separation(program)
    names, texts, used = ("drift", "kick"), [], set[str]()
    for name, group in zip(names, groups, strict=True):
        part = Program(
            program.states, program.parameters, tuple(program.expressions[i] for i in group), program.auxiliary,
            program.time,
        )  # fmt: skip
        code = rule(part, contract=True)[1]
        texts.append(code.function(name, RULE_ARGUMENTS, attributes="alwaysinline nounwind"))
        used |= code.used

    def move(stages: Stages, part: int, moment: str, length: str) -> None:
        code, rates = stages.code, stages.rates[0]
        code.emit(f"call void @{names[part]}(double {moment}, ptr {stages.next}, ptr %p, ptr {rates})")
        for row, index in enumerate(groups[part]):
            change = code.multiply(length, code.load(rates, str(row)))
            code.store(code.add(code.load(stages.next, str(index)), change), stages.next, str(index))

    return texts, used, move


def _loops_moved(program: Program, loops: Loops) -> Move:
    """Code that takes from all rates those of a part: of loops there is no half."""
    small, blocks = loops.blocks()
    groups = separation(small)

    def move(stages: Stages, part: int, moment: str, length: str) -> None:
        code, rates = stages.code, stages.rates[0]
        stages.rate(moment, stages.next, rates)
        for first, count in (blocks[i] for i in groups[part]):
            place, change = code.element(stages.next, str(first)), code.element(rates, str(first))

            def one(index: str, place: str = place, change: str = change) -> None:
                moved = code.multiply(length, code.load(change, index))
                code.store(code.add(code.load(place, index), moved), place, index)

            code.each(count, one)

    return move


def separation(program: Program) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The positions of the states q and p with q' = f(p) and p' = g(q, t).

    They are found from which states each equation uses: no equation may use a state of its own group. The first state
    belongs to q, and so does the first one of every part that is not connected with those before it, unless its
    equations use the time. Raises `SettingError` where there are no such groups.
    """
    states, uses = set(program.states), dict[str, set[str]]()
    hidden = program.time in (*program.states, *program.parameters)
    for name, tree in program.auxiliary:
        uses[name] = set().union(*({n, *uses.get(n, ())} for n in names_in(tree)))
    linked: dict[str, set[str]] = {state: set() for state in program.states}
    timed = set[str]()
    for state, tree in zip(program.states, program.expressions, strict=True):
        used = set().union(*({n, *uses.get(n, ())} for n in names_in(tree)))
        if program.time in used and not hidden:
            timed.add(state)
        for other in used & states:
            linked[state].add(other)
            linked[other].add(state)
    side: dict[str, int] = {}
    seen = set[str]()
    for first in program.states:
        if first in side:
            continue
        seen.add(first)
        part, waiting = {first: 0}, [first]
        while waiting:
            state = waiting.pop()
            for other in sorted(linked[state]):
                if part.setdefault(other, 1 - part[state]) == part[state]:
                    raise _inseparable(f"{state} and {other} would have to be in different groups")
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        clocks = {part[state] for state in timed & set(part)}
        if len(clocks) > 1:
            raise _inseparable("rates of both groups depend on the time")
        flip = clocks == {0}
        side |= {state: 1 - group if flip else group for state, group in part.items()}
    positions = [tuple(i for i, s in enumerate(program.states) if side[s] == group) for group in (0, 1)]
    return positions[0], positions[1]


def _inseparable(why: str) -> SettingError:
    return SettingError(
        f"the equations are not separable into q' = f(p), p' = g(q, t): {why}",
        remedy="Use Gauss4, which is symplectic without that.",
    )


@dataclass(frozen=True, eq=False)
class Gauss:
    """An implicit Runge-Kutta method on the Gauss points: k_i = f(t + c_i h, x + h sum_j a_ij k_j), of order 2 s.

    Symplectic for any Hamiltonian, and quadratic invariants are kept. Each step is iterated until its changes are
    rounding, some 5 to 15 times for usual steps; where that does not settle, h is too long, and the next state is NaN.
    """

    name: str
    order: int
    nodes: tuple[float, ...]
    matrix: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    adaptive: bool = False

    def __post_init__(self) -> None:
        for node, row in zip(self.nodes, self.matrix, strict=True):
            if abs(math.fsum(row) - node) > 1e-15:
                raise SettingError("a row does not sum to its node", place=self.name)

    def steps(self, program: Program) -> tuple[list[str], set[str]]:
        """The functions of fixed steps."""
        count = len(self.nodes)

        def step(stages: Stages, time: str) -> None:
            _Iteration(stages, time, self).write()

        return marching(program, step, stages=count + 1, contract=True)


class _Iteration:
    """The blocks of one implicit step; the stage rates are the first of `stages.rates`, the last is a trial."""

    def __init__(self, stages: Stages, time: str, method: Gauss) -> None:
        self._stages, self._code, self._time, self._method = stages, stages.code, time, method
        code = self._code
        self._change, self._before, self._size = code.slot(), code.slot(), code.slot()
        self._tries = code.slot("i64")

    def write(self) -> None:
        code, stages, method = self._code, self._stages, self._method
        count = len(method.nodes)
        for index in range(count):
            stages.rate(self._time, stages.state, stages.rates[index])
        code.store(literal(math.inf), self._before)
        code.store("0", self._tries, kind="i64")
        again, more, settled, lost, done = (code.label() for _ in range(5))
        code.jump(again)
        code.begin(again)
        code.store(ZERO, self._change)
        code.store(literal(1e-300), self._size)
        for index, (node, row) in enumerate(zip(method.nodes, method.matrix, strict=True)):
            moment = code.add(self._time, code.multiply(literal(node), "%h"))
            stages.move(dict(enumerate(row)), "%h", stages.next)
            stages.rate(moment, stages.next, stages.rates[count])
            code.each(stages.dimension, partial(self._replace, index, count))
        change, before = code.load(self._change), code.load(self._before)
        tries = code.value(f"add i64 {code.load(self._tries, kind='i64')}, 1")
        code.store(tries, self._tries, kind="i64")
        code.store(change, self._before)
        shrinks = code.compare("olt", change, before)
        early = code.value(f"icmp slt i64 {tries}, {MOST_ITERATIONS}")
        some = code.compare("ogt", change, ZERO)
        onwards = code.value(f"and i1 {shrinks}, {code.value(f'and i1 {early}, {some}')}")
        code.branch(onwards, again, more)
        code.begin(more)
        small = code.compare("ole", change, code.multiply(literal(SETTLED), code.load(self._size)))
        code.branch(small, settled, lost)
        code.begin(settled)
        stages.move(dict(enumerate(method.weights)), "%h", stages.next)
        code.jump(done)
        code.begin(lost)
        code.each(stages.dimension, lambda i: code.store(literal(math.nan), stages.next, i))
        code.jump(done)
        code.begin(done)

    def _replace(self, stage: int, trial: int, index: str) -> None:
        """Take the new rate of one state; remember the largest change of the state that it makes."""
        code, stages = self._code, self._stages
        new, old = code.load(stages.rates[trial], index), code.load(stages.rates[stage], index)
        code.store(new, stages.rates[stage], index)
        change = code.call("fabs", code.multiply("%h", code.subtract(new, old)))
        code.store(code.maximum(change, code.load(self._change)), self._change)
        size = code.add(code.call("fabs", code.load(stages.state, index)), code.call("fabs", code.multiply("%h", new)))
        code.store(code.maximum(size, code.load(self._size)), self._size)


LEAPFROG = Splitting("Leapfrog", 2, (1.0,))
"""Half a drift, a kick, half a drift (Stoermer 1907, Verlet 1967)."""

_JUMP = 1 / (2 - 2 ** (1 / 3))
YOSHIDA4 = Splitting("Yoshida4", 4, (_JUMP, 1 - 2 * _JUMP, _JUMP))
"""The triple jump of order 4 (Yoshida, Phys. Lett. A 150, 262, 1990)."""

_KAHAN_LI = (
    0.13020248308889008087881763, 0.56116298177510838456196441, -0.38947496264484728640807860,
    0.15884190655515560089621075, -0.39590389413323757733623154, 0.18453964097831570709183254,
    0.25837438768632204729397911, 0.29501172360931029887096624,
)  # fmt: skip
KAHAN_LI8 = Splitting("KahanLi8", 8, (*_KAHAN_LI, 1 - 2 * math.fsum(_KAHAN_LI), *_KAHAN_LI[::-1]))
"""Seventeen leapfrogs of order 8 (Kahan & Li, Math. Comput. 66, 1089, 1997)."""

MIDPOINT = Gauss("Midpoint", 2, (0.5,), ((0.5,),), (1.0,))
"""The implicit midpoint rule."""

_THIRD = math.sqrt(3) / 6
GAUSS4 = Gauss("Gauss4", 4, (0.5 - _THIRD, 0.5 + _THIRD), ((0.25, 0.25 - _THIRD), (0.25 + _THIRD, 0.25)), (0.5, 0.5))
"""Two Gauss points (Hammer & Hollingsworth 1955)."""

SYMPLECTIC: dict[str, Splitting | Gauss] = {m.name: m for m in (LEAPFROG, YOSHIDA4, KAHAN_LI8, MIDPOINT, GAUSS4)}
"""The methods of this file by name."""
