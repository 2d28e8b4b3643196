"""Random expression trees, as the parser would make them, for the tests of everything that works on trees."""

from __future__ import annotations

from hypothesis import strategies as st

from takens.systems.symbols.tree import (
    ARITHMETIC,
    COMPARISONS,
    FUNCTIONS,
    Binary,
    Call,
    Compare,
    Conditional,
    Expression,
    Logical,
    Name,
    Negative,
    Number,
)

NAMES = ("x", "y", "rho", "tau_s", "x1")
SMOOTH = sorted(set(FUNCTIONS) - {"floor", "ceil", "heaviside", "sign", "abs", "min", "max"})


def negate(argument: Expression) -> Expression:
    """A minus sign as the parser reads it: before a number it belongs to the number."""
    return Number(-argument.value) if isinstance(argument, Number) else Negative(argument)


def trees(
    operators: tuple[str, ...] = ARITHMETIC, functions: list[str] | None = None, tests: bool = True, leaves: int = 12
) -> st.SearchStrategy[Expression]:
    """Trees over `NAMES` of at most about `leaves` leaves, with comparisons and conditionals if `tests`."""
    names = sorted(FUNCTIONS) if functions is None else functions
    leaf = st.sampled_from(NAMES).map(Name) | st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 1e-5, 0.1, 12.25]).map(Number)

    def grow(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        calls = [st.builds(Call, st.just(f), st.tuples(*[inner] * FUNCTIONS[f])) for f in names]
        kinds = [st.builds(Binary, st.sampled_from(operators), inner, inner), inner.map(negate), st.one_of(calls)]
        if tests:
            kinds += [
                st.builds(Compare, st.sampled_from(COMPARISONS), inner, inner),
                st.builds(Logical, st.sampled_from(["and", "or"]), inner, inner),
                st.builds(Conditional, inner, inner, inner),
            ]
        return st.one_of(kinds)

    return st.recursive(leaf, grow, max_leaves=leaves)
