"""Predictions in turns: what waits together is scored together, and each has what it would have alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import numpy as np
import pytest

from models import bundle
from models.detector import Detector
from models.stream import StreamDetector
from schemas.admin_predict import Predict
from stream_app.admin import rows
from stream_app.admin.prediction import Prediction
from stream_app.admin.scoring import Begin, Outcome, Scoring
from stream_app.admin.turns import Waiting, play
from tests import tiny_release
from tests.stream_app.admin.service import Json
from training.scan import CHUNK, scan


@cache
def detector(seed: int = 0) -> Detector:
    """As it is loaded from a store."""
    return bundle.load(tiny_release.release_files("pumps", seed)[1])


def asked(length: int, seed: int = 0, **more: object) -> Predict:
    """Rows of noise, with one that is far off and one that is missing; at times of their own."""
    data = np.random.default_rng(seed).normal(size=(length, 2)).tolist()
    data[length // 2], data[length // 3][0] = [9.0, 9.0], None
    times = [1_700_000_000_000 + 1000 * (row + seed) for row in range(length)]
    return Predict.model_validate({"data": data, "timestamps": times, **more})


def prediction(words: Predict, of: Detector | None = None) -> Prediction:
    """What a body that says this begins."""
    of = of or detector()
    return Prediction(words, of, rows.of_json(words, of), timed=True)


def played(waiting: Waiting) -> list[int]:
    """Let turns be played until nothing waits; how many predictions each was of."""
    sizes = []
    while turn := waiting.next_turn():
        play(turn, now=0)
        sizes.append(len(turn))
        for one in turn:
            if not one.is_done:
                waiting.add(one)
    return sizes


def answers(predictions: Sequence[Prediction], most: int) -> tuple[list[Json], list[int]]:
    """The answers of predictions that came at once, and the sizes of the turns that it took."""
    waiting = Waiting(most)
    for one in predictions:
        waiting.add(one)
    sizes = played(waiting)
    return [json.loads(one.answer()) for one in predictions], sizes


def test_together_is_as_alone_and_as_the_stream():
    """Short ones, a long one between them, all of one series name: each has the scores that its rows alone have."""
    words = [
        asked(30, 1, attribution=True),
        asked(CHUNK + 500, 2, attribution=True),
        asked(50, 3),
        asked(8, 4, threshold=-9.0, attribution=True),
        asked(40, 5, series_id="other"),
    ]
    together, sizes = answers([prediction(one) for one in words], 2000)
    assert sizes == [4, 1, 1]
    alone = [answers([prediction(one)], 1)[0][0] for one in words]
    for one, told, own in zip(words, together, alone, strict=True):
        seen = list(scan(StreamDetector(detector()), rows.of_json(one, detector())))
        assert told["scores"] == pytest.approx(np.concatenate([part.scores for part in seen]), rel=1e-5, abs=1e-5)
        for column in ("scores", "thresholds"):
            assert told[column] == pytest.approx(own[column], rel=1e-5, abs=1e-5)
        assert [flag["id"] for flag in told["flags"] or ()] == [flag["id"] for flag in own["flags"] or ()]
        assert {key: told[key] for key in told if key not in {"scores", "thresholds", "flags"}} == {
            key: own[key] for key in own if key not in {"scores", "thresholds", "flags"}
        }
    assert {flag["series_id"] for told in together for flag in told["flags"] or ()} == {"pumps"}
    assert [1 in told["anomalies"] for told in together] == [True] * 5


def test_a_turn_has_so_many_rows_and_one_detector():
    """Others wait, in the order in which they came; a long one is alone, whatever the room."""
    first, second = detector(), detector(1)
    came = [prediction(asked(20), one) for one in (first, second, first, first, second)]
    waiting = Waiting(40)
    for one in came:
        waiting.add(one)
    turns = [waiting.next_turn() for _ in range(3)]
    assert turns == [[came[0], came[2]], [came[1], came[4]], [came[3]]]
    assert not waiting
    assert answers([prediction(asked(20)) for _ in range(3)], 1)[1] == [1, 1, 1]
    assert answers([prediction(asked(CHUNK + 1)), prediction(asked(20))], 9999)[1] == [1, 1, 1]


def test_what_is_wrong_with_one_is_told_to_one():
    """A body that can not be read, and a turn that fails, cost those that were in them; who comes later is served."""

    def broken() -> Prediction:
        raise ValueError("this body")

    def play_some(turn: Sequence[Prediction]) -> Sequence[Outcome]:
        if any(one.rows == 13 for one in turn):
            raise RuntimeError("this turn")
        play(turn, now=0)
        return [one.answer() for one in turn]

    async def ask() -> list[bytes | BaseException]:
        begins: list[Begin] = [broken, *(partial(prediction, asked(length)) for length in (20, 13, 20))]
        return await asyncio.gather(*(scoring.answer(one, 400_000) for one in begins), return_exceptions=True)

    with ThreadPoolExecutor(1) as pool:
        scoring = Scoring(play_some, pool, 1, 20)
        told = asyncio.run(ask())
    assert [type(one) for one in told] == [ValueError, bytes, RuntimeError, bytes]
