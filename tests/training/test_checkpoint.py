"""Checkpoints: whole and of the same training, or not there at all."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training import checkpoint

SNAPSHOT = {"weights": torch.arange(6.0), "shuffle": {"state": 2**127 + 1}, "torch": torch.get_rng_state()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    """The bytes of a checkpoint."""
    file = tmp_path_factory.mktemp("checkpoint") / "whole"
    checkpoint.save(file, "this", SNAPSHOT)
    return bytes(file.read_bytes())


def test_what_was_saved_is_loaded(tmp_path):
    """Tensors and the large numbers of a generator's state."""
    checkpoint.save(tmp_path / "file", "this", SNAPSHOT)
    found = checkpoint.load(tmp_path / "file", "this")
    assert found is not None
    assert str(found) == str(SNAPSHOT)


def test_one_of_another_training_is_none(tmp_path):
    """Other data or another config: what was learnt is of no use."""
    checkpoint.save(tmp_path / "file", "this", SNAPSHOT)
    assert checkpoint.load(tmp_path / "file", "that") is None
    assert checkpoint.load(tmp_path / "nowhere", "this") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_one_is_none(whole, tmp_path, data):
    """Cut off anywhere, or with any bit turned, which torch itself would load."""
    at = data.draw(st.integers(0, len(whole) - 1))
    turned = bytearray(whole)
    turned[at] ^= 1 << data.draw(st.integers(0, 7))
    for damaged in (whole[:at], bytes(turned)):
        (tmp_path / "file").write_bytes(damaged)
        assert checkpoint.load(tmp_path / "file", "this") is None


def test_whoever_is_killed_while_writing_leaves_the_one_before(tmp_path):
    """What is half written lies beside it, under another name, and is written over by the next."""
    checkpoint.save(tmp_path / "file", "this", {"epoch": 1})
    (tmp_path / ".file.new").write_bytes(b"half")
    assert checkpoint.load(tmp_path / "file", "this") == {"epoch": 1}
    checkpoint.save(tmp_path / "file", "this", {"epoch": 2})
    assert checkpoint.load(tmp_path / "file", "this") == {"epoch": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
