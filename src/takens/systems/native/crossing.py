"""Machine code that finds where a trajectory crosses a surface, on the polynomial of each step."""

from __future__ import annotations

from .emit import ONE, RULE_ARGUMENTS, ZERO, Program, rule
from .ir import Code, literal
from .loop import Output, Step
from .steps import row_of

PARTS = 8
"""Parts of a step whose ends are compared; within one, g may have one extremum beyond the surface and is still seen."""
MOST_ROWS = 2 * PARTS
"""Rows that one step can write: two crossings in each part."""
HALVINGS, NEWTON, MOST_ITERATIONS = 60, 12, 80
"""Iterations towards an extremum; Newton steps towards a root before it is only bisected; all of those."""
CLOSE = 1e-15
"""Roots are located to this share of the step."""

SURFACE = "surface"


class Crossings(Output):
    """The times and states `(crossing, 1 + state)` where g(x, t) changes sign, until `times[0]` or `samples` are found.

    `surface` is a program over the same names with two expressions, g and its rate of change along the trajectory.
    g < 0 before and g >= 0 after is a crossing upwards, g > 0 before and g <= 0 after one downwards. `times[1]` is 1
    for those upwards only, -1 for downwards, 0 for both. A part of a step in which g turns towards the surface and away
    from it is searched for its extremum, so that two crossings within a part are found too.
    """

    def __init__(self, surface: Program) -> None:
        _, code = rule(surface, contract=True)
        self.functions = ((code.function(SURFACE, RULE_ARGUMENTS, attributes="noinline nounwind"), code),)

    def last(self, code: Code) -> str:
        """The end of the time."""
        return code.load("%times")

    def due(self, step: Step) -> str:
        """Every step is searched."""
        return "true"

    def unfinished(self, step: Step) -> str:
        """While rows and time are left."""
        code = step.code
        rows = code.value(f"icmp slt i64 {code.load(step.row, kind='i64')}, %samples")
        return code.value(f"and i1 {rows}, {code.compare('olt', step.stop, step.last)}")

    def write(self, step: Step, done: str) -> None:
        """Search the parts of a step one after the other."""
        _Search(step).write(done)


class _Search:
    """The blocks that search one step; positions within it are shares of its length."""

    def __init__(self, step: Step) -> None:
        code = step.code
        self._step, self._code = step, code
        self._point = code.slot(size=step.slots.dimension)
        self._part = code.slot("i64")
        self._tries = code.slot("i64")
        self._left, self._right = (code.slot(size=3) for _ in range(2))  # share, g, rate of g
        self._here = code.slot(size=3)
        self._low, self._high = code.slot(), code.slot()
        self._length = ZERO
        names = ("part", "classify", "turns", "extremum", "split", "halve", "root", "record", "keep", "onward")
        self._label = {name: code.label() for name in names}

    def write(self, done: str) -> None:
        code, slots = self._code, self._step.slots
        self._length = code.subtract(self._step.stop, self._step.start)
        slots.copy(slots.state, self._point)
        self._surface(self._step.start, ZERO, self._left)
        code.store("1", self._part, kind="i64")
        code.jump(self._label["part"])
        self._end_of_part()
        self._classify()
        self._extremum()
        self._root()
        self._record()
        self._onward(done)

    def _surface(self, time: str, share: str, out: str) -> None:
        """out = (share, g, rate of g) at the point."""
        code = self._code
        code.store(share, out)
        code.emit(f"call void @{SURFACE}(double {time}, ptr {self._point}, ptr %p, ptr {code.element(out, '1')})")

    def _time(self, share: str) -> str:
        code = self._code
        return code.add(self._step.start, code.multiply(share, self._length))

    def _evaluate(self, share: str, out: str) -> None:
        self._step.at(self._code.multiply(share, self._step.whole), self._point)
        self._surface(self._time(share), share, out)

    def _border(self) -> str:
        """The share at which the present part ends."""
        code = self._code
        index = code.load(self._part, kind="i64")
        return code.multiply(code.value(f"sitofp i64 {index} to double"), literal(1 / PARTS))

    def _end_of_part(self) -> None:
        code, step = self._code, self._step
        code.begin(self._label["part"])
        share = self._border()
        step.at(code.multiply(share, step.whole), self._point)
        last = code.compare("oge", share, ONE)  # there the next step begins, whose g must be the same

        def one(index: str) -> None:
            there, here = code.load(step.slots.next, index), code.load(self._point, index)
            code.store(code.select(last, there, here), self._point, index)

        code.each(step.slots.dimension, one)
        self._surface(code.select(last, step.stop, self._time(share)), share, self._right)
        code.jump(self._label["classify"])

    def _classify(self) -> None:
        """A crossing between left and right, or a turn in between, or nothing."""
        code = self._code
        code.begin(self._label["classify"])
        before, after = code.load(self._left, "1"), code.load(self._right, "1")
        up = self._both(code.compare("olt", before, ZERO), code.compare("oge", after, ZERO))
        down = self._both(code.compare("ogt", before, ZERO), code.compare("ole", after, ZERO))
        code.store(code.load(self._left), self._low)
        code.store(code.load(self._right), self._high)
        code.store("0", self._tries, kind="i64")
        span = code.subtract(code.load(self._right), code.load(self._left))
        share = code.multiply(span, code.divide(before, code.subtract(before, after)))
        code.store(code.add(code.load(self._left), share), self._here)
        code.branch(code.value(f"or i1 {up}, {down}"), self._label["root"], self._label["turns"])
        code.begin(self._label["turns"])
        rates = code.load(self._left, "2"), code.load(self._right, "2")
        below, rising, falling = (
            code.compare("olt", before, ZERO), code.compare("ogt", rates[0], ZERO), code.compare("olt", rates[1], ZERO)
        )  # fmt: skip
        above, sinking, climbing = (
            code.compare("ogt", before, ZERO), code.compare("olt", rates[0], ZERO), code.compare("ogt", rates[1], ZERO)
        )  # fmt: skip
        peak = self._both(below, self._both(rising, falling))
        trough = self._both(above, self._both(sinking, climbing))
        code.branch(code.value(f"or i1 {peak}, {trough}"), self._label["extremum"], self._label["onward"])

    def _both(self, first: str, second: str) -> str:
        return self._code.value(f"and i1 {first}, {second}")

    def _tried(self) -> str:
        """Count an iteration; how many there were."""
        code = self._code
        count = code.value(f"add i64 {code.load(self._tries, kind='i64')}, 1")
        code.store(count, self._tries, kind="i64")
        return count

    def _extremum(self) -> None:
        """Halve towards the extremum; where g has changed sign, that point is the new right end."""
        code = self._code
        code.begin(self._label["extremum"])
        low, high = code.load(self._low), code.load(self._high)
        middle = code.multiply(literal(0.5), code.add(low, high))
        self._evaluate(middle, self._here)
        before, here = code.load(self._left, "1"), code.load(self._here, "1")
        crossed = code.compare("ole", code.multiply(before, here), ZERO)
        code.branch(crossed, self._label["split"], self._label["halve"])
        code.begin(self._label["split"])
        for index in ("0", "1", "2"):
            code.store(code.load(self._here, index), self._right, index)
        code.jump(self._label["classify"])
        code.begin(self._label["halve"])
        first, rate, last = code.load(self._left, "2"), code.load(self._here, "2"), code.load(self._right, "2")
        onwards = code.compare("ogt", code.multiply(first, rate), ZERO)
        code.store(code.select(onwards, middle, low), self._low)
        code.store(code.select(onwards, high, middle), self._high)
        # g cannot reach the surface if its steepest rate would not bring it there.
        steepest = code.maximum(code.call("fabs", first), code.call("fabs", last))
        reach = code.multiply(code.multiply(code.subtract(high, low), self._length), steepest)
        near = code.compare("oge", reach, code.call("fabs", here))
        few = code.value(f"icmp slt i64 {self._tried()}, {HALVINGS}")
        code.branch(self._both(near, few), self._label["extremum"], self._label["onward"])

    def _root(self) -> None:
        """Newton's method kept between the ends, then halving."""
        code = self._code
        code.begin(self._label["root"])
        share = code.load(self._here)
        self._evaluate(share, self._here)
        before, here, rate = code.load(self._left, "1"), code.load(self._here, "1"), code.load(self._here, "2")
        ahead = code.compare("ogt", code.multiply(before, here), ZERO)
        low = code.select(ahead, share, code.load(self._low))
        high = code.select(ahead, code.load(self._high), share)
        code.store(low, self._low)
        code.store(high, self._high)
        newton = code.subtract(share, code.divide(here, code.multiply(rate, self._length)))
        inside = self._both(code.compare("oge", newton, low), code.compare("ole", newton, high))
        count = self._tried()
        use = self._both(inside, code.value(f"icmp slt i64 {count}, {NEWTON}"))
        following = code.select(use, newton, code.multiply(literal(0.5), code.add(low, high)))
        code.store(following, self._here)
        far = code.compare("ogt", code.call("fabs", code.subtract(following, share)), literal(CLOSE))
        more = self._both(far, code.value(f"icmp slt i64 {count}, {MOST_ITERATIONS}"))
        code.branch(more, self._label["root"], self._label["record"])

    def _record(self) -> None:
        """Write the crossing if it goes the way that is asked for."""
        code, step = self._code, self._step
        code.begin(self._label["record"])
        direction = code.load("%times", "1")
        upwards = code.compare("olt", code.load(self._left, "1"), ZERO)
        sense = code.select(upwards, ONE, literal(-1.0))
        wanted = code.compare("oge", code.multiply(direction, sense), ZERO)
        code.branch(wanted, self._label["keep"], self._label["onward"])
        code.begin(self._label["keep"])
        dimension = step.slots.dimension
        place = row_of("%out", code.load(step.row, kind="i64"), dimension + 1, code)
        share = code.load(self._here)
        code.store(self._time(share), place)
        step.at(code.multiply(share, step.whole), code.element(place, "1"))
        step.written()
        code.jump(self._label["onward"])

    def _onward(self, done: str) -> None:
        """What was right is left; the rest of the part, or the next one."""
        code = self._code
        code.begin(self._label["onward"])
        finished = code.compare("oge", code.load(self._right), self._border())
        for index in ("0", "1", "2"):
            code.store(code.load(self._right, index), self._left, index)
        following = code.value(
            f"add i64 {code.load(self._part, kind='i64')}, {code.value(f'zext i1 {finished} to i64')}"
        )
        code.store(following, self._part, kind="i64")
        code.branch(code.value(f"icmp sle i64 {following}, {PARTS}"), self._label["part"], done)
