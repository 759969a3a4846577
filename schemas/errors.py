"""The error that a user can cause, and can mend by what it says."""

from schemas.printable import printable


class TidewatchError(Exception):
    """Names the thing, the value, the rule and the way out, in one sentence a person can act on."""

    def __str__(self) -> str:
        return printable(super().__str__())
