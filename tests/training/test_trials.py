"""Trials: what is found among injected anomalies, and what only seems to be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.stream import StreamDetector
from models.thresholds import FlagBudget, Quantile
from schemas.reference import FeatureReference, Histogram, Reference
from schemas.training import TrainingConfig
from tests import fakes
from training import trials
from training.injection import Fault, faults
from training.judging import judge
from training.places import choose, rows_of
from training.table import SeriesTable, Table
from training.trials import Order, Outcome, Try
from training.truth import Truth

CONFIG = TrainingConfig.model_validate({"window": {"size": 4}})
MEAN, STD = np.array([10.0, 11.0]), np.array([2.0, 3.0])


def described(stds: tuple[float, float] = (2.0, 3.0)) -> Reference:
    """What training would have noted of the two features."""
    none = Histogram([0.0, 1.0], [1])
    features = {name: FeatureReference(0.0, std, 0.0, none) for name, std in zip(("flow", "temp"), stds, strict=True)}
    reference = fakes.detector().reference
    return Reference(features, reference.error, reference.anomaly_rate)


def truth(rows: int = 600, pause: int = 0, labels: np.ndarray | None = None) -> Truth:
    """A series of noise, as wide as training found it, and a second one with a pause in its test part."""
    random = np.random.default_rng(3)
    times = np.arange(rows) * 1_000_000
    later = times + (np.arange(rows) >= rows - 20) * pause
    series = (
        SeriesTable("a", times, MEAN + STD * random.normal(size=(rows, 2)), labels),
        SeriesTable("b", later, MEAN + STD * random.normal(size=(rows, 2)), None),
    )
    return Truth(Table(("flow", "temp"), series, 1_000_000, (), None, "", None, None, ()), CONFIG)


def tried(detector, known: Truth, seed: int = 1):
    """What the stage does: choose places, stream the test part, let faults happen."""
    places = choose(detector, known, known.test_part, seed)
    untouched, states = judge(StreamDetector(detector), known.test_part, [place.row for place in places])
    return places, states, untouched


@pytest.mark.parametrize(("hold", "stride"), [(0.0, 1), (0.9, 1), (0.0, 3)])
def test_a_copy_in_which_nothing_is_changed_has_the_same_flags(hold, stride, monkeypatch):
    """Window, hold, budget and adapted threshold are those of the stream: at a rate of .2, many flags lie before."""
    detector = fakes.detector(
        reference=described(), threshold=FlagBudget(0.2), hold=hold, stride=stride, zero=0.5, unit=0.6
    )
    known = truth()
    places, states, untouched = tried(detector, known)
    assert untouched.is_anomaly.mean() > 0.05
    nothing = Fault("spike", 0.0, "sd", 1)
    found = []
    for place in places:
        (own,) = trials._flagged(detector, known.table, [Order(place, nothing)], states[place.row])
        assert own.tolist() == trials._spread(untouched, place.number, len(own)).tolist()
        found += own.tolist()
    assert any(found)
    monkeypatch.setattr(trials, "faults", lambda *_: (nothing,))
    assert trials.run(detector, known.table, places, states, untouched) == []


def test_what_is_huge_is_always_found_at_once(monkeypatch):
    """A spike and a step of a hundred deviations, at every place, on the row where they begin."""
    detector = fakes.detector(reference=described(), threshold=Quantile(0.01), unit=2.0)
    known = truth()
    places, states, untouched = tried(detector, known)
    huge = (Fault("spike", 100.0, "sd", 1), Fault("level shift", 100.0, "sd", 8), Fault("noise", 1e3, "sd", 8))
    monkeypatch.setattr(trials, "faults", lambda *_: huge)
    found = trials.run(detector, known.table, places, states, untouched)
    assert [one.kind for one in found] == ["spike", "level shift", "noise"]
    for one in found:
        assert (one.tries, one.found, one.recall, one.median_delay_rows) == (len(places), len(places), 1.0, 0.0)


def test_larger_is_found_at_least_as_often():
    """Every size is tried at the same places, so recall grows with the size of a shift."""
    detector = fakes.detector(reference=described(), threshold=Quantile(0.01), unit=2.0)
    known = truth()
    found = trials.run(detector, known.table, *tried(detector, known))
    assert len(found) == 22  # of one row, nothing is stuck or out of step
    shifts = [one.recall for one in found if one.kind == "level shift"]
    assert shifts == sorted(shifts)
    assert shifts[-1] == 1.0
    assert {one.unit for one in found if one.kind in {"stuck", "lost correlation"}} == {"rows"}


def test_places_are_of_the_test_part_and_clear_of_pauses_labels_and_dull_features():
    """Rows before a place fill a window; the feature is one that varied."""
    labels = np.zeros(600, bool)
    labels[560:] = True
    detector = fakes.detector(reference=described((0.0, 3.0)))
    known = truth(pause=60_000_000, labels=labels)
    section = known.test_part
    places = choose(detector, known, section, 5)
    rows = rows_of(detector)
    assert {place.series.name for place in places} == {"a", "b"}
    for place in places:
        around = section.numbers[place.row - detector.window : place.row + rows]
        assert len(set(known.owners(around).tolist())) == 1
        assert not known.labels[around].any()
        assert np.diff(place.series.times).max() < detector.gap_us
        assert place.feature == 1
        np.testing.assert_array_equal(place.healthy.values, place.series.values[:, 1])
    assert choose(fakes.detector(reference=described((0.0, 0.0))), known, section, 5) == ()
    assert choose(fakes.detector(reference=described(), window=64), truth(200), truth(200).test_part, 5) == ()


def test_without_a_place_nothing_is_injected():
    """No figure is made up."""
    assert trials.run(fakes.detector(), truth().table, (), {}, None) == []  # type: ignore[arg-type]


bits = st.lists(st.booleans(), min_size=12, max_size=12)


@given(bits, bits, bits, st.integers(1, 4))
def test_outcomes_are_what_a_loop_finds(changed: list[bool], flagged: list[bool], untouched: list[bool], reach: int):
    """Row by row from the first change on, until no window of `reach` rows holds one."""
    one = Try(faults(4, 2)[0], *(np.array(rows, bool) for rows in (changed, flagged, untouched)))
    if not any(changed):
        assert one.outcome(reach) is None
        return
    first = changed.index(True)
    near = [row for row in range(12) if any(changed[max(row - reach + 1, 0) : row + 1]) or any(changed[row:])]
    watched = [row for row in near if row >= first]
    found = [row - first for row in watched if flagged[row] and not untouched[row]]
    assert one.outcome(reach) == Outcome(found[0] if found else None, any(untouched[row] for row in watched))
