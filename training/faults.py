"""What is wrong with a file of readings, in a sentence, with the line that a reader stumbled over."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import TidewatchError
from schemas.printable import printable
from training.dialect import Dialect
from training.text_file import BROKEN, open_bytes, records


class DataError(TidewatchError):
    """A file of readings can not be used: names the file, the line or column, the rule, and the way out."""

    def __str__(self) -> str:
        """In one line, whatever the file's names have in them."""
        return printable(super().__str__())


def fault(path: Path, dialect: Dialect, error: Exception) -> DataError:
    """Find, slowly and exactly, the line that made a fast reader fail with `error`."""
    try:
        for line, _, fields in records(path, dialect):
            if len(fields) != len(dialect.names):
                found = f"{len(fields)} field{'s' * (len(fields) != 1)}"
                quoted = " (a quote on it ends lines below)" if any("\n" in field for field in fields) else ""
                return DataError(
                    f"{path} line {line} has {found}{quoted}, the first line {len(dialect.names)}; mend or remove it"
                )
    except UnicodeDecodeError:
        return no_utf8(path)
    except BROKEN as broken:
        return DataError(f"{path} can not be read to its end: {sentence(broken)}; copy or make it again")
    return DataError(f"{path} can not be read: {sentence(error)}")


def no_utf8(path: Path) -> DataError:
    """Name the first line that is no UTF-8."""
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                found = line[error.start]
                return DataError(f"{path} line {number}: byte 0x{found:02x} is no UTF-8; save the file as UTF-8")
    return DataError(f"{path} is no UTF-8; save the file as UTF-8")


def sentence(error: Exception) -> str:
    """The first line of a library's message, without its full stop."""
    return str(error).splitlines()[0].rstrip(". ") if str(error) else type(error).__name__
