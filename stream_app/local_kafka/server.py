"""The broker as a process: started, waited for, stopped, and picked up after a crash."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self
from uuid import uuid4

from rich.console import Console

from schemas.errors import TidewatchError
from stream_app.local_kafka import address
from stream_app.local_kafka.jars import class_path, default_cache, kafka_version
from stream_app.local_kafka.java import find_java
from stream_app.local_kafka.ports import answers, free_port, is_free
from stream_app.local_kafka.properties import server_properties
from stream_app.local_kafka.record import ALIVE, DEFAULT_DIRECTORY, Broker, is_alive, last, running, save
from stream_app.local_kafka.turns import turn
from stream_app.topics import partition_counts

USUAL_PORT = 9092
JVM = (
    "-Xmx512m",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
)
LAUNCHES = 3  # a port that was free can be taken before the broker has it
START_SECONDS = 60.0
ANSWER_SECONDS = 3.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.05


class LocalKafka:
    """A single-node Kafka whose data is in `directory`; as a context manager, it stops what it started.

    `port` is that one or an error; without it, the one of last time, else 9092, else any free one. All calls block:
    from asyncio, use `asyncio.to_thread`.
    """

    def __init__(
        self, directory: Path | str = DEFAULT_DIRECTORY, port: int | None = None, console: Console | None = None
    ) -> None:
        self.directory = Path(directory).absolute()
        self._port = port
        self._console = console or Console(quiet=True)
        self._started_here = False

    @property
    def log(self) -> Path:
        """What the broker printed since it started; the run before is in `server.log.1`."""
        return self.directory / "server.log"

    @property
    def address(self) -> str:
        """host:port of the running broker. Raises TidewatchError if none runs."""
        return address(self.directory)

    def running(self) -> Broker | None:
        """The broker of this folder, if it lives."""
        return running(self.directory)

    def topics(self) -> dict[str, int]:
        """Name and partition count of every topic but Kafka's own, asked of the running broker."""
        counts = asyncio.run(partition_counts({"bootstrap_servers": self.address}))
        return {name: count for name, count in sorted(counts.items()) if not name.startswith("__")}

    def start(self) -> bool:
        """Start it and wait until it answers; False if it ran already. What a crash left behind is taken up."""
        with self._turn():
            if running(self.directory):
                return False
            java = find_java()
            jars = class_path(default_cache(), self._console)
            with self._console.status(f"starting Apache Kafka {kafka_version()}"):
                self._launch([java, *JVM, "-cp", os.pathsep.join(map(str, jars))])
            return True

    def stop(self) -> bool:
        """Stop it cleanly, or by force if it does not end in time; False if none ran."""
        return self._stop_by(signal.SIGTERM)

    def kill(self) -> bool:
        """End it as a crash would (SIGKILL); False if none ran."""
        return self._stop_by(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it, then start it on the same port."""
        self.stop()
        self.start()

    def reset(self) -> None:
        """Stop it and delete its topics with all they hold."""
        with self._turn():
            self._end(signal.SIGKILL)  # what is to be deleted needs no clean end
            for name in ("server.json", "server.properties", "server.log", "server.log.1"):
                (self.directory / name).unlink(missing_ok=True)
            shutil.rmtree(self.directory / "data", ignore_errors=True)

    def __enter__(self) -> Self:
        self._started_here = self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._started_here:
            self.stop()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Commands on one folder take turns: two starts at once make one broker."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with turn(self.directory / "turn.lock", START_SECONDS + STOP_SECONDS):
                yield
        except OSError as error:
            raise TidewatchError(
                f"can not use '{self.directory}' for Kafka: {error}; name another with --dir"
            ) from error

    def _stop_by(self, how: signal.Signals) -> bool:
        if not self.directory.exists():
            return False
        with self._turn():
            return self._end(how)

    def _launch(self, java: list[str]) -> None:
        """Start a broker and see it ready; another port is tried if someone else was faster."""
        for _ in range(LAUNCHES):
            port = self._choose_port()
            self._configure(java, port)
            try:
                self._spawn([*java, "kafka.Kafka", "server.properties"], port)
                if self._becomes_ready(port):
                    return
            except BaseException:  # Ctrl-C too: never leave half a broker behind
                self._end(signal.SIGKILL)
                raise
            if b"Address already in use" not in self.log.read_bytes():
                break
        raise TidewatchError(f"Kafka ended while it started: {self._last_words()}; all of it is in '{self.log}'")

    def _choose_port(self) -> int:
        if self._port is not None:
            if is_free(self._port):
                return self._port
            raise TidewatchError(f"port {self._port} of 127.0.0.1 is taken; choose another, or none to get a free one")
        before = last(self.directory)
        wanted = before.port if before else USUAL_PORT
        return wanted if is_free(wanted) else free_port()

    def _configure(self, java: list[str], port: int) -> None:
        """Write server.properties, and at the first start format the data folder."""
        properties = server_properties(port, controller_port=free_port())
        (self.directory / "server.properties").write_text(properties, encoding="utf-8")
        if (self.directory / "data" / "meta.properties").exists():
            return
        cluster = urlsafe_b64encode(uuid4().bytes).decode()[:22]
        tool = [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--ignore-formatted"]
        formatting = subprocess.run(
            [*tool, "--config", "server.properties"], cwd=self.directory, check=False, capture_output=True, text=True
        )
        if formatting.returncode:
            words = (formatting.stderr + formatting.stdout).strip().splitlines() or ["no word of why"]
            raise TidewatchError(f"Kafka can not prepare '{self.directory}': {words[-1]}")

    def _spawn(self, command: list[str], port: int) -> None:
        """Start the process in a session of its own (a Ctrl-C here is not for it), holding `alive.lock`."""
        if self.log.exists():
            self.log.replace(self.log.with_name("server.log.1"))
        alive = os.open(self.directory / ALIVE, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(alive, fcntl.LOCK_EX)
            with self.log.open("wb") as log:
                process = subprocess.Popen(
                    command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    pass_fds=[alive], start_new_session=True,
                )  # fmt: skip
            since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            save(self.directory, Broker(process.pid, port, kafka_version(), since))
            Thread(target=process.wait, daemon=True).start()  # collects it, should it end before we do
        finally:
            os.close(alive)

    def _becomes_ready(self, port: int) -> bool:
        """Wait until it answers for its topics; False if it ends before, a TidewatchError if it takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not is_alive(self.directory):
                return False
            if answers(port):  # it may be another's who was faster: then ours ends soon
                with suppress(TidewatchError, TimeoutError):
                    counts = partition_counts({"bootstrap_servers": f"127.0.0.1:{port}"})
                    asyncio.run(asyncio.wait_for(counts, ANSWER_SECONDS))
                    return True
            time.sleep(POLL_SECONDS)
        raise TidewatchError(f"Kafka did not answer within {START_SECONDS:g} s: {self._last_words()}")

    def _end(self, how: signal.Signals) -> bool:
        """Send the signal to the broker and wait for its end, which SIGKILL makes sure of."""
        broker = running(self.directory)
        if broker is None:
            return False
        for each in (how, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(broker.pid, each)
            deadline = time.monotonic() + STOP_SECONDS
            while is_alive(self.directory) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
            if not is_alive(self.directory):
                break
        else:
            raise TidewatchError(f"the broker, process {broker.pid}, does not end even by SIGKILL")
        return True

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        errors = [line for line in lines if "ERROR" in line or "Exception" in line]
        return (errors or lines or ["it printed nothing"])[-1]
