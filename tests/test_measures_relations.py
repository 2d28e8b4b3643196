"""The contract of relations: everything built in holds it, what is broken is caught, all pairs are related at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import takens
from takens.checks import CheckFailed, check_relation
from takens.errors import SettingError
from takens.estimate import Estimate
from takens.measures import REGISTRY
from takens.measures.listing import by_family, listing, markdown
from takens.measures.relations import RELATIONS, Pair, Relation, relate
from takens.series import Series


@pytest.mark.parametrize("name", RELATIONS)
def test_every_relation_holds_the_contract(name):
    held = check_relation(RELATIONS[name])
    assert {"same seed, same result", "input unchanged", "units do not matter", "one direction or none"} <= set(held)
    assert "defined answer to missing values" in held


def covariance(change=None, **wrong):
    def product(pair: Pair, *, level: float = 0.9, seed: int = 0) -> Estimate:
        value = float(np.corrcoef(pair.x, pair.y)[0, 1]) if change is None else change(pair)
        return Estimate("", value, **{"interval": (value - 1, value + 1), "details": {"p_value": 0.5}, **wrong})

    made = Relation("product", "tests", product, "Pearson 1895", 20, False)
    object.__setattr__(made, "__doc__", "Correlation.")
    return made


def mutate(pair: Pair) -> float:
    pair.x[0] = 0
    return 1.0


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (covariance(mutate), "input unchanged"),
        (covariance(lambda pair: float(np.random.default_rng().normal())), "same seed, same result"),
        (covariance(details={}, interval=None), "an estimate"),
        (covariance(interval=(2.0, 1.0)), "an estimate"),
        (covariance(lambda pair: float((pair.x[0] - pair.x.mean()) / pair.x.std())), "one direction or none"),
        (covariance(lambda pair: float(pair.x.std() * pair.y.std())), "units do not matter"),
        (replace(covariance(), reference=""), "documented"),
    ],
)
def test_a_broken_relation_is_caught(broken, rule):
    with pytest.raises(CheckFailed, match=f"breaks the rule '{rule}'"):
        check_relation(broken)


def test_the_sound_relation_passes():
    assert "refuses what says nothing" in check_relation(covariance())


def three_channels(rows: int = 300) -> Series:
    return Series.from_array(np.random.default_rng(0).normal(size=(rows, 3)))


def test_all_pairs_are_related_and_both_ways_where_directed():
    found = relate(three_channels(), only=["cross_correlation", "granger_causality"])
    pairs = [(a, b) for a in ("x1", "x2", "x3") for b in ("x1", "x2", "x3") if a != b]
    expected = {f"granger_causality[{a} -> {b}]" for a, b in pairs}
    expected |= {f"cross_correlation[{a} ~ {b}]" for a, b in pairs if a < b}
    assert set(found) == expected
    one = takens.granger_causality(three_channels().select("x2", "x1"))
    assert found["granger_causality[x2 -> x1]"].value == one.value
    seen: list[tuple[str, int, int]] = []
    relate(three_channels(), only="cross_correlation", progress=lambda *step: seen.append(step))
    assert [(done, total) for _, done, total in seen] == [(0, 3), (1, 3), (2, 3)]


def test_what_cannot_be_related_says_why():
    with pytest.raises(SettingError, match="no relation 'magic'"):
        relate(three_channels(), only=["magic"])
    with pytest.raises(SettingError, match="two channels"):
        relate(np.arange(100.0))
    with pytest.raises(SettingError, match="relates two channels"):
        takens.cross_correlation(three_channels())
    values = three_channels().values.copy()
    values[:, 1] = 2.0
    found = relate(Series.from_array(values), only="cross_correlation")
    assert found["cross_correlation[x1 ~ x2]"].reason == "channel x2 is constant"
    assert found["cross_correlation[x1 ~ x3]"].admissible


def test_the_page_about_measures_lists_them_all():
    page = (Path(__file__).resolve().parent.parent / "docs" / "measures.md").read_text(encoding="utf-8")
    shown = page.split("<!-- table -->")[1].split("<!-- end of table -->")[0].strip()
    assert shown == markdown(), "docs/measures.md is older than the code: takens.measures.listing.markdown() makes it"
    for name in (*REGISTRY, *RELATIONS):
        assert f"`{name}`" in shown


def test_every_family_is_listed_once_and_every_line_says_what_it_is():
    lines = list(listing())
    families = [line for line in lines if not line.startswith(" ")]
    assert families == [f"{family}:" for family in by_family()]
    for line in lines:
        if line.startswith(" "):
            assert len(line.split()) > 3, line
