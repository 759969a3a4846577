"""How a job's training is called: `tidewatch train`, within limits, telling what happens in a file."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.admin import Options
from stream_app.admin.failures import Unusable
from training import config as configs
from training.wording import over_http

CONFIG = re.compile(r"[a-z][a-z0-9_-]{0,39}")  # a name of ours: never a path


@dataclass(frozen=True)
class Training:
    """What is the same for every job."""

    detectors: Path  # the folder of configs
    config: str  # where an upload names none; whoever runs the service may name a file
    store: str
    memory_megabytes: int
    tracked: bool

    @over_http()
    def check(self, options: Options) -> None:
        """Refuse a config that is none. Raises Unusable or ConfigError."""
        if options.config and not self._is_ours(options.config):
            raise Unusable(f"config {options.config[:40]!r} is none of {', '.join(self.names)}")
        configs.load(options.config or self.config, self.detectors, options.set)

    @property
    def names(self) -> list[str]:
        """The configs that there are."""
        return sorted(file.stem for file in self.detectors.glob("*.yaml"))

    def command(self, data: Path, dataset: str, options: Options, folder: Path) -> list[str]:
        """The words of the command; no shell reads them, and each user's word stands behind its own `=`."""
        named = {"time": options.time, "series": options.series, "label": options.label}
        named |= {"feature": options.feature, "value": options.value}
        named |= {"resample": options.resample, "resample-by": options.resample_by}
        return [
            *(sys.executable, "-m", "stream_app.admin.job_process", str(self.memory_megabytes), "train"),
            *(f"--data={data}", f"--dataset={dataset}", f"--config={options.config or self.config}"),
            *(f"--{name}={value}" for name, value in named.items() if value),
            *_repeated("ignore", options.ignore),
            *_repeated("set", options.set),
            *("--reject-rows", "--promote" if options.promote else "--no-promote"),
            *(f"--run-dir={folder / 'run'}", f"--events={folder / 'events.jsonl'}"),
            f"--setting=store.url={self.store}",
            *([] if self.tracked else ["--no-tracking"]),
        ]

    def _is_ours(self, name: str) -> bool:
        return bool(CONFIG.fullmatch(name)) and name in self.names


def _repeated(option: str, values: Sequence[str]) -> list[str]:
    return [f"--{option}={value}" for value in values]
