"""What the workers say of drift, asked at their addresses."""

from __future__ import annotations

import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitoring.scraped import Fleet, add_up
from schemas.errors import TidewatchError

if TYPE_CHECKING:
    from config.settings import Settings

TIMEOUT_SECONDS = 10.0


def local(settings: Settings) -> str:
    """Where the worker of this machine listens, by the settings."""
    host = "127.0.0.1" if settings.web.host in {"0.0.0.0", "::"} else settings.web.host
    return f"http://{host}:{settings.web.port}"


def together(urls: Sequence[str]) -> Fleet:
    """What the workers at these addresses say together."""
    pages = [page(url) for url in urls]
    try:
        return add_up(pages)
    except (ValueError, LookupError) as error:
        raise TidewatchError(
            f"what {', '.join(urls)} serves is not the /metrics of a worker of this version ({error}); see --url"
        ) from None


def page(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> str:
    """A worker's /metrics. Raises TidewatchError if none answers."""
    where = url if "://" in url else f"http://{url}"
    where = where if urlsplit(where).path.strip("/") else f"{where.rstrip('/')}/metrics"
    try:
        with urllib.request.urlopen(where, timeout=timeout_seconds) as answer:
            return str(answer.read().decode())
    except (OSError, ValueError, HTTPException) as error:
        raise TidewatchError(
            f"no worker answers at {where}: {getattr(error, 'reason', error)}; start one with `tidewatch worker`, or "
            "name another with --url"
        ) from None
