"""How a message names the way out: as it is typed on the command line, or, over HTTP, as it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_over_http = ContextVar("over_http", default=False)


@contextmanager
def over_http() -> Iterator[None]:
    """Messages that come of what is done within, or in a function so decorated, are for who asked over HTTP."""
    before = _over_http.set(True)
    try:
        yield
    finally:
        _over_http.reset(before)


def way(typed: str, sent: str) -> str:
    """Of two ways to do the same, that of who reads it: a command line, or a request."""
    return sent if _over_http.get() else typed


def option(name: str, value: str = "") -> str:
    """An option of both, such as `--ignore 'operator'`: over HTTP a field of form, query or JSON, unquoted."""
    typed = f"--{name.replace('_', '-')}"
    sent = value.removeprefix("'").removesuffix("'")
    return way(f"{typed} {value}", f"option {name}={sent}") if value else way(typed, f"option '{name}'")
