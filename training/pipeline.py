"""Run stages in their order, each on what the ones before left; one whose inputs are unchanged is not run again."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from models.store.base import Store
from schemas.manifest import Identity
from schemas.run import StageRecord
from schemas.training import TrainingConfig
from training import digests
from training.events import Observer, RunStarted, StageEnded, StageSkipped, StageStarted, WindowShrunk
from training.freshness import BY_NAME, Freshness
from training.preprocess import TooLittleData
from training.runs import Request, Run, RunError, asked
from training.shrinking import shrunk
from training.stages import STAGES, Stage, Work


class Pipeline:
    """One run at work. Whoever calls holds its lock: what lies in its folder is changed by nobody else."""

    def __init__(
        self, run: Run, request: Request, store: Store, tell: Observer, rename: Callable[[], Identity]
    ) -> None:
        """`request` takes the place of the one on record; `rename` names a release that is made once more."""
        self.run, self.request, self.store, self.tell, self.rename = run, request, store, tell, rename
        self.freshness = Freshness(run, request)

    def play(self, only: Collection[str] = (), *, again: bool = False) -> None:
        """Run all stages, or some; `again` even if nothing has changed. Raises RunError if one has nothing to read."""
        chosen = [stage for stage in STAGES if not only or stage.name in only]
        self._check_ready(chosen)
        self.run.artifacts.make()
        self.run.update(**asked(self.request))
        self.tell(RunStarted(self.run.record, self.run.artifacts))
        for stage in chosen:
            self._play(stage, again)

    def _check_ready(self, chosen: Sequence[Stage]) -> None:
        """What is not run now must have been run before, and for the same config."""
        names = [stage.name for stage in chosen]
        for stage in chosen:
            for earlier in stage.after:
                if earlier not in names and (problem := self.freshness.why_unfit(BY_NAME[earlier])):
                    raise RunError(
                        f"stage {stage.name} needs the files of stage {earlier}, which {problem}; run all that is "
                        f"missing: tidewatch train --run {self.run.spelled}"
                    )

    def _play(self, stage: Stage, again: bool) -> None:
        inputs = self.freshness.inputs(stage)
        why = self.freshness.why_run(stage, inputs)
        if not (why or again):
            self.tell(StageSkipped(stage.name))
            return
        try:
            self._carry_out(stage, inputs, why or "it was asked for")
        except TooLittleData:
            if (shorter := shrunk(self.request.config)) is None:
                raise
            self._change(shorter)
            self._play(stage, again)

    def _change(self, shorter: TrainingConfig) -> None:
        """Ask for a shorter window from here on."""
        self.tell(WindowShrunk(self.request.config.window.size, shorter.window.size))
        self.request = self.freshness.request = dataclasses.replace(self.request, config=shorter)
        self.run.update(**asked(self.request))

    def _carry_out(self, stage: Stage, inputs: dict[str, str], why: str) -> None:
        """Run a stage; the record says so before, and what came of it after. Ctrl-C leaves it as running."""
        if stage.is_named and "package" in self.run.record.stages:
            self.run.update(identity=self.rename())
        record, began = StageRecord("running", now(), inputs), time.perf_counter()
        self.run.note(stage.name, record)
        self.tell(StageStarted(stage.name, why))
        try:
            self._clear(stage)
            stage.run(self._work(inputs))
        except Exception as error:
            self.run.note(stage.name, replace(record, state="failed", error=str(error)))
            raise
        seconds, outputs = time.perf_counter() - began, self.freshness.left(stage.name)
        self.run.note(stage.name, replace(record, state="done", outputs=outputs, seconds=seconds))
        self.tell(StageEnded(stage.name, seconds))

    def _clear(self, stage: Stage) -> None:
        """Away with what an earlier time left, for this one may leave other files."""
        self.freshness.forget(stage.name)
        for path in digests.matching(self.run.artifacts.tree, stage.leaves):
            path.unlink()

    def _work(self, inputs: dict[str, str]) -> Work:
        identity, digest = self.run.record.identity, digests.of_value(inputs)
        return Work(self.run.artifacts, self.request, identity, self.store, self.tell, digest)


def now() -> str:
    """The time in UTC, RFC 3339, in whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
