"""Whether a stage has to be run: all that shapes what it leaves, by digest, against what is on record."""

from __future__ import annotations

from collections.abc import Mapping

from training import digests
from training.runs import Request, Run
from training.stages import NAMES, STAGES, Stage

BY_NAME = {stage.name: stage for stage in STAGES}


class Freshness:
    """Of one run, asked for something that may differ from what its record says."""

    def __init__(self, run: Run, request: Request) -> None:
        self.run, self.request = run, request
        self._left: dict[str, dict[str, str]] = {}

    def inputs(self, stage: Stage) -> dict[str, str]:
        """Name -> digest of all that shapes what a stage leaves."""
        given = {name: digests.of_value(value) for name, value in stage.given(self.request).items()}
        return {"code": digests.of_code()} | given | self._inner(stage)

    def left(self, name: str) -> dict[str, str]:
        """The files that a stage has left, and their digests; they are read once."""
        if name not in self._left:
            self._left[name] = digests.of_files(self.run.artifacts.tree, BY_NAME[name].leaves)
        return self._left[name]

    def forget(self, name: str) -> None:
        """The stage leaves something new."""
        self._left.pop(name, None)

    def why_run(self, stage: Stage, inputs: Mapping[str, str]) -> str:
        """Why a stage has to be run; empty if it has not."""
        record = self.run.record.stages.get(stage.name)
        if record is None:
            return "it has not been run yet"
        if changed := [name for name, digest in inputs.items() if record.inputs.get(name) != digest]:
            return f"{' and '.join(map(_spelled, changed))} changed"
        if record.state != "done":
            return "it failed" if record.state == "failed" else "it was interrupted"
        return "" if self.left(stage.name) == record.outputs else "its files were changed"

    def why_unfit(self, stage: Stage) -> str:
        """Why nothing can be built on what a stage left, whatever became of data and code; empty if it can."""
        record = self.run.record.stages.get(stage.name)
        if record is None or record.state != "done":
            return "are not complete"
        if self.left(stage.name) != record.outputs:
            return "were changed"
        changed = [name for name, digest in self._inner(stage).items() if record.inputs.get(name) != digest]
        return f"were made before {_spelled(changed[0])} changed" if changed else ""

    def _inner(self, stage: Stage) -> dict[str, str]:
        """The sections of the config and the earlier stages' files."""
        config = self.request.config.model_dump(mode="json")
        sections = {f"config.{name}": digests.of_value(config[name]) for name in stage.sections}
        return sections | {name: digests.of_value(self.left(name)) for name in stage.after}


def _spelled(name: str) -> str:
    return f"what {name} left" if name in NAMES else f"the {name}" if "." not in name else name
