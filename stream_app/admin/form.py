"""An upload's form (multipart/form-data), read as it arrives: the file's bytes pass through, fields are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from stream_app.admin.failures import TooMuch, Unusable, WrongKind

FIELDS_BYTES = 1 << 16  # of all fields that are no file
MOST_PARTS = 200
FILE = "file"  # the name of the part that is the file


@dataclass
class Form:
    """What has been read so far."""

    file_name: str | None = None
    fields: dict[str, list[str]] = field(default_factory=dict)


class FormReader:
    """Takes a body piece by piece, and gives what of it belongs to the file."""

    def __init__(self, content_type: str) -> None:
        """Raises WrongKind if the body is no form."""
        kind, parameters = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not parameters.get(b"boundary"):
            raise WrongKind(
                f"content-type {content_type[:80]!r} is no multipart/form-data with a boundary; with curl: "
                "-F file=@readings.csv -F dataset=pumps"
            )
        self.form = Form()
        self._out: list[bytes] = []
        self._header, self._value = bytearray(), bytearray()
        self._name, self._is_file, self._parts, self._kept = "", False, 0, 0
        self._content = bytearray()
        self._ended = False
        try:
            self._parser = MultipartParser(
                parameters[b"boundary"],
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_end": self._all,
                },
            )
        except FormParserError as error:
            raise Unusable(f"the form can not be read: {error}") from None

    async def read(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The file's bytes. Raises Unusable if the form is broken, or has not exactly one file."""
        async for piece in pieces:
            try:
                self._parser.write(piece)
            except FormParserError as error:
                raise Unusable(f"the form can not be read: {error}") from None
            for data in self._out:
                yield data
            self._out = []
        if not self._ended:
            raise Unusable("the form ends before its last boundary; send it again")
        if self.form.file_name is None:
            raise Unusable(f"the form has no file in a part named '{FILE}'; with curl: -F {FILE}=@readings.csv")

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise TooMuch(f"the form has more than {MOST_PARTS} parts; send a file and its options")
        self._name, self._is_file = "", False
        self._content = bytearray()

    def _header_ends(self) -> None:
        name, value = bytes(self._header).lower(), bytes(self._value)
        self._header, self._value = bytearray(), bytearray()
        if name != b"content-disposition":
            return
        _, parameters = parse_options_header(value)
        self._name = parameters.get(b"name", b"").decode("utf-8", "replace")
        if self._name == FILE:
            self._is_file = True
            if self.form.file_name is not None:
                raise Unusable("the form has two files; send one at a time, each to its dataset")
            self.form.file_name = parameters.get(b"filename", b"").decode("utf-8", "replace")

    def _headers_end(self) -> None:
        if not self._name:
            raise Unusable("a part of the form has no name")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._out.append(data[start:end])
            return
        self._kept += end - start
        if self._kept > FIELDS_BYTES:
            raise TooMuch(f"the form's fields hold more than {FIELDS_BYTES} bytes; the file belongs into '{FILE}'")
        self._content.extend(data[start:end])

    def _end(self) -> None:
        if not self._is_file:
            self.form.fields.setdefault(self._name, []).append(self._content.decode("utf-8", "replace"))

    def _all(self) -> None:
        self._ended = True
