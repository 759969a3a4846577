"""Names of others do nothing to the terminal on which they are shown."""

from __future__ import annotations

import pytest

from schemas.errors import TidewatchError
from schemas.printable import printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x1b[31mX", r"a\x1b[31mX"),
        ("b\nc\td\r", r"b\nc\td\r"),
        ("\x00\x7f\x9b", r"\x00\x7f\x9b"),
        ("Druck [bär] 温度 \\n\u00a0😄", "Druck [bär] 温度 \\n\u00a0😄"),
    ],
)
def test_control_characters_are_escaped(text, expected):
    """And nothing else is."""
    assert printable(text) == expected
    assert printable(expected) == expected


def test_an_error_is_printable():
    """Whatever the names in it; its lines stay lines."""
    assert str(TidewatchError("it ended:\n  column 'b\x1b[2J'")) == "it ended:\n  column 'b\\x1b[2J'"
