"""Where Faust's own command line finds the app: `faust -A stream_app.main worker`."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def _app() -> Any:
    from config.settings import load
    from stream_app.worker import build

    return build(load())


def __getattr__(name: str) -> Any:
    """Build `app` when it is first asked for: importing this module does nothing."""
    if name == "app":
        return _app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
