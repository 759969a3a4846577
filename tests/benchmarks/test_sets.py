from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import sets
from tests.benchmarks.labelled_folder import EVENT, TEST, TRAIN, make_nab, make_parted, make_skab


def only(folder: Path, name: str) -> sets.Series:
    """The one series of a set."""
    (file,) = sets.find(folder, name)
    return sets.read(folder, name, file)


@pytest.mark.parametrize(
    ("name", "below", "called"),
    [("smd", ".", "pump"), ("asd", ".", "pump"), ("jumpstarter", "dataset2", "dataset2/pump")],
)
def test_a_set_in_parts_is_read_whole(tmp_path, name, below, called):
    """Train and test rows come from their own folders, events from the labels."""
    make_parted(tmp_path / name / below, "pump")
    series = only(tmp_path, name)
    assert (series.set, series.name) == (name, called)
    assert (series.train.shape, series.test.shape) == ((TRAIN, 3), (TEST, 3))
    assert series.events.tolist() == [list(EVENT)]


def test_skab_learns_from_its_first_400_rows(tmp_path):
    """What follows is the test part; the label columns are no features."""
    make_skab(tmp_path / "skab", "7")
    series = only(tmp_path, "skab")
    assert (series.name, series.train.shape, series.test.shape) == ("valve1/7", (400, 2), (300, 2))
    assert series.events.tolist() == [[150, 190]]


@pytest.mark.parametrize(("rows", "learnt"), [(1000, 150), (6000, 750)])
def test_nab_learns_from_its_probation(tmp_path, rows, learnt):
    """15 % of a file, at most 750 rows; windows count from the first scored row."""
    make_nab(tmp_path / "nab", "cpu", rows, 800, 840)
    series = only(tmp_path, "nab")
    assert (len(series.train), len(series.test)) == (learnt, rows - learnt)
    assert series.events.tolist() == [[800 - learnt, 840 - learnt]]


def test_a_window_that_begins_in_the_probation_keeps_its_length(tmp_path):
    """Its first row lies before row 0; only the rows after that are labels."""
    make_nab(tmp_path / "nab", "cpu", 1000, 140, 170)
    series = only(tmp_path, "nab")
    assert series.events.tolist() == [[-10, 20]]
    assert np.flatnonzero(series.labels).tolist() == list(range(21))


def test_what_can_not_be_read_is_named(tmp_path):
    """A set that nobody knows, and one that the folder lacks, with where it is published."""
    with pytest.raises(sets.SetError, match="--sets yahoo is no set"):
        sets.find(tmp_path, "yahoo")
    with pytest.raises(sets.SetError, match="it is published at https"):
        sets.find(tmp_path, "skab")


def test_only_sets_that_are_there_are_present(tmp_path):
    """A run without --sets takes what the folder has."""
    make_parted(tmp_path / "asd", "host")
    assert sets.present(tmp_path) == ["asd"]
