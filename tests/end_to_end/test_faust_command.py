"""Faust's own command line starts the same worker."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stream_app.topics import admin
from tests.end_to_end.agreement import disagreements
from tests.end_to_end.rig import Rig, Trained
from tests.worker_process import WorkerProcess

pytestmark = pytest.mark.kafka


class FaustProcess(WorkerProcess):
    """`faust -A stream_app.main worker`, which takes its settings from the environment."""

    def __init__(self, folder: Path, environment: Mapping[str, str], settings: Mapping[str, Any]) -> None:
        super().__init__(folder, environment, {}, "faust")
        self._command = [str(Path(sys.executable).with_name("faust")), "-A", "stream_app.main", "worker"]
        told = {"web.port": self.port, **settings}
        self._environment |= {f"TIDEWATCH_{key.upper().replace('.', '__')}": str(told[key]) for key in told}


def test_faust_starts_the_worker_and_sigterm_ends_it(rig: Rig, plant: Trained):
    """It scores; on SIGTERM it ends with 0 and has left the group, long before its session would have."""
    settings = rig.settings(kafka__session_timeout_seconds=60)
    rig.send(plant.messages)
    with FaustProcess(rig.folder, rig.kafka.environment, settings) as worker:
        worker.wait_ready()
        assert disagreements(rig.published(plant.flags), plant.flags) == []
        assert asyncio.run(members(rig)) == 1
        assert "partitions assigned" in worker.log
        assert worker.stop() == 0
    assert asyncio.run(members(rig)) == 0


async def members(rig: Rig) -> int:
    """How many workers are in the group."""
    async with admin(rig.kafka.options) as client:
        [response] = await client.describe_consumer_groups([rig.group])
        [(_, _, _, _, _, found, *_)] = response.groups
        return len(found)
