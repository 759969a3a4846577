"""No body but those that are read as they arrive is more than small: the framework would take any into memory whole."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1 << 20
# What their routes count by themselves: uploads to the disk, rows of a prediction.
COUNTED = re.compile(r"/upload|/predict|/datasets/[^/]*/data")


class SmallBodies:
    """Around the whole app: the framework reads a body before it asks who sends it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes; beyond the limit it is 413."""
        if scope["type"] != "http" or COUNTED.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > MOST_BYTES:
                raise HTTPException(413, f"the body is larger than {MOST_BYTES} bytes; a file goes to POST /upload")
            return message

        await self.app(scope, counted, send)
