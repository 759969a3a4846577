"""A store that is broken, in all or for one dataset: what is told, and what goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from config.settings import Settings
from models.store import open_store
from tests import tiny_release
from tests.stream_app.admin.service import problem, served, settings

ROWS = [[0.1 * row, 1.0] for row in range(20)]


def folder(chosen: Settings) -> Path:
    """Where the store is."""
    return Path(chosen.store.url.removeprefix("dir:"))


def ask(client: httpx.Client, dataset: str) -> httpx.Response:
    """Have some rows scored."""
    return client.post("/predict", json={"dataset": dataset, "data": ROWS})


def test_a_store_that_can_not_be_used_is_no_fault_of_who_asks(tmp_path, caplog):
    """503, with the file by where it is in the store, and in the log, too; not where the store is."""
    chosen = settings(tmp_path)
    folder(chosen).write_text("no folder")
    with served(chosen) as client:
        for path in ("/datasets", "/releases"):
            answer = client.get(path)
            assert "the store of releases (store.url): Not a directory; whoever runs" in problem(answer, 503)
            assert str(tmp_path) not in answer.text
        caplog.clear()
        assert problem(client.get("/readyz"), 503).endswith("the log of the service says why")
    assert "the store of releases (store.url): Not a directory" in caplog.text


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            lambda pointer: pointer.write_text("{"),
            "broken/champion.json in the store of releases (store.url) says which",
        ),
        (lambda pointer: pointer.write_text('{"release": "../..", "version": 1}'), "broken/champion.json"),
        (lambda pointer: (pointer.unlink(), pointer.mkdir()), "broken/champion.json in the store of releases"),
    ],
)
def test_a_champion_that_can_not_be_read_is_its_dataset_s_problem_alone(tmp_path, damage, says):
    """It is told wherever the dataset is, without folders of the service's; the others are as they were."""
    chosen = settings(tmp_path)
    for dataset in ("broken", "sound", "default"):
        tiny_release.publish(open_store(chosen.store.url), dataset)
    damage(folder(chosen) / "broken" / "champion.json")
    with served(chosen) as client:
        for path, key in (("/datasets", "datasets"), ("/releases", "releases")):
            listed = client.get(path).json()[key]
            problems = {one.get("name") or one["dataset"]: one["problem"] for one in listed}
            assert says in problems.pop("broken")
            assert problems == {"sound": None, "default": None}
        assert says in client.get("/datasets/broken").json()["problem"]
        assert says in problem(ask(client, "broken"), 503)
        assert ask(client, "sound").status_code == 200
        for path in ("/", "/page/datasets/broken", "/page/datasets/broken/releases", "/datasets", "/releases"):
            answer = client.get(path)
            assert answer.status_code == 200
            assert says in answer.text
            assert str(tmp_path) not in answer.text


def test_a_champion_that_was_removed_is_told_with_a_way_out(tmp_path):
    """By the page, too, which does not call it in service."""
    chosen = settings(tmp_path)
    store = open_store(chosen.store.url)
    other, gone = (tiny_release.publish(store, "pumps", seed) for seed in (0, 1))
    dataset = folder(chosen) / "pumps"
    (dataset / "champion.json").write_text(f'{{"release": "{gone}", "version": 1}}')
    shutil.rmtree(dataset / gone)
    says = f"release {gone}, which is to serve dataset 'pumps', is not in the store; promote another"
    with served(chosen) as client:
        assert problem(ask(client, "pumps"), 404) == says
        assert client.get("/datasets/pumps").json()["problem"] == says
        for path in ("/", "/page/datasets/pumps"):
            page = client.get(path).text
            assert gone in page
            assert "promote another" in page
            assert "in service</span>" not in page
        assert client.post(f"/releases/pumps/{other}/promote").status_code == 200
        assert ask(client, "pumps").json()["release"] == other
        assert client.get("/datasets/pumps").json()["problem"] is None
