"""A real Apache Kafka on this machine, for the demo, the tests and a laptop: one node, loopback only, no docker."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import TidewatchError
from stream_app.local_kafka.record import DEFAULT_DIRECTORY, running


def address(directory: Path = DEFAULT_DIRECTORY) -> str:
    """host:port of the broker that runs in `directory`. Raises TidewatchError that says how to start one."""
    if broker := running(directory):
        return broker.address
    raise TidewatchError(
        f"no local Kafka runs in '{directory}'; start it with `tidewatch kafka start`, "
        "or set TIDEWATCH_KAFKA__BOOTSTRAP_SERVERS to a Kafka of yours"
    )
