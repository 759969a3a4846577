"""The error that a user can cause, and can mend by what it says."""

from schemas.printable import printable


class TidewatchError(Exception):
    """Names the thing, the value, the rule and the way out, in one sentence a person can act on."""

    def __str__(self) -> str:
        """Lines stay lines: the end of a log may be among them."""
        return "\n".join(map(printable, super().__str__().split("\n")))
