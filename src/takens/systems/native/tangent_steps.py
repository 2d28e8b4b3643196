"""Machine code that carries a state and its displacements interval by interval and makes the displacements orthonormal.

Modified Gram-Schmidt: V = Q R with R upper triangular and its diagonal positive. After each interval the frame Q goes
on and a row is written: all numbers carried, with Q in the place of V, then R.
"""

from __future__ import annotations

from collections.abc import Callable

from .adaptive import RungeKutta
from .dop853 import DOP853
from .emit import ONE, ZERO
from .ir import NO_MEMORY, Code, literal
from .loop import INTEGRATE, Output, Step
from .steps import Stages
from .tableau import RK4, Tableau
from .tangent import STRAIGHT, Tangent, tangent_rule

REDUCE = "reduce_many"
PROGRESS = 4
"""The numbers that a loop of steps `ahead` keeps of a member."""
_ONE = "reduce"
_ARGUMENTS = (
    "ptr noalias %y", "ptr noalias readonly %p", "ptr noalias %progress", "ptr noalias %counts", "double %tolerance",
    "i64 %steps", "double %start", "double %interval", "i64 %first", "i64 %rows", "ptr noalias %out",
)  # fmt: skip
Finish = Callable[[str], None]


def width(tangent: Tangent) -> int:
    """The numbers in a row: those carried, and the triangle."""
    return tangent.dimension + tangent.count**2


def reducing(tangent: Tangent, *, adaptive: bool) -> tuple[list[str], set[str]]:
    """`i64 @reduce_many(y, p, progress, counts, tolerance, steps, start, interval, first, rows, out, members, done)`.

    Carries each of `y (member, number)` through `rows` intervals, of which the first begins at start + first interval.
    A flow goes `steps` fixed steps of RK4 in each, a map `steps` iterations; adaptive, it goes as many as the tolerance
    needs, at most `steps`, and `progress (member, PROGRESS)` and `counts` are those of `loop.Loop`.
    `out (member, row, width)` gets the rows, `done (member,)` their numbers; fewer than asked where a state is not
    finite or the adaptive loop stopped, whose status is returned and in the last of the four `counts`.
    """
    text, rule_code = tangent_rule(tangent)
    functions, used = [text], rule_code.used
    if adaptive:
        functions, used = _adaptive_loop(tangent, rule_code).functions([text], used)
        code = _adaptive(tangent)
    else:
        code = _fixed(tangent, RK4 if tangent.flow else None)
    functions += [code.function(_ONE, _ARGUMENTS, result="i64", attributes="noinline nounwind"), _members(tangent)]
    return functions, used | code.used


def _adaptive_loop(tangent: Tangent, rule_code: Code) -> RungeKutta:
    """Steps of DOP853, planned ahead where the rule is so short that its stages leave the processor idle."""
    calls = any("@llvm." not in line for line in rule_code.used)
    ahead = tangent.width > 1 and not calls
    return RungeKutta(tangent.parts, DOP853, _Nothing(), tangent.unrolled, tangent.width, ahead=ahead)


def _members(tangent: Tangent) -> str:
    """One member after another."""
    code = Code(contract=True, unrolled=0)
    place = code.slot("i64")
    code.store("0", place, kind="i64")
    begin, leave = code.label(), code.label()
    code.jump(begin)
    code.begin(begin)
    member = code.load(place, kind="i64")
    y = code.element("%y", code.value(f"mul i64 {member}, {tangent.parts * tangent.width}"))
    progress = code.element("%progress", code.value(f"mul i64 {member}, {PROGRESS}"))
    before = code.value(f"mul i64 {member}, %rows")
    out = code.element("%out", code.value(f"mul i64 {before}, {width(tangent)}"))
    done = code.fresh_value(
        f"call i64 @{_ONE}(ptr {y}, ptr %p, ptr {progress}, ptr %counts, double %tolerance, i64 %steps, "
        f"double %start, double %interval, i64 %first, i64 %rows, ptr {out})"
    )
    code.store(done, "%done", member, "i64")
    after = code.value(f"add i64 {member}, 1")
    code.store(after, place, kind="i64")
    status = code.load("%counts", "3", "i64")
    full = code.value(
        f"or i1 {code.value(f'icmp eq i64 {done}, {NO_MEMORY}')}, {code.value(f'icmp eq i64 {status}, {NO_MEMORY}')}"
    )
    ended = code.value(f"icmp sge i64 {after}, %members")
    code.branch(code.value(f"or i1 {full}, {ended}"), leave, begin)
    code.begin(leave)
    code.emit(f"ret i64 {code.value(f'select i1 {full}, i64 {NO_MEMORY}, i64 {status}')}")
    arguments = (*_ARGUMENTS, "i64 %members", "ptr noalias %done")
    return code.function(REDUCE, arguments, result="i64", attributes="nounwind")


class _Nothing(Output):
    """Only the state at the end is wanted."""

    def last(self, code: Code) -> str:
        """The one time given."""
        return code.load("%times")

    def due(self, step: Step) -> str:
        """Never."""
        return "false"

    def write(self, step: Step, done: str) -> None:
        """Nothing."""
        step.code.jump(done)

    def unfinished(self, step: Step) -> str:
        """Until the end."""
        return step.code.compare("olt", step.stop, step.last)


def _adaptive(tangent: Tangent) -> Code:
    code = Code(contract=True, unrolled=tangent.unrolled)
    end = code.slot()

    def interval(row: str, leave: str) -> None:
        done = code.value(f"add i64 {row}, 1")
        number = code.value(f"add i64 %first, {done}")
        moment = code.multiply("%interval", code.value(f"sitofp i64 {number} to double"))
        code.store(code.add("%start", moment), end)
        status = code.fresh_value(
            f"call i64 @{INTEGRATE}(ptr %y, ptr %p, ptr %progress, ptr %counts, double %tolerance, i64 %steps, "
            f"ptr {end}, i64 1, ptr %out)"
        )
        code.store(status, "%counts", "3", "i64")
        sound = code.label()
        code.branch(code.value(f"icmp eq i64 {status}, 0"), sound, leave)
        code.begin(sound)

    _rows(code, tangent, interval)
    return code


def _fixed(tangent: Tangent, tableau: Tableau | None) -> Code:
    """Steps of a tableau, or iterations."""
    code = Code(contract=tangent.flow, unrolled=tangent.unrolled)
    slots = Stages(code, tangent.parts, 1 if tableau is None else len(tableau.stages), tangent.width)
    count = code.slot("i64")
    h = code.divide("%interval", code.value("sitofp i64 %steps to double"))

    def interval(row: str, leave: str) -> None:
        slots.copy("%y", slots.state)  # in memory it is taken apart, which would keep it out of registers
        code.store("0", count, kind="i64")
        steps, done, sound = (code.label() for _ in range(3))
        number = code.value(f"add i64 %first, {row}")
        before = code.value(f"mul i64 {number}, %steps")
        code.jump(steps)
        code.begin(steps)
        taken = code.load(count, kind="i64")
        index = code.value(f"add i64 {before}, {taken}")
        time = code.add("%start", code.multiply(h, code.value(f"sitofp i64 {index} to double")))
        slots.rate(time, slots.state, slots.next if tableau is None else slots.rates[0])
        if tableau is not None:
            for place, (node, weights) in enumerate(tableau.stages[1:], start=1):
                slots.stage(time, h, node, weights, slots.rates[place])
            slots.move(tableau.weights, h, slots.next)
        slots.copy(slots.next, slots.state)
        after = code.value(f"add i64 {taken}, 1")
        code.store(after, count, kind="i64")
        code.branch(code.value(f"icmp slt i64 {after}, %steps"), steps, done)
        code.begin(done)
        slots.copy(slots.state, "%y")
        code.branch(_finite(code, tangent), sound, leave)
        code.begin(sound)

    _rows(code, tangent, interval)
    return code


def _rows(code: Code, tangent: Tangent, interval: Callable[[str, str], None]) -> None:
    """Interval after interval: `interval(row, leave)` carries the numbers of %y."""
    place = code.slot("i64")
    code.store("0", place, kind="i64")
    rows, stop = code.label(), code.label()
    code.jump(rows)
    code.begin(rows)
    row = code.load(place, kind="i64")
    interval(row, stop)
    out = code.element("%out", code.value(f"mul i64 {row}, {width(tangent)}"))
    triangle = code.element(out, str(tangent.dimension))
    places = tangent.places
    orthonormalise(code, tangent, code.element("%y", str(places[tangent.first])), triangle)
    if tangent.width > 1:
        for index, held in enumerate(places):
            code.store(code.load("%y", str(held)), out, str(index))
    else:
        code.each(tangent.dimension, lambda i: code.store(code.load("%y", i), out, i))
    code.store(ZERO if tangent.flow else ONE, "%y", str(places[tangent.size]))
    after = code.value(f"add i64 {row}, 1")
    code.store(after, place, kind="i64")
    code.branch(code.value(f"icmp slt i64 {after}, %rows"), rows, stop)
    code.begin(stop)
    code.emit(f"ret i64 {code.load(place, kind='i64')}")


def _finite(code: Code, tangent: Tangent) -> str:
    """Whether state and vectors in %y are finite; 0 x is NaN where x is not."""
    total = code.slot()
    code.store(ZERO, total)

    def one(array: str) -> Callable[[str], None]:
        return lambda i: code.store(code.add(code.load(total), code.multiply(code.load(array, i), ZERO)), total)

    if tangent.width > 1:
        code.each(tangent.size * tangent.width, one("%y"))
    else:
        code.each(tangent.size, one("%y"))
        code.each(tangent.size * tangent.count, one(code.element("%y", str(tangent.first))))
    return code.compare("oeq", code.load(total), ZERO)


def orthonormalise(code: Code, tangent: Tangent, vectors: str, triangle: str) -> None:
    """V `(state, count)` becomes Q, and R `(count, count)` is written; a vector that depends on others becomes 0.

    Row by row of V and R, so that what is done for all later vectors runs through memory in order.
    """
    size, count = tangent.size, tangent.count
    nest = Nest(code, unrolled=tangent.unrolled == STRAIGHT)

    def one(j: str) -> None:
        """Vector j has length R_jj; its share R_jl is taken from every later vector l."""
        above = nest.row(triangle, j, count)
        nest.over("0", str(count), lambda m: code.store(ZERO, above, m))

        def products(i: str) -> None:
            row = nest.row(vectors, i, tangent.stride)
            own = code.load(row, j)

            def add(m: str) -> None:
                code.store(code.add(code.load(above, m), code.multiply(own, code.load(row, m))), above, m)

            nest.over(j, str(count), add)

        nest.over("0", str(size), products)
        length = code.call("sqrt", code.load(above, j))
        inverse = code.select(code.compare("ogt", length, literal(1e-150)), code.divide(ONE, length), ZERO)

        def scale(m: str) -> None:
            code.store(code.multiply(code.load(above, m), inverse), above, m)

        def subtract(i: str) -> None:
            row = nest.row(vectors, i, tangent.stride)
            own = code.multiply(code.load(row, j), inverse)
            code.store(own, row, j)

            def part(m: str) -> None:
                rest = code.subtract(code.load(row, m), code.multiply(own, code.load(above, m)))
                code.store(rest, row, m)

            nest.over(nest.after(j), str(count), part)

        nest.over(nest.after(j), str(count), scale)
        code.store(code.select(code.compare("ogt", length, literal(1e-150)), length, ZERO), above, j)
        nest.over("0", str(size), subtract)

    nest.over("0", str(count), one)


class Nest:
    """Loops within loops: written out, with numbers for indices, or as loops whose bounds may be indices of others."""

    def __init__(self, code: Code, *, unrolled: bool) -> None:
        self._code, self._unrolled = code, unrolled

    def over(self, first: str, end: str, body: Callable[[str], None]) -> None:
        """`body(index)` for first <= index < end."""
        code = self._code
        if self._unrolled:
            for number in range(int(first), int(end)):
                body(str(number))
            return
        place = code.slot("i64")
        code.store(first, place, kind="i64")
        test, begin, leave = code.label(), code.label(), code.label()
        code.jump(test)
        code.begin(test)
        index = code.load(place, kind="i64")
        code.branch(code.value(f"icmp slt i64 {index}, {end}"), begin, leave)
        code.begin(begin)
        body(index)
        code.store(self.after(index), place, kind="i64")
        code.jump(test)
        code.begin(leave)

    def after(self, index: str) -> str:
        """index + 1"""
        return str(int(index) + 1) if self._unrolled else self._code.value(f"add i64 {index}, 1")

    def row(self, matrix: str, index: str, count: int) -> str:
        """The place of a row of a matrix of `count` columns."""
        code = self._code
        if self._unrolled:
            return code.element(matrix, str(int(index) * count))
        return code.element(matrix, code.value(f"mul i64 {index}, {count}"))
