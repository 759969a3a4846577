"""The records of a state topic: slabs of series, and the marker that says which slabs make a checkpoint.

A slab is a fixed bucket of series: whoever writes it agrees on who is in it. It is always written whole, with its
`cover`: it contains exactly the readings of its series below that offset. So every slab is a true statement about the
log of readings, whoever wrote it and however late it arrives.

A record that is not exactly one of these is `UnreadableError`: its CRC, its types and its key must all agree.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple
from zlib import crc32

import msgspec
from msgspec import Meta

FORMAT = 1
SLAB_BYTES = 900_000  # a slab's value stays below: Kafka's usual limit is 1 MB a message
MOST_SLABS = 1 << 16
MARKER_KEY = b"marker"

Offset = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
SlabNumber = Annotated[int, Meta(ge=0, lt=MOST_SLABS)]
SlabCount = Annotated[int, Meta(ge=1, le=MOST_SLABS)]


class Record(NamedTuple):
    """What goes to the state topic, to the partition of the readings it speaks of."""

    key: bytes
    value: bytes


class Slab(msgspec.Struct, frozen=True, tag="slab", forbid_unknown_fields=True):
    """Slab `number` of `slabs`: every reading of its series below `cover`, packed once for each dataset."""

    slabs: SlabCount
    number: SlabNumber
    checkpoint: Offset  # as in the marker
    cover: Offset
    states: list[tuple[str, bytes]]  # dataset, StreamDetector.snapshot

    @property
    def key(self) -> bytes:
        """Each slab of each count has its own key, so compaction keeps the last of every one."""
        return f"slab/{self.slabs}/{self.number}".encode()


class Marker(msgspec.Struct, frozen=True, tag="marker", forbid_unknown_fields=True):
    """A whole checkpoint: no series of slab k has a reading from `covers[k]` up to `start`.

    A slab that is not named has no series below `start`. Nothing below state offset `base` is part of the checkpoint.
    """

    slabs: SlabCount
    checkpoint: Offset  # counts the partition's checkpoints, whoever takes them
    start: Offset
    base: Offset
    covers: dict[SlabNumber, Offset]

    @property
    def key(self) -> bytes:
        """There is one marker; the last one counts."""
        return MARKER_KEY


class UnreadableError(ValueError):
    """A record of the state topic that is no slab and no marker of ours."""


_decoder: msgspec.msgpack.Decoder[Slab | Marker] = msgspec.msgpack.Decoder(Slab | Marker)
_encoder = msgspec.msgpack.Encoder()


def bucket(dataset: str, series: str) -> int:
    """The CRC-32 of dataset and series, each length-prefixed; modulo the number of slabs it names the series' slab."""
    return crc32(f"{len(dataset)}:{dataset}{len(series)}:{series}".encode())


def encode(content: Slab | Marker) -> Record:
    """Format number (1 byte), CRC-32 of the body (4 bytes), MessagePack body."""
    body = _encoder.encode(content)
    return Record(content.key, bytes([FORMAT]) + crc32(body).to_bytes(4, "big") + body)


def decode(key: bytes | None, value: bytes | None) -> Slab | Marker:
    """The slab or marker of a record; raises `UnreadableError` saying why it is none."""
    if value is None or len(value) < 5:
        raise UnreadableError("the record is shorter than a head of 5 bytes")
    if value[0] != FORMAT:
        raise UnreadableError(f"format {value[0]} is unknown, this version reads {FORMAT}")
    body = value[5:]
    if crc32(body).to_bytes(4, "big") != value[1:5]:
        raise UnreadableError("the checksum does not match")
    try:
        content = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"the body is neither slab nor marker: {error}") from error
    _check(key, content)
    return content


def _check(key: bytes | None, content: Slab | Marker) -> None:
    if content.key != key:
        raise UnreadableError(f"the key says {key!r}, the body {content.key!r}")
    numbers = [content.number] if isinstance(content, Slab) else content.covers
    if any(number >= content.slabs for number in numbers):
        raise UnreadableError(f"a slab's number is not below the {content.slabs} slabs there are")
    if isinstance(content, Marker) and any(cover > content.start for cover in content.covers.values()):
        raise UnreadableError(f"a slab of the marker covers more than its start {content.start}")
