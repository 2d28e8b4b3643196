"""Machine code of stochastic differential equations: steps of many members at once, along Wiener paths by refinement.

The increments of a Wiener process over one sampling interval are normal numbers that depend on the key, the member, the
interval and the process only. Shorter steps refine the same path: the increment of half an interval is half of that of
the whole plus a normal number of its own (Levy's construction), so that paths at dt, dt/2, dt/4, ... are the same path
seen ever closer, and the increments over a long step are sums of those over the short ones, to rounding.
"""

from __future__ import annotations

from .emit import RULE, RULE_ARGUMENTS, Program, rule
from .random_numbers import NORMALS, normals
from .widen import widened

PATHS, BLOCKS = "paths", "blocks"
LANES = 16
"""Members that go together; the first half of them shares pairs of normal numbers with the second."""
MOST_LEVELS = 24
"""Halvings of a sampling interval at most."""

REAL, HALF = f"<{LANES} x double>", f"<{LANES // 2} x i64>"


def noisy_steps(program: Program, processes: int) -> tuple[list[str], set[str]]:
    """Functions that go steps along Wiener paths; `program` is one step whose last parameters are the increments.

    `i64 @paths(y, p, key, pairs, row, rows, levels, scales, h, first, end, lane_stride, row_stride, out, pending)`:
    `rows` times 2^levels steps of length h of all lanes from the start of interval `row`. `y` and `p` hold vectors of
    lanes, states and parameters (step and increments left empty); `pairs` the numbers of the pairs of members in the
    first half of the lanes; `scales` the standard deviations of the increment over an interval and of the refinements;
    `pending` room for (levels + 1) vectors a process, at a multiple of 64 bytes. States of the lanes from `first` to
    `end` are written after each row. Returns the number of rows completed with finite ones. `@blocks(..., count,
    results)` does so for blocks of lanes whose arrays follow one another.
    """
    states, inputs = len(program.states), len(program.parameters)
    parts = [
        _entry(states, inputs, processes), _coarse(processes), _fine(inputs, processes), _moved(states), _shown(states),
        _blocks(states, inputs),
    ]  # fmt: skip
    name, code = rule(program, contract=True)
    step = code.function(name, RULE_ARGUMENTS, attributes="alwaysinline nounwind")
    functions, declared = widened([step], LANES)
    declared |= {"declare i64 @llvm.cttz.i64(i64, i1)"}
    return [*functions, *normals(LANES // 2), "\n".join(parts)], declared


def _entry(states: int, inputs: int, processes: int) -> str:
    """Where the numbers are, and what stays the same in all steps."""
    return f"""define i64 @{PATHS}(ptr noalias %y, ptr noalias readonly %p, i64 %key, ptr noalias readonly %pairs,
    i64 %row, i64 %rows, i64 %levels, ptr noalias readonly %scales, double %h, i64 %first, i64 %end,
    i64 %lane_stride, i64 %row_stride, ptr noalias %out, ptr noalias %pending) nounwind {{
entry:
  %x = alloca [{states} x {REAL}], align 128
  %new = alloca [{states} x {REAL}], align 128
  %q = alloca [{inputs} x {REAL}], align 128
  %shown = alloca [{states} x {REAL}], align 128
  %pair = load {HALF}, ptr %pairs, align 8
  %total = load double, ptr %scales, align 8
  %steps = shl i64 1, %levels
{_copied("%y", "%x", states, "in")}
{_copied("%p", "%q", inputs, "given")}
  %h.one = insertelement {REAL} poison, double %h, i64 0
  %h.all = shufflevector {REAL} %h.one, {REAL} poison, <{LANES} x i32> zeroinitializer
  %h.place = getelementptr {REAL}, ptr %q, i64 {inputs - processes - 1}
  store {REAL} %h.all, ptr %h.place, align 128
  br label %interval"""


def _coarse(processes: int) -> str:
    """Increments over a whole interval."""
    return f"""interval:
  %done = phi i64 [0, %entry], [%rows.done, %written]
  %number = add i64 %row, %done
  %number.low = and i64 %number, 4294967295
  %number.high = lshr i64 %number, 32
  br label %whole

whole:
  %k = phi i64 [0, %interval], [%k.next, %whole]
{_normal("w", "0", "%k")}
{_scaled("w", "%total")}
  %w.place = getelementptr {REAL}, ptr %pending, i64 %k
  store {REAL} %w.increment, ptr %w.place, align 64
  %k.next = add i64 %k, 1
  %k.more = icmp slt i64 %k.next, {processes}
  br i1 %k.more, label %whole, label %step"""


def _fine(inputs: int, processes: int) -> str:
    """Increments over step i: what was left over at the last branch, refined down to the step."""
    return f"""step:
  %i = phi i64 [0, %whole], [%i.next, %stepped]
  %zeros = call i64 @llvm.cttz.i64(i64 %i, i1 false)
  %is.first = icmp eq i64 %i, 0
  %fresh = sub i64 %levels, %zeros
  %depth = select i1 %is.first, i64 0, i64 %fresh
  br label %process

process:
  %j = phi i64 [0, %step], [%j.next, %refined]
  %kept.row = mul i64 %depth, {processes}
  %kept.index = add i64 %kept.row, %j
  %kept.place = getelementptr {REAL}, ptr %pending, i64 %kept.index
  %kept = load {REAL}, ptr %kept.place, align 64
  br label %refine

refine:
  %d = phi i64 [%depth, %process], [%d.next, %halve]
  %increment = phi {REAL} [%kept, %process], [%left, %halve]
  %deeper = icmp slt i64 %d, %levels
  br i1 %deeper, label %halve, label %refined

halve:
  %d.next = add i64 %d, 1
  %below = sub i64 %levels, %d
  %position = lshr i64 %i, %below
  %heap = shl i64 1, %d
  %node = add i64 %heap, %position
{_normal("r", "%node", "%j")}
  %scale.place = getelementptr double, ptr %scales, i64 %d.next
  %scale = load double, ptr %scale.place, align 8
{_scaled("r", "%scale")}
  %middle = fmul {REAL} %increment, splat (double 0.5)
  %left = fadd {REAL} %middle, %r.increment
  %right = fsub {REAL} %increment, %left
  %right.row = mul i64 %d.next, {processes}
  %right.index = add i64 %right.row, %j
  %right.place = getelementptr {REAL}, ptr %pending, i64 %right.index
  store {REAL} %right, ptr %right.place, align 64
  br label %refine

refined:
  %j.place = add i64 %j, {inputs - processes}
  %noise.place = getelementptr {REAL}, ptr %q, i64 %j.place
  store {REAL} %increment, ptr %noise.place, align 128
  %j.next = add i64 %j, 1
  %j.more = icmp slt i64 %j.next, {processes}
  br i1 %j.more, label %process, label %stepped"""


def _moved(states: int) -> str:
    """The step itself."""
    return f"""stepped:
  %before = shl i64 %number, %levels
  %index = add i64 %before, %i
  %index.real = sitofp i64 %index to double
  %time = fmul double %index.real, %h
  %time.one = insertelement {REAL} poison, double %time, i64 0
  %time.all = shufflevector {REAL} %time.one, {REAL} poison, <{LANES} x i32> zeroinitializer
  call void @{RULE}({REAL} %time.all, ptr %x, ptr %q, ptr %new)
{_copied("%new", "%x", states, "moved")}
  %i.next = add i64 %i, 1
  %i.more = icmp slt i64 %i.next, %steps
  br i1 %i.more, label %step, label %finished"""


def _shown(states: int) -> str:
    """A row of the members that are asked for, and the ends."""
    return f"""finished:
{_copied("%x", "%shown", states, "out")}
  %row.offset = mul i64 %done, %row_stride
  %row.place = getelementptr double, ptr %out, i64 %row.offset
  br label %lane

lane:
  %l = phi i64 [%first, %finished], [%l.next, %lane.end]
  %l.sum = phi double [0.0, %finished], [%s.sum.next, %lane.end]
  %l.from = sub i64 %l, %first
  %l.offset = mul i64 %l.from, %lane_stride
  %l.place = getelementptr double, ptr %row.place, i64 %l.offset
  br label %state

state:
  %s = phi i64 [0, %lane], [%s.next, %state]
  %s.sum = phi double [%l.sum, %lane], [%s.sum.next, %state]
  %s.row = mul i64 %s, {LANES}
  %s.index = add i64 %s.row, %l
  %s.from = getelementptr double, ptr %shown, i64 %s.index
  %value = load double, ptr %s.from, align 8
  %s.to = getelementptr double, ptr %l.place, i64 %s
  store double %value, ptr %s.to, align 8
  %zero = fmul double %value, 0.0
  %s.sum.next = fadd double %s.sum, %zero
  %s.next = add i64 %s, 1
  %s.more = icmp slt i64 %s.next, {states}
  br i1 %s.more, label %state, label %lane.end

lane.end:
  %l.next = add i64 %l, 1
  %l.more = icmp slt i64 %l.next, %end
  br i1 %l.more, label %lane, label %check

check:
  %sound = fcmp oeq double %s.sum.next, 0.0
  %rows.done = add i64 %done, 1
  br i1 %sound, label %written, label %failed

written:
  %more = icmp slt i64 %rows.done, %rows
  br i1 %more, label %interval, label %complete

complete:
{_copied("%x", "%y", states, "back")}
  ret i64 %rows.done

failed:
  ret i64 %done
}}
"""


def _blocks(states: int, inputs: int) -> str:
    """The loop over blocks of lanes."""
    return f"""define void @{BLOCKS}(ptr %y, ptr %p, i64 %key, ptr %pairs, i64 %row, i64 %rows, i64 %levels,
    ptr %scales, double %h, i64 %first, i64 %end, i64 %lane_stride, i64 %row_stride, ptr %out, ptr %pending,
    i64 %count, ptr %results) nounwind {{
entry:
  br label %block

block:
  %b = phi i64 [0, %entry], [%b.next, %block]
  %y.index = mul i64 %b, {states}
  %y.block = getelementptr {REAL}, ptr %y, i64 %y.index
  %p.index = mul i64 %b, {inputs}
  %p.block = getelementptr {REAL}, ptr %p, i64 %p.index
  %pairs.block = getelementptr {HALF}, ptr %pairs, i64 %b
  %lane.index = mul i64 %b, {LANES}
  %out.index = mul i64 %lane.index, %lane_stride
  %out.block = getelementptr double, ptr %out, i64 %out.index
  %found = call i64 @{PATHS}(ptr %y.block, ptr %p.block, i64 %key, ptr %pairs.block, i64 %row, i64 %rows, i64 %levels,
      ptr %scales, double %h, i64 %first, i64 %end, i64 %lane_stride, i64 %row_stride, ptr %out.block,
      ptr %pending)
  %result.place = getelementptr i64, ptr %results, i64 %b
  store i64 %found, ptr %result.place, align 8
  %b.next = add i64 %b, 1
  %more = icmp slt i64 %b.next, %count
  br i1 %more, label %block, label %end.block

end.block:
  ret void
}}
"""


def _normal(name: str, node: str, process: str) -> str:
    """%name.z: normal numbers for all lanes at a node of the refinement of an interval."""
    counters = f"{HALF} %{name}.c0, {HALF} %{name}.c1, {HALF} %pair, {HALF} %{name}.c3"
    spread = f"{HALF} poison, <{LANES // 2} x i32> zeroinitializer"
    # The fourth counter: the process, and what of the interval's number is beyond 32 bits.
    return f"""  %{name}.high = shl i64 %number.high, 16
  %{name}.c3.one = or i64 %{name}.high, {process}
  %{name}.i0 = insertelement {HALF} poison, i64 {node}, i64 0
  %{name}.c0 = shufflevector {HALF} %{name}.i0, {spread}
  %{name}.i1 = insertelement {HALF} poison, i64 %number.low, i64 0
  %{name}.c1 = shufflevector {HALF} %{name}.i1, {spread}
  %{name}.i3 = insertelement {HALF} poison, i64 %{name}.c3.one, i64 0
  %{name}.c3 = shufflevector {HALF} %{name}.i3, {spread}
  %{name}.z = call {REAL} @{NORMALS}({counters}, i64 %key)"""


def _scaled(name: str, scale: str) -> str:
    return f"""  %{name}.scale = insertelement {REAL} poison, double {scale}, i64 0
  %{name}.all = shufflevector {REAL} %{name}.scale, {REAL} poison, <{LANES} x i32> zeroinitializer
  %{name}.increment = fmul {REAL} %{name}.z, %{name}.all"""


def _copied(source: str, target: str, count: int, name: str) -> str:
    """Copies vectors one by one, so that they can stay in registers."""
    lines = []
    for i in range(count):
        lines.append(f"  %{name}.{i}.from = getelementptr {REAL}, ptr {source}, i64 {i}")
        lines.append(f"  %{name}.{i} = load {REAL}, ptr %{name}.{i}.from, align 8")
        lines.append(f"  %{name}.{i}.to = getelementptr {REAL}, ptr {target}, i64 {i}")
        lines.append(f"  store {REAL} %{name}.{i}, ptr %{name}.{i}.to, align 8")
    return "\n".join(lines)
