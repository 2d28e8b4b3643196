"""Machine code of one adaptive step in every lane: its own time and length, taken or refused by masks."""

from __future__ import annotations

import abc

from .control import FLOOR, after_refusal, after_step, dense, squared_error
from .emit import ONE, ZERO, Program
from .ir import Code, literal
from .loop import Step
from .series import coefficients, defect, reach, scales, share
from .steps import Stages
from .tableau import Tableau
from .taylor import DEFECT, GROW

# What a lane remembers (%v), what a step says (%w), as numbers of vectors.
TIME, LENGTH, MEMORY, TAKEN, DUE, FRESH = range(6)
VARIABLES = 6
NEW_TIME, NEW_LENGTH, NEW_MEMORY, ACCEPTED, ALIVE, EVENT, STEP, REFUSED = range(8)
SAID = 8
_ARGUMENTS = (
    "ptr noalias %y", "ptr noalias %p", "ptr noalias %v", "ptr noalias %next", "ptr noalias %w", "ptr noalias %work",
    "ptr noalias %polynomial", "double %tolerance", "double %end", "double %most",
)  # fmt: skip


class Steps(abc.ABC):
    """Functions without branches, to be widened: `@start`, `@attempt`, `@dense`, `@sample`, `@commit`, `@go`.

    All but `@sample` take `_ARGUMENTS`: the state `y` of `size` numbers (that of the system, then what goes along), the
    parameters, the variables of the lane, the state after the step, what the step says, `work` numbers, the polynomial
    of `degree` terms, the tolerance, the end and the most steps. `DUE` is the time of the next sample, infinite where
    there is no member; a lane is `FRESH` where its member is new. `EVENT` is 1 where a sample is due or a step failed,
    `REFUSED` where a step of a member is to be tried again.
    """

    def __init__(self, program: Program, size: int, work: int, degree: int) -> None:
        self.program, self.dimension = program, len(program.states)
        self.size, self.work, self.degree = size, max(work, 1), degree

    @abc.abstractmethod
    def start(self) -> str:
        """Set the first length and what goes along in lanes that are fresh."""

    @abc.abstractmethod
    def attempt(self) -> str:
        """Try a step."""

    @abc.abstractmethod
    def dense(self) -> str:
        """The polynomial of a step, where `attempt` has not left it."""

    def texts(self) -> list[str]:
        """All functions."""
        return [self.start(), self.attempt(), self.dense(), self._sample(), self._commit("commit"), self._commit("go")]

    scaled: bool
    """Whether the polynomial is in units of the step rather than of time."""

    def _places(self, code: Code) -> list[str]:
        return [code.element("%polynomial", str(power * self.dimension)) for power in range(self.degree)]

    def _end(self, code: Code, name: str) -> str:
        code.emit("ret void")
        return code.function(name, _ARGUMENTS, attributes="alwaysinline nounwind")

    def _clipped(self, code: Code, length: str) -> tuple[str, str, str]:
        """The time, and the length and end of a step no further than the end."""
        t = load(code, "%v", TIME)
        rest = code.subtract("%end", t)
        last = code.compare("oge", length, rest)
        h = code.select(last, rest, length)
        return t, h, code.select(last, "%end", code.add(t, h))

    def _sound(self, code: Code, t: str, length: str) -> str:
        smallest = code.add(literal(1e-300), code.multiply(literal(4e-16), code.call("fabs", t)))
        return code.compare("ogt", length, smallest)

    def _say(self, code: Code, times: tuple[str, str], accepted: str, alive: str, after: tuple[str, str]) -> None:
        """Store what follows from a step: (its length, its end), whether it is good, (next length, memory)."""
        few = code.compare("olt", load(code, "%v", TAKEN), "%most")
        alive = code.value(f"and i1 {alive}, {few}")
        due = load(code, "%v", DUE)
        sampled = code.value(f"and i1 {accepted}, {code.compare('ole', due, times[1])}")
        member = _finite(code, due)
        failed = code.value(f"and i1 {code.value(f'xor i1 {alive}, true')}, {member}")
        refused = code.value(f"and i1 {code.value(f'xor i1 {accepted}, true')}, {member}")
        event = code.value(f"or i1 {sampled}, {failed}")
        for place, value in (
            (NEW_TIME, times[1]), (STEP, times[0]), (NEW_LENGTH, after[0]), (NEW_MEMORY, after[1]),
            (ACCEPTED, number(code, accepted)), (ALIVE, number(code, alive)), (EVENT, number(code, event)),
            (REFUSED, number(code, refused)),
        ):  # fmt: skip
            code.store(value, "%w", str(place))

    def _sample(self) -> str:
        """`@sample(y, v, w, polynomial, out)`: the state when it is due."""
        code = Code(contract=True)
        t, due, h = load(code, "%v", TIME), load(code, "%v", DUE), load(code, "%w", STEP)
        inverse, whole = (code.divide(ONE, h), ONE) if self.scaled else (ONE, h)
        share = code.multiply(code.subtract(due, t), inverse)
        theta = code.select(code.compare("oeq", due, load(code, "%w", NEW_TIME)), whole, share)
        slots = Stages(code, self.dimension, 0)
        slots.state = "%y"
        Step(code, slots, self._places(code), t, "", "", "", "").at(theta, "%out")
        code.emit("ret void")
        arguments = [f"ptr noalias %{name}" for name in ("y", "v", "w", "polynomial", "out")]
        return code.function("sample", arguments, attributes="alwaysinline nounwind")

    def _commit(self, name: str) -> str:
        """`commit` goes on from the end of a step where it was good; `go` where it was in all lanes.

        After `go` the next step need not wait for the verdict on this one, which the processor takes for granted.
        """
        code = Code(contract=True)

        def chosen(after: str, before: str) -> str:
            if name == "go":
                return after
            return code.select(code.compare("une", load(code, "%w", ACCEPTED), ZERO), after, before)

        code.store(chosen(load(code, "%w", NEW_TIME), load(code, "%v", TIME)), "%v", str(TIME))
        code.store(load(code, "%w", NEW_LENGTH), "%v", str(LENGTH))
        code.store(load(code, "%w", NEW_MEMORY), "%v", str(MEMORY))
        code.store(code.add(load(code, "%v", TAKEN), ONE), "%v", str(TAKEN))
        code.each(self.size, lambda i: code.store(chosen(code.load("%next", i), code.load("%y", i)), "%y", i))
        return self._end(code, name)


class TaylorSteps(Steps):
    """Taylor steps that leave out as little as those of `taylor.Taylor` of an order, but longer ones of more terms.

    Vectors hide that a coefficient must wait for those before it, so that more terms cost less than more steps: 4/3 of
    the terms, and steps so long that the last of them are as small, take a third off the time of short equations.
    A refused step is tried again from its coefficients.
    """

    scaled = False

    def __init__(self, program: Program, order: int) -> None:
        longer = -(-4 * order // 3)
        self._share = share(order) * order / longer
        super().__init__(program, len(program.states), 0, longer)

    def start(self) -> str:
        """The first length depends on nothing before it."""
        code = Code(contract=True)
        fresh = code.compare("une", load(code, "%v", FRESH), ZERO)
        length = code.select(fresh, literal(float("inf")), load(code, "%v", LENGTH))
        code.store(length, "%v", str(LENGTH))
        return self._end(code, "start")

    def attempt(self) -> str:
        """Coefficients, a length, the state at its end and how well it fulfils the equations."""
        code = Code(contract=True)
        slots = Stages(code, self.dimension, 1)
        slots.state, slots.next = "%y", "%next"
        t = load(code, "%v", TIME)
        state = [code.load("%y", str(index)) for index in range(self.dimension)]
        series = coefficients(code, self.program, state, t, self.degree)
        sizes = scales(code, series)
        length = code.minimum(
            reach(code, series, sizes, self._share), code.multiply(literal(GROW), load(code, "%v", LENGTH))
        )
        t, h, stop = self._clipped(code, length)
        gap = defect(slots, series, sizes, stop, h)
        sound = self._sound(code, t, length)
        small = code.compare("ole", gap, code.multiply(literal(DEFECT), "%tolerance"))
        accepted = code.value(f"and i1 {small}, {sound}")
        half = code.multiply(h, literal(0.5))
        again = code.value(f"and i1 {sound}, {self._sound(code, t, half)}")
        alive = code.value(f"or i1 {accepted}, {again}")
        after = code.select(accepted, length, code.multiply(half, literal(1 / GROW)))
        for index, terms in enumerate(series):
            for place, value in zip(self._places(code), terms[1:], strict=True):
                code.store(value or ZERO, place, str(index))
        self._say(code, (h, stop), accepted, alive, (after, ZERO))
        return self._end(code, "attempt")

    def dense(self) -> str:
        """The polynomial is there."""
        return self._end(Code(contract=True), "dense")


class RungeKuttaSteps(Steps):
    """Steps of a tableau with error estimate; the rate at the state goes along with it."""

    scaled = True

    def __init__(self, program: Program, tableau: Tableau) -> None:
        size = len(program.states)
        super().__init__(program, 2 * size, size * len(tableau.all_stages), len(tableau.dense[0]))
        self._tableau = tableau

    def _stages(self, code: Code) -> Stages:
        slots, size = Stages(code, self.dimension, 0), self.dimension
        slots.state, slots.next = "%y", "%next"
        slots.rates = [code.element("%work", str(k * size)) for k in range(len(self._tableau.all_stages))]
        slots.rates[0] = code.element("%y", str(size))
        slots.rates[len(self._tableau.stages)] = code.element("%next", str(size))
        return slots

    def start(self) -> str:
        """The rate, and a length whose explicit Euler estimates say is safe (Hairer, Norsett, Wanner 1993, II.4)."""
        code = Code(contract=True)
        slots, count = self._stages(code), literal(1.0 / self.dimension)
        t, rate, ahead, trial = load(code, "%v", TIME), *(code.slot(size=self.dimension) for _ in range(3))
        slots.rate(t, "%y", rate)

        def spread(value: str, index: str) -> str:
            size = code.add(ONE, code.call("fabs", code.load("%y", index)))
            share = code.divide(value, code.multiply("%tolerance", size))
            return code.multiply(share, share)

        def mean(values: object) -> str:
            total = code.slot()
            code.store(ZERO, total)
            assert callable(values)
            code.each(self.dimension, lambda i: code.store(code.add(code.load(total), spread(values(i), i)), total))
            return code.call("sqrt", code.multiply(code.load(total), count))

        size, speed = mean(lambda i: code.load("%y", i)), mean(lambda i: code.load(rate, i))
        still = code.compare("ogt", code.minimum(size, speed), literal(1e-5))
        first = code.select(still, code.divide(code.multiply(literal(0.01), size), speed), literal(1e-6))
        rest = code.subtract("%end", t)
        first = code.minimum(first, rest)
        code.each(
            self.dimension,
            lambda i: code.store(code.add(code.load("%y", i), code.multiply(first, code.load(rate, i))), trial, i),
        )
        slots.rate(code.add(t, first), trial, ahead)
        bend = code.divide(mean(lambda i: code.subtract(code.load(ahead, i), code.load(rate, i))), first)
        step = self._safe(code, first, rest, code.maximum(speed, bend))
        fresh = code.compare("une", load(code, "%v", FRESH), ZERO)
        code.store(code.select(fresh, step, load(code, "%v", LENGTH)), "%v", str(LENGTH))

        def keep(index: str) -> None:
            new = code.compare("une", load(code, "%v", FRESH), ZERO)
            place = code.element(slots.rates[0], index)
            code.store(code.select(new, code.load(rate, index), code.load(place)), place)

        code.each(self.dimension, keep)
        return self._end(code, "start")

    def _safe(self, code: Code, first: str, rest: str, most: str) -> str:
        """The smallest of a hundred first steps, what the second derivative allows, and all that is left."""
        slow = code.maximum(literal(1e-6), code.multiply(first, literal(1e-3)))
        power = code.multiply(
            code.call("log2", code.divide(literal(0.01), most)), literal(1 / self._tableau.error_order)
        )
        second = code.select(code.compare("ogt", most, literal(1e-15)), code.call("exp2", power), slow)
        step = code.minimum(code.minimum(code.multiply(literal(100.0), first), second), rest)
        sound = code.value(f"and i1 {_finite(code, step)}, {code.compare('ogt', step, ZERO)}")
        return code.select(sound, step, code.multiply(literal(1e-6), rest))

    def attempt(self) -> str:
        """Stages, the state at the end, its error and the next length."""
        code, tableau = Code(contract=True), self._tableau
        slots, length = self._stages(code), load(code, "%v", LENGTH)
        t, h, stop = self._clipped(code, length)
        for index, (node, row) in enumerate(tableau.stages[1:], start=1):
            slots.stage(t, h, node, row, slots.rates[index])
        slots.move(tableau.weights, h, slots.next)
        slots.rate(stop, slots.next, slots.rates[len(tableau.stages)])
        error = squared_error(slots, tableau, h)
        logarithm = code.call("log2", code.maximum(error, literal(FLOOR)))
        accepted, memory = code.compare("ole", error, ONE), load(code, "%v", MEMORY)
        shorter = after_refusal(code, tableau, h, logarithm)
        longer = after_step(code, tableau, h, logarithm, memory)
        alive = code.value(f"or i1 {accepted}, {self._sound(code, t, shorter)}")
        after = (code.select(accepted, longer, shorter), code.select(accepted, logarithm, memory))
        self._say(code, (h, stop), accepted, alive, after)
        return self._end(code, "attempt")

    def dense(self) -> str:
        """The extra stages and the polynomial."""
        code = Code(contract=True)
        slots = self._stages(code)
        dense(slots, self._tableau, load(code, "%v", TIME), load(code, "%w", STEP), self._places(code))
        return self._end(code, "dense")


def load(code: Code, array: str, place: int) -> str:
    """One of the numbers of a lane."""
    return code.load(array, str(place))


def number(code: Code, truth: str) -> str:
    """1 where true, else 0."""
    return code.value(f"uitofp i1 {truth} to double")


def _finite(code: Code, value: str) -> str:
    return code.compare("olt", code.call("fabs", value), literal(float("inf")))
