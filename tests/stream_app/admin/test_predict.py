"""Predictions over HTTP: a worker's scores, refusals that say the way out, and drift on /metrics."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from click.testing import CliRunner

from config.settings import Settings
from models.store import open_store
from monitoring.metrics import samples
from stream_app.cli import tidewatch
from tests import tiny_release
from tests.stream_app.admin.service import Json, problem, readings, served, settings
from tests.watchers import wait_until

ROWS = np.round(np.random.default_rng(3).normal(size=(60, 2)), 4)
ROWS[40] = 9.0


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    """Settings of a service with two releases of 'pumps', the second in service."""
    chosen = settings(tmp_path_factory.mktemp("predict"), predict_megabytes=8)
    for seed in (0, 1):
        tiny_release.publish(open_store(chosen.store.url), "pumps", seed)
    return chosen


@pytest.fixture(scope="module")
def client(chosen):
    """The service."""
    with served(chosen) as client:
        yield client


def ask(client: httpx.Client, data: list[list[float]] | None = None, **more: Any) -> httpx.Response:
    """Ask by JSON."""
    return client.post("/predict", json={"dataset": "pumps", "data": ROWS.tolist() if data is None else data} | more)


def as_csv(order: tuple[str, ...] = ("time", "temp", "other", "flow")) -> bytes:
    """The rows as a CSV, its columns in another order than the release's."""
    lines = [",".join(order)]
    for number, (flow, temp) in enumerate(ROWS.tolist()):
        row = {"time": f"2026-01-01T00:00:{number:02d}Z", "flow": flow, "temp": temp, "other": 1}
        lines.append(",".join(str(row[name]) for name in order))
    return "\n".join(lines).encode()


def scored(chosen: Settings, path: Path, *options: str) -> list[Json]:
    """What `tidewatch score`, which is tested to say what the worker says, says of a file."""
    command = ["score", "--data", str(path), "--dataset", "pumps", "--all", *options]
    result = CliRunner(mix_stderr=False).invoke(tidewatch, [*command, "--setting", f"store.url={chosen.store.url}"])
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_scores_are_the_workers(client, chosen, tmp_path):
    """The same numbers to the last bit, by JSON and by CSV, as the code of the worker gives for a file."""
    (tmp_path / "pumps.csv").write_bytes(as_csv())
    flags = scored(chosen, tmp_path / "pumps.csv")
    times = [f"2026-01-01T00:00:{second:02d}Z" for second in range(len(ROWS))]
    told = ask(client, timestamps=times).json()
    assert told["scores"] == [flag["score"] for flag in flags]
    assert told["thresholds"] == [flag["threshold"] for flag in flags]
    assert len(set(told["thresholds"])) > 1
    assert told["anomalies"] == [flag["flag"] for flag in flags]
    assert told["timestamps"] == [flag["timestamp"] for flag in flags]
    assert told["rows"] == list(range(tiny_release.WINDOW - 1, len(ROWS)))
    assert 1 in told["anomalies"]
    csv = client.post("/predict?dataset=pumps", content=as_csv(), headers={"content-type": "text/csv"}).json()
    assert csv == told


def test_flags_come_with_the_features_to_blame(client, chosen, tmp_path):
    """With attribution, each anomaly is the flag that a worker would publish."""
    (tmp_path / "pumps.csv").write_bytes(as_csv())
    flags = [flag for flag in scored(chosen, tmp_path / "pumps.csv") if flag["flag"]]
    content = gzip.compress(as_csv())
    told = client.post(
        "/predict?dataset=pumps&attribution=true", content=content, headers={"content-type": "application/gzip"}
    ).json()
    assert told["flags"] == flags
    assert flags


def test_rows_that_can_not_be_read_are_left_out(client):
    """As of an upload: the answer is that to the other rows, and tells these by line; many are too many."""
    lines, headers = as_csv().split(b"\n"), {"content-type": "text/csv"}
    path = "/predict?dataset=pumps"
    whole = client.post(path, content=b"\n".join(lines), headers=headers).json()
    assert (whole["rejected"], whole["rejected_count"]) == ([], 0)
    bad = [*lines[:20], b"2026-01-01T00:00:18.5Z,oops,1,2", b"2026-01-01T00:00:18.6Z,1", *lines[20:]]
    for content, kind in ((b"\n".join(bad), "text/csv"), (gzip.compress(b"\n".join(bad)), "application/gzip")):
        told = client.post(path, content=content, headers={"content-type": kind}).json()
        assert [row["line"] for row in told["rejected"]] == [21, 22]
        assert told["rejected"][0]["reason"] == "column 'temp': 'oops' is no number"
        assert told["rejected_count"] == 2
        assert {**told, "rejected": [], "rejected_count": 0} == whole
    many = client.post(path, content=b"\n".join([*lines, *[b"x"] * 4]), headers=headers)
    assert "too many to leave out" in problem(many, 422)


def test_a_threshold_and_a_release_on_request(client, chosen):
    """What is above the threshold is an anomaly; another release scores otherwise."""
    usual = ask(client).json()
    told = ask(client, threshold=-1000.0).json()
    assert (set(told["anomalies"]), set(told["thresholds"])) == ({1}, {-1000.0})
    assert (told["scores"], told["timestamps"]) == (usual["scores"], None)
    first = open_store(chosen.store.url).releases("pumps")[0][1]
    other = ask(client, release=first).json()
    assert other["release"] == first
    assert other["scores"] != usual["scores"]


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        ({"data": [[0.0, 1.0]] * 7}, 422, "send at least 8 rows"),
        ({"data": []}, 422, "send at least 8 rows"),
        ({"data": [[0.0]] * 8}, 422, "flow, temp"),
        ({"data": [[0.0, True]] * 8}, 422, "number"),
        ({"data": [[0.0, 1e39]] * 8}, 422, "data.0.1"),
        ({"dataset": "nowhere"}, 404, "there is no dataset 'nowhere'"),
        ({"dataset": "../../x"}, 422, "is not a name"),
        ({"release": "20200101T000000Z-000000"}, 404, "20200101T000000Z-000000"),
        ({"release": "../x"}, 422, "is not a name"),
        ({"timestamps": ["2026-01-01T00:00:00Z"]}, 422, "one for each row"),
        ({"timestamps": [1000] * 60}, 422, "timestamps.1 is not after"),
        ({"timestamps": ["yesterday"] * 60}, 422, "RFC 3339"),
        ({"timestamps": [10**9 * row for row in range(60)]}, 422, "pause"),
        ({"colour": "red"}, 422, "colour"),
    ],
)
def test_a_refusal_says_the_way_out(client, more, status, says):
    """A problem that names the thing and the remedy."""
    answer = client.post("/predict", json={"dataset": "pumps", "data": ROWS.tolist(), **more})
    assert says in problem(answer, status)


def test_what_is_no_number_is_refused(client):
    """NaN in JSON gets the advice to send null; a kind of body that is not read, which are."""
    body = json.dumps({"dataset": "pumps", "data": [[0.0, float("nan")]] * 8})
    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert "send null" in problem(answer, 422)
    assert "text/csv" in problem(client.post("/predict", data={"a": "b"}), 415)
    assert "8 MB" in problem(client.post("/predict", content=b" " * 8_000_001), 413)
    headers = {"content-type": "text/csv"}
    assert "empty" in problem(client.post("/predict?dataset=pumps", content=b"", headers=headers), 422)
    stranger = b"a,b\n" + b"1,2\n" * 20
    assert "flow, temp" in problem(client.post("/predict?dataset=pumps", content=stranger, headers=headers), 422)


@contextmanager
def stalled(client: httpx.Client, told: int) -> Iterator[None]:
    """A prediction whose body does not come on: of `told` bytes one has come."""
    host, port = client.base_url.host, client.base_url.port
    with socket.create_connection((host, port)) as connection:
        head = f"POST /predict HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {told}\r\n\r\n"
        connection.sendall(head.encode() + b"{")
        yield


def test_too_many_and_too_large_ones_at_once_may_come_later(tmp_path):
    """Two have room, and a megabyte: what goes beyond is refused, its size told or not; then there is room again."""
    limited = settings(tmp_path, predictions_cap=2, predictions_megabytes=1)
    tiny_release.publish(open_store(limited.store.url), "pumps")

    def waiting(client: httpx.Client) -> dict[str, float]:
        return {name: value for name, labels, value in samples(client.get("/metrics").text) if not labels}

    def wait_for_bytes(client: httpx.Client, size: float) -> None:
        wait_until(lambda: waiting(client)["tidewatch_predictions_waiting_bytes"] == size, f"{size} bytes wait")

    with served(limited) as client:
        with stalled(client, 900_000):
            wait_for_bytes(client, 900_000)
            assert ask(client).status_code == 200
            refused = client.post("/predict", content=b" " * 200_000)
            assert "admin.predictions_megabytes" in problem(refused, 429)
            assert int(refused.headers["retry-after"]) > 0
            pieces = client.post("/predict", content=(b" " * 50_000 for _ in range(4)))
            assert "admin.predictions_megabytes" in problem(pieces, 429)
            with stalled(client, 5):
                wait_for_bytes(client, 900_005)
                assert "admin.predictions_cap" in problem(ask(client), 429)
        wait_for_bytes(client, 0)
        large = json.dumps({"dataset": "pumps", "data": ROWS.tolist()}).encode().ljust(1_100_000)
        assert client.post("/predict", content=large).status_code == 200  # of more than a megabyte, but alone
        assert waiting(client)["tidewatch_predictions_refused_total"] == 3


def test_many_rows_do_not_block_the_service(client):
    """While 100,000 rows are scored, the service answers others."""
    data = np.round(np.random.default_rng(4).normal(size=(100_000, 2)), 3).tolist()
    with ThreadPoolExecutor(1) as thread:
        large = thread.submit(ask, client, data)
        meanwhile = 0
        while not large.done():
            assert client.get("/healthz").status_code == 200
            assert ask(client).status_code == 200
            meanwhile += 1
    assert len(large.result().json()["scores"]) == 100_000 - tiny_release.WINDOW + 1
    assert meanwhile > 3


def test_metrics_tell_of_readings_and_drift(client, chosen):
    """What was scored is counted, and its figures are of the rows that were sent; a worker's own are not there."""
    release = tiny_release.publish(open_store(chosen.store.url), "drifting")
    told = ask(client, np.concatenate([ROWS, ROWS + 3]).tolist(), dataset="drifting").json()
    sent = np.concatenate([ROWS, ROWS + 3])
    page = list(samples(client.get("/metrics").text))
    of = {(name, labels.get("feature")): value for name, labels, value in page if labels.get("dataset") == "drifting"}
    assert of["tidewatch_readings_total", None] == of["tidewatch_drift_readings", None] == len(sent)
    assert of["tidewatch_windows_scored_total", None] == of["tidewatch_drift_windows", None] == len(told["scores"])
    assert of["tidewatch_flags_total", None] == of["tidewatch_drift_flagged_windows", None] == sum(told["anomalies"])
    for place, feature in enumerate(tiny_release.FEATURES):
        assert of["feature_mean_live", feature] == pytest.approx(sent[:, place].mean())
        assert of["feature_std_live", feature] == pytest.approx(sent[:, place].std())
    assert of["anomaly_rate_live", None] == pytest.approx(np.mean(np.array(told["scores"]) > 1))
    assert ("tidewatch_release_info", {"dataset": "drifting", "release": release}, 1.0) in page
    names = {name for name, _, _ in page}
    assert "tidewatch_prediction_seconds_count" in names
    assert not names & {"tidewatch_ready", "tidewatch_series", "tidewatch_last_commit_age_seconds"}


def test_what_is_wrong_everywhere_is_told_briefly(client):
    """A hundred thousand wrong times, or rows, are one complaint each way, and not a hundred thousand."""
    many = 100_000
    rows = [[0.0, 1.0]] * many
    wrong: list[tuple[Json, str]] = [
        ({"timestamps": [None] * many}, "body.timestamps.0"),
        ({"timestamps": [1.5] * many}, "body.timestamps.0"),
        ({"data": ["x"] * many}, "body.data.0"),
        ({"data": [["x", "y"]] * many}, "body.data.0.0"),
        ({"data": [[1.0]] * many}, "data.0 has 1 values"),
    ]
    for more, says in wrong:
        answer = ask(client, **{"data": rows, **more})
        assert says in problem(answer, 422)
        assert len(answer.content) < 1000


def test_releases_are_listed_shown_promoted_and_rolled_back(client, chosen):
    """What predict answers by goes over at once, with either."""
    first, second = [row["release"] for row in client.get("/releases/pumps").json()["releases"]]
    rows = [row for row in client.get("/releases").json()["releases"] if row["dataset"] == "pumps"]
    assert [row["serves"] for row in rows] == [False, True]
    assert client.get(f"/releases/pumps/{first}").json()["features"] == ["flow", "temp"]
    assert client.post("/releases/pumps/rollback").json()["release"] == first
    assert ask(client).json()["release"] == first
    assert client.post(f"/releases/pumps/{second}/promote").json()["previous"] == [first]
    assert ask(client).json()["release"] == second
    assert "nowhere" in problem(client.get("/releases/nowhere"), 404)
    assert "nowhere" in problem(client.post("/releases/nowhere/rollback"), 404)
    missing = client.post("/releases/pumps/20200101T000000Z-000000/promote")
    assert problem(missing, 404).endswith("no release 20200101T000000Z-000000")


def test_a_promotion_elsewhere_is_found(client, chosen):
    """A first release is found at once, and the watcher goes over to what another process promotes after it."""
    tiny_release.publish(open_store(chosen.store.url), "fresh")
    body = readings(60)
    answer = client.post("/predict?dataset=fresh", content=body, headers={"content-type": "text/csv"})
    assert answer.json()["dataset"] == "fresh"
    second = tiny_release.publish(open_store(chosen.store.url), "fresh", 1)
    wait_until(lambda: ask(client, dataset="fresh").json()["release"] == second, "the second release scores")


def test_a_release_that_is_broken_is_told_as_that(client, chosen):
    """409 with a code of its own, which file it is, and no folder of the service's; the one in service goes on."""
    store, folder = open_store(chosen.store.url), Path(chosen.store.url.removeprefix("dir:"))
    broken = tiny_release.publish(store, "broken")
    (folder / "broken" / broken / "cnn_ae.pth").write_bytes(b"x")
    answer = ask(client, dataset="broken")
    detail = problem(answer, 409)
    assert answer.json()["type"] == "urn:tidewatch:problem:bundle-error"
    assert broken in detail
    assert str(folder) not in detail
    assert ask(client).status_code == 200
