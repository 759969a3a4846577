"""The broker itself: started, found, crashed, taken up, stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.errors import TidewatchError
from stream_app.local_kafka.command import kafka as command
from stream_app.local_kafka.ports import answers, free_port
from stream_app.local_kafka.record import Broker, save
from stream_app.local_kafka.server import LocalKafka
from tests.kafka_fixture import KafkaAtHand

pytestmark = pytest.mark.kafka


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalKafka]:
    """A broker of our own in a folder with an awkward name, not started yet, on a free port."""
    folder = tmp_path / "a folder, of its own"
    folder.mkdir()
    save(folder, Broker(pid=0, port=free_port(), version="4.2.0", since=""))
    server = LocalKafka(folder)
    yield server
    server.kill()


def test_a_crash_loses_nothing_and_moves_nothing(server: LocalKafka) -> None:
    """After SIGKILL, start takes up the data on the same port; after a clean stop too."""
    assert server.start()
    assert not server.start()
    at_hand, address = KafkaAtHand.of(server), server.address
    topic = at_hand.topic(partitions=3)
    at_hand.send(topic, [(b"pump-1", b"one"), (b"pump-1", b"two")])
    for end in (server.kill, server.stop):
        assert end()
        assert not end()
        assert server.running() is None
        assert server.start()
        assert server.address == address
        assert [record.value for record in at_hand.read(topic)] == [b"one", b"two"]
    assert server.topics() == {topic: 3}


def test_a_taken_port_is_avoided_or_named(server: LocalKafka) -> None:
    """The port of last time may be someone else's by now; one that was asked for is an error instead."""
    taken = free_port()
    save(server.directory, Broker(pid=0, port=taken, version="4.2.0", since=""))
    with socket.create_server(("127.0.0.1", taken)):
        with pytest.raises(TidewatchError, match=f"port {taken} of 127.0.0.1 is taken"):
            LocalKafka(server.directory, port=taken).start()
        with server:
            assert server.address != f"127.0.0.1:{taken}"
    assert server.running() is None


def test_a_broker_that_can_not_start_says_why(server: LocalKafka) -> None:
    """Its last words are in the error, and no process is left."""
    (server.directory / "data").mkdir()
    (server.directory / "data" / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=x\n")
    with pytest.raises(TidewatchError, match=r"Kafka ended while it started: .*node"):
        server.start()
    assert server.running() is None


def test_a_folder_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    """As when there is a file in the way, or no right to write."""
    (tmp_path / "var").write_text("in the way")
    with pytest.raises(TidewatchError, match=r"can not use '.*var/kafka' for Kafka.*--dir"):
        LocalKafka(tmp_path / "var" / "kafka").start()


def test_two_starts_at_once_make_one_broker(server: LocalKafka) -> None:
    """The second waits for the first, and then says so."""
    start = [sys.executable, "-m", "stream_app", "kafka", "start", "--dir", str(server.directory)]
    both = [subprocess.Popen(start, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(process.communicate(timeout=60)[0].split(" at ")[0] for process in both)
    assert said == ["Kafka is ready", "Kafka runs already"]


def test_the_commands_tell_what_they_did(server: LocalKafka) -> None:
    """From nothing to start, status, reset and nothing again."""
    where = ["--dir", str(server.directory)]

    def run(*arguments: str) -> str:
        return CliRunner().invoke(command, [*arguments, *where], catch_exceptions=False).output

    with pytest.raises(TidewatchError, match="no local Kafka runs"):
        run("status")
    assert "no Kafka ran" in run("stop")
    assert not LocalKafka(server.directory / "nowhere").stop()
    assert not (server.directory / "nowhere").exists()
    assert "nothing to delete" in run("reset", "--yes")
    assert "Kafka is ready at 127.0.0.1:" in run("start")
    port = server.address.partition(":")[2]
    KafkaAtHand.of(server).topic("readings", partitions=8)
    assert "(8 partitions)" in run("status")
    with pytest.raises(TidewatchError, match="to change the port"):
        run("start", "--port", "1")
    assert CliRunner().invoke(command, ["reset", *where], input="n\n").exit_code == 1
    assert "is empty now" in run("reset", "--yes")
    assert not (server.directory / "data").exists()
    assert not answers(int(port))


def test_a_ctrl_c_in_the_terminal_is_not_for_the_broker(kafka: KafkaAtHand) -> None:
    """It is in a session of its own, so a demo can end and stop it in good order."""
    broker = kafka.server.running()
    assert broker
    assert os.getsid(broker.pid) == broker.pid != os.getsid(0)


def test_the_shared_broker_reads_what_it_was_sent(kafka: KafkaAtHand) -> None:
    """The fixture that all other tests stand on: topics of unique names, everything read to the end."""
    topic = kafka.topic(partitions=2)
    assert topic != kafka.topic()
    sent = [(b"pump-%d" % (number % 5), b"%d" % number) for number in range(2000)]
    kafka.send(topic, sent)
    records = kafka.read(topic)
    assert sorted((record.key, record.value) for record in records) == sorted(sent)
    assert {record.partition for record in records} == {0, 1}
    assert len(kafka.read_until(topic, lambda seen: len(seen) >= 10)) >= 10
