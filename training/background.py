"""Calls made beside the training, one after the other, until one fails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

Call = Callable[[], None]


class Background:
    """A thread for what training shall not wait for; a context manager, which ends when all calls are made.

    The first call that fails is the last: `failed` is told why, once, and what is asked for later is not done.
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self.has_failed = False
        self._failed = failed
        self._thread = ThreadPoolExecutor(1, "background")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()

    def later(self, call: Call) -> None:
        """Make the call after those before it, unless one of them has failed by then."""
        self._thread.submit(self._make, call).add_done_callback(self._heed)

    def _make(self, call: Call) -> None:
        if not self.has_failed:
            call()

    def _heed(self, made: Future[None]) -> None:
        if error := made.exception():
            self.has_failed = True
            self._failed(error)


def reason(error: BaseException) -> str:
    """What went wrong, in a line, from the bottom of it: libraries wrap "Connection refused" four times over."""
    while (deeper := error.__cause__ or error.__context__) and not isinstance(deeper, LookupError):
        error = deeper
    text = (isinstance(error, OSError) and error.strerror) or str(error).strip() or type(error).__name__
    return text.splitlines()[0]
