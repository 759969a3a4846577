"""The admin as the demo asks it, over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, cast
from urllib.request import urlopen

from stream_app.demo.processes import Background, DemoError

LOOK_SECONDS = 0.3
Json = dict[str, Any]


class Service:
    """A service that runs at `address`."""

    def __init__(self, address: str, process: Background) -> None:
        self.address, self.process = address, process

    def ask(self, path: str) -> Json:
        """What it answers."""
        with urlopen(f"{self.address}{path}", timeout=30) as answer:
            return cast(Json, json.load(answer))

    def followed(self, job: str, show: Callable[[Json], None]) -> Json:
        """A job, once it has succeeded; until then it is shown again and again. Raises DemoError if it does not."""
        while (seen := self.ask(f"/jobs/{job}"))["state"] in {"queued", "running"}:
            self.process.check()
            show(seen)
            time.sleep(LOOK_SECONDS)
        if seen["state"] != "succeeded":
            raise DemoError(f"the training has {seen['state']}: {seen['error']}")
        return seen


def accepted(answer: str) -> Json:
    """What an upload is answered. Raises DemoError with what the service says against it."""
    told = cast(Json, json.loads(answer))
    if "job" not in told:
        raise DemoError(f"the upload is refused: {told['detail']}")
    return told
