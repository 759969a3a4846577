"""The local store under crashes, full disks and other people's hands."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.manifest import BundleError
from models.store.base import ReleaseMissing, StoreBroken, StoreError, check_whole, rollback
from models.store.local import LEFTOVER_SECONDS, LocalStore
from schemas.manifest import Champion
from tests.checks.stores import MIDDLE, NEW, OLD, publish, release_files

LONGEST_PATH = os.pathconf("/", "PC_PATH_MAX") - 1  # without the byte that ends it

# Publishes and promotes NEW, and is killed before the call of the system that `point` counts to.
DYING_WRITER = """
import itertools, os, signal, sys
from pathlib import Path
from models.store.local import LocalStore
from tests.checks.stores import NEW, publish

count = itertools.count()

def dying(call):
    def called(*args, **named):
        if next(count) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **named)
    return called

store = LocalStore(Path(sys.argv[1]))
for name in ("mkdir", "fsync", "rename", "replace"):
    setattr(os, name, dying(getattr(os, name)))
publish(store, NEW)
store.promote("pumps", NEW)
"""

# Publishes NEW, or promotes it, where no file may be longer than so many bytes, and says what was refused.
SQUEEZED_WRITER = """
import resource, sys
from pathlib import Path
from models.store.base import StoreError
from models.store.local import LocalStore
from tests.checks.stores import NEW, release_files

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
store = LocalStore(Path(sys.argv[1]))
try:
    if sys.argv[3] == "publish":
        store.publish("pumps", NEW, release_files("pumps", NEW, b"x" * 5_000))
    else:
        store.promote("pumps", NEW)
except StoreError as error:
    print(error)
"""

# Moves the pointer thirty times, each time only from where it last saw it, and says how often it was the first.
RACING_WRITER = """
import sys
from pathlib import Path
from models.store.base import StoreConflict
from models.store.local import LocalStore
from tests.checks.stores import MIDDLE, NEW, OLD

store, won = LocalStore(Path(sys.argv[1])), 0
for turn in range(30):
    current = store.champion("pumps")
    other = [each for each in (OLD, MIDDLE, NEW) if each != current.release][turn % 2]
    try:
        store.promote("pumps", other, expected=current.version)
        won += 1
    except StoreConflict:
        pass
print(won)
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Run a script in a process of its own."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def finish(process: subprocess.Popen[str]) -> str:
    """What it printed; it must have ended well."""
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output.strip()


def assert_sound(store: LocalStore) -> str:
    """All that is listed is whole, and so is the champion, whose name is returned."""
    for dataset, release in store.releases():
        check_whole(dataset, release, store.fetch(dataset, release))
    champion = store.champion("pumps")
    assert champion is not None
    assert ("pumps", champion.release) in store.releases()
    return champion.release


def test_a_writer_killed_anywhere_breaks_nothing(tmp_path: Path):
    """Killed before each call that changes what is on the disk: the pointer names a whole release, and others go on."""
    served = []
    for point in range(100):
        store = LocalStore(tmp_path / str(point))
        publish(store, OLD)
        store.promote("pumps", OLD)
        writer = start(DYING_WRITER, store.root, point)
        writer.communicate(timeout=60)
        served.append(assert_sound(store))
        publish(store, MIDDLE)
        assert store.promote("pumps", MIDDLE).release == assert_sound(store)
        if writer.returncode == 0:
            break
        assert writer.returncode == -signal.SIGKILL
    assert len(served) > 8
    assert served == sorted(served)  # OLD up to some point, NEW from there on
    assert (served[0], served[-1]) == (OLD, NEW)


def test_a_full_disk_keeps_nothing_of_a_release(tmp_path: Path):
    """A release that does not fit is refused with the file it failed on, leaves no trace, and fits later."""
    store = LocalStore(tmp_path)
    publish(store, OLD)
    store.promote("pumps", OLD)
    assert "File too large" in finish(start(SQUEEZED_WRITER, tmp_path, 4_000, "publish"))
    assert assert_sound(store) == OLD
    assert not list(tmp_path.rglob(".new-*"))
    publish(store, NEW)


def test_a_release_that_can_not_be_written_is_named_as_it_would_be(tmp_path: Path):
    """Not by the folder that it is written in, of which nothing is left: here its files' paths would be too long."""
    root = tmp_path
    while (room := LONGEST_PATH - len(str(root / "pumps" / ".new-0123456789abcdef"))) > 1:
        root = root / ("x" * min(room - 1, 200))
    with pytest.raises(StoreBroken, match=rf"^pumps/{NEW} in the store of releases .*: File name too long"):
        publish(LocalStore(root), NEW)


def test_a_full_disk_leaves_the_pointer(tmp_path: Path):
    """A pointer that can not be written stays what it was."""
    store = LocalStore(tmp_path)
    publish(store, OLD, NEW)
    store.promote("pumps", OLD)
    assert "File too large" in finish(start(SQUEEZED_WRITER, tmp_path, 10, "promote"))
    assert assert_sound(store) == OLD
    assert not list(tmp_path.rglob(".new-*"))


def test_racing_processes_count_their_promotions(tmp_path: Path):
    """The pointer's version is one more than all promotions that three processes won from each other."""
    store = LocalStore(tmp_path)
    publish(store, OLD, MIDDLE, NEW)
    store.promote("pumps", OLD)
    writers = [start(RACING_WRITER, tmp_path) for _ in range(3)]
    won = sum(int(finish(writer)) for writer in writers)
    champion = store.champion("pumps")
    assert champion is not None
    assert champion.version == 1 + won


def test_leftovers_are_ignored_and_swept_when_old(tmp_path: Path):
    """What a dead writer left is not a release; the next writer removes it once it is old, and leaves the young."""
    store = LocalStore(tmp_path)
    old, young = tmp_path / "pumps" / ".new-old", tmp_path / "pumps" / ".new-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "scaler.json").write_bytes(b"half")
    past = time.time() - LEFTOVER_SECONDS - 1
    os.utime(old, (past, past))
    assert store.releases() == []
    publish(store, OLD)
    assert not old.exists()
    assert young.exists()


@pytest.mark.parametrize("name", ["scaler.json", "lstm_ae.pth", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_release_is_not_promoted(tmp_path: Path, name: str, damage: str):
    """Whatever happened to a file of a release after it was published, promotion notices, and the champion stays."""
    store = LocalStore(tmp_path)
    publish(store, OLD, NEW)
    store.promote("pumps", OLD)
    path = tmp_path / "pumps" / NEW / name
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(BundleError, match=name):
        store.promote("pumps", NEW)
    assert store.champion("pumps") == Champion(OLD, 1)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff\xfe", b'{"release": "../..", "version": 1}'])
def test_a_damaged_pointer_is_an_error_that_says_so(tmp_path: Path, content: bytes):
    """A pointer that somebody has edited is refused, never followed."""
    store = LocalStore(tmp_path)
    publish(store, OLD)
    (tmp_path / "pumps" / "champion.json").write_bytes(content)
    with pytest.raises(StoreError, match=r"champion.json|not a name"):
        store.champion("pumps")


def test_a_roll_back_to_what_somebody_has_removed_says_the_way_out(tmp_path: Path):
    """It is not passed over unsaid, and the champion stays."""
    store = LocalStore(tmp_path)
    publish(store, OLD, MIDDLE, NEW)
    for release in (OLD, MIDDLE, NEW):
        store.promote("pumps", release)
    shutil.rmtree(tmp_path / "pumps" / MIDDLE)
    with pytest.raises(ReleaseMissing, match=f"no release {MIDDLE}, which served before; promote another by its name"):
        rollback(store, "pumps")
    assert store.champion("pumps") == Champion(NEW, 3, [OLD, MIDDLE])


def test_a_store_where_a_file_stands_says_so(tmp_path: Path):
    """A store.url that is a file is refused with the system's reason; a file is named by where it is in the store."""
    says = (
        r"the store of releases \(store.url\): (Not a directory|File exists); whoever runs the store has to mend that"
    )
    for name in ("store", "pumps"):
        (tmp_path / name).write_text("not a folder")
    with pytest.raises(StoreBroken, match=f"^{says}"):
        LocalStore(tmp_path / "store").releases()
    for root in (tmp_path / "store", tmp_path):
        with pytest.raises(StoreBroken, match=f"^pumps in {says}"):
            LocalStore(root).publish("pumps", OLD, release_files("pumps", OLD))
