"""`tidewatch watch`: the flags asked for, readable, and a quiet end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import click
import msgspec
import pytest

from schemas.flag import Attribution
from stream_app.watch import Wanted, described
from tests.kafka_fixture import KafkaAtHand
from tests.stream_app.flag_records import flag, record

WATCH = [sys.executable, "-m", "stream_app", "watch"]


def start(kafka: KafkaAtHand, topic: str, *options: str) -> subprocess.Popen[str]:
    """A `tidewatch watch` of its own."""
    environment = os.environ | kafka.environment | {"TIDEWATCH_KAFKA__ANOMALIES_TOPIC": topic}
    return subprocess.Popen(
        [*WATCH, *options], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(kafka: KafkaAtHand, topic: str, *options: str) -> list[str]:
    """Its lines, when it has ended by itself without an error."""
    process = start(kafka, topic, "--from-beginning", *options)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.splitlines()


@pytest.fixture(scope="module")
def topic(kafka: KafkaAtHand) -> str:
    """Flags of two series and of two datasets, one of them twice, and a window that is none."""
    name = kafka.topic("anomalies")
    kafka.send(
        name,
        [
            record(1),
            record(1),
            record(2, series="pump-8"),
            record(3, dataset="fans"),
            record(4, score=0.2),
            record(5),
        ],
    )
    return name


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--idle-exit", "1"], "1235"),
        (["--idle-exit", "1", "--all"], "12345"),
        (["--max", "2"], "12"),
        (["--max", "1", "--series", "pump-8"], "2"),
        (["--max", "1", "--dataset", "fans"], "3"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_json_lines_are_those_of_the_topic(kafka: KafkaAtHand, topic: str, options: Sequence[str], ids: str) -> None:
    """Byte for byte, without doubles, and only those that were asked for."""
    lines = run(kafka, topic, "--json", *options)
    assert [msgspec.json.decode(line)["id"] for line in lines] == [f"id-{number}" for number in ids]
    assert (record(1)[1] or b"").decode() in lines or "1" not in ids


@pytest.mark.kafka
def test_ctrl_c_is_the_usual_end(kafka: KafkaAtHand, topic: str) -> None:
    """No traceback, exit code 0, and a word of what was seen."""
    process = start(kafka, topic, "--from-beginning")
    assert process.stdout
    assert process.stderr
    assert "pumps/pump-7" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert "flags shown" in err.splitlines()[-1]


@pytest.mark.kafka
def test_a_reader_that_goes_away_is_no_error(kafka: KafkaAtHand) -> None:
    """`tidewatch watch | head -1` is quiet."""
    many = kafka.topic("anomalies")
    kafka.send(many, [record(number) for number in range(3000)])
    process = start(kafka, many, "--from-beginning")
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert "Traceback" not in err
    assert "Broken" not in err


def test_a_line_says_what_was_measured_and_what_was_expected() -> None:
    """The features to blame by share, small shares left out, and a mark at a value that was filled in."""
    line = click.unstyle(described(flag(75)))
    assert line == (
        "2026-08-29 10:01:15  pumps/pump-7  ███████░░░    3.40 / 1.00  temp_c 71.2 not 64 (83%), flow ~3 not 9.5 (15%)"
    )


def test_a_line_does_nothing_to_the_terminal() -> None:
    """Names come from whoever sends readings."""
    part = Attribution("temp\x1b[2J\n", 0.9, 71.2, 64.0, "2026-08-29T10:00:00Z")
    line = described(msgspec.structs.replace(flag(75), series_id="pump\x07", attribution=[part]))
    assert "pumps/pump\\x07" in line
    assert "temp\\x1b[2J\\n 71.2 not 64" in line


@pytest.mark.parametrize(("score", "cells"), [(-3.0, 0), (0.0, 0), (1.0, 2), (5.0, 10), (1e9, 10)])
def test_the_bar_is_full_at_five_thresholds(score: float, cells: int) -> None:
    """And empty below zero."""
    assert described(flag(1, score=score)).count("█") == cells


def test_only_flags_unless_everything_is_wanted() -> None:
    """With `publish: all` the topic has windows that are not flagged."""
    calm = flag(1, score=0.5)
    assert not Wanted(None, None, everything=False).includes(calm)
    assert Wanted(None, None, everything=True).includes(calm)
    assert not Wanted("fans", None, everything=True).includes(calm)
    assert not Wanted(None, "pump-1", everything=True).includes(calm)
