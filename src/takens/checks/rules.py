"""What all checks share: the failure that names a rule, and comparisons that raise it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TakensError
from ..estimate import Estimate
from ..scores.base import Score


class CheckFailed(TakensError, AssertionError):
    """A model, law, measure or score breaks the rule that is named."""


@contextmanager
def rule(held: list[str], name: str, subject: Any) -> Iterator[None]:
    """Everything inside belongs to the rule `name`: any failure, warning or odd exception becomes `CheckFailed`."""
    label = getattr(subject, "name", type(subject).__name__)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    except CheckFailed as failed:
        raise CheckFailed(f"breaks the rule {name!r}: {failed.cause}", place=str(label), remedy=RECIPE) from failed
    except Exception as error:
        raise CheckFailed(
            f"breaks the rule {name!r}: {type(error).__name__}: {error}", place=str(label), remedy=RECIPE
        ) from error
    held.append(name)


RECIPE = "CONTRIBUTING.md says what each rule asks for."


@contextmanager
def global_random_state() -> Iterator[None]:
    """Fail where the code inside draws from NumPy's global random state."""
    before = np.random.get_state()[1].copy(), np.random.get_state()[2]  # type: ignore[index]  # noqa: NPY002
    yield
    after = np.random.get_state()[1], np.random.get_state()[2]  # type: ignore[index]  # noqa: NPY002
    if before[1] != after[1] or not np.array_equal(before[0], after[0]):
        raise CheckFailed("draws from NumPy's global random state instead of takens.random.generator")


def same(left: list[NDArray[Any]], right: list[NDArray[Any]], complaint: str) -> None:
    """Raise `CheckFailed` with `complaint` unless the arrays are equal, pair by pair, NaN included."""
    for a, b in zip(left, right, strict=True):
        if not np.array_equal(a, b, equal_nan=True):
            raise CheckFailed(complaint)


def finite(values: NDArray[np.float64]) -> None:
    """Raise `CheckFailed` unless all values are finite."""
    if not np.isfinite(values).all():
        raise CheckFailed(f"{np.count_nonzero(~np.isfinite(values))} values are not finite")


def comparable(answer: Estimate | Score) -> str:
    """Everything in an answer, as text that is equal exactly if the answers are."""
    return repr(answer.to_dict(details=True))
