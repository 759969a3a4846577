"""What was understood, on a screen: names stand as they are, and do nothing else."""

from __future__ import annotations

import pytest
from rich.console import Console

from tests.training.files import check_refused
from training import ingest
from training.health import examine
from training.understood import facts_grid, features_grid

NAMES = ("flow [bar]", "b:smile:", "a\x1b[31mX", "c\nd")
SHOWN = ("flow [bar]", "b:smile:", r"a\x1b[31mX", r"c\nd")


@pytest.fixture
def file(tmp_path):
    """A constant, and missing values, of each name."""
    file = tmp_path / "pump.csv"
    header = ",".join(f'"{name}"' for name in NAMES)
    file.write_text(
        f"time,{header}\n" + "".join(f"{second},1,,1,\n{second + 1},1,2,,2\n" for second in range(0, 40, 2))
    )
    return file


def test_names_are_no_markup(file):
    """Units in brackets are seen, and a row of the table is a line."""
    table = ingest.read(file)
    assert table.features == NAMES
    health = examine(table.series, table.features, table.interval_us)
    console = Console(width=100, color_system="standard", force_terminal=True, no_color=True)
    with console.capture() as capture:
        console.print(features_grid(health))
    lines = capture.get().splitlines()[1:]
    assert tuple(line[2:13].rstrip() for line in lines) == SHOWN
    with console.capture() as capture:
        console.print(facts_grid(table, health))
    facts = capture.get()
    assert all(name in facts for name in SHOWN)


def test_notes_and_errors_are_printable(file):
    """Whoever shows them."""
    file.write_text("a,b\x1b[2J\n1,x\n2,y\n")
    assert ingest.read(file).notes == (r"column 'b\x1b[2J' is ignored: it holds text ('x', 'y')",)
    check_refused(lambda: ingest.read(file, ingest.Wanted(time="c\n\x1b")), r"has no column 'c\n\x1b' (--time)")
