"""Ports on loopback: is one free, and which one else."""

from __future__ import annotations

import random
import socket

from schemas.errors import TidewatchError

# Below the range that systems take outgoing connections from: there, a client that keeps trying to reach a broker
# that is down can be given the broker's own port, and the broker can not come back.
RANGE = range(20_000, 32_000)
TRIES = 200


def is_free(port: int) -> bool:
    """Whether nothing on this machine listens at 127.0.0.1:`port`."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the JVM: connections that ended don't count
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port at random that nothing listens on just now."""
    for port in random.sample(RANGE, TRIES):
        if is_free(port):
            return port
    raise TidewatchError(f"no free port among {TRIES} tried between {RANGE.start} and {RANGE.stop} on 127.0.0.1")


def answers(port: int) -> bool:
    """Whether something accepts a connection at 127.0.0.1:`port`."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
