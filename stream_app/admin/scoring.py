"""Where predictions wait: whoever asks is answered when their rows have had their turns, off the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from schemas.errors import TidewatchError
from stream_app.admin.prediction import Prediction
from stream_app.admin.turns import Waiting

BEGUN_AT_ONCE = 1 << 20  # bytes of bodies, or one body

Begin = Callable[[], Prediction]  # reads a body; raises what is wrong with it
Outcome = bytes | TidewatchError | None  # an answer, or why there is none; None if rows are left


@dataclass(frozen=True, eq=False)
class Asked:
    """A request whose body is not read yet."""

    begin: Begin
    size: int  # bytes of its body
    answer: asyncio.Future[bytes]


class Scoring:
    """At most `at_once` calls into the pool at a time, each for all that waits by then, as far as it has room.

    The more wait, the more they share: handing over to a thread costs as much as reading a small body.
    """

    def __init__(
        self,
        play: Callable[[Sequence[Prediction]], Sequence[Outcome]],
        pool: ThreadPoolExecutor,
        at_once: int,
        rows: int,
    ) -> None:
        """`play` scores a turn, in the pool; one of several predictions has at most `rows` rows."""
        self._play, self._pool, self._at_once = play, pool, at_once
        self._asked: deque[Asked] = deque()
        self._waiting = Waiting(rows)
        self._answers: dict[Prediction, asyncio.Future[bytes]] = {}
        self._working: set[asyncio.Task[None]] = set()

    async def answer(self, begin: Begin, size: int) -> bytes:
        """The answer as JSON to a body of `size` bytes that `begin` reads. Raises what that or the scoring raises."""
        asked = Asked(begin, size, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        if len(self._working) < self._at_once:
            task = asyncio.create_task(self._work())
            self._working.add(task)
        return await asked.answer

    async def _work(self) -> None:
        """Bodies, then a turn, until nothing waits."""
        try:
            while self._asked or self._waiting:
                if asked := self._next_asked():
                    await self._begin(asked)
                if turn := self._waiting.next_turn():
                    await self._take(turn)
        finally:
            self._working = {task for task in self._working if task is not asyncio.current_task()}

    async def _begin(self, asked: Sequence[Asked]) -> None:
        begun = await self._in_pool(_begun, [one.begin for one in asked])
        for one, outcome in zip(asked, begun, strict=True):
            if isinstance(outcome, Prediction):
                self._answers[outcome] = one.answer
                self._waiting.add(outcome)
            else:
                _tell(one.answer, outcome)

    async def _take(self, turn: Sequence[Prediction]) -> None:
        for prediction, outcome in zip(turn, await self._in_pool(self._play, turn), strict=True):
            if outcome is None:
                self._waiting.add(prediction)
            else:
                _tell(self._answers.pop(prediction), outcome)

    def _next_asked(self) -> list[Asked]:
        """The first, and others as there is room."""
        asked: list[Asked] = []
        room = BEGUN_AT_ONCE
        while self._asked and (not asked or self._asked[0].size <= room):
            asked.append(self._asked.popleft())
            room -= asked[-1].size
        return asked

    async def _in_pool(self, work: Callable[[Sequence[Any]], Sequence[Any]], of: Sequence[Any]) -> Sequence[Any]:
        """What becomes of each; of all the same if the whole fails, which is a bug."""
        done = asyncio.get_running_loop().run_in_executor(self._pool, work, of)
        await asyncio.wait([done])
        bug = done.exception()
        return [bug] * len(of) if bug else done.result()


def _begun(begins: Sequence[Begin]) -> list[Prediction | Exception]:
    """Read bodies; what is wrong with one is no other's."""
    begun: list[Prediction | Exception] = []
    for begin in begins:
        try:
            begun.append(begin())
        except Exception as error:  # noqa: BLE001 -- who asked hears of it
            begun.append(error)
    return begun


def _tell(answer: asyncio.Future[bytes], outcome: bytes | BaseException) -> None:
    if answer.done():  # nobody waits any more
        return
    if isinstance(outcome, BaseException):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
