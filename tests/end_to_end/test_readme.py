"""The README leads from a CSV to flags: its lines are typed as they stand there, in a folder without anything else."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

import pytest
from aiokafka import ConsumerRecord

from config.layers import variable
from schemas.flag import Flag
from stream_app.demo.plant import simulate
from stream_app.demo.scene import tables, write
from stream_app.local_kafka.ports import free_port
from stream_app.local_kafka.server import LocalKafka
from tests.end_to_end.rig import as_flags
from tests.kafka_fixture import KafkaAtHand
from training.times import SECOND

SECTION = "## From your CSV to flags"
README = Path(__file__).parents[2] / "README.md"
ROWS, LIVE = 6000, 1000  # of the file, and of its rest: the README says where to cut
FAULTS = {"flow_m3h": 300, "temperature_c": 700}  # the sensor, and the first live row
LONG = 60  # rows
FAR = 8  # standard deviations

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed (Debian: apt install curl)"),
]


class Terminal:
    """A shell to type lines into, with `tidewatch` on its path; settings come from nowhere but here."""

    DONE = "--- done with "

    def __init__(self, folder: Path) -> None:
        command = folder / "bin" / "tidewatch"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m stream_app "$@"\n')
        command.chmod(0o755)
        self.port = free_port()
        own = {variable("admin.port"): f"{self.port}", variable("web.port"): f"{free_port()}"}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TIDEWATCH_")}
        environment |= {"PATH": f"{command.parent}:{environment['PATH']}", "OMP_NUM_THREADS": "1", "NO_PROXY": "*"}
        self._errors = folder / "errors.log"
        with self._errors.open("wb") as errors:
            self._shell = subprocess.Popen(
                ["bash"],
                cwd=folder,
                env=environment | own,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    def type(self, line: str) -> str:
        """What a line prints; AssertionError if it fails."""
        typed, shown = cast(IO[str], self._shell.stdin), cast(IO[str], self._shell.stdout)
        typed.write(f'{line.replace(":8000", f":{self.port}")}\necho "{self.DONE}$?"\n')
        typed.flush()
        printed = ""
        while self.DONE not in printed:
            more = shown.readline()
            assert more, f"the shell ended with `{line}`: {printed}"
            printed += more
        printed, _, code = printed.partition(self.DONE)
        assert code == "0\n", f"`{line}` ended with {code}{printed}{self._errors.read_text()}"
        return printed

    def close(self) -> None:
        """End it, and what still runs in it."""
        with suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.communicate()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """In a folder of its own, where a Kafka may be left."""
    terminal = Terminal(tmp_path)
    try:
        yield terminal
    finally:
        terminal.close()
        LocalKafka(tmp_path / "var" / "kafka").kill()


def test_from_a_csv_to_flags(terminal: Terminal, tmp_path: Path) -> None:
    """The worker, which was there first, judges by the detector of the upload: both faults, with the right sensor."""
    faults = machine(tmp_path / "machine.csv")
    job, watched = "JOB", ""
    for line in lines():
        if line.startswith("tidewatch watch"):
            flags = published(tmp_path / "var" / "kafka", faults)
            watched = terminal.type(f"{line} --max {len(flags)}")
        else:
            answer = terminal.type(line.replace("JOB", job))
            job = json.loads(answer)["job"]["id"] if "/upload" in line else job
    assert len(watched.splitlines()) == len(flags)
    assert {sensor: blamed(flags, times) for sensor, times in faults.items()} == {sensor: sensor for sensor in faults}
    assert LocalKafka(tmp_path / "var" / "kafka").running() is None


def lines() -> list[str]:
    """The commands of the README's section, without the remarks beside them."""
    section = README.read_text().partition(SECTION)[2].partition("\n## ")[0]
    return [line.partition(" # ")[0].strip() for line in re.findall(r"^    (\S.*)$", section, re.MULTILINE)]


def machine(path: Path) -> dict[str, set[datetime]]:
    """Write a file of one pump with 8 sensors, of which two fail near the end; the times when each does."""
    clean = simulate(1, pumps=1, history_rows=ROWS).history
    values, faults = clean.values.copy(), {}
    for sensor, live in FAULTS.items():
        number, rows = clean.features.index(sensor), slice(ROWS - LIVE + live, ROWS - LIVE + live + LONG)
        values[:, rows, number] += FAR * clean.values[:, :, number].std(where=clean.values[:, :, number] > 0)
        faults[sensor] = {datetime.fromtimestamp(time / SECOND, UTC) for time in clean.times[rows].tolist()}
    write(tables(replace(clean, values=values)), clean.features, path)
    return faults


def published(kafka: Path, faults: dict[str, set[datetime]]) -> list[Flag]:
    """What is on the topic of anomalies, once there is something of each fault."""

    def enough(records: list[ConsumerRecord]) -> bool:
        times = {time_of(flag) for flag in as_flags(records)}
        return all(times & fault for fault in faults.values())

    return as_flags(KafkaAtHand.of(LocalKafka(kafka)).read_until("anomalies", enough))


def blamed(flags: list[Flag], times: set[datetime]) -> str:
    """The feature that the highest score of these times blames most."""
    worst = max((flag for flag in flags if time_of(flag) in times), key=lambda flag: flag.score)
    return max(worst.attribution, key=lambda part: part.share).feature


def time_of(flag: Flag) -> datetime:
    """When the window's last reading was."""
    return datetime.fromisoformat(flag.timestamp)
