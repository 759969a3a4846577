"""Runs as folders: a record of what was asked for and done, a lock for the one process at work, and the artifacts."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from schemas.errors import TidewatchError
from schemas.manifest import Identity
from schemas.run import FORMAT, RunRecord, StageRecord
from schemas.training import TrainingConfig
from training.artifacts import Artifacts, replace
from training.roles import Wanted

RUNS = Path("var/runs")
RECORD, LOCK = "run.json", ".lock"


class RunError(TidewatchError):
    """A run can not be used: names it, and says what to do."""


@dataclass(frozen=True)
class Request:
    """What to train on, how, and where it is to go."""

    data: Path
    wanted: Wanted
    config: TrainingConfig
    store: str  # the URL
    promote: bool


class Run:
    """A run's folder. Its record on disk is always that in memory, and is replaced in one step."""

    def __init__(self, root: Path, record: RunRecord) -> None:
        self.root = root
        self.record = record

    @property
    def artifacts(self) -> Artifacts:
        """Where its stages leave what they make."""
        return Artifacts(self.root)

    @property
    def spelled(self) -> str:
        """How a command names it: by its id, or by its folder if it is not among the others."""
        return self.root.name if self.root.parent == RUNS else str(self.root)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more to do."""
        stages = self.record.stages
        return "package" in stages and all(stage.state == "done" for stage in stages.values())

    @property
    def request(self) -> Request:
        """What it was asked for."""
        record = self.record
        wanted = msgspec.convert(record.wanted, Wanted)
        config = TrainingConfig.model_validate(record.config)
        return Request(near(Path(record.data)), wanted, config, record.store, record.promote)

    def note(self, stage: str, became: StageRecord) -> None:
        """Put on record what became of a stage."""
        self.update(stages={**self.record.stages, stage: became})

    def update(self, **fields: Any) -> None:
        """Change the record."""
        self.record = msgspec.structs.replace(self.record, **fields)
        self.save()

    def save(self) -> None:
        """Write the record."""
        replace(self.root / RECORD, msgspec.json.format(msgspec.json.encode(self.record), indent=2) + b"\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Work on it alone, from what is on record now; the system takes the lock back from a process that dies."""
        with (self.root / LOCK).open("a+") as file:
            if not _take(file.fileno()):
                file.seek(0)
                raise RunError(f"process {file.read() or '?'} is at work on run {self.root}; wait for it, or stop it")
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            self.record = _read(self.root)
            yield


def create(root: Path, request: Request, identity: Identity) -> Run:
    """Begin a run in a folder that is empty, or not there yet; its release is to have the `identity`."""
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise RunError(f"--run-dir {root} is not an empty folder; name a new one")
    root.mkdir(parents=True, exist_ok=True)
    run = Run(root, RunRecord(FORMAT, root.name, identity.created, identity=identity, **asked(request)))
    run.save()
    return run


def asked(request: Request) -> dict[str, Any]:
    """A request as a record holds it."""
    return {
        "data": str(request.data.absolute()),
        "wanted": asdict(request.wanted),
        "config": request.config.model_dump(mode="json"),
        "store": request.store,
        "promote": request.promote,
    }


def near(path: Path) -> Path:
    """An absolute path as a person would write it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def find(named: str, folder: Path = RUNS) -> Run:
    """The run of an id under `folder`, or of a path."""
    for root in (folder / named, Path(named)):
        if (root / RECORD).is_file():
            return Run(root, _read(root))
    raise RunError(f"there is no run '{named}', neither under {folder} nor as a path; see: tidewatch runs list")


def is_locked(root: Path) -> bool:
    """Whether a process is at work on it."""
    with (root / LOCK).open("a") as file:
        return not _take(file.fileno())


def _read(root: Path) -> RunRecord:
    path = root / RECORD
    try:
        record = msgspec.json.decode(path.read_bytes(), type=RunRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{path} can not be read ({error}); train again, into a new run") from None
    if record.format != FORMAT:
        raise RunError(f"{path} has format {record.format}, this program knows {FORMAT}; train again, into a new run")
    return record


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
