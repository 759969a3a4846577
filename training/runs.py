"""Runs as folders: a record of what was asked for and done, a lock for the one process at work, and the artifacts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from schemas.errors import TidewatchError
from schemas.manifest import Identity
from schemas.run import FORMAT, RunRecord, StageRecord
from schemas.training import TrainingConfig
from training import digests, lock
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
    def is_complete(self) -> bool:
        """Whether its release is published, and all that was made since."""
        return "package" in self.record.stages and {self.state(name) for name in self.record.stages} == {"done"}

    @property
    def request(self) -> Request:
        """What it was asked for."""
        record = self.record
        try:
            wanted = msgspec.convert(record.wanted, Wanted)
            config = TrainingConfig.model_validate(record.config)
        except (msgspec.ValidationError, ValidationError) as error:
            problem = " ".join(str(error).split())
            raise RunError(f"run {self.spelled} is of another version ({problem:.120}); begin a new run") from None
        return Request(near(Path(record.data)), wanted, config, record.store, record.promote)

    def state(self, stage: str) -> str:
        """What has become of a stage: done, outdated (an earlier one was run since), failed, running or interrupted."""
        record = self.record.stages[stage]
        if record.state == "running":
            return "running" if self.is_at_work else "interrupted"
        if record.state == "failed":
            return "failed"
        return "done" if all(self._stands(name, digest) for name, digest in record.inputs.items()) else "outdated"

    def _stands(self, name: str, digest: str) -> bool:
        """Whether an input, if it is what a stage left, is what it would leave now."""
        if name not in self.record.stages:
            return True
        return digest == digests.of_value(self.record.stages[name].outputs) and self.state(name) == "done"

    @property
    def is_at_work(self) -> bool:
        """Whether a process works on it."""
        return lock.is_held(self.root / LOCK)

    def note(self, stage: str, became: StageRecord) -> None:
        """Put on record what became of a stage."""
        self.update(stages={**self.record.stages, stage: became})

    def update(self, **fields: Any) -> None:
        """Change the record."""
        self.record = msgspec.structs.replace(self.record, **fields)
        self.save()

    def save(self) -> None:
        """Write the record."""
        content = msgspec.json.format(msgspec.json.encode(self.record), indent=2) + b"\n"
        replace(self.root / RECORD, content, durable=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Work on it alone, from what is on record now; the system takes the lock back from a process that dies."""
        try:
            with lock.held(self.root / LOCK):
                self.record = _read(self.root)
                yield
        except lock.Held as holder:
            raise RunError(
                f"process {holder} is at work on run {self.spelled}; wait until it ends, or stop it"
            ) from None


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


def find(named: str, folder: Path = RUNS) -> Run:
    """The run of an id under `folder`, or of a path."""
    for root in (folder / named, Path(named)):
        if (root / RECORD).is_file():
            return Run(root, _read(root))
    raise RunError(f"there is no run '{named}', neither under {folder} nor as a path; see: tidewatch runs list")


def all_in(folder: Path = RUNS) -> list[Run]:
    """The runs in a folder, oldest first; one whose record can not be read is passed over."""
    found = [Run(path.parent, record) for path in folder.glob(f"*/{RECORD}") if (record := _readable(path.parent))]
    return sorted(found, key=lambda run: (run.record.created, run.record.run))


def near(path: Path) -> Path:
    """An absolute path as a person would write it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _readable(root: Path) -> RunRecord | None:
    try:
        return _read(root)
    except RunError:
        return None


def _read(root: Path) -> RunRecord:
    path = root / RECORD
    try:
        record = msgspec.json.decode(path.read_bytes(), type=RunRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{path} can not be read ({error}); begin a new run") from None
    if record.format != FORMAT:
        raise RunError(f"{path} has format {record.format}, this program knows {FORMAT}; begin a new run")
    return record
