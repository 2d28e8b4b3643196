"""Markov jump processes: every event drawn exactly (Gillespie, J. Comput. Phys. 22, 403 (1976)), as machine code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...errors import SimulationError
from .compile import KEPT
from .elementary import functions, symbol
from .emit import RULE, Program
from .integrate import Report
from .ir import literal
from .machine import POINTER, REAL, WHOLE, Machine
from .random_numbers import UNIFORMS, uniforms
from .steps import rule_text

Array = NDArray[np.float64]

EVENTS = "events"
DONE, BUDGET, UNSOUND = 0, 1, 2
PORTION = 1_000_000
"""Events in one call of compiled code, after which Python can report progress or be interrupted."""
MOST_EVENTS = 1_000_000_000
"""Events after which a simulation is given up."""


def jumps(program: Program, states: int) -> tuple[list[str], set[str]]:
    """Functions that draw events; `program` has the rate of each reaction over the states, the parameters and the time.

    `i64 @events(y, p, clock, counts, key, member, budget, times, samples, changes, out)` goes on from time `clock[0]`
    and state `y`, writing a row of `out` for each of `times`, in at most `budget` events; `counts = (next sample,
    events so far)`, and `changes (reaction, state)` is what the reactions add. The random numbers of an event depend on
    the key, the member and the number of the event, so that the result does not depend on the budget. Returns DONE,
    BUDGET, or UNSOUND where a rate is negative or not finite.
    """
    rates, code = rule_text(program, contract=True, uses=1)
    count = len(program.expressions)
    text = "\n".join([_entry(count), _draw(), _rows(states), _event(count, states)])
    return [*functions(("log",), 1), uniforms(1), rates, text], code.used


def _entry(count: int) -> str:
    """Rates at the present state, their sum, and whether all of them are sound."""
    return f"""define i64 @{EVENTS}(ptr noalias %y, ptr noalias readonly %p, ptr noalias %clock, ptr noalias %counts,
    i64 %key, i64 %member, i64 %budget, ptr noalias readonly %times, i64 %samples, ptr noalias readonly %changes,
    ptr noalias %out) nounwind {{
entry:
  %rates = alloca double, i64 {count}, align 16
  %begin = load double, ptr %clock, align 8
  %sample = load i64, ptr %counts, align 8
  %counts.events = getelementptr i64, ptr %counts, i64 1
  %past = load i64, ptr %counts.events, align 8
  br label %loop

loop:
  %t = phi double [%begin, %entry], [%t.next, %changed]
  %s = phi i64 [%sample, %entry], [%s.now, %changed]
  %number = phi i64 [%past, %entry], [%number.next, %changed]
  %left = phi i64 [%budget, %entry], [%left.next, %changed]
  %spent = icmp sle i64 %left, 0
  br i1 %spent, label %leave, label %go

go:
  call void @{RULE}(double %t, ptr %y, ptr %p, ptr %rates)
  br label %sum

sum:
  %i = phi i64 [0, %go], [%i.next, %sum]
  %part = phi double [0.0, %go], [%total, %sum]
  %sound = phi i1 [true, %go], [%sound.next, %sum]
  %rate.place = getelementptr double, ptr %rates, i64 %i
  %rate = load double, ptr %rate.place, align 8
  %total = fadd double %part, %rate
  %above = fcmp oge double %rate, 0.0
  %below = fcmp olt double %total, {literal(np.inf)}
  %both = and i1 %above, %below
  %sound.next = and i1 %sound, %both
  %i.next = add i64 %i, 1
  %i.more = icmp slt i64 %i.next, {count}
  br i1 %i.more, label %sum, label %summed

summed:
  %moves = fcmp ogt double %total, 0.0
  br i1 %sound.next, label %draw, label %leave
"""


def _draw() -> str:
    """The time of the next event: never where nothing can happen any more."""
    return f"""draw:
  %low = and i64 %number, 4294967295
  %high = lshr i64 %number, 32
  %uniforms = call {{double, double}} @{UNIFORMS}(i64 %low, i64 %high, i64 %member, i64 0, i64 %key)
  %u = extractvalue {{double, double}} %uniforms, 0
  %v = extractvalue {{double, double}} %uniforms, 1
  %rest = fsub double 1.0, %u
  %log = call double {symbol("log")}(double %rest)
  %wait.negative = fdiv double %log, %total
  %t.event = fsub double %t, %wait.negative
  %t.next = select i1 %moves, double %t.event, double {literal(np.inf)}
  br label %rows
"""


def _rows(states: int) -> str:
    """The state as it is until the event, at all times before it."""
    return f"""rows:
  %s.now = phi i64 [%s, %draw], [%s.next, %written]
  %s.some = icmp slt i64 %s.now, %samples
  br i1 %s.some, label %due, label %leave

due:
  %time.place = getelementptr double, ptr %times, i64 %s.now
  %time = load double, ptr %time.place, align 8
  %is.due = fcmp olt double %time, %t.next
  br i1 %is.due, label %write, label %choose

write:
  %k = phi i64 [0, %due], [%k.next, %write]
  %from = getelementptr double, ptr %y, i64 %k
  %value = load double, ptr %from, align 8
  %row = mul i64 %s.now, {states}
  %index = add i64 %row, %k
  %to = getelementptr double, ptr %out, i64 %index
  store double %value, ptr %to, align 8
  %k.next = add i64 %k, 1
  %k.more = icmp slt i64 %k.next, {states}
  br i1 %k.more, label %write, label %written

written:
  %s.next = add i64 %s.now, 1
  br label %rows
"""


def _event(count: int, states: int) -> str:
    """The reaction whose share of the rates holds v, what it changes, and the ends."""
    return f"""choose:
  %target = fmul double %v, %total
  br label %search

search:
  %j = phi i64 [0, %choose], [%j.next, %search]
  %share = phi double [0.0, %choose], [%share.next, %search]
  %share.place = getelementptr double, ptr %rates, i64 %j
  %share.rate = load double, ptr %share.place, align 8
  %share.next = fadd double %share, %share.rate
  %j.next = add i64 %j, 1
  %not.yet = fcmp ole double %share.next, %target
  %j.more = icmp slt i64 %j.next, {count}
  %search.more = and i1 %not.yet, %j.more
  br i1 %search.more, label %search, label %found

found:
  %change.row = mul i64 %j, {states}
  br label %change

change:
  %c = phi i64 [0, %found], [%c.next, %change]
  %state.place = getelementptr double, ptr %y, i64 %c
  %state = load double, ptr %state.place, align 8
  %change.index = add i64 %change.row, %c
  %change.place = getelementptr double, ptr %changes, i64 %change.index
  %added = load double, ptr %change.place, align 8
  %state.next = fadd double %state, %added
  store double %state.next, ptr %state.place, align 8
  %c.next = add i64 %c, 1
  %c.more = icmp slt i64 %c.next, {states}
  br i1 %c.more, label %change, label %changed

changed:
  %number.next = add i64 %number, 1
  %left.next = sub i64 %left, 1
  br label %loop

leave:
  %status = phi i64 [{BUDGET}, %loop], [{UNSOUND}, %summed], [{DONE}, %rows]
  %s.end = phi i64 [%s, %loop], [%s, %summed], [%s.now, %rows]
  store double %t, ptr %clock, align 8
  store i64 %s.end, ptr %counts, align 8
  store i64 %number, ptr %counts.events, align 8
  ret i64 %status
}}
"""


@dataclass(frozen=True)
class Reactions:
    """What is compiled: a program with the rate of each reaction, and the changes `(reaction, state)` they make."""

    program: Program
    changes: Array
    key: int = 0
    member: int = 0
    name: str = ""


def react(
    plan: Reactions, initial: Array, parameters: Array, times: Array, *, most_events: int = MOST_EVENTS,
    report: Report | None = None,
) -> Array:  # fmt: skip
    """States `(time, state)` at increasing `times (time,)` from `initial (state,)` at time 0: those before the event.

    A state without any rate stays. Raises `SimulationError`, with time and state, for a rate that is negative or not
    finite and for more than `most_events` events. Cost: some 50 nanoseconds an event for a few reactions.
    """
    kernel = _kernel(plan.program, len(initial))
    state, parameters = np.array(initial, dtype=np.float64), np.ascontiguousarray(parameters, dtype=np.float64)
    times, changes = np.ascontiguousarray(times), np.ascontiguousarray(plan.changes, dtype=np.float64)
    out, clock, counts = np.empty((len(times), len(state))), np.zeros(1), np.zeros(2, dtype=np.int64)
    status = BUDGET
    while status == BUDGET:
        status = kernel.loop(
            state.ctypes.data, parameters.ctypes.data, clock.ctypes.data, counts.ctypes.data, plan.key, plan.member,
            min(PORTION, most_events + 1 - int(counts[1])), times.ctypes.data, len(times), changes.ctypes.data,
            out.ctypes.data,
        )  # fmt: skip
        if status == BUDGET and counts[1] > most_events:
            raise _failure(plan, f"more than {most_events:,} events", clock[0], state, "Ask for a shorter time.")
        if report is not None:
            report(1.0 if status == DONE else clock[0] / times[-1])
    if status == UNSOUND:
        rates = kernel.rates(float(clock[0]), state, parameters, len(changes))
        worst = int(np.flatnonzero(~((rates >= 0) & (rates < np.inf)))[0])
        raise _failure(
            plan, f"the rate of reaction {worst + 1} is {rates[worst]:.6g}", clock[0], state,
            "A rate is finite and not negative at every state that can be reached: check equations and parameters.",
        )  # fmt: skip
    return out


@dataclass(frozen=True, eq=False)
class _Kernel:
    """The compiled loop and the rates, and what holds their code."""

    machine: Machine
    loop: Callable[..., int]
    rule: Callable[..., None]

    def rates(self, time: float, state: Array, parameters: Array, count: int) -> Array:
        out = np.empty(count)
        self.rule(time, state.ctypes.data, parameters.ctypes.data, out.ctypes.data)
        return out


@lru_cache(maxsize=KEPT)
def _kernel(program: Program, states: int) -> _Kernel:
    machine = Machine(*jumps(program, states))
    kinds = (POINTER, POINTER, POINTER, POINTER, WHOLE, WHOLE, WHOLE, POINTER, WHOLE, POINTER, POINTER)
    rule = machine.function(RULE, None, REAL, POINTER, POINTER, POINTER)
    return _Kernel(machine, machine.function(EVENTS, WHOLE, *kinds), rule)


def _failure(plan: Reactions, cause: str, time: float, state: Array, remedy: str) -> SimulationError:
    shown = ", ".join(f"{name} = {value:.6g}" for name, value in zip(plan.program.states[:8], state, strict=False))
    return SimulationError(
        f"{cause} at {plan.program.time} = {time:.10g}, {shown}", time=float(time), state=tuple(map(float, state)),
        place=plan.name, remedy=remedy,
    )  # fmt: skip
