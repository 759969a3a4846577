"""What the stages hold of a large data set, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.large import FEATURES, write

ROWS = 1_000_000
ONE_COPY = ROWS * FEATURES * 8  # bytes
BLOCKS = 100 << 20  # of text and of rows, whatever the size of the file
STAGES = """
import sys
from pathlib import Path
from schemas.training import TrainingConfig
from training import ingest, preprocess
from training.artifacts import Artifacts

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024

file, folder = map(Path, sys.argv[1:])
before = peak()
artifacts = Artifacts(folder).make()
ingest.run(artifacts, file, ingest.Wanted())
read = peak()
preprocess.run(artifacts, TrainingConfig.model_validate({"window": {"size": 64}}))
print(read - before, peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak of a process so")
@pytest.mark.slow
@pytest.mark.parametrize(("form", "series"), [("csv", 100), ("parquet", 1)])
def test_the_first_stages_hold_few_copies(tmp_path, form, series):
    """A million rows of 8 features: four times their bytes to read them, five to cut them, beside blocks.

    With windows of 64 rows there are too many to be written out: rows are memory-mapped, which counts here, too.
    """
    file = write(tmp_path / f"large.{form}", ROWS, series)
    command = [sys.executable, "-c", STAGES, str(file), str(tmp_path / "run")]
    read, cut = map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert ONE_COPY < read < 4 * ONE_COPY + BLOCKS
    assert ONE_COPY < cut < 5 * ONE_COPY + BLOCKS
