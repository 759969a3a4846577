"""The order of what has come, without a workshop at work: nothing begins, and so nothing ends, meanwhile."""

from __future__ import annotations

import shutil

import pytest

from config.settings import FILES
from schemas.admin import Accepted, Options
from stream_app.admin.cleaning import Cleaning
from stream_app.admin.failures import Missing, TooOften, Unusable
from stream_app.admin.incoming import Arrived
from stream_app.admin.job_events import Standing
from stream_app.admin.parts import Parts, assemble
from tests.stream_app.admin.service import readings, settings
from tests.watchers import wait_until

LATER = "2999-01-01T00:00:00.000Z"
OWNER, DATASET = "local", "pumps"


@pytest.fixture
def parts(tmp_path):
    """A service at rest, with room for two that wait."""
    parts = assemble(settings(tmp_path, jobs_waiting_cap=2), FILES / "detectors")
    yield parts
    parts.database.close()


def sent(parts: Parts, name: str = "a.csv", key: str | None = None, seed: int = 7) -> Accepted:
    """An upload that has arrived."""
    parts.folders.tidy()
    path = parts.folders.incoming / "it"
    content = readings(seed=seed)
    path.write_bytes(content)
    accepted, _ = parts.uploads.accept(OWNER, DATASET, Arrived(path, len(content), str(seed)), name, Options(), key)
    return accepted


def set_the_clock_back(parts: Parts) -> None:
    """All that is on record was made at what is a later time now."""
    for table in ("uploads", "jobs"):
        parts.database.run(f"UPDATE {table} SET created = ?", LATER)


def test_what_comes_after_the_clock_was_set_back_is_the_newest(parts):
    """It waits behind the one before, is listed above it, is trained on again, and its file stays."""
    first = sent(parts, "first.csv").job
    set_the_clock_back(parts)
    second = sent(parts, "second.csv", seed=8).job
    assert second.waiting == 1
    assert [row["id"] for row in parts.jobs.newest(OWNER)] == [second.id, first.id]
    assert parts.catalogue.one(OWNER, DATASET).file == "second.csv"
    taken = parts.jobs.take()
    assert taken is not None
    assert taken["id"] == first.id
    for job in (first, second):
        parts.jobs.end(job.id, "failed", Standing())
    Cleaning(parts.database, parts.folders, kept=1).clean(OWNER, DATASET)
    kept = [parts.folders.upload(OWNER, DATASET, job.upload).exists() for job in (first, second)]
    assert kept == [False, True]


def test_a_request_that_is_sent_again_has_its_job_though_the_queue_is_full(parts):
    """Its key says that it waits already; another request with the key is another, and without it there is no room."""
    sent(parts)
    job = sent(parts, key="k").job
    parts.uploads.check(OWNER, DATASET, Options(), "k")  # before the file has come
    assert sent(parts, key="k").job.id == job.id
    with pytest.raises(Unusable, match="another request"):
        sent(parts, key="k", seed=8)
    for key in (None, "new"):
        with pytest.raises(TooOften):
            sent(parts, key=key)


def test_a_training_that_is_asked_for_again_is_the_same_though_a_newer_upload_has_come(parts):
    """What was sent is compared, not what it meant when it came."""
    first = sent(parts).job
    accepted, is_new = parts.uploads.again(OWNER, DATASET, Options(), "z")
    assert is_new
    parts.jobs.cancel_waiting(first.id)
    sent(parts, seed=8)
    same, is_new = parts.uploads.again(OWNER, DATASET, Options(), "z")
    assert (same.job.id, is_new) == (accepted.job.id, False)
    with pytest.raises(Unusable, match="another request"):
        parts.uploads.again(OWNER, DATASET, Options(promote=False), "z")


def test_an_upload_whose_file_somebody_removed_is_asked_for_again(parts):
    """It is on record, and can not be trained on: neither once more, nor by the job that waits for it."""
    job = sent(parts).job
    shutil.rmtree(parts.folders.upload(OWNER, DATASET, job.upload))
    with pytest.raises(Missing, match=f"upload {job.upload} .* upload it again"):
        parts.uploads.again(OWNER, DATASET, Options(), None)
    parts.workshop.start()
    wait_until(lambda: parts.jobs.find(OWNER, job.id)["state"] == "failed", "it fails", 20)
    parts.workshop.stop()
    assert "upload it again" in parts.jobs.find(OWNER, job.id)["error"]


def test_an_upload_that_is_not_on_record_is_swept_away(parts):
    """The service was killed between putting it there and saying so; what is on record stays."""
    upload = sent(parts).job.upload
    kept, orphan = (parts.folders.upload(OWNER, DATASET, name) for name in (upload, "orphan"))
    shutil.copytree(kept, orphan)
    parts.workshop.rest()
    parts.workshop.start()
    parts.workshop.stop()
    assert (kept.exists(), orphan.exists()) == (True, False)
