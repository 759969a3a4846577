"""Turns: who may take part, and that scoring together is scoring apart."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.bundle import load
from stream_app.progress import Chunk
from stream_app.turn import Waiting, Work, score
from tests import tiny_release


def work(lane: Any, records: int) -> Work:
    """A chunk of so many records that waits for its turn."""
    return Work(lane, Chunk(0, records, [SimpleNamespace(offset=n) for n in range(records)], True, True))


class Lane:
    """A partition: a turn only tells it from others, and asks for its room."""

    has_room = True


@pytest.fixture
def lanes() -> list[Any]:
    """Three partitions."""
    return [Lane(), Lane(), Lane()]


def test_a_turn_takes_the_oldest_chunk_of_each_lane(lanes):
    """Each in its order.

    waiting  a1 a2 b1 c1 a3
    turn 1   a1    b1 c1
    turn 2      a2
    turn 3               a3
    """
    a, b, c = lanes
    waiting = Waiting(100)
    works = [work(lane, 10) for lane in (a, a, b, c, a)]
    for one in works:
        waiting.add(one)
    turns = [waiting.next_turn() for _ in range(4)]
    assert turns == [[works[0], works[2], works[3]], [works[1]], [works[4]], []]


def test_a_turn_is_no_larger_than_a_chunk_may_be(lanes):
    """What does not fit waits, and comes first in the next turn: no lane's backlog lets others wait.

    waiting  a1 b1 c1 a2 b2 c2, two in a turn
    turn 1   a1 b1
    turn 2         c1 a2
    turn 3               b2 c2
    """
    waiting = Waiting(25)
    works = [work(lane, 10) for lane in lanes * 2]
    for one in works:
        waiting.add(one)
    assert [waiting.next_turn() for _ in range(4)] == [works[:2], works[2:4], works[4:], []]


def test_a_lane_without_room_takes_no_part(lanes):
    """The others go on; when it has room again it is the first, with its oldest chunk."""
    a, b, _ = lanes
    waiting = Waiting(100)
    works = [work(lane, 10) for lane in (a, b, a, b)]
    for one in works:
        waiting.add(one)
    a.has_room = False
    assert [waiting.next_turn() for _ in range(3)] == [[works[1]], [works[3]], []]
    a.has_room = True
    assert [waiting.next_turn() for _ in range(3)] == [[works[0]], [works[2]], []]


def test_a_chunk_larger_than_a_turn_has_one_for_itself(lanes):
    """It would wait for ever otherwise."""
    waiting = Waiting(5)
    waiting.add(work(lanes[0], 10))
    waiting.add(work(lanes[1], 1))
    assert [len(waiting.next_turn()) for _ in range(2)] == [1, 1]


def test_scored_together_or_apart_is_the_same():
    """Windows of two detectors, in any order, one part empty: each part has its own detector's scores."""
    one, other = (load(tiny_release.release_files(name, seed)[1]) for name, seed in (("pumps", 1), ("fans", 2)))
    random = np.random.default_rng(3)
    parts = [
        (detector, random.normal(size=(count, one.window, len(one.features))).astype(np.float32))
        for detector, count in ((one, 3), (other, 2), (one, 0), (one, 4))
    ]
    for (detector, windows), together in zip(parts, score(parts), strict=True):
        apart = detector.score(windows)
        np.testing.assert_allclose(together.combined, apart.combined, rtol=1e-5)
        np.testing.assert_allclose(together.reconstructions, apart.reconstructions, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(together.windows, windows)
