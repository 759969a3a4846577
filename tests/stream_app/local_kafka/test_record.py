"""Records: a broker lives while it holds its lock, whatever the files say."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from schemas.errors import TidewatchError
from stream_app.local_kafka import address
from stream_app.local_kafka.record import ALIVE, RECORD, Broker, is_alive, last, running, save
from stream_app.local_kafka.turns import turn

BROKER = Broker(pid=1, port=9092, version="4.2.0", since="2026-08-29T10:00:00Z")


def test_a_record_alone_is_no_broker(tmp_path: Path) -> None:
    """After a crash the record stays (process 1 does run!), and is only what ran last."""
    save(tmp_path, BROKER)
    assert last(tmp_path) == BROKER
    assert running(tmp_path) is None
    with pytest.raises(TidewatchError, match="tidewatch kafka start"):
        address(tmp_path)


def test_who_holds_the_lock_lives(tmp_path: Path) -> None:
    """And is forgotten the moment it lets go."""
    save(tmp_path, BROKER)
    with (tmp_path / ALIVE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert running(tmp_path) == BROKER
        assert address(tmp_path) == "127.0.0.1:9092"
    assert not is_alive(tmp_path)


@pytest.mark.parametrize("content", [b"", b'{"pid": 1', b"{}"], ids=["empty", "half", "other"])
def test_a_broker_without_a_readable_record_is_an_error(tmp_path: Path, content: bytes) -> None:
    """It runs, but nobody knows where: say how to find it."""
    (tmp_path / RECORD).write_bytes(content)
    assert running(tmp_path) is None
    with (tmp_path / ALIVE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TidewatchError, match="fuser"):
            running(tmp_path)


def test_turns_exclude_each_other(tmp_path: Path) -> None:
    """The second waits as long as it was told, then names the file; afterwards it is free again."""
    with turn(tmp_path / "turn.lock", 1), pytest.raises(TidewatchError, match=r"turn\.lock"):  # noqa: SIM117
        with turn(tmp_path / "turn.lock", 0.05):
            pass
    with turn(tmp_path / "turn.lock", 0):
        pass
