"""Every store passes the same suite; a new one adds its line to STORES."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.store import open_store
from models.store.base import REMEMBERED, Store, StoreError, release_id, rollback
from models.store.local import LocalStore
from tests.checks.stores import CHECKS, publish
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


NAMES = [f"20260829T1015{number:02}Z-3f2a91" for number in range(REMEMBERED + 2)]


@given(st.lists(st.sampled_from([*NAMES[:4], None]), max_size=12))
def test_each_roll_back_goes_one_further_back(moves: list[str | None]):
    """Whatever was promoted, and rolled back (None): to what served last of all that was not rolled back from since."""
    store = MemoryStore()
    publish(store, *NAMES[:4])
    served: list[str] = []  # the slow way: by when each served last
    for move in [*moves, *[None] * 5]:
        if move is not None:
            served = [*(each for each in served if each != move), move]
            assert store.promote("pumps", move).release == move
        elif len(served) > 1:
            served.pop()
            assert rollback(store, "pumps").release == served[-1]
        else:
            with pytest.raises(StoreError, match="no earlier champion"):
                rollback(store, "pumps")


def test_so_many_earlier_champions_are_remembered():
    """The longest ago are forgotten."""
    store = MemoryStore()
    publish(store, *NAMES)
    for release in NAMES:
        store.promote("pumps", release)
    champion = store.champion("pumps")
    assert champion is not None
    assert champion.previous == NAMES[1:-1]


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
