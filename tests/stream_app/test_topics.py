"""What is said of brokers that do not answer, or do not let us in."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from schemas.errors import TidewatchError
from stream_app.local_kafka.ports import free_port
from stream_app.topics import partition_counts


def test_nobody_there_is_said_with_the_reason() -> None:
    """The address, and what the system says of it."""
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(TidewatchError, match=rf"no Kafka answers at {address} \(.*Connect call failed.*\); see"):
        asyncio.run(partition_counts({"bootstrap_servers": address}))


def test_a_handshake_that_fails_is_no_broker_that_is_away() -> None:
    """Whoever speaks no TLS, or trusts another authority, needs another way out than one whose broker is down."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"not TLS\n")
        writer.close()

    async def ask() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1") as server:
            address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            tls = {"security_protocol": "SSL", "ssl_context": ssl.create_default_context()}
            await partition_counts({"bootstrap_servers": address, **tls})

    with pytest.raises(TidewatchError, match=r"no Kafka answers at .* \(\[SSL: .*\); see"):
        asyncio.run(ask())
