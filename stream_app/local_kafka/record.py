"""What a broker's folder says: who runs there, or who ran last.

`server.json` names the broker. Whether it lives is not in there: the broker holds the lock `alive.lock`, which it
inherited, until it ends, however it ends. So no pid is trusted that another process may have by now, and nothing is
stale after a SIGKILL or a power cut.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from schemas.errors import TidewatchError
from stream_app.local_kafka.turns import try_lock

DEFAULT_DIRECTORY = Path("var/kafka")
ALIVE = "alive.lock"
RECORD = "server.json"


class Broker(msgspec.Struct, frozen=True):
    """`server.json`: a broker's process and where it listens. `since` is RFC 3339."""

    pid: int
    port: int
    version: str
    since: str

    @property
    def address(self) -> str:
        """What clients connect to."""
        return f"127.0.0.1:{self.port}"


def is_alive(directory: Path) -> bool:
    """Whether a broker of this folder runs, ready or not."""
    try:
        descriptor = os.open(directory / ALIVE, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(descriptor, exclusive=False)
    finally:
        os.close(descriptor)


def last(directory: Path) -> Broker | None:
    """The broker that runs, or ran last; None if the folder has no readable record."""
    try:
        return msgspec.json.decode((directory / RECORD).read_bytes(), type=Broker)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def running(directory: Path) -> Broker | None:
    """The broker that runs in this folder. Raises TidewatchError if one does but its record is lost."""
    if not is_alive(directory):
        return None
    if broker := last(directory):
        return broker
    raise TidewatchError(
        f"a broker runs in '{directory}', but its {RECORD} is lost; "
        f"end the process that `fuser {directory / ALIVE}` names, then start again"
    )


def save(directory: Path, broker: Broker) -> None:
    """Write `server.json`, whole or not at all."""
    unfinished = directory / f"{RECORD}.tmp"
    unfinished.write_bytes(msgspec.json.encode(broker))
    unfinished.replace(directory / RECORD)
