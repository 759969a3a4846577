"""The slow, obvious way to compute what the code computes fast: what its results are held against."""

from __future__ import annotations


def faults_found(
    faults: list[tuple[str, int, int]], flags: list[tuple[str, int]], window: int
) -> tuple[list[int | None], int]:
    """Delays of faults (series, start, end), None for a missed one, and how many false alarms, instant by instant."""
    delays: list[int | None] = []
    explained = set()
    for series, start, end in faults:
        delay = None
        for instant in range(start, end + window + 1):
            if (series, instant) in flags:
                explained.add((series, instant))
                delay = instant - start if delay is None else delay
        delays.append(delay)
    false_alarms = 0
    for series, instant in flags:
        if (series, instant) not in explained:
            before = [(series, instant - back) for back in range(1, window + 1)]
            false_alarms += not any(each in flags and each not in explained for each in before)
    return delays, false_alarms
