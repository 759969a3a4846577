"""Calls made beside the training: in order, until one fails."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from training.background import Background, reason


def test_calls_are_made_in_order_and_all_of_them_by_the_end():
    """Whoever asks does not wait, and the end waits for all."""
    gate, made = threading.Event(), list[int]()
    with Background(lambda error: None) as background:
        background.later(lambda: None if gate.wait(10) else made.append(-1))
        for number in range(5):
            background.later(partial(made.append, number))
        assert made == []
        gate.set()
    assert made == [0, 1, 2, 3, 4]


def test_the_first_failure_is_told_and_is_the_last_call():
    """A server that is away is asked once, not once for each epoch."""
    told, made = list[str](), list[int]()

    def fail() -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    with Background(lambda error: told.append(reason(error))) as background:
        background.later(lambda: made.append(1))
        background.later(fail)
        background.later(fail)
        background.later(lambda: made.append(2))
    assert (told, made) == (["Connection refused"], [1])
    assert background.has_failed


def wrapped(bottom: Exception, top: Exception) -> BaseException:
    """An error that was raised while another was handled."""

    def fail() -> None:
        try:
            raise bottom
        except type(bottom):
            raise top from None

    with pytest.raises(type(top)) as caught:
        fail()
    return caught.value


def test_the_reason_is_at_the_bottom():
    """What libraries wrap around it says less, and at length."""
    error = wrapped(TimeoutError("timed out"), RuntimeError("API request failed with exception HTTPConnectionPool()"))
    assert reason(error) == "timed out"


def test_a_look_up_that_failed_is_no_reason():
    """`'ftp'` is what a table did not have; the sentence about it is one above."""
    error = wrapped(KeyError("ftp"), ValueError("unsupported URI 'ftp://x'\nand advice"))
    assert reason(error) == "unsupported URI 'ftp://x'"


def test_an_error_without_words_is_named():
    """Something is always said."""
    assert reason(MemoryError()) == "MemoryError"
