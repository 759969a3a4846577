"""`tidewatch produce`: what is in the file is on the topic."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiokafka import ConsumerRecord
from click.testing import CliRunner

from schemas.errors import TidewatchError
from schemas.reading import Reading
from stream_app.pace import partition_of
from stream_app.produce import produce
from tests.kafka_fixture import KafkaAtHand

ROWS = 400
START = datetime(2026, 8, 29, 10, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two pumps, a row each second, every tenth flow missing, and the truth in a column."""
    lines = [
        f"{(START + timedelta(seconds=row)).isoformat()},{pump},{row / 7},{'' if row % 10 == 0 else row},0"
        for row in range(ROWS)
        for pump in ("pump-1", "pump-2")
    ]
    path = tmp_path / "pumps.csv"
    path.write_text("\n".join(["time,machine,temp_c,flow,anomaly", *lines]) + "\n")
    return path


def command(file: Path, *options: str) -> list[str]:
    """The arguments after `produce`."""
    return ["--data", str(file), "--dataset", "pumps", *options]


def start(kafka: KafkaAtHand, file: Path, *options: str) -> subprocess.Popen[str]:
    """A `tidewatch produce` of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "stream_app", "produce", *command(file, *options)],
        env=os.environ | kafka.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def produced(kafka: KafkaAtHand, topic: str) -> dict[str, list[Reading]]:
    """The readings of each series in the topic's order; each series in one partition, keyed by it."""
    found: dict[str, list[tuple[ConsumerRecord, Reading]]] = {}
    for record in kafka.read(topic):
        found.setdefault(record.key.decode(), []).append((record, msgspec.json.decode(record.value, type=Reading)))
    for name, pairs in found.items():
        assert len({record.partition for record, _ in pairs}) == 1
        assert all(reading.series_id == name and reading.dataset == "pumps" for _, reading in pairs)
    return {name: [reading for _, reading in pairs] for name, pairs in found.items()}


@pytest.mark.kafka
def test_a_file_arrives_whole_and_in_order(kafka: KafkaAtHand, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times and values as in the file, missing as null, no label; the topic is made with the settings' partitions."""
    monkeypatch.setenv("TIDEWATCH_KAFKA__BOOTSTRAP_SERVERS", kafka.address)
    topic = kafka.unique("readings")
    done = CliRunner().invoke(produce, command(file, "--topic", topic), catch_exceptions=False)
    assert done.exit_code == 0
    assert f"made topic '{topic}' with 8 partitions" in done.output
    assert "sent 800 readings of 2 series" in done.output
    assert "\n\n" not in done.output  # a bar is for a terminal
    assert kafka.partitions()[topic] == 8
    series = produced(kafka, topic)
    assert sorted(series) == ["pump-1", "pump-2"]
    for readings in series.values():
        assert [reading.timestamp for reading in readings] == [START + timedelta(seconds=n) for n in range(ROWS)]
        assert [reading.values for reading in readings] == [
            {"temp_c": row / 7, "flow": None if row % 10 == 0 else float(row)} for row in range(ROWS)
        ]


@pytest.mark.kafka
def test_copies_at_the_present(kafka: KafkaAtHand, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every series so many times under names of their own, the newest reading now and the spacing kept."""
    monkeypatch.setenv("TIDEWATCH_KAFKA__BOOTSTRAP_SERVERS", kafka.address)
    topic = kafka.topic(partitions=3)
    before = datetime.now(UTC)
    CliRunner().invoke(
        produce, command(file, "--topic", topic, "--copies", "3", "--shift-to-now"), catch_exceptions=False
    )
    series = produced(kafka, topic)
    assert sorted(series) == [f"pump-{pump}-{copy}" for pump in (1, 2) for copy in (1, 2, 3)]
    for readings in series.values():
        times = [reading.timestamp for reading in readings if isinstance(reading.timestamp, datetime)]
        assert before - timedelta(milliseconds=1) <= times[-1] <= datetime.now(UTC)
        assert [time - times[0] for time in times] == [timedelta(seconds=n) for n in range(ROWS)]


@pytest.mark.kafka
def test_ctrl_c_says_how_far_it_came(kafka: KafkaAtHand, file: Path) -> None:
    """Exit code 130, and exactly what it said is on the topic."""
    topic = kafka.topic()
    process = start(kafka, file, "--topic", topic, "--rate", "40")
    kafka.read_until(topic, lambda records: len(records) >= 10)  # of which some may not be confirmed to the sender yet
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    said = int(out.split("interrupted: sent ")[1].split()[0])
    assert 5 <= said <= len(kafka.read(topic)) < 2 * ROWS


@pytest.mark.kafka
def test_a_broker_that_crashes_and_returns_loses_nothing(kafka: KafkaAtHand, file: Path) -> None:
    """Every reading is there in the end, in order but for repetitions, which the worker drops."""
    server, topic = kafka.server, kafka.topic(partitions=2)
    process = start(kafka, file, "--topic", topic, "--rate", "60")
    kafka.read_until(topic, lambda records: len(records) >= 20)
    server.kill()
    server.start()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    for readings in produced(kafka, topic).values():
        assert {reading.timestamp for reading in readings} == {START + timedelta(seconds=n) for n in range(ROWS)}


@pytest.mark.parametrize(("rate", "code"), [("0", 2), ("-1", 2), ("fast", 2), ("nan", 2), ("inf", 2)])
def test_a_rate_that_is_none_is_a_usage_error(file: Path, rate: str, code: int) -> None:
    """Found before anything is read or sent."""
    result = CliRunner().invoke(produce, command(file, "--rate", rate))
    assert result.exit_code == code
    assert "no rate; give readings a second" in result.output


def test_without_a_kafka_the_error_says_how_to_start_one(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the working directory there is none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TIDEWATCH_KAFKA__BOOTSTRAP_SERVERS", raising=False)
    with pytest.raises(TidewatchError, match="tidewatch kafka start"):
        CliRunner().invoke(produce, command(file), catch_exceptions=False)


def test_keys_go_where_javas_clients_send_them() -> None:
    """Known places of Kafka's own murmur2, so that other producers' readings of a series join ours."""
    # Utils.murmur2 of the Java client: "21" -> -973932308, "foobar" -> -790332482, "abc" -> 479470107
    hashes = {b"21": -973932308, b"foobar": -790332482, b"abc": 479470107}
    for key, value in hashes.items():
        assert partition_of(key, 16) == (value & 0x7FFFFFFF) % 16
