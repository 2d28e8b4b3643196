"""Machine code of adaptive integration for many members: a lane takes the next member when its own is done."""

from __future__ import annotations

from .emit import ONE, ZERO, Program
from .ir import Code, literal
from .lanes_steps import (
    ACCEPTED,
    ALIVE,
    DUE,
    EVENT,
    FRESH,
    NEW_TIME,
    REFUSED,
    SAID,
    TAKEN,
    TIME,
    VARIABLES,
    RungeKuttaSteps,
    Steps,
    TaylorSteps,
)
from .loop import DONE, UNDERFLOW
from .steps import rule_text
from .tableau import Tableau
from .widen import gather, scatter, splat, vector, widened

WIDTH = 16
"""Members in a vector: two registers of AVX-512, so that one does not wait for the other."""

INTEGRATE_LANES = "integrate_lanes"
INTEGRATE_LANES_ARGUMENTS = (
    "ptr noalias readonly %initial", "ptr noalias readonly %parameters", "i64 %first", "i64 %last", "double %start",
    "double %tolerance", "double %most", "ptr noalias readonly %times", "i64 %begun", "i64 %samples",
    "ptr noalias %out", "ptr noalias %status",
)  # fmt: skip
_NOBODY = -1


def integrate_lanes(program: Program, method: Tableau | int) -> tuple[list[str], set[str]]:
    """`void @integrate_lanes(initial, parameters, first, last, start, tolerance, most, times, begun, samples, out,
    status)`: the solutions from `start` at `times`, by a tableau or Taylor steps of an order.

    For the members from `first` to `last`, of `initial (member, state)` and `parameters (member, parameter)`: the rows
    of `out (member, sample, state)` from `begun` on. A member that cannot go on, or takes more than `most` steps, has
    `status (member,)` UNDERFLOW, and its rows from there on are left as they are. Raises `NotAnalytic`.
    """
    if isinstance(method, int):
        steps: Steps = TaylorSteps(program, method)
        uses = 1
    else:
        steps, uses = RungeKuttaSteps(program, method), len(method.all_stages)
    text, _ = rule_text(program, contract=True, uses=uses)
    functions, declared = widened([text, *steps.texts()], WIDTH)
    driver = _Driver(steps, len(program.parameters))
    return [*functions, driver.text()], declared | driver.code.used


class _Driver:
    """The loop over steps, and what happens where a lane has something to write or has come to its end."""

    def __init__(self, steps: Steps, parameters: int) -> None:
        self.code = code = Code(contract=False)
        self._steps, self._dimension, self._parameters = steps, steps.dimension, parameters
        real, size = vector(WIDTH), steps.size
        self._y, self._next, self._work = (code.slot(real, n) for n in (size, size, steps.work))
        self._p, self._v, self._w = (code.slot(real, n) for n in (max(1, parameters), VARIABLES, SAID))
        self._polynomial = code.slot(real, steps.degree * steps.dimension)
        self._shown = code.slot(real, steps.dimension)
        self._member, self._row = code.slot("i64", WIDTH), code.slot("i64", WIDTH)
        self._upcoming, self._active, self._again, self._lane = (code.slot("i64") for _ in range(4))

    def text(self) -> str:
        """The whole function."""
        code = self.code
        loop, event, sampling, quiet, commit, go, ends, fresh, stop = (code.label() for _ in range(9))
        self._vectors = tuple(splat(code, value, WIDTH) for value in ("%tolerance", self._last(), "%most"))
        code.store("%first", self._upcoming, kind="i64")
        self._empty()
        code.jump(ends)
        code.begin(loop)
        self._call("attempt")
        code.branch(self._any(self._w, EVENT), event, quiet)
        code.begin(event)
        self._call("dense")
        code.jump(sampling)
        code.begin(sampling)
        places = (self._y, self._v, self._w, self._polynomial, self._shown)
        code.emit(f"call void @sample({', '.join(f'ptr {place}' for place in places)})")
        code.store("0", self._again, kind="i64")
        self._each_lane(self._write)
        again, after = self._nonzero(self._again), code.label()
        code.branch(again, sampling, after)
        code.begin(after)
        self._call("commit")
        code.jump(ends)
        code.begin(quiet)
        code.branch(self._any(self._w, REFUSED), commit, go)
        code.begin(commit)
        self._call("commit")
        code.jump(loop)
        code.begin(go)
        self._call("go")
        code.jump(loop)
        code.begin(ends)
        code.store("0", self._active, kind="i64")
        self._each_lane(self._replace)
        code.branch(self._nonzero(self._active), fresh, stop)
        code.begin(fresh)
        begin = code.label()
        code.branch(self._any(self._v, FRESH), begin, loop)
        code.begin(begin)
        self._call("start")
        code.jump(loop)
        code.begin(stop)
        code.emit("ret void")
        return code.function(INTEGRATE_LANES, INTEGRATE_LANES_ARGUMENTS, attributes="nounwind")

    def _last(self) -> str:
        return self.code.load("%times", self.code.value("sub i64 %samples, 1"))

    def _call(self, name: str) -> None:
        places = (self._y, self._p, self._v, self._next, self._w, self._work, self._polynomial)
        pointers = ", ".join(f"ptr {place}" for place in places)
        numbers = ", ".join(f"{vector(WIDTH)} {value}" for value in self._vectors)
        self.code.emit(f"call void @{name}({pointers}, {numbers})")

    def _any(self, array: str, place: int) -> str:
        """Whether a number is not 0 in some lane."""
        code, real = self.code, vector(WIDTH)
        found = code.fresh_value(f"load {real}, ptr {code.element(array, str(place * WIDTH))}, align 8")
        mask = code.value(f"fcmp une {real} {found}, zeroinitializer")
        return code.value(f"icmp ne i{WIDTH} {code.value(f'bitcast <{WIDTH} x i1> {mask} to i{WIDTH}')}, 0")

    def _nonzero(self, place: str) -> str:
        return self.code.value(f"icmp ne i64 {self.code.load(place, kind='i64')}, 0")

    def _each_lane(self, body: object) -> None:
        code = self.code
        assert callable(body)
        begin, end = code.label(), code.label()
        code.store("0", self._lane, kind="i64")
        code.jump(begin)
        code.begin(begin)
        lane = code.load(self._lane, kind="i64")
        body(lane)
        after = code.value(f"add i64 {lane}, 1")
        code.store(after, self._lane, kind="i64")
        code.branch(code.value(f"icmp slt i64 {after}, {WIDTH}"), begin, end)
        code.begin(end)

    def _whole(self, place: str, lane: str) -> str:
        """A whole number of a lane."""
        return self.code.fresh_value(f"load i64, ptr {self._whole_place(place, lane)}, align 8")

    def _whole_place(self, place: str, lane: str) -> str:
        return self.code.value(f"getelementptr inbounds i64, ptr {place}, i64 {lane}")

    def _get(self, array: str, place: int, lane: str) -> str:
        return self.code.load(array, self.code.value(f"add i64 {lane}, {place * WIDTH}"))

    def _set(self, value: str, array: str, place: int, lane: str) -> None:
        self.code.store(value, array, self.code.value(f"add i64 {lane}, {place * WIDTH}"))

    def _empty(self) -> None:
        """No lane has a member; numbers are 0, so that what idle lanes compute is harmless."""
        code = self.code

        def one(lane: str) -> None:
            code.emit(f"store i64 {_NOBODY}, ptr {self._whole_place(self._member, lane)}, align 8")
            code.emit(f"store i64 0, ptr {self._whole_place(self._row, lane)}, align 8")
            for array, size in ((self._y, self._steps.size), (self._p, self._parameters), (self._v, VARIABLES),
                                (self._w, SAID)):  # fmt: skip
                for place in range(size):
                    self._set(ZERO, array, place, lane)

        self._each_lane(one)

    def _write(self, lane: str) -> None:
        """A row where one is due, and when the next is."""
        code = self.code
        due, stop = self._get(self._v, DUE, lane), self._get(self._w, NEW_TIME, lane)
        accepted = code.compare("une", self._get(self._w, ACCEPTED, lane), ZERO)
        write, done = code.label(), code.label()
        code.branch(code.value(f"and i1 {accepted}, {code.compare('ole', due, stop)}"), write, done)
        code.begin(write)
        row, member = self._whole(self._row, lane), self._whole(self._member, lane)
        place = code.value(f"add i64 {code.value(f'mul i64 {member}, %samples')}, {row}")
        scatter(code, self._shown, lane, "%out", place, self._dimension, WIDTH)
        after = code.value(f"add i64 {row}, 1")
        code.emit(f"store i64 {after}, ptr {self._whole_place(self._row, lane)}, align 8")
        left = code.value(f"icmp slt i64 {after}, %samples")
        safe = code.value(f"select i1 {left}, i64 {after}, i64 0")
        following = code.select(left, code.load("%times", safe), literal(float("inf")))
        self._set(following, self._v, DUE, lane)
        more = code.value(f"zext i1 {code.compare('ole', following, stop)} to i64")
        code.store(code.value(f"or i64 {code.load(self._again, kind='i64')}, {more}"), self._again, kind="i64")
        code.jump(done)
        code.begin(done)

    def _replace(self, lane: str) -> None:
        """Say how a member ended that has, and take the next."""
        code = self.code
        occupied, ended, take, new, idle, busy, done = (code.label() for _ in range(7))
        self._set(ZERO, self._v, FRESH, lane)
        member = self._whole(self._member, lane)
        code.branch(code.value(f"icmp sge i64 {member}, 0"), occupied, take)
        code.begin(occupied)
        complete = code.value(f"icmp sge i64 {self._whole(self._row, lane)}, %samples")
        alive = code.compare("une", self._get(self._w, ALIVE, lane), ZERO)
        code.branch(code.value(f"or i1 {complete}, {code.value(f'xor i1 {alive}, true')}"), ended, busy)
        code.begin(ended)
        status = code.value(f"select i1 {complete}, i64 {DONE}, i64 {UNDERFLOW}")
        code.emit(f"store i64 {status}, ptr {self._whole_place('%status', member)}, align 8")
        code.jump(take)
        code.begin(take)
        upcoming = code.load(self._upcoming, kind="i64")
        code.branch(code.value(f"icmp slt i64 {upcoming}, %last"), new, idle)
        code.begin(new)
        code.store(code.value(f"add i64 {upcoming}, 1"), self._upcoming, kind="i64")
        code.emit(f"store i64 {upcoming}, ptr {self._whole_place(self._member, lane)}, align 8")
        code.emit(f"store i64 %begun, ptr {self._whole_place(self._row, lane)}, align 8")
        gather(code, "%initial", upcoming, self._dimension, self._y, lane, WIDTH)
        gather(code, "%parameters", upcoming, self._parameters, self._p, lane, WIDTH)
        self._set("%start", self._v, TIME, lane)
        self._set(ZERO, self._v, TAKEN, lane)
        self._set(code.load("%times", "%begun"), self._v, DUE, lane)
        self._set(ONE, self._v, FRESH, lane)
        code.jump(busy)
        code.begin(idle)
        code.emit(f"store i64 {_NOBODY}, ptr {self._whole_place(self._member, lane)}, align 8")
        self._set(literal(float("inf")), self._v, DUE, lane)
        self._set(self._last(), self._v, TIME, lane)
        code.jump(done)
        code.begin(busy)
        code.store("1", self._active, kind="i64")
        code.jump(done)
        code.begin(done)
