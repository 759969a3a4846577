"""Taking checkpoints: what decides about a partition's progress, without I/O, clock or Faust.

The invariants, from which it follows that windows are exact and that no flag is missing, whoever dies when:

1. A slab contains exactly the readings of its series below its cover (`slabs`).
2. All flags of readings below a cover, or below a committed offset, are confirmed on the anomalies topic.
3. A marker's start says only what the slabs it names can bear: no reading of slab k lies from its cover to the start.
4. A new owner skips a reading only if its slab holds it, and keeps silent only below the committed offset (`recovery`).
5. Chunks tile the offsets; only the owner's own chunks of this generation are confirmed and committed (`progress`).

None of them needs the old owner to be dead: what a zombie writes late is still true, so it only lengthens the replay.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from stream_app.recovery import Plan, SeriesState
from stream_app.slabs import Record


class Checkpointer:
    """The checkpoints of one partition under one generation, one at a time.

        checkpointer.touch(dataset, series, size)       # after every chunk, for every dataset in it
        checkpointer.take(progress.applied)             # between two chunks, every state.checkpoint_seconds
        records = checkpointer.slabs(progress.confirmed)    # at any later moment; empty: not yet
        marker = checkpointer.marker(offsets)           # after all of them are confirmed, at these state offsets
        checkpointer.finish()                           # after the marker is confirmed
    """

    def __init__(self, plan: Plan, state: SeriesState, slabs: int) -> None:
        """`state` is restored by `plan`; `slabs` is the configured number, used if the checkpoint has fewer."""

    @property
    def pending(self) -> bool:
        """A checkpoint is taken and not finished."""
        raise NotImplementedError

    def touch(self, dataset: str, series: Collection[str], size: int) -> None:
        """These series changed; `size` bytes were read for it."""
        raise NotImplementedError

    def take(self, applied: int) -> bool:
        """Copy what changed, if a checkpoint at `applied` is allowed, worth its bytes and none is pending."""
        raise NotImplementedError

    def slabs(self, confirmed: int) -> Sequence[Record]:
        """The slabs to send, once, when all flags below the checkpoint are confirmed; empty before and after."""
        raise NotImplementedError

    def marker(self, offsets: Sequence[int]) -> Record:
        """The marker to send when all slabs are confirmed, `offsets` in the order of the records."""
        raise NotImplementedError

    def finish(self) -> None:
        """The marker is confirmed: the next checkpoint may be taken."""
        raise NotImplementedError
