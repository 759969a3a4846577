"""All that Grafana's pages ask, asked of a real Prometheus that scrapes two real workers, of drifting data."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from models.store.local import POINTER, LocalStore
from schemas.manifest import Champion
from stream_app.demo.drift import faster
from stream_app.demo.drift.prometheus import Labels, Prometheus
from stream_app.local_kafka.ports import free_port
from stream_app.outgoing import Message
from tests.dashboards import Asked, asked, chosen
from tests.end_to_end.rig import Rig, tidewatch
from tests.kafka_fixture import KafkaAtHand
from tests.tiny_release import FEATURES, WINDOW, publish, release_files
from tests.watchers import FASTER, needed, process, wait_until

pytestmark = [pytest.mark.kafka, needed]

START = datetime(2026, 1, 1, tzinfo=UTC)
SERIES, ROWS, RATE = 8, 150, 300.0
SHIFT = np.array([5.0, 0.0])  # of flow, in standard deviations of training
MISSING = 0.3  # of flow: more than in training by so much
QUERIES = asked()
COUNTED = 'tidewatch:drift_readings:sum{dataset="pumps"}'
NOBODY = "127.0.0.1:9"
DAY, A_QUARTER_MINUTE = "[1d:5m]", "[30m:6s]"  # hastened: a day in Prometheus' rules, of which 12 s must be known


@dataclass(frozen=True)
class Scene:
    """A Prometheus, what was sent to the workers that it scrapes, and where these answer."""

    prometheus: Prometheus
    sent: NDArray[np.float64]  # (reading, feature) of dataset pumps; NaN is missing
    workers: Sequence[str]

    def answer(self, query: Asked, **choice: str) -> list[tuple[Labels, float]]:
        """What Grafana gets; of a query over time the newest finite values."""
        expr = chosen(query.expr, **choice)
        if query.instant:
            return self.prometheus.query(f"count by ({query.label}) ({expr})" if query.label else expr)
        now = time.time()
        curves = self.prometheus.over(expr, now - 120, now, 0.5)
        finite = [(labels, [value for _, value in curve if math.isfinite(value)]) for labels, curve in curves]
        return [(labels, values[-1]) for labels, values in finite if values]

    def told(self, page: str, panel: str, letter: str = "A", **choice: str) -> dict[str, float]:
        """What one query of a panel gets of dataset pumps, by feature if it is of features."""
        (query,) = [each for each in QUERIES if (each.page, each.panel, each.letter) == (page, panel, letter)]
        samples = self.answer(query, **{"dataset": "pumps", **choice})
        return {labels.get("feature", ""): value for labels, value in samples}


@pytest.fixture(scope="module")
def scene(kafka: KafkaAtHand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Two workers share two datasets: pumps drifts; fans gets another release, and one that is refused."""
    folder, sent = tmp_path_factory.mktemp("grafana"), drifting()
    store = LocalStore(folder / "store")
    publish(store, "pumps")
    publish(store, "fans")
    rig = Rig(kafka, folder, store.root)
    with rig.worker("first") as first, rig.worker("second") as second:
        first.wait_ready()
        second.wait_ready()
        addresses = [f"127.0.0.1:{worker.port}" for worker in (first, second)]
        with scraping(folder, addresses) as prometheus:
            wait_until(lambda: total(prometheus, "up") == 2, "both to be scraped")
            rig.send(messages("pumps", sent), RATE)
            rig.send([Message(b"fans-1", b"no reading"), *messages("fans", sent), *messages("fans", sent[:100])])
            wait_until(lambda: total(prometheus, COUNTED) == len(sent), "all readings to be counted")
            promote_and_break(store, prometheus)
            yield Scene(prometheus, sent, addresses)


def drifting() -> NDArray[np.float64]:
    """Readings of which one feature has moved and is often missing."""
    random = np.random.default_rng(5)
    rows: NDArray[np.float64] = random.normal(size=(SERIES * ROWS, len(FEATURES))) + SHIFT
    rows[random.random(len(rows)) < MISSING, 0] = np.nan
    return rows


def messages(dataset: str, rows: NDArray[np.float64]) -> Iterator[Message]:
    """A row to each series in turn, and a second later the next."""
    for number, row in enumerate(rows.tolist()):
        second, series = divmod(number, SERIES)
        values = {name: None if math.isnan(value) else value for name, value in zip(FEATURES, row, strict=True)}
        name = f"{dataset}-{series}"
        reading = {"series_id": name, "timestamp": START + timedelta(seconds=second), "values": values}
        yield Message(name.encode(), msgspec.json.encode(reading | {"dataset": dataset}))


@contextmanager
def scraping(folder: Path, workers: Sequence[str]) -> Iterator[Prometheus]:
    """Prometheus with the project's files, in which time runs faster; nobody hears of its alerts."""
    faster.write(folder, FASTER, workers[0], NOBODY, f"http://{NOBODY}")
    config = yaml.safe_load((folder / faster.PROMETHEUS).read_text())
    config["scrape_configs"][0]["static_configs"] = [{"targets": workers}]
    (folder / faster.PROMETHEUS).write_text(yaml.safe_dump(config))
    rules = (faster.FILES / faster.RULES[0]).read_text()
    assert DAY in rules
    (folder / faster.RULES[0]).write_text(faster.hastened(rules.replace(DAY, A_QUARTER_MINUTE), FASTER))
    address = f"127.0.0.1:{free_port()}"
    with process(folder, "prometheus", faster.PROMETHEUS, address, f"--storage.tsdb.path={folder / 'prometheus'}"):
        yield Prometheus(address)


def promote_and_break(store: LocalStore, prometheus: Prometheus) -> None:
    """Fans gets another release, and then a pointer to one that lacks a byte."""
    second = publish(store, "fans", seed=1)
    wait_until(lambda: total(prometheus, f'tidewatch_release_info{{release="{second}"}}') >= 1, "the second release")
    third, files = release_files("fans", seed=2)
    store.publish("fans", third, files)
    weights = store.root / "fans" / third / "gru_ae.pth"
    weights.write_bytes(weights.read_bytes()[:-1])
    (store.root / "fans" / POINTER).write_bytes(msgspec.json.encode(Champion(third, 3, [second])))
    wait_until(lambda: total(prometheus, "tidewatch_releases_refused_total") >= 1, "the third release's refusal")


def total(prometheus: Prometheus, expr: str) -> float:
    """The sum of what there is of it."""
    return sum(value for _, value in prometheus.query(f"sum({expr})"))


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_every_query_is_answered(scene: Scene, query: Asked):
    """By numbers; and for one dataset and feature by nothing of another."""
    wait_until(lambda: scene.answer(query) != [], f"an answer to {query.expr}")
    assert all(math.isfinite(value) for _, value in scene.answer(query))
    for labels, _ in scene.answer(query, dataset="pumps", feature="flow"):
        assert labels.get("dataset", "pumps") == "pumps" or "$dataset" not in query.expr
        assert labels.get("feature", "flow") == "flow" or "$feature" not in query.expr


def test_lines_of_one_query_have_names_of_their_own(scene: Scene):
    """Also where two releases of a dataset are in sight, after a reload."""
    lines = [query for query in QUERIES if query.name and not query.instant]
    names = {query: [query.called(labels) for labels, _ in scene.answer(query, feature="flow")] for query in lines}
    assert {query: found for query, found in names.items() if len(set(found)) < len(found)} == {}
    (reference,) = [query for query in lines if query.name.endswith("reference") and query.panel == "Median error"]
    assert len([name for name in names[reference] if name.startswith("fans ")]) == 2


def test_figures_are_those_of_what_was_sent(scene: Scene):
    """To both workers together, and of what the release was trained on."""
    trained, sent, page = reference_rows(), scene.sent, "feature-drift"
    for column, feature in enumerate(FEATURES):
        known = sent[~np.isnan(sent[:, column]), column]
        mean, std = trained[:, column].mean(), trained[:, column].std()
        wanted = {
            ("Mean of $feature", "A"): known.mean(),
            ("Mean of $feature", "B"): mean,
            ("Mean of $feature", "C"): mean + 3 * std,
            ("Mean of $feature", "D"): mean - 3 * std,
            ("Standard deviation of $feature", "A"): known.std(),
            ("Standard deviation of $feature", "B"): std,
            ("Readings without $feature", "A"): np.isnan(sent[:, column]).mean(),
            ("Readings without $feature", "B"): 0,
            ("Distance of the mean", "A"): abs(known.mean() - mean) / std,
            ("Live std by that of training", "A"): known.std() / std,
            ("Most moved first", "C"): abs(known.mean() - mean) / std,
            ("Most moved first", "I"): len(known),
        }
        for (panel, letter), figure in wanted.items():
            told = scene.told(page, panel, letter, feature=feature)
            assert told == {feature: pytest.approx(figure, rel=1e-5, abs=1e-6)}, (panel, letter)
    assert scene.told(page, "Readings behind this") == {"": len(sent)}
    assert scene.told(page, "Features") == {"": len(FEATURES)}
    assert scene.told(page, "Global mean") == {"": pytest.approx(np.nanmean(sent, axis=0).mean())}
    assert scene.told(page, "Farthest mean") == {"": scene.told(page, "Distance of the mean")["flow"]}


def test_figures_are_those_of_the_command(scene: Scene):
    """`tidewatch drift` adds the workers' pages up by itself."""
    urls = [word for worker in scene.workers for word in ("--url", worker)]
    (drift,) = json.loads(tidewatch("drift", "--dataset", "pumps", "--json", *urls, environment={}))
    near = partial(pytest.approx, rel=1e-4)
    features = {each["feature"]: each for each in drift["features"]}
    psi = {feature: near(each["psi"]) for feature, each in features.items()}
    assert scene.told("feature-drift", "PSI, half an hour") == psi
    ks = scene.told("feature-drift", "Kolmogorov-Smirnov distance")
    assert all(ks[feature] >= each["ks"] for feature, each in features.items())
    for page, panel, figure in (
        ("error-drift", "Median error", "error_median"),
        ("error-drift", "95th percentile of errors", "error_p95"),
        ("anomaly-rate-drift", "Anomaly rate", "anomaly_rate"),
    ):
        assert scene.told(page, panel, "A") == {"": near(drift[figure]["live"])}
        assert scene.told(page, panel, "B") == {"": near(drift[figure]["ref"])}
    assert scene.told("anomaly-rate-drift", "Flagged") == {"": near(drift["flag_rate"]["live"])}
    assert scene.told("error-drift", "Windows behind this") == {"": drift["windows"]}


def test_the_fleet_is_what_runs(scene: Scene):
    """Two workers, two datasets, an alert, a release that was refused, and on top what has moved."""
    told = partial(scene.told, "fleet")
    assert told("Workers") == {"": 2}
    assert told("Not ready") == {"": 0}
    assert told("Datasets") == {"": 2}
    assert told("Releases in service") == {"": 2}
    assert told("Changes of releases", "B", dataset="fans")[""] >= 1
    wait_until(lambda: told("Alerts")[""] > 0, "an alert")
    moved = told("Most drifted features")
    assert max(moved, key=lambda feature: moved[feature]) == "flow"
    assert moved == scene.told("feature-drift", "Distance of the mean")


def test_bins_are_shares(scene: Scene):
    """Of a feature they add up to 1, live as in training."""
    queries = [each for each in QUERIES if each.panel == "Distribution of $feature, now"]
    for query in queries:
        shares = [value for _, value in scene.answer(query, dataset="pumps", feature="flow")]
        assert len(shares) > 5
        assert sum(shares) == pytest.approx(1)
    assert len(queries) == 2


def reference_rows() -> NDArray[np.float64]:
    """What the release was calibrated on, (row, feature): see tests/tiny_release.py."""
    windows = np.random.default_rng(0).normal(size=(200, WINDOW, len(FEATURES))).astype(np.float32)
    return windows.reshape(-1, len(FEATURES)).astype(np.float64)
