"""Why a training failed, told from what it printed."""

from __future__ import annotations

import pytest

from stream_app.admin.job_log import failure

STARVED = [
    "MemoryError",
    "ImportError: /opt/venv/torch/_C.so: failed to map segment from shared object",
    "SystemError: <built-in function exec> returned NULL without setting an exception",
    "RuntimeError: could not create a primitive",
    "OpenBLAS error: Memory allocation still failed after 10 retries, giving up.",
    "cannot allocate memory for thread-local data: ABORT",
]


@pytest.mark.parametrize("line", STARVED)
def test_want_of_memory_is_told_whoever_met_it(line):
    """Libraries have words of their own for it; none of them, and no path, is an answer to who uploads."""
    told = failure(["Traceback (most recent call last):", line], 1, 1500)
    assert told.startswith("the training needs more than 1500 MB of memory (admin.job_memory_megabytes)")


def test_another_end_is_told_as_it_is():
    """The sentence of an error of ours, or the last line."""
    assert failure(["error: no numeric column; see --ignore"], 1, 1500) == "no numeric column; see --ignore"
    assert failure(["ValueError: x"], 1, 1500) == "the training ended with code 1: ValueError: x"
