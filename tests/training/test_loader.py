"""Windows on disk: rows, where each window begins, and what is written out for people."""

from __future__ import annotations

import numpy as np

from training import loader
from training.artifacts import Artifacts

SIZE = 4
ROWS = np.arange(60, dtype=np.float32).reshape(30, 2)
STARTS = {"train": np.array([0, 1, 2, 7]), "validation": np.array([9]), "test": np.array([20, 26])}


def save(artifacts: Artifacts, limit: int = 10**9) -> None:
    """Lay down the rows, then their windows."""
    loader.create(artifacts, *ROWS.shape)[:] = ROWS
    loader.save(artifacts, STARTS, SIZE, limit)


def test_windows_come_back(tmp_path):
    """A window is its rows."""
    artifacts = Artifacts(tmp_path).make()
    save(artifacts)
    for part, starts in STARTS.items():
        windows = loader.load(artifacts, part, SIZE)
        taken = windows.take(np.arange(len(windows)))
        np.testing.assert_array_equal(taken, [ROWS[start : start + SIZE] for start in starts])
        assert taken.dtype == np.float32


def test_what_is_written_out_is_what_the_networks_see(tmp_path):
    """Window by window."""
    artifacts = Artifacts(tmp_path).make()
    save(artifacts)
    windows = loader.load(artifacts, "train", SIZE)
    np.testing.assert_array_equal(np.load(artifacts.loader("X_train")), windows.take(np.arange(4)))


def test_targets_are_links_to_the_inputs(tmp_path):
    """An autoencoder's target is its input, and costs nothing on disk."""
    artifacts = Artifacts(tmp_path).make()
    save(artifacts)
    for part in ("train", "val", "test"):
        assert artifacts.loader(f"X_{part}").samefile(artifacts.loader(f"y_{part}"))
    assert np.load(artifacts.loader("X_train")).shape == (4, SIZE, 2)


def test_large_data_is_written_once(tmp_path):
    """Above the limit there are the rows and where each window begins, and nothing else."""
    artifacts = Artifacts(tmp_path).make()
    save(artifacts, limit=0)
    names = {path.name for path in artifacts.loader("rows").parent.iterdir()}
    assert names == {"rows.npy", "starts_train.npy", "starts_val.npy", "starts_test.npy"}
