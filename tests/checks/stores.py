"""What every store must do: each check takes an empty store."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from models.manifest import MANIFEST, BundleError, digest
from models.store.base import (
    NameRefused,
    ReleaseExists,
    ReleaseMissing,
    Store,
    StoreConflict,
    StoreError,
    check_whole,
    rollback,
)
from schemas.manifest import FORMAT, Champion, Manifest

OLD, MIDDLE, NEW = "20260829T101500Z-3f2a91", "20260829T101501Z-000000", "20270101T000000Z-ffffff"
BAD_NAMES = [
    "",
    ".",
    "..",
    "../pumps",
    "a/b",
    "/etc",
    "a\\b",
    ".hidden",
    "-dash",
    "a b",
    "pumps\n",
    "a\x00b",
    "x" * 101,
]


def release_files(dataset: str, release: str, content: bytes = b"{}") -> dict[str, bytes]:
    """A release that is whole, though no detector is in it."""
    files = {"scaler.json": content, "lstm_ae.pth": b"tensors" + content}
    manifest = Manifest(
        format=FORMAT,
        release=release,
        dataset=dataset,
        created="2026-08-29T10:15:00Z",
        features=["temp"],
        window=4,
        stride=1,
        code_version="test",
        config_digest="",
        files={name: digest(each) for name, each in files.items()},
        golden=[],
    )
    return files | {MANIFEST: msgspec.json.encode(manifest)}


def publish(store: Store, *releases: str, dataset: str = "pumps") -> None:
    """Publish small releases of these names."""
    for release in releases:
        store.publish(dataset, release, release_files(dataset, release))


def check_keeps_what_is_published(store: Store) -> None:
    """A release comes back byte for byte."""
    files = release_files("pumps", OLD, bytes(range(256)) * 1000)
    store.publish("pumps", OLD, files)
    assert store.fetch("pumps", OLD) == files


def check_never_changes_a_release(store: Store) -> None:
    """A name that is taken is refused, and what it names stays."""
    publish(store, OLD)
    with pytest.raises(ReleaseExists):
        store.publish("pumps", OLD, release_files("pumps", OLD, b"other"))
    assert store.fetch("pumps", OLD) == release_files("pumps", OLD)


def check_refuses_a_release_that_is_not_whole(store: Store) -> None:
    """A file damaged, missing or added, or another release's name, and nothing is kept."""
    files = release_files("pumps", OLD)
    broken = [
        files | {"scaler.json": b"[]"},
        {name: content for name, content in files.items() if name != "lstm_ae.pth"},
        files | {"gru_ae.pth": b""},
        release_files("pumps", NEW),
        release_files("fans", OLD),
        {},
    ]
    for each in broken:
        with pytest.raises(BundleError):
            store.publish("pumps", OLD, each)
    assert store.releases() == []


def check_says_what_is_missing(store: Store) -> None:
    """A release that is not there can be neither fetched nor promoted."""
    for ask in (store.fetch, store.promote):
        with pytest.raises(ReleaseMissing, match=OLD):
            ask("pumps", OLD)
    assert store.champion("pumps") is None


def check_lists_oldest_first(store: Store) -> None:
    """Releases are listed by time, of one dataset or of all."""
    publish(store, NEW, OLD)
    publish(store, MIDDLE, dataset="fans")
    assert store.releases() == [("pumps", OLD), ("fans", MIDDLE), ("pumps", NEW)]
    assert store.releases("pumps") == [("pumps", OLD), ("pumps", NEW)]
    assert store.releases("valves") == []


def check_promotes(store: Store) -> None:
    """The pointer names the release, counts promotions, and remembers who served before, newest last."""
    publish(store, OLD, MIDDLE, NEW)
    assert store.champion("pumps") is None
    for version, release in enumerate([MIDDLE, OLD, NEW], start=1):
        champion = store.promote("pumps", release)
        assert champion == store.champion("pumps")
        assert (champion.release, champion.version) == (release, version)
    assert champion.previous == [MIDDLE, OLD]


def check_promoting_the_champion_changes_nothing(store: Store) -> None:
    """A promotion said twice counts once."""
    publish(store, OLD)
    assert store.promote("pumps", OLD) == store.promote("pumps", OLD) == Champion(OLD, 1, [])


def check_datasets_are_apart(store: Store) -> None:
    """One dataset's champion is nobody else's."""
    publish(store, OLD)
    publish(store, OLD, dataset="fans")
    store.promote("pumps", OLD)
    assert store.champion("fans") is None


def check_compares_before_it_sets(store: Store) -> None:
    """A promotion that expects another version is refused, and the pointer stays."""
    publish(store, OLD, NEW)
    store.promote("pumps", OLD, expected=0)
    for wrong in (0, 2):
        with pytest.raises(StoreConflict, match="version 1"):
            store.promote("pumps", NEW, expected=wrong)
    assert store.champion("pumps") == Champion(OLD, 1, [])
    assert store.promote("pumps", NEW, expected=1).version == 2


def check_rolls_back(store: Store) -> None:
    """Rolling back goes one champion back each time, never forward again, and stops at the first."""
    publish(store, OLD, MIDDLE, NEW)
    for release in (OLD, MIDDLE, NEW):
        store.promote("pumps", release)
    assert rollback(store, "pumps") == Champion(MIDDLE, 4, [OLD])
    assert rollback(store, "pumps") == Champion(OLD, 5, [])
    with pytest.raises(StoreError, match="no earlier champion"):
        rollback(store, "pumps")


def check_rolls_back_from_an_older_release(store: Store) -> None:
    """After an older one was promoted, it goes to what served until then, and never again to the older one."""
    publish(store, OLD, MIDDLE, NEW)
    for release in (OLD, MIDDLE, NEW, OLD):
        store.promote("pumps", release)
    assert rollback(store, "pumps") == Champion(NEW, 5, [MIDDLE])
    assert rollback(store, "pumps") == Champion(MIDDLE, 6, [])


def check_what_was_rolled_back_from_can_be_promoted(store: Store) -> None:
    """Promoted by its name it serves again, and a roll back undoes that, too."""
    publish(store, OLD, NEW)
    for release in (OLD, NEW):
        store.promote("pumps", release)
    assert rollback(store, "pumps") == Champion(OLD, 3, [])
    assert store.promote("pumps", NEW) == Champion(NEW, 4, [OLD])
    assert rollback(store, "pumps") == Champion(OLD, 5, [])


def check_refuses_names_that_are_paths(store: Store) -> None:
    """A name from Kafka can not leave the store, nor be mistaken for something in it."""
    for name in BAD_NAMES:
        for ask in (store.releases, store.champion, lambda dataset: store.promote(dataset, OLD)):
            with pytest.raises(NameRefused):
                ask(name)
        with pytest.raises(NameRefused):
            store.publish(name, OLD, release_files(name, OLD))
        with pytest.raises(NameRefused):
            store.fetch("pumps", name)


def check_one_of_many_publishes(store: Store) -> None:
    """When many publish one name at once, one succeeds, and what is kept is all his."""
    contents = [bytes([number]) * 10_000 for number in range(16)]

    def attempt(content: bytes) -> bool:
        try:
            store.publish("pumps", OLD, release_files("pumps", OLD, content))
        except ReleaseExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, contents))
    assert won.count(True) == 1
    assert store.fetch("pumps", OLD) == release_files("pumps", OLD, contents[won.index(True)])


def check_racing_promotions_are_counted(store: Store) -> None:
    """Of many that expect the same version one wins: the version counts the winners, and the pointer is whole."""
    names = [f"20260829T1015{number:02}Z-3f2a91" for number in range(12)]
    publish(store, *names)

    def attempt(release: str) -> int:
        current = store.champion("pumps")
        try:
            store.promote("pumps", release, expected=current.version if current else 0)
        except StoreConflict:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        won = sum(pool.map(attempt, names))
    champion = store.champion("pumps")
    assert champion is not None
    assert champion.version == won == len(champion.previous) + 1
    check_whole("pumps", champion.release, store.fetch("pumps", champion.release))


CHECKS: list[Callable[[Store], None]] = [
    check_keeps_what_is_published,
    check_never_changes_a_release,
    check_refuses_a_release_that_is_not_whole,
    check_says_what_is_missing,
    check_lists_oldest_first,
    check_promotes,
    check_promoting_the_champion_changes_nothing,
    check_datasets_are_apart,
    check_compares_before_it_sets,
    check_rolls_back,
    check_rolls_back_from_an_older_release,
    check_what_was_rolled_back_from_can_be_promoted,
    check_refuses_names_that_are_paths,
    check_one_of_many_publishes,
    check_racing_promotions_are_counted,
]
