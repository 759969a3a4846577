"""Every store passes the same suite; a new one adds its line to STORES."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.store import open_store
from models.store.base import Store, StoreError, release_id, succeed
from models.store.local import LocalStore
from schemas.manifest import Champion
from tests.checks.stores import CHECKS
from tests.fakes import MemoryStore

STORES: dict[str, Callable[[Path], Store]] = {
    "local": LocalStore,
    "memory": lambda _: MemoryStore(),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("kind", STORES)
def test_store(kind: str, check: Callable[[Store], None], tmp_path: Path):
    """The check holds for this store."""
    check(STORES[kind](tmp_path))


@given(st.lists(st.sampled_from("abcd"), min_size=1))
def test_the_pointer_remembers_each_release_once(releases: list[str]):
    """Whatever is promoted in whatever order, earlier champions are named once each, and never the one that serves."""
    current: Champion | None = None
    for count, release in enumerate(releases, start=1):
        current = succeed("pumps", current, release, None)
        assert current.release == release
        assert current.version <= count
        assert len({*current.previous, release}) == len(current.previous) + 1


def test_a_url_names_the_store(tmp_path: Path):
    """`dir:` opens a folder; what this version can not open is refused with what it can."""
    store = open_store(f"dir:{tmp_path}")
    assert isinstance(store, LocalStore)
    assert store.root == tmp_path
    for url in ("s3://bucket/prefix", "dir:", "var/store", ""):
        with pytest.raises(StoreError, match="dir:"):
            open_store(url)


def test_release_names_sort_by_time():
    """A name holds the second it was made in, and tells apart what was made in the same one."""
    early, late = datetime(2026, 8, 29, 10, 15, tzinfo=UTC), datetime(2026, 8, 29, 10, 15, 1, tzinfo=UTC)
    assert release_id(early, b"a").startswith("20260829T101500Z-")
    assert release_id(early, b"a") != release_id(early, b"b")
    assert max(release_id(early, bytes([each])) for each in range(50)) < release_id(late, b"")
