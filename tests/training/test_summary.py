"""The closing table: the injected block, and what is said of labels."""

from __future__ import annotations

from msgspec import structs
from rich.console import Console

from schemas.evaluation import Evaluation, FlagRate, Injected, Labelled
from schemas.reference import ThresholdMeta
from training.outcome import Outcome
from training.summary import _agreement, figures, injected_grid


def injected(kind: str, size: float, unit: str, found: int, delay: float | None) -> Injected:
    """Of twenty tries."""
    return Injected(kind, size, unit, 20, found, found / 20, delay, 1)


def printed(grid: object) -> list[str]:
    """What is on the screen."""
    console = Console(width=100)
    with console.capture() as capture:
        console.print(grid)
    return capture.get().splitlines()


def test_kinds_are_rows_and_sizes_are_columns():
    """Sizes in deviations first, then durations; a size that was not tried of a kind stays empty, in its own column."""
    found = [
        injected("spike", 1, "sd", 0, None),
        injected("spike", 8, "sd", 20, 0),
        injected("stuck", 16, "rows", 5, 12.5),
        injected("lost correlation", 8, "rows", 1, 3),
        injected("lost correlation", 16, "rows", 10, 9),
    ]
    assert [" ".join(line.split()) for line in printed(injected_grid(found))] == [
        "injected 1 sd 8 sd",
        "spike 0% 100% +0",
        "8 rows 16 rows",
        "stuck 25% +12",
        "lost correlation 5% +3 50% +9",
    ]
    stuck = printed(injected_grid(found))[3]
    assert stuck.rstrip().endswith("25% +12")
    assert stuck.index("25%") > printed(injected_grid(found))[4].index("5% +3")


def test_labels_without_an_event_leave_the_injected_block():
    """They say that all is normal, which no ranking can be made of."""
    normal = Labelled(200, 0, None, None, None, None, None, 0.0, 0.01, 0.0, 0, 0, None, None, {"lstm_ae": None})
    rate = FlagRate(0.01, 200, 2, 0.01)
    meta = ThresholdMeta("budget", 0.01, 1.5)
    for labels, expected in ((normal, "injected"), (structs.replace(normal, events=1, anomalous=9), "ranking")):
        evaluation = Evaluation(rate, labels, [], {})
        lines = figures(Outcome({}, meta, evaluation, None))  # type: ignore[arg-type]
        assert lines[2][0] == expected


def test_what_labels_say_names_what_it_was_measured_on():
    """Chance stands beside what must beat it, and what is not defined is a dash."""
    found = Labelled(200, 20, None, None, None, None, None, 0.5, 0.01, 0.4, 3, 2, 2 / 3, 7.0, {}, windows_before=50)
    lines = dict(_agreement(found))
    assert "VUS-PR -, AUC-PR - (chance is 0.100)" in lines["ranking"]
    assert "false alarms 1.00% of normal windows, missed 40.00%" in lines["flags"]
    assert lines["events"] == "2 of 3 found, at the median 7 readings after they began"
    assert lines["measured on"].startswith("150 windows of the test part, where all labels say the same, and 50 before")
