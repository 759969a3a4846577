"""The demo whole, on a small file of the user's and a real Kafka."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest

from tests.kafka_fixture import KafkaAtHand

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PATIENCE_SECONDS = 120
Demo = subprocess.Popen[str]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A file of 1,500 readings of two sensors that go together, but for one labelled stretch near its end."""
    phase = np.arange(1500) / 20
    rows = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    rows += np.random.default_rng(3).normal(0, 0.05, rows.shape)
    labels = (phase >= 65) & (phase < 70)
    rows[labels, 1] = 4.0
    lines = [f"{time},{flow:.4f},{level:.4f},{labels[time]:d}" for time, (flow, level) in enumerate(rows)]
    path = tmp_path / "machine.csv"
    path.write_text("\n".join(["time,flow,level,anomaly", *lines]))
    return path


@contextmanager
def demo(kafka: KafkaAtHand, folder: Path, *arguments: str, stdout: Any = subprocess.PIPE) -> Iterator[Demo]:
    """`tidewatch demo` in this folder, on this broker."""
    process = subprocess.Popen(
        [sys.executable, "-m", "stream_app", "demo", *arguments],
        cwd=folder,
        env={**os.environ, **kafka.environment, "OMP_NUM_THREADS": "1", "TERM": "dumb", "NO_COLOR": "1"},
        stdout=stdout,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def leftovers(kafka: KafkaAtHand, folder: Path) -> tuple[list[str], list[str]]:
    """Topics of demos, and processes that run in this folder."""
    topics = [topic for topic in kafka.partitions() if topic.startswith("demo-")]
    running = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            here = (process / "cwd").resolve() == folder and (process / "cmdline").read_bytes()
        except OSError:
            continue
        if here:
            running.append(here.decode().replace("\0", " "))
    return topics, running


def test_it_trains_streams_and_finds(kafka: KafkaAtHand, machine: Path) -> None:
    """It ends well, having found the one event there is, and leaves neither topics nor processes."""
    with demo(kafka, machine.parent, "--data", "machine.csv", "--picture", "demo.svg") as process:
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, said
    plain = re.sub(" +", " ", said)
    assert "$ tidewatch train --data var/demo/history.csv --dataset demo-machine --config quick" in said
    assert "labelled event 1 of 1" in plain
    assert "found " in plain
    assert "Readings: 600 at" in plain
    assert "kafka stop" not in said
    assert (machine.parent / "demo.svg").stat().st_size > 1000
    assert leftovers(kafka, machine.parent) == ([], [])


@pytest.mark.parametrize(
    ("end", "command"), [(signal.SIGINT, "produce"), (signal.SIGTERM, "train")], ids=["stream", "training"]
)
def test_it_cleans_up_when_interrupted(kafka: KafkaAtHand, machine: Path, end: signal.Signals, command: str) -> None:
    """With a worker and a producer running, or a training: nothing is left, and the exit code is that of Ctrl-C."""
    with demo(kafka, machine.parent, "--data", "machine.csv") as process:
        assert process.stdout is not None
        while f"$ tidewatch {command}" not in (line := process.stdout.readline()):
            assert line, f"the demo ended before `tidewatch {command}`"
        process.send_signal(end)
        assert process.wait(PATIENCE_SECONDS) == 130
    deadline = time.monotonic() + PATIENCE_SECONDS
    while leftovers(kafka, machine.parent) != ([], []):  # a broker deletes topics in its own time
        assert time.monotonic() < deadline


def test_an_upload_is_judged_and_its_page_stays_open(kafka: KafkaAtHand, machine: Path) -> None:
    """On a terminal all goes on until Ctrl-C, which is a good end, and leaves neither topics nor processes."""
    ours, theirs = pty.openpty()
    with demo(kafka, machine.parent, "--upload", "--data", "machine.csv", stdout=theirs) as process:
        os.close(theirs)
        said = printed_until(ours, "Ctrl-C ends it")
        assert "labelled event 1 of 1" in re.sub(" +", " ", said)
        assert "release " in said
        (page,) = re.findall(r"(http://[0-9.:]+/) is open", said)
        with urlopen(page, timeout=30) as answer:
            assert answer.headers["content-type"].startswith("text/html")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0
    os.close(ours)
    assert leftovers(kafka, machine.parent) == ([], [])


def printed_until(terminal: int, words: str) -> str:
    """What comes out of a terminal, up to these words; OSError if all ends before."""
    said = ""
    while words not in said:
        said += os.read(terminal, 65536).decode()
    return said
