"""Explicit Runge-Kutta methods as data that check themselves: stages, weights, error estimates, dense output."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import SettingError

Row = Mapping[int, float]
"""Coefficients by stage; stages without a coefficient have 0."""


@dataclass(frozen=True, eq=False)
class Tableau:
    """An explicit Runge-Kutta method: k_i = f(t + c_i h, y + h sum_j a_ij k_j), y' = y + h sum_i b_i k_i.

    After the `stages` (c_i, a_i) comes one more, the rate at the new point (c = 1, a = b), which is the first of the
    next step; then those of `extra`, computed only where dense output is asked. `errors` are weights of one or two
    error estimates h sum_i e_i k_i, of which the step control takes the power `error_order`; two are combined as in
    DOP853. `dense[i][j]` is the weight of k_i in the power j + 1 of theta: y(t + theta h) = y + h sum_ij dense_ij
    theta^(j+1) k_i, of order `dense_order`. Raises `SettingError` where the numbers contradict each other.
    """

    name: str
    order: int
    stages: tuple[tuple[float, Row], ...]
    weights: Row
    errors: tuple[Row, ...] = ()
    error_order: int = 0
    extra: tuple[tuple[float, Row], ...] = ()
    dense: tuple[tuple[float, ...], ...] = ()
    dense_order: int = 0

    def __post_init__(self) -> None:
        for index, (node, row) in enumerate(self.all_stages):
            self._check(f"row {index}", math.fsum(row.values()), node)
            if any(stage >= index for stage in row):
                raise SettingError(f"row {index} uses later stages: the method is not explicit", place=self.name)
        for row in self.errors:
            self._check("error weights", math.fsum(row.values()), 0.0)
        for index, powers in enumerate(self.dense):
            self._check(f"dense output at the end, stage {index}", math.fsum(powers), self.weights.get(index, 0.0))
            self._check(f"rate of dense output at the start, stage {index}", powers[0], float(index == 0))
        if self.dense and len(self.dense) != len(self.all_stages):
            raise SettingError("dense output needs a row for every stage", place=self.name)

    def _check(self, what: str, found: float, expected: float) -> None:
        if abs(found - expected) > 2e-13:
            raise SettingError(f"{what}: sum {found!r} instead of {expected!r}", place=self.name)

    @property
    def all_stages(self) -> tuple[tuple[float, Row], ...]:
        """The stages, the rate at the new point, and the extra stages."""
        return (*self.stages, (1.0, self.weights), *self.extra)

    @property
    def adaptive(self) -> bool:
        """Whether the method estimates its error and can choose its steps."""
        return bool(self.errors and self.dense)


RK4 = Tableau(
    name="RK4",
    order=4,
    stages=((0.0, {}), (0.5, {0: 0.5}), (0.5, {1: 0.5}), (1.0, {2: 1.0})),
    weights={0: 1 / 6, 1: 1 / 3, 2: 1 / 3, 3: 1 / 6},
)
"""The classical method of order 4 (Kutta 1901), for fixed steps."""

TSIT5 = Tableau(
    name="Tsit5",
    order=5,
    stages=(
        (0.0, {}),
        (0.161, {0: 0.161}),
        (0.327, {0: -0.008480655492356989, 1: 0.335480655492357}),
        (0.9, {0: 2.8971530571054935, 1: -6.359448489975075, 2: 4.3622954328695815}),
        (
            0.9800255409045097,
            {0: 5.325864828439257, 1: -11.748883564062828, 2: 7.4955393428898365, 3: -0.09249506636175525},
        ),
        (
            1.0,
            {
                0: 5.86145544294642,
                1: -12.92096931784711,
                2: 8.159367898576159,
                3: -0.071584973281401,
                4: -0.028269050394068383,
            },
        ),
    ),
    weights={
        0: 0.09646076681806523,
        1: 0.01,
        2: 0.4798896504144996,
        3: 1.379008574103742,
        4: -3.290069515436081,
        5: 2.324710524099774,
    },
    errors=(
        {
            0: -0.00178001105222577714,
            1: -0.0008164344596567469,
            2: 0.007880878010261995,
            3: -0.1447110071732629,
            4: 0.5823571654525552,
            5: -0.45808210592918697,
            6: 0.015151515151515152,
        },
    ),
    error_order=5,
    dense=(
        (1.0, -2.763706197274826, 2.9132554618219126, -1.0530884977290216),
        (0.0, 0.13169999999999998, -0.2234, 0.1017),
        (0.0, 3.9302962368947516, -5.941033872131505, 2.490627285651253),
        (0.0, -12.411077166933676, 30.33818863028232, -16.548102889244902),
        (0.0, 37.50931341651104, -88.1789048947664, 47.37952196281928),
        (0.0, -27.896526289197286, 65.09189467479366, -34.87065786149661),
        (0.0, 1.5, -4.0, 2.5),
    ),
    dense_order=4,
)
"""Order 5 with an estimate of order 4 and dense output of order 4 (Tsitouras, Comput. Math. Appl. 62, 2011)."""
