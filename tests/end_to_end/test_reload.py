"""A release promoted in mid-stream: it serves within seconds, windows survive, nothing is lost; a broken one never."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from models.store.local import POINTER, LocalStore
from schemas.flag import Flag
from schemas.manifest import Champion
from tests.end_to_end.agreement import close, disagreements, first_occurrences, name, successions
from tests.end_to_end.rig import Rig, Trained, at, scored, tidewatch, train
from tests.kafka_fixture import KafkaAtHand
from tests.worker_process import WorkerProcess

pytestmark = pytest.mark.kafka

RATE = 600
SECONDS = 10  # within which a release serves that was promoted


@pytest.fixture(scope="module")
def two_releases(plant: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plant's store with a second release, which does not serve."""
    store = Path(shutil.copytree(plant.store, tmp_path_factory.mktemp("two-releases") / "store"))
    train(plant.dataset, plant.history, store, "--no-promote", "--set", "training.seed=8")
    return store


@pytest.fixture
def rig(kafka: KafkaAtHand, two_releases: Path, tmp_path: Path) -> Rig:
    """Topics of its own over a store of its own."""
    return Rig(kafka, tmp_path, Path(shutil.copytree(two_releases, tmp_path / "store")))


def test_a_release_is_promoted_in_mid_stream(rig: Rig, plant: Trained):
    """Each series is judged by the first and then by the second one, whose first window is as whole as the others."""
    first, second = [release for _, release in LocalStore(rig.store).releases(plant.dataset)]
    messages = plant.messages
    with rig.worker() as worker:
        rig.send(messages[:2000])
        worker.wait_ready()
        serves(worker, first)
        with rig.sending(messages[2000:6000], RATE):
            tidewatch("releases", "promote", plant.dataset, second, environment=at(rig.store))
            serves(worker, second)
        rig.send(messages[6000:])
        published = rig.published(plant.flags)
        assert "windows are kept" in worker.log
    assert successions(published) == {(first, second)}
    before = [flag for flag in published if flag.release == first]
    ids = {flag.id for flag in before}
    assert disagreements(before, [flag for flag in plant.flags if flag.id in ids]) == []
    wanted = {flag.id: flag for flag in scored(plant.data, plant.dataset, rig.store, "--release", second)}
    assert {flag.id for flag in published} == wanted.keys()
    after = [flag for flag in published if flag.release == second]  # its thresholds and held scores began anew
    assert [name(flag) for flag in after if not same_members(flag, wanted[flag.id])] == []
    assert [name(flag) for flag in after if not at_most(flag.score, wanted[flag.id].score)] == []
    settled = [flag for flag in after if flag.timestamp >= after[len(after) // 2].timestamp]
    assert [name(flag) for flag in settled if not close(flag.score, wanted[flag.id].score)] == []
    assert len(first_occurrences(published)) == len(published)


def test_a_broken_release_is_refused(rig: Rig, plant: Trained):
    """With a byte changed on the disk, and the pointer written by hand: counted, said, and the old one serves on."""
    first, second = [release for _, release in LocalStore(rig.store).releases(plant.dataset)]
    change_a_byte(rig.store / plant.dataset / second / "gru_ae.pth")
    messages = plant.messages
    with rig.worker() as worker:
        rig.send(messages[:2000])
        worker.wait_ready()
        serves(worker, first)
        with rig.sending(messages[2000:6000], RATE):
            pointer = msgspec.json.encode(Champion(second, 2, [first]))
            (rig.store / plant.dataset / POINTER).write_bytes(pointer)
            worker.wait_until(lambda: worker.metric("releases_refused_total", dataset=plant.dataset) == 1, SECONDS)
        rig.send(messages[6000:])
        assert disagreements(rig.published(plant.flags), plant.flags) == []
        assert f"release {second} of dataset 'plant' is refused: " in worker.log
        assert worker.answer("/healthz")[0] == 200
        assert worker.metric("releases_refused_total", dataset=plant.dataset) == 1
        serves(worker, first)


def same_members(one: Flag, other: Flag) -> bool:
    """Whether each member scored the window alike."""
    return all(close(score, other.model_scores[member]) for member, score in one.model_scores.items())


def at_most(score: float, other: float) -> bool:
    """Not above the other, but for rounding."""
    return score < other or close(score, other)


def serves(worker: WorkerProcess, release: str) -> None:
    """Wait until this release is in service."""
    worker.wait_until(lambda: worker.metric("release_info", release=release) == 1, SECONDS)


def change_a_byte(file: Path) -> None:
    """In the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
