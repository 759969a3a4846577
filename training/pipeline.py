"""Run stages in their order, each on what the ones before left; one whose inputs are unchanged is not run again."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import torch

from models.store.base import Store
from schemas.manifest import Identity
from schemas.run import StageRecord
from training import digests
from training.events import Observer, RunStarted, StageEnded, StageSkipped, StageStarted
from training.runs import Request, Run, RunError, asked
from training.stages import NAMES, STAGES, Stage, Work

BY_NAME = {stage.name: stage for stage in STAGES}


class Pipeline:
    """One run at work. The run is locked by whoever calls: what lies in its folder is changed by nobody else."""

    def __init__(
        self, run: Run, request: Request, store: Store, tell: Observer, rename: Callable[[], Identity]
    ) -> None:
        """`request` takes the place of the one on record; `rename` names a release that is made once more."""
        self.run, self.request, self.store, self.tell, self.rename = run, request, store, tell, rename
        self._left: dict[str, dict[str, str]] = {}

    def play(self, only: Collection[str] = (), *, again: bool = False) -> None:
        """Run all stages, or some; `again` even if nothing has changed."""
        chosen = [stage for stage in STAGES if not only or stage.name in only]
        self._check_ready(chosen)
        self.run.update(**asked(self.request))
        self.tell(RunStarted(self.run.record, self.run.artifacts))
        with threads(self.request.config.training.threads):
            for stage in chosen:
                self._play(stage, again)

    def _play(self, stage: Stage, again: bool) -> None:
        inputs = self.inputs(stage) | given(stage, self.request)
        why = self._why(stage, inputs)
        if why or again:
            self._carry_out(stage, inputs, why or "asked for")
        else:
            self.tell(StageSkipped(stage.name))

    def inputs(self, stage: Stage) -> dict[str, str]:
        """Digests of what shapes a stage, but for what comes from outside of the run."""
        config = self.request.config.model_dump(mode="json")
        sections = {f"config.{name}": digests.of_value(config[name]) for name in stage.sections}
        return sections | {name: digests.of_value(self.left(name)) for name in stage.after}

    def left(self, name: str) -> dict[str, str]:
        """The files that a stage has left, and their digests."""
        if name not in self._left:
            self._left[name] = digests.of_files(self.run.artifacts.tree, BY_NAME[name].leaves)
        return self._left[name]

    def _why(self, stage: Stage, inputs: Mapping[str, str]) -> str:
        """Why a stage has to be run; empty if it has not."""
        record = self.run.record.stages.get(stage.name)
        if record is None:
            return "never run before"
        if record.state != "done":
            return "it failed" if record.state == "failed" else "it was interrupted"
        changed = [name for name in inputs if record.inputs.get(name) != inputs[name]]
        if changed:
            return f"changed: {', '.join(f'what {name} left' if name in NAMES else name for name in changed)}"
        return "" if self.left(stage.name) == record.outputs else "its files have changed"

    def _check_ready(self, chosen: Sequence[Stage]) -> None:
        """Refuse to build on files that are not there, or were made by another config."""
        names = [stage.name for stage in chosen]
        for stage in chosen:
            for earlier in stage.after:
                if earlier not in names and (problem := self._unfit(BY_NAME[earlier])):
                    raise RunError(
                        f"stage {stage.name} needs the files of stage {earlier}, which {problem}; run that, too: "
                        f"tidewatch train --run {self.run.spelled}"
                    )

    def _unfit(self, stage: Stage) -> str:
        """Why nothing can be built on what a stage left; empty if it can, whatever became of the data and the code."""
        record = self.run.record.stages.get(stage.name)
        if record is None or record.state != "done":
            return "are not complete"
        if self.left(stage.name) != record.outputs:
            return "are not as it left them"
        changed = [name for name, digest in self.inputs(stage).items() if record.inputs.get(name) != digest]
        return f"are of another {changed[0]}" if changed else ""

    def _carry_out(self, stage: Stage, inputs: dict[str, str], why: str) -> None:
        if stage.is_named and "package" in self.run.record.stages:
            self.run.update(identity=self.rename())
        began, clock = now(), time.perf_counter()
        self.run.note(stage.name, StageRecord("running", began, inputs))
        self.tell(StageStarted(stage.name, why))
        self._clear(stage)
        digest = digests.of_value(inputs)
        try:
            stage.run(Work(self.run.artifacts, self.request, self.run.record.identity, self.store, self.tell, digest))
        except Exception as error:
            self.run.note(stage.name, StageRecord("failed", began, inputs, error=str(error)))
            raise
        seconds = time.perf_counter() - clock
        self.run.note(stage.name, StageRecord("done", began, inputs, self.left(stage.name), seconds))
        self.tell(StageEnded(stage.name, seconds))

    def _clear(self, stage: Stage) -> None:
        """Away with what an earlier time left, for this one may leave other files."""
        self._left.pop(stage.name, None)
        for path in digests.matching(self.run.artifacts.tree, stage.leaves):
            path.unlink()


def given(stage: Stage, request: Request) -> dict[str, str]:
    """Digests of what shapes a stage and comes from outside of the run: the user's wishes and files, and the code."""
    return {"code": digests.of_code()} | {n: digests.of_value(v) for n, v in stage.given(request).items()}


def now() -> str:
    """The time in UTC, RFC 3339, in whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Use `count` threads within matrix products: with another count, sums round otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
