"""Bytes to the disk as they arrive, counted while they do: a file that is whole, or none."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from stream_app.admin.failures import TooMuch, TooSlow, Unusable
from stream_app.admin.folders import MEGABYTE, Folders, new_id

IDLE_SECONDS = 30.0  # without a byte
PATIENCE_SECONDS, LEAST_PACE = 60.0, 1_000.0  # bytes a second from then on: a drop now and then holds no place
PIECE_BYTES = 1 << 20  # are written at once


@dataclass(frozen=True)
class Arrived:
    """A file as it came, in a place where it does not stay."""

    path: Path
    bytes: int
    digest: str  # SHA-256


class Arriving:
    """A file that is being written; `limit` is in bytes."""

    def __init__(self, path: Path, limit: int) -> None:
        self.path, self.limit = path, limit
        self._file = path.open("xb")
        self._hash = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._held = self._bytes = 0

    async def add(self, piece: bytes) -> None:
        """Take some more bytes. Raises TooMuch."""
        self._bytes += len(piece)
        if self._bytes > self.limit:
            raise too_much(self.limit)
        self._waiting.append(piece)
        self._held += len(piece)
        if self._held >= PIECE_BYTES:
            await run_in_threadpool(self._write)

    async def finish(self) -> Arrived:
        """All of it is on the disk. Raises Unusable if that is nothing."""
        await run_in_threadpool(self._sync)
        if not self._bytes:
            raise Unusable("the file is empty; give a CSV or Parquet file with readings")
        return Arrived(self.path, self._bytes, self._hash.hexdigest())

    def drop(self) -> None:
        """Leave nothing behind, unless somebody has taken the file elsewhere."""
        with suppress(OSError):  # what a full disk did not take is not wanted any more
            self._file.close()
        self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        for piece in self._waiting:
            self._file.write(piece)
            self._hash.update(piece)
        self._waiting, self._held = [], 0

    def _sync(self) -> None:
        self._write()
        self._file.flush()
        os.fsync(self._file.fileno())


@asynccontextmanager
async def arriving(folders: Folders, request: Request, megabytes: int) -> AsyncIterator[Arriving]:
    """Room for a file that comes with a request; what is told to be too large is refused before it comes."""
    limit = megabytes * MEGABYTE
    told = int(request.headers.get("content-length") or 0)
    if told > limit + MEGABYTE:  # a form has more than its file
        raise too_much(limit)
    await run_in_threadpool(folders.check_room, told)
    file = await run_in_threadpool(Arriving, folders.incoming / new_id(), limit)
    try:
        yield file
    finally:
        await run_in_threadpool(file.drop)


async def body(request: Request) -> AsyncIterator[bytes]:
    """The body piece by piece. Raises TooSlow when next to nothing comes, Unusable when the connection breaks."""
    pieces, began, came = request.stream().__aiter__(), monotonic(), 0
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise TooSlow(f"nothing came for {IDLE_SECONDS:.0f} s; send it again, without pauses") from None
        except ClientDisconnect:
            raise Unusable("the connection broke before the upload was whole; send it again") from None
        came += len(piece)
        if (seconds := monotonic() - began) > PATIENCE_SECONDS and came < seconds * LEAST_PACE:
            raise TooSlow(f"only {came} bytes came in {seconds:.0f} s; send it again, by a faster way")
        if piece:
            yield piece


def too_much(limit: int) -> TooMuch:
    """The refusal of an upload beyond the limit."""
    return TooMuch(
        f"the upload is larger than {limit // MEGABYTE} MB, the limit of admin.upload_megabytes; send less, or gzip it"
    )
