"""Record batches that no client of ours would send, and that a broker takes all the same."""

from __future__ import annotations

from aiokafka.record.util import calc_crc32c

CHECKSUM, COVERED = slice(17, 21), slice(21, None)  # bytes of a record batch, version 2


def replaced(batch: bytearray, old: bytes, new: bytes) -> bytearray:
    """The batch with bytes of its records replaced by as many others, under a checksum that matches."""
    assert old in batch
    assert len(old) == len(new)
    crafted = batch.replace(old, new)
    crafted[CHECKSUM] = calc_crc32c(bytes(crafted[COVERED])).to_bytes(4, "big")
    return crafted
