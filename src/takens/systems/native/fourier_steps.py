"""Machine code of ETDRK4 steps of a periodic field and of tangent vectors along its orbit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..symbols.tree import CONSTANTS, Expression
from .emit import Lowering
from .fourier import Lanes, index, repeat, transforms, width_of
from .fourier_scheme import Places, Scheme
from .ir import Code, literal

V, NV, A, NA, B, NB, C, NC = range(8)
"""The spectra of one member: the state and the stages with their nonlinear terms."""
SLOTS = 8


def functions(scheme: Scheme) -> tuple[list[str], set[str]]:
    """The functions of a scheme, of which `march` is called, and what they use of the C library."""
    rates, used = _pointwise(scheme, "rates", scheme.rates, scheme.definitions)
    slopes, more = _pointwise(scheme, "slopes", [tree for *_, tree in scheme.slopes], scheme.slope_definitions)
    stages = [_stage(scheme, number) for number in range(4)]
    parts = [*transforms(scheme.points), rates, slopes, _nonlinear(scheme), _tangent(scheme), *stages, _march(scheme)]
    return parts, used | more


def _pointwise(
    scheme: Scheme, name: str, trees: Sequence[Expression], definitions: Sequence[tuple[str, Expression]]
) -> tuple[str, set[str]]:
    """`void @name(t, g, x, p, out)`: expressions at every point of the grids `g`, a grid for each."""
    code = Code(contract=True, inlined=True)
    fixed = {key: literal(value) for key, value in CONSTANTS.items()} | {scheme.time: "%t"}
    fixed |= {key: code.load("%p", str(i)) for i, key in enumerate(scheme.parameters)}

    def at(point: str) -> None:
        names = fixed | {"x": code.load("%x", point)}
        for i, key in enumerate(scheme.names):
            names[key] = code.load("%g", index(code, (point, 1), (str(i), scheme.block)))
        lowering = Lowering(code, names)
        for key, tree in definitions:
            names[key] = lowering.number(tree)
        values = [lowering.number(tree) for tree in trees]
        for i, value in enumerate(values):
            code.store(value, "%out", index(code, (point, 1), (str(i), scheme.block)))

    if trees:
        repeat(code, scheme.block, at)
    code.emit("ret void")
    arguments = ("double %t", *(f"ptr noalias readonly %{key}" for key in "gxp"), "ptr noalias %out")
    return code.function(name, arguments, attributes="noinline nounwind"), code.used


def _blocks(code: Code, scheme: Scheme, place: str, number: int) -> str:
    return code.element(place, str(number * scheme.block))


def _call(code: Code, name: str, *arguments: str) -> None:
    code.emit(f"call void @{name}({', '.join(arguments)})")


def _to_grids(code: Code, scheme: Scheme, first: int) -> None:
    """The derivatives of the spectra at %in, as grids in working memory from block `first` on."""
    lanes, places, row = Lanes(code, width_of(scheme.points)), Places(scheme), scheme.row
    for number, (field, order) in enumerate(scheme.inputs):

        def some(turn: str, number: int = number, field: int = field, order: int = order) -> None:
            k = index(code, (turn, lanes.width))
            factor = lanes.load("%tables", index(code, (k, 1), (str(places.derivatives + number * row), 1)))
            parts = [
                lanes.multiply(factor, lanes.load("%in", index(code, (k, 1), (str(field * 2 + part), row))))
                for part in (0, 1)
            ]
            if order % 2:
                parts = [lanes.multiply(parts[1], lanes.constant(-1.0)), parts[0]]
            for part, value in enumerate(parts):
                lanes.store(value, "%work", index(code, (k, 1), (str(part), row)))

        repeat(code, row // lanes.width, some)
        targets = (places.spectrum, first + number, places.scratch)
        _call(code, "backward", *(f"ptr {_blocks(code, scheme, '%work', b)}" for b in targets), "ptr %tables")


def _to_spectra(code: Code, scheme: Scheme) -> None:
    """The modes of the outputs, reaction - d flux / dx, added up for each field at %out."""
    lanes, places, row = Lanes(code, width_of(scheme.points)), Places(scheme), scheme.row
    minus = lanes.constant(-1.0)
    for number in range(len(scheme.outputs)):
        targets = (places.values + number, places.modes + number, places.scratch)
        _call(code, "forward", *(f"ptr {_blocks(code, scheme, '%work', b)}" for b in targets), "ptr %tables")

    def some(turn: str) -> None:
        k = index(code, (turn, lanes.width))
        mask = lanes.load("%tables", index(code, (k, 1), (str(places.mask), 1)))
        flux = lanes.load("%tables", index(code, (k, 1), (str(places.flux), 1)))
        sums: dict[int, list[str]] = {}
        for number, (field, is_flux) in enumerate(scheme.outputs):
            start = (places.modes + number) * scheme.block
            real, imaginary = (
                lanes.load("%work", index(code, (k, 1), (str(start + part * row), 1))) for part in (0, 1)
            )
            if is_flux:  # -i k (r + i m) = k m - i k r
                parts = [lanes.multiply(flux, imaginary), lanes.multiply(lanes.multiply(flux, real), minus)]
            else:
                parts = [lanes.multiply(mask, real), lanes.multiply(mask, imaginary)]
            before = sums.get(field)
            sums[field] = parts if before is None else [lanes.add(a, b) for a, b in zip(before, parts, strict=True)]
        for field, parts in sums.items():
            for part, value in enumerate(parts):
                lanes.store(value, "%out", index(code, (k, 1), (str(field * 2 + part), row)))

    repeat(code, row // lanes.width, some)


def _nonlinear(scheme: Scheme) -> str:
    """`void @nonlinear(t, in, out, work, x, p, tables)`: the nonlinear terms of the spectra at `in`."""
    code, places = Code(contract=True), Places(scheme)
    _to_grids(code, scheme, places.grids)
    grids, values = (_blocks(code, scheme, "%work", b) for b in (places.grids, places.values))
    _call(code, "rates", "double %t", f"ptr {grids}", "ptr %x", "ptr %p", f"ptr {values}")
    _to_spectra(code, scheme)
    code.emit("ret void")
    arguments = [f"ptr noalias %{name}" for name in ("in", "out", "work", "x", "p", "tables")]
    return code.function("nonlinear", ["double %t", *arguments], attributes="noinline nounwind")


def _tangent(scheme: Scheme) -> str:
    """`void @tangent(in, out, work, tables)`: their derivative, at the grids of the last call, along `in`."""
    code, places, block = Code(contract=True), Places(scheme), scheme.block
    lanes = Lanes(code, width_of(scheme.points))
    _to_grids(code, scheme, places.moved)

    def some(turn: str) -> None:
        point = index(code, (turn, lanes.width))
        sums = [lanes.constant(0.0)] * len(scheme.outputs)
        for number, (output, source, _) in enumerate(scheme.slopes):
            slope = lanes.load("%work", index(code, (point, 1), (str(places.slopes + number), block)))
            moved = lanes.load("%work", index(code, (point, 1), (str(places.moved + source), block)))
            sums[output] = lanes.add(sums[output], lanes.multiply(slope, moved))
        for output, value in enumerate(sums):
            lanes.store(value, "%work", index(code, (point, 1), (str(places.values + output), block)))

    repeat(code, block // lanes.width, some)
    _to_spectra(code, scheme)
    code.emit("ret void")
    arguments = [f"ptr noalias %{name}" for name in ("in", "out", "work", "tables")]
    return code.function("tangent", arguments, attributes="noinline nounwind")


_STAGES: tuple[tuple[int, tuple[tuple[str, tuple[tuple[float, int], ...]], ...]], ...] = (
    (A, (("half", ((1.0, V),)), ("first", ((1.0, NV),)))),
    (B, (("half", ((1.0, V),)), ("first", ((1.0, NA),)))),
    (C, (("half", ((1.0, A),)), ("first", ((2.0, NB), (-1.0, NV))))),
    (V, (("whole", ((1.0, V),)), ("start", ((1.0, NV),)), ("middle", ((2.0, NA), (2.0, NB))), ("end", ((1.0, NC),)))),
)
"""What each stage makes: target = sum factor * (sum weight * spectrum)."""
_ENTERS, _LEAVES, _NODES = (V, A, B, C), (NV, NA, NB, NC), (0.0, 0.5, 0.5, 1.0)


def _stage(scheme: Scheme, number: int) -> str:
    """`void @stage<number>(m, tables)`: the next stage of one member from what is known."""
    code, row, places = Code(contract=True), scheme.row, Places(scheme)
    lanes, (target, terms) = Lanes(code, width_of(scheme.points)), _STAGES[number]

    def some(turn: str) -> None:
        k = index(code, (turn, lanes.width))

        def at(slot: int, field: int) -> list[str]:
            start = (slot * scheme.fields + field) * scheme.block
            return [lanes.load("%m", index(code, (k, 1), (str(start + part * row), 1))) for part in (0, 1)]

        sums: dict[int, list[str]] = {}
        for name, parts in terms:
            sources = {j: _weighted(lanes, parts, [at(s, j) for _, s in parts]) for j in range(scheme.fields)}
            for i, j in scheme.pairs:
                start = places.factor(name, (i, j))
                found = [
                    lanes.load("%tables", index(code, (k, 1), (str(start + part * row), 1)))
                    for part in range(1 if scheme.real else 2)
                ]
                product = _product(lanes, found, sources[j])
                sums[i] = [lanes.add(a, b) for a, b in zip(sums[i], product, strict=True)] if i in sums else product
        for i, value in sums.items():
            start = (target * scheme.fields + i) * scheme.block
            for part in (0, 1):
                lanes.store(value[part], "%m", index(code, (k, 1), (str(start + part * row), 1)))

    repeat(code, row // lanes.width, some)
    code.emit("ret void")
    return code.function(f"stage{number}", ["ptr noalias %m", "ptr noalias %tables"], attributes="noinline nounwind")


def _weighted(lanes: Lanes, parts: Sequence[tuple[float, int]], values: Sequence[list[str]]) -> list[str]:
    """The sum of complex numbers with weights."""
    total: list[str] = []
    for (weight, _), value in zip(parts, values, strict=True):
        scaled = value if weight == 1 else [lanes.multiply(v, lanes.constant(weight)) for v in value]
        total = [lanes.add(a, b) for a, b in zip(total, scaled, strict=True)] if total else scaled
    return total


def _product(lanes: Lanes, factor: Sequence[str], value: Sequence[str]) -> list[str]:
    """A real or complex factor times a complex number."""
    if len(factor) == 1:
        return [lanes.multiply(factor[0], part) for part in value]
    (c, s), (a, b) = factor, value
    return [
        lanes.subtract(lanes.multiply(c, a), lanes.multiply(s, b)),
        lanes.add(lanes.multiply(c, b), lanes.multiply(s, a)),
    ]


MARCH_ARGUMENTS = (
    "ptr noalias %m", "i64 %count", "ptr noalias %work", "ptr noalias %x", "ptr noalias %p", "ptr noalias %tables",
    "double %start", "double %h", "i64 %first", "i64 %substeps", "i64 %rows", "ptr noalias %out",
)  # fmt: skip


def _march(scheme: Scheme) -> str:
    """`i64 @march(...)`: `rows` times `substeps` steps of the first of `m` and of `count` tangent vectors after it.

    A row of `out` is the spectra after those steps. Returns the number of rows completed with finite numbers.
    """
    code = Code(contract=True)
    row, number, left = code.slot("i64"), code.slot("i64"), code.slot("i64")
    rows, steps, done, sound, stop = (code.label() for _ in range(5))
    code.store("0", row, kind="i64")
    code.store("%first", number, kind="i64")
    code.jump(rows)
    code.begin(rows)
    code.store("%substeps", left, kind="i64")
    code.jump(steps)
    code.begin(steps)
    _step(code, scheme, code.load(number, kind="i64"))
    code.store(code.value(f"add i64 {code.load(number, kind='i64')}, 1"), number, kind="i64")
    remaining = code.value(f"sub i64 {code.load(left, kind='i64')}, 1")
    code.store(remaining, left, kind="i64")
    code.branch(code.value(f"icmp sgt i64 {remaining}, 0"), steps, done)
    code.begin(done)
    finished = code.load(row, kind="i64")
    total = _write(code, scheme, finished)
    code.branch(code.compare("oeq", total, literal(0.0)), sound, stop)
    code.begin(sound)
    after = code.value(f"add i64 {finished}, 1")
    code.store(after, row, kind="i64")
    code.branch(code.value(f"icmp slt i64 {after}, %rows"), rows, stop)
    code.begin(stop)
    code.emit(f"ret i64 {code.load(row, kind='i64')}")
    return code.function("march", MARCH_ARGUMENTS, result="i64", attributes="nounwind")


def _step(code: Code, scheme: Scheme, number: str) -> None:
    """One step of all members; tangent vectors see the stages of the state."""
    places, spectra = Places(scheme), scheme.fields * scheme.block
    time = code.add("%start", code.multiply("%h", code.value(f"sitofp i64 {number} to double")))
    for stage, node in enumerate(_NODES):
        moment = code.add(time, code.multiply(literal(node), "%h"))
        source, target = (code.element("%m", str(slots[stage] * spectra)) for slots in (_ENTERS, _LEAVES))
        shared = ("ptr %work", "ptr %x", "ptr %p", "ptr %tables")
        _call(code, "nonlinear", f"double {moment}", f"ptr {source}", f"ptr {target}", *shared)
        if scheme.slopes:
            some, begin, end = (code.label() for _ in range(3))
            code.branch(code.value("icmp sgt i64 %count, 0"), some, end)
            code.begin(some)
            grids, slopes = (_blocks(code, scheme, "%work", b) for b in (places.grids, places.slopes))
            _call(code, "slopes", f"double {moment}", f"ptr {grids}", "ptr %x", "ptr %p", f"ptr {slopes}")
            code.jump(begin)
            code.begin(begin)
            repeat(code, "%count", partial(_move, code, scheme, stage))
            code.jump(end)
            code.begin(end)
        repeat(code, code.value("add i64 %count, 1"), partial(_next, code, scheme, stage))


def _move(code: Code, scheme: Scheme, stage: int, turn: str) -> None:
    spectra = scheme.fields * scheme.block
    member = index(code, (turn, SLOTS * spectra), (str(SLOTS * spectra), 1))
    source, target = (
        code.element("%m", index(code, (member, 1), (str(slots[stage] * spectra), 1))) for slots in (_ENTERS, _LEAVES)
    )
    _call(code, "tangent", f"ptr {source}", f"ptr {target}", "ptr %work", "ptr %tables")


def _next(code: Code, scheme: Scheme, stage: int, turn: str) -> None:
    place = code.element("%m", index(code, (turn, SLOTS * scheme.fields * scheme.block)))
    _call(code, f"stage{stage}", f"ptr {place}", "ptr %tables")


def _write(code: Code, scheme: Scheme, row: str) -> str:
    """Write the spectra as a row; 0 if all of them are finite, else NaN."""
    lanes, size = Lanes(code, width_of(scheme.points)), scheme.fields * scheme.block
    total = code.slot(lanes.kind)
    lanes.store(lanes.constant(0.0), total, "0")

    def some(turn: str) -> None:
        place = index(code, (turn, lanes.width))
        value = lanes.load("%m", place)
        lanes.store(value, "%out", index(code, (row, size), (place, 1)))
        lanes.store(lanes.add(lanes.load(total, "0"), lanes.multiply(value, lanes.constant(0.0))), total, "0")

    repeat(code, size // lanes.width, some)
    found = lanes.load(total, "0")
    parts = [code.value(f"extractelement {lanes.kind} {found}, i64 {i}") for i in range(lanes.width)]
    added = parts[0]
    for part in parts[1:]:
        added = code.add(added, part)
    return added
