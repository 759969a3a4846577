"""The admin as a process of its own, as `tidewatch admin` starts it: what can be killed, starved and looked into."""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from stream_app.local_kafka.ports import free_port
from tests.logged_process import LoggedProcess
from tests.watchers import wait_until


class AdminProcess(LoggedProcess):
    """A service whose files lie in `folder`, `admin` and `store` in it; as a context manager it is ended.

    with AdminProcess(tmp_path, upload_megabytes=1) as service:
        send(service.client, "pumps", readings())
    """

    def __init__(self, folder: Path, **changes: Any) -> None:
        """`changes` are keys of the group `admin`."""
        self.folder = folder
        told = {"config": "quick", "folder": folder / "admin", "free_megabytes": 1, "tracked": False, **changes}
        self.port = free_port()
        settings = (f"store.url=dir:{folder / 'store'}", *(f"admin.{key}={told[key]}" for key in told))
        command = [sys.executable, "-m", "stream_app", "admin", f"--port={self.port}"]
        super().__init__([*command, *(f"--setting={setting}" for setting in settings)], folder / "admin.log")
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60, trust_env=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.client.close()
        super().__exit__(kind, error, trace)

    def start(self) -> None:
        """Start it, again too, and wait until it answers; the log goes on."""
        super().start()
        wait_until(lambda: not self.runs or self.answers, "the admin starts", 60)
        assert self.runs, self.log[-4000:]

    def stop(self) -> None:
        """SIGTERM, if it still runs, and wait for its end."""
        self.tell_to_end()
        if self._process is not None:
            self._process.wait(30)

    def tell_to_end(self) -> None:
        """SIGTERM, if it still runs."""
        if self._process is not None and self.runs:
            self._process.send_signal(signal.SIGTERM)

    def limit(self, file_bytes: int) -> None:
        """From now on the system lets no file that it writes become larger: a disk that is full, to it."""
        assert self._process is not None
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (file_bytes, resource.RLIM_INFINITY))

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self.exit_code is None

    @property
    def answers(self) -> bool:
        """Whether it says that it lives."""
        try:
            return self.client.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def peak_memory(self) -> int:
        """The most bytes that it has had in memory at once."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return 1024 * int(status.split("VmHWM:")[1].split()[0])

    @property
    def files(self) -> Sequence[str]:
        """What is on the disk beside the database: uploads, half or whole, and the files of jobs."""
        kept = (
            path.relative_to(self.folder / "admin") for path in (self.folder / "admin").rglob("*") if path.is_file()
        )
        return sorted(str(path) for path in kept if path.parts[0] in {"incoming", "owners"})
