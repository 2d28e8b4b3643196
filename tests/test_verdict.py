"""The verdict: what is refused and what would suffice, sets that hold what they should, and nothing that crashes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from systems import autoregressive, henon, logistic, lorenz63

import takens
from takens import Series
from takens.errors import DataError, SettingError
from takens.random import generator
from takens.verdicts import CLASSES, NAMES, STEPS, Inquiry, Step, statistics, verdict
from takens.verdicts.calibration import Calibration, carried
from takens.verdicts.classes import CHAOTIC, INSUFFICIENT, LINEAR, NONLINEAR, NONSTATIONARY, PERIODIC, QUASIPERIODIC
from takens.verdicts.glossary import WORDS
from takens.verdicts.interpretation import conflicts, holm
from takens.verdicts.joint import joint
from takens.verdicts.telling import lines

REGULAR, NOISE = {PERIODIC, QUASIPERIODIC}, {LINEAR, NONLINEAR}


@pytest.fixture(scope="module")
def lorenz():
    return verdict(Series.from_array(lorenz63(5000)[:, 0], interval=0.02, unit="s", channels=("x",)))


def test_chaos_is_found_with_its_exponent_and_horizon(lorenz):
    assert lorenz.kind == CHAOTIC
    assert lorenz.classes == (CHAOTIC,)
    value, low, high = lorenz.exponent
    assert low < 0.9056 < high  # per second
    assert lorenz.time_unit == "s"
    assert 0.5 < lorenz.horizon < 6
    assert lorenz.sentence.startswith("Chaotic, with 90 % confidence; largest exponent 0.")
    assert f"{value:.2g} [{low:.2g}, {high:.2g}] per s" in lorenz.sentence
    assert "seconds" in lorenz.sentence
    assert lorenz.advice == ()


@pytest.mark.parametrize("x", [lambda: henon(2000)[:, 0], lambda: logistic(2000)], ids=["henon", "logistic"])
def test_chaotic_maps(x):
    found = verdict(x())
    assert found.classes[0] == CHAOTIC
    assert (
        found.exponent[1] < {"H": 0.4192, "L": np.log(2)}["L" if found.exponent[0] > 0.55 else "H"] < found.exponent[2]
    )
    assert "per sample" in found.sentence


def test_probabilities_p_values_and_sets_agree(lorenz):
    for found in (lorenz, verdict(autoregressive(600, 0.7))):
        assert tuple(found.probabilities) == tuple(found.p_values) == CLASSES
        assert sum(found.probabilities.values()) == pytest.approx(1)
        assert found.classes[0] == max(found.probabilities, key=found.probabilities.get)
        held = {name for name in CLASSES if found.p_values[name] > 1 - found.level + 1e-9} | {found.classes[0]}
        assert held <= set(found.classes)
        assert set(found.classes) - held == set() or held == {CHAOTIC}


def test_a_higher_level_leaves_more_open():
    x = autoregressive(500, 0.6)
    sets = [set(verdict(x, level=level).classes) for level in (0.6, 0.9, 0.99)]
    assert sets[0] <= sets[1] <= sets[2]
    assert sets[0] != sets[2]
    with pytest.raises(SettingError, match="level"):
        verdict(x, level=0.3)


def test_cycles_and_tori_are_not_chaos():
    t, noise = np.arange(3000), generator(0, "noise").normal(size=3000)
    for level in (0, 0.3):
        found = verdict(np.sin(0.0712 * t) + level * noise)
        assert found.classes[0] in REGULAR
        assert CHAOTIC not in found.classes
    torus = np.sin(0.0712 * t) + np.sin(0.0712 * 2**0.5 * t)
    assert verdict(torus).classes[0] in REGULAR


def test_noise_is_noise():
    for seed, phi in enumerate((0.0, 0.5, 0.9)):
        found = verdict(autoregressive(2000, phi, seed), seed=seed)
        assert set(found.classes) & NOISE
        assert found.classes != (CHAOTIC,)


def test_change_is_seen_and_stretches_are_judged_alone():
    x = np.concatenate([autoregressive(600, 0.3, 1), 8 + 3 * autoregressive(700, 0.3, 2)])
    found = verdict(x)
    assert found.classes[0] == NONSTATIONARY
    assert len(found.segments) == 2
    first, second = found.segments
    assert first.start == 0
    assert abs(first.stop - 600) < 10
    assert second.stop == 1300
    assert all(LINEAR in one.verdict.classes for one in found.segments)  # what each stretch is, alone
    assert f"Rows 0 to {first.stop - 1:,} alone" in str(found)
    assert found.to_dict()["segments"][1]["stop"] == 1300
    assert verdict(x, segments=False).segments == ()


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.ones(500), "constant"),
        (np.full(500, np.nan), "no value"),
        (generator(0, "x").normal(size=30), "200 are needed"),
        (generator(0, "x").normal(size=150), "200 are needed"),
        (np.round(generator(0, "x").normal(size=900)), "different values"),
        (np.arange(900) % 2.0, "different values"),
    ],
    ids=["constant", "empty", "tiny", "short", "levels", "two levels"],
)
def test_too_little_says_what_would_suffice(x, says):
    found = verdict(x)
    assert found.kind == INSUFFICIENT
    assert found.classes == ()
    assert found.sentence.startswith("Cannot tell: ")
    assert says in found.sentence
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["kind"] == INSUFFICIENT


def test_irregular_times_and_gaps():
    times = np.cumsum(0.5 + generator(0, "times").random(600))
    found = verdict(Series(times, autoregressive(600)))
    assert found.kind == INSUFFICIENT
    assert "irregular" in found.sentence
    assert "resampling" in found.sentence
    x = autoregressive(1200, 0.5)
    x[np.arange(100, 1200, 150)] = np.nan
    found = verdict(x)
    assert found.kind == INSUFFICIENT
    assert "8 gaps cut the record" in found.sentence
    x = autoregressive(1200, 0.5)
    x[300:310] = np.nan
    found = verdict(x)
    assert found.classes
    assert "longest gap-free stretch, 890 of 1200" in str(found)


def test_the_unit_and_the_origin_do_not_matter():
    x = henon(800)[:, 0]
    plain = verdict(x)
    for scale, shift in ((1e-200, 0.0), (1e200, 0.0), (-3.7, 0.0), (1.0, 1e6)):
        found = verdict(scale * x + shift)
        assert found.classes[0] == plain.classes[0] == CHAOTIC
        if scale > 0 and shift == 0:
            assert found.probabilities[CHAOTIC] == pytest.approx(plain.probabilities[CHAOTIC], abs=1e-6)
    huge = np.where(np.arange(400) % 2, 1.7e308, -1.7e308) * (0.5 + 0.5 * generator(0, "huge").random(400))
    assert verdict(huge).sentence


def test_the_same_seed_gives_the_same_verdict():
    x = autoregressive(400, 0.6)
    assert verdict(x, seed=3).to_dict() == verdict(x, seed=3).to_dict()


def test_channels_and_trajectories_are_views_of_one_system():
    both = Series.from_array(henon(1000), channels=("x", "y"))
    found = verdict(both)
    assert set(found.parts) == {"x", "y"}
    assert found.classes[0] == CHAOTIC
    for name in CLASSES:
        mean = np.mean([one.p_values[name] for one in found.parts.values()])
        assert found.p_values[name] == pytest.approx(min(1, 2 * mean))
    assert "(2 views of one system)" in found.sentence
    runs = [Series.from_array(henon(400, seed)[:, 0], channels=("x",), name=f"run {seed}") for seed in range(3)]
    three = verdict(runs)
    assert set(three.parts) == {"run 0: x", "run 1: x", "run 2: x"}
    assert set(three.to_dict()["parts"]) == set(three.parts)
    assert f"  run 1: x: {three.parts['run 1: x'].sentence}." in lines(three)


def test_views_without_data_do_not_count():
    values = np.column_stack([autoregressive(400, 0.5), np.ones(400)])
    found = verdict(Series.from_array(values, channels=("a", "b")))
    assert found.parts["b"].kind == INSUFFICIENT
    assert found.classes == tuple(found.parts["a"].classes) or len(found.classes) > len(found.parts["a"].classes)
    neither = verdict(Series.from_array(np.ones((400, 2)), channels=("a", "b")))
    assert neither.kind == INSUFFICIENT
    assert "constant" in neither.sentence


def test_chaos_is_not_said_together_where_no_view_says_it_alone(lorenz):
    unsure = replace(lorenz, classes=(CHAOTIC, NONLINEAR), p_values=dict(lorenz.p_values) | {NONLINEAR: 0.03})
    together = joint({"a": unsure, "b": unsure}, 0.9)
    assert len(together.classes) == 2
    assert together.classes[0] == CHAOTIC


def test_p_values_are_corrected_for_their_number():
    steps = [Step(name, "?", "yes", "", p_value=p) for name, p in (("a", 0.01), ("b", 0.04), ("c", 0.03), ("d", None))]
    assert holm(steps) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})


def test_conflicts_are_named():
    def said(**answers: str) -> list[Step]:
        return [Step(name.replace("_", " "), "?", answer, "") for name, answer in answers.items()]

    assert "slow change" in conflicts(said(stationary="no"), (LINEAR,))[0]
    assert not conflicts(said(stationary="no"), (NONSTATIONARY,))
    assert "linear noise" in conflicts(said(linear_noise="not that one could see"), (CHAOTIC,))[0]
    assert "chaos" in conflicts(said(chaotic="yes"), (PERIODIC,))[0]
    assert "regular" in conflicts(said(chaotic="no"), (CHAOTIC,))[0]
    untrusted = [Step("chaotic", "?", "cannot be said", "", admissible=False)]
    assert "no exponent" in conflicts(untrusted, (CHAOTIC,))[0]
    assert "for good" in conflicts(said(cycle="yes, and for good"), (CHAOTIC,))[0]
    assert not conflicts(said(chaotic="yes", cycle="no", stationary="yes"), (CHAOTIC,))


def test_every_statistic_has_words_and_every_step_its_own():
    assert set(WORDS) == set(NAMES)
    assert len(set(WORDS.values())) == len(WORDS)
    assert set(statistics(autoregressive(300))) == set(NAMES)
    with pytest.raises(DataError, match="constant"):
        statistics(np.ones(300))


class Mean(Inquiry):
    """A step of one's own."""

    name, question, statistics = "mean", "Is the mean above zero?", ("mean",)

    def look(self, view):
        mean = float(np.mean(view.channel.x))
        return Step(
            self.name, self.question, "yes" if mean > 0 else "no", f"It is {mean:.3g}.", statistics={"mean": mean}
        )


class Broken(Inquiry):
    """A step that cannot be answered."""

    name, question, statistics = "broken", "Does it work?", ("nothing",)

    def look(self, view):
        raise DataError("it does not")


def test_a_step_can_be_added_and_one_that_fails_says_so():
    found = verdict(autoregressive(400, 0.5), steps=(*STEPS, Mean(), Broken()))
    mean, broken = found.steps[-2:]
    assert mean.statistics == {"mean": pytest.approx(float(autoregressive(400, 0.5).mean()))}
    assert broken.answer == "cannot be said"
    assert np.isnan(broken.statistics["nothing"])
    with pytest.raises(DataError, match="calibrate again"):
        verdict(autoregressive(400, 0.5), steps=STEPS[:-1])


def test_another_calibration_can_be_given():
    kept = carried()
    sure = replace(kept, about={"version": "mine"})
    assert isinstance(sure, Calibration)
    assert verdict(autoregressive(300), calibration=sure).calibration == "mine"


def test_what_is_said(lorenz):
    text = str(lorenz)
    assert text.startswith(f"x: {lorenz.sentence}.")
    assert all(step.question in text and step.evidence in text for step in lorenz.steps)
    assert "For chaotic speaks most: " in text
    told = "\n".join(lines(lorenz, numbers=True))
    assert all(step.threshold in told for step in lorenz.steps if step.statistic)
    document = json.loads(json.dumps(lorenz.to_dict(), allow_nan=False))
    assert document["classes"] == [CHAOTIC]
    assert [step["name"] for step in document["steps"]] == [step.name for step in STEPS]
    assert set(document["steps"][5]["statistics"]) == set(STEPS[5].statistics)
    assert set(document["probabilities"]) == set(CLASSES)


def test_progress_rises_to_the_last_step():
    seen = []
    verdict(autoregressive(300), progress=lambda question, share: seen.append((question, share)))
    assert [question for question, _ in seen[1:7]] == [step.question for step in STEPS]
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert shares[-1] < 1


def test_long_records_are_looked_at_in_part():
    found = verdict(logistic(60_000))
    assert found.classes[0] == CHAOTIC
    assert "the middle 20000 of 60000 samples" in str(found)
    assert NONSTATIONARY not in found.classes
    assert takens.verdict is verdict


def test_change_outside_of_the_part_that_is_looked_at_is_not_overlooked():
    x = autoregressive(90_000, 0.5)
    x[:30_000] += 8
    found = verdict(x)
    assert NONSTATIONARY in found.classes
    assert any("only a part was looked at" in conflict for conflict in found.conflicts)
    assert abs(found.segments[0].stop - 30_000) < 30
    together = joint({"a": found, "b": verdict(autoregressive(500, 0.5))}, 0.9)
    assert NONSTATIONARY in together.classes
    assert any(conflict.startswith("a: only a part") for conflict in together.conflicts)
    steady = verdict(autoregressive(90_000, 0.5))
    assert NONSTATIONARY not in steady.classes
    assert steady.segments == ()
