"""kill -9 of a training in each of its stages, and of the service while trainings are in several: no harm is done."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.store import open_store
from tests import tiny_release
from tests.stream_app.admin.process import AdminProcess
from tests.stream_app.admin.service import SMALL, Json, ended, readings, send
from tests.stream_app.admin.training_process import TrainingProcess, training_of
from tests.watchers import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

# Promotion is the end of the stage `package`: the release is in the store, and does not serve yet.
STAGES = ("ingest", "preprocess", "train", "evaluate", "package", "promote")
AT_A_SERVICE_S_END = ("train", "promote")
OPTIONS: Json = {"set": list(SMALL)}


class Killed:
    """A service, and trainings of it that are held still, each in a stage that its dataset is called after."""

    def __init__(self, service: AdminProcess, stages: tuple[str, ...]) -> None:
        self.service, self.store = service, open_store(f"dir:{service.folder / 'store'}")
        self.before = {stage: tiny_release.publish(self.store, stage) for stage in stages}
        self.jobs = {stage: send(service.client, stage, readings(), **OPTIONS).json()["job"]["id"] for stage in stages}
        with ThreadPoolExecutor(len(stages)) as pool:
            self.processes = dict(zip(stages, pool.map(self._held, stages), strict=True))

    def _held(self, stage: str) -> TrainingProcess:
        owned = self.service.folder / "admin" / "owners" / "local"
        process = training_of(owned / stage / "jobs" / self.jobs[stage])
        if stage == "promote":
            process.hold("package", lambda: len(self.store.releases(stage)) > 1)
        else:
            process.hold(stage)
        return process

    def serving(self, stage: str) -> str:
        """The release that scores, asked over HTTP."""
        rows = [[0.0, 1.0]] * tiny_release.WINDOW
        answer = self.service.client.post("/predict", json={"dataset": stage, "data": rows})
        return str(answer.json()["release"])


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    """Six trainings, each killed in its stage."""
    with AdminProcess(tmp_path_factory.mktemp("trainings"), jobs_at_once=len(STAGES)) as service:
        killed = Killed(service, STAGES)
        for process in killed.processes.values():
            process.kill()
        yield killed


@pytest.mark.parametrize("stage", STAGES)
def test_a_training_that_is_killed_has_failed_and_changed_nothing(trainings, stage):
    """The job says so, and in which stage it was; nothing of it goes on; the release before serves."""
    job = ended(trainings.service.client, trainings.jobs[stage])
    assert (job["state"], job["promoted"]) == ("failed", False)
    assert job["stage"] == ("package" if stage == "promote" else stage)
    assert "ended by signal 9" in job["error"]
    assert "again" in job["error"]
    assert trainings.processes[stage].is_gone
    assert trainings.serving(stage) == trainings.before[stage]


def test_the_next_training_serves(trainings):
    """On the upload of one that was killed between publishing and promoting, nothing is in its way."""
    again = trainings.service.client.post("/datasets/promote/jobs", json=OPTIONS).json()["job"]["id"]
    job = ended(trainings.service.client, again)
    assert (job["state"], job["promoted"]) == ("succeeded", True), job["log"]
    wait_until(lambda: trainings.serving("promote") == job["release"], "predictions go over to it", 30)


@pytest.mark.parametrize("stage", ["package", "report"])
def test_a_training_that_serves_is_not_cancelled(tmp_path, stage):
    """Told to end after its promotion, and before or after it has said so, it has succeeded: what it says is true."""
    with AdminProcess(tmp_path) as service:
        store = open_store(f"dir:{service.folder / 'store'}")
        job = send(service.client, "late", readings(), **OPTIONS).json()["job"]["id"]
        process = training_of(service.folder / "admin" / "owners" / "local" / "late" / "jobs" / job)
        process.hold(stage, lambda: store.champion("late") is not None)
        assert service.client.delete(f"/jobs/{job}").status_code == 202
        process.go_on()
        told = ended(service.client, job)
        champion = store.champion("late")
        assert champion is not None
        assert (told["state"], told["promoted"], told["release"]) == ("succeeded", True, champion.release)


@pytest.mark.parametrize("end", ["training", "service killed", "service told to end"])
def test_a_training_that_serves_has_succeeded_without_its_report(tmp_path, end):
    """Whatever ended it after its promotion: nothing asks for another training, and its page says what is missing."""
    with AdminProcess(tmp_path) as service:
        job = send(service.client, "late", readings(), **OPTIONS).json()["job"]["id"]
        process = training_of(service.folder / "admin" / "owners" / "local" / "late" / "jobs" / job)
        process.hold("report")
        if end == "training":
            process.kill()
        elif end == "service killed":
            service.kill()
            process.kill()
            service.start()
        else:
            service.tell_to_end()
            process.kill()
            service.stop()
            service.start()
        told = ended(service.client, job)
        assert (told["state"], told["promoted"], told["error"], told["has_report"]) == ("succeeded", True, None, False)
        page = service.client.get(f"/page/jobs/{job}").text
        assert "It failed" not in page
        assert "There is none: the training was ended before it was written" in page


def test_a_service_that_is_told_to_end_begins_nothing(tmp_path):
    """While somebody still follows a job that waits, another ends: the one that waits is the next service's."""
    with AdminProcess(tmp_path) as service:
        first, second = (
            send(service.client, name, readings(), **OPTIONS).json()["job"]["id"] for name in ("runs", "waits")
        )
        process = training_of(service.folder / "admin" / "owners" / "local" / "runs" / "jobs" / first)
        process.hold("report")
        with service.client.stream("GET", f"/jobs/{second}/events") as stream:
            lines = stream.iter_lines()  # which ends the connection when nobody holds it any more
            assert '"queued"' in next(line for line in lines if line.startswith("data: "))
            service.tell_to_end()
            process.go_on()
            wait_until(lambda: f"job {first} of dataset runs succeeded" in service.log, "the first ends", 30)
            service.stop()
        assert f"job {second} of dataset waits begins" not in service.log
        service.start()
        assert ended(service.client, second)["state"] == "succeeded"


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """A service killed while two trainings run, one waits, and an upload is half there; and its successor."""
    with AdminProcess(tmp_path_factory.mktemp("services"), jobs_at_once=len(AT_A_SERVICE_S_END)) as service:
        killed = Killed(service, AT_A_SERVICE_S_END)
        killed.jobs["waits"] = send(service.client, "promote", readings(), **OPTIONS).json()["job"]["id"]
        with socket.create_connection(("127.0.0.1", service.port)) as peer:
            head = "PUT /datasets/half/data HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90000\r\n\r\n"
            peer.sendall(head.encode() + readings())
            wait_until(lambda: any("incoming" in file for file in service.files), "half of it is there", 10)
            service.kill()
        for process in killed.processes.values():
            process.go_on()
        service.start()
        yield killed


@pytest.mark.parametrize("stage", AT_A_SERVICE_S_END)
def test_no_training_outlives_the_service(services, stage):
    """It ends by itself; the next service calls it failed, and says what to do; the release before serves."""
    wait_until(lambda: services.processes[stage].is_gone, "it has ended", 20)
    job = services.service.client.get(f"/jobs/{services.jobs[stage]}").json()
    why = "the service ended while it ran; upload or train it again"
    assert (job["state"], job["error"]) == (("succeeded", None) if job["promoted"] else ("failed", why))
    if stage != "promote":  # which the training that waited may have changed by now
        assert services.serving(stage) == services.before[stage]


def test_what_waited_is_done_by_the_next_service(services):
    """The next training after a promotion that was cut off succeeds; of the upload nothing is left."""
    assert not any("incoming" in file for file in services.service.files)
    assert services.service.client.get("/datasets/half").status_code == 404
    job = ended(services.service.client, services.jobs["waits"])
    assert (job["state"], job["promoted"]) == ("succeeded", True), job["log"]
    assert services.serving("promote") == job["release"]
