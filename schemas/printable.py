"""Names and values of others, as they are shown to people."""

from __future__ import annotations

import re

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """The text in one line that does nothing to a terminal: a control character stands as it is escaped, as `\\x1b`."""
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], text)
