"""What a job's process printed: its end, and the sentence that it failed with."""

from __future__ import annotations

import os
import re
from pathlib import Path

TAIL_BYTES = 1 << 14
TAIL_LINES = 60
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")  # a terminal's, and what no text has
# How Python, NumPy, Torch, oneDNN, OpenBLAS and the loader of libraries say that there was no more memory.
NO_MEMORY = (
    *("memoryerror", "enough memory", "allocate memory", "unable to allocate", "bad_alloc", "out of memory"),
    *("could not create a primitive", "memory allocation still failed", "failed to map segment"),
    "returned null without setting an exception",
)


def tail(path: Path, root: Path) -> list[str]:
    """The newest lines, with no folder of the service's in them."""
    try:
        with path.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - TAIL_BYTES, 0))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return CODES.sub("", text).replace(f"{root}/", "").splitlines()[-TAIL_LINES:]


def failure(lines: list[str], code: int, memory_megabytes: int) -> str:
    """Why a process ended with an exit code that is not 0, for whoever asked for it."""
    if any(sign in line.lower() for line in lines for sign in NO_MEMORY):
        return (
            f"the training needs more than {memory_megabytes} MB of memory (admin.job_memory_megabytes); "
            "upload fewer rows or columns, or choose a smaller config"
        )
    told = [line for line in lines if line.startswith("error: ")]
    if told:
        return told[-1].removeprefix("error: ")
    if code < 0:
        return f"the training was ended by signal {-code}, perhaps by the system for want of memory; upload it again"
    return f"the training ended with code {code}: {lines[-1] if lines else 'it printed nothing'}"
