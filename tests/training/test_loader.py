"""Windows on disk, written out or as rows with an index: what is taken is the same."""

from __future__ import annotations

import numpy as np
import pytest

from training import loader
from training.artifacts import Artifacts

SIZE = 4
ROWS = np.arange(60, dtype=np.float32).reshape(30, 2)
STARTS = {"train": np.array([0, 1, 2, 7]), "validation": np.array([9]), "test": np.array([20, 26])}


def save(artifacts: Artifacts, limit: int = 10**9) -> None:
    """Lay down the rows, then their windows."""
    loader.create(artifacts, *ROWS.shape)[:] = ROWS
    loader.save(artifacts, STARTS, SIZE, limit)


@pytest.mark.parametrize("limit", [10**9, 0])
def test_windows_come_back(tmp_path, limit):
    """Whether written out or not, a window is its rows."""
    artifacts = Artifacts(tmp_path).make()
    save(artifacts, limit)
    for part, starts in STARTS.items():
        windows = loader.load(artifacts, part, SIZE)
        taken = windows.take(np.arange(len(windows)))
        np.testing.assert_array_equal(taken, [ROWS[start : start + SIZE] for start in starts])
        assert taken.dtype == np.float32


def test_targets_are_links_to_the_inputs(tmp_path):
    """An autoencoder's target is its input, and costs nothing on disk."""
    artifacts = Artifacts(tmp_path).make()
    save(artifacts)
    for part in ("train", "val", "test"):
        assert artifacts.loader(f"X_{part}").samefile(artifacts.loader(f"y_{part}"))
    assert np.load(artifacts.loader("X_train")).shape == (4, SIZE, 2)


def test_large_data_is_written_once(tmp_path):
    """Above the limit there are the rows, and where each window begins."""
    artifacts = Artifacts(tmp_path).make()
    save(artifacts, limit=0)
    names = {path.name for path in artifacts.loader("rows").parent.iterdir()}
    assert names == {"rows.npy", "starts_train.npy", "starts_val.npy", "starts_test.npy"}
