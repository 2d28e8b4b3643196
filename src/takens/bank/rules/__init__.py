"""The simple rules of the field, as good as they can honestly be made: what the verdict has to beat."""

from __future__ import annotations

from .base import GROUPS as GROUPS
from .base import NONE as NONE
from .base import Rule as Rule
from .base import group_of as group_of
from .exponent import PositiveExponent
from .peccary import Peccary
from .toker import Toker
from .zero_one import ZeroOne

RULES: tuple[Rule, ...] = (Toker(), Peccary(), ZeroOne(), PositiveExponent())
"""Every rule, with the cuts of its authors; `fitted` gives it the best cuts for known systems."""
