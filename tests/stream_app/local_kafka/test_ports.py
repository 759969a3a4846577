"""Ports: what is free, what answers."""

from __future__ import annotations

import socket

from stream_app.local_kafka.ports import RANGE, answers, free_port, is_free


def test_a_port_with_a_listener_is_taken_and_answers() -> None:
    """Until the listener closes."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        assert answers(port)
    assert is_free(port)
    assert not answers(port)


def test_free_ports_lie_below_those_of_outgoing_connections() -> None:
    """Else a client that retries could be given the port of the broker it waits for."""
    assert all(free_port() in RANGE for _ in range(20))
    assert max(RANGE) < 32768
