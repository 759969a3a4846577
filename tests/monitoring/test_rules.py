"""The alert rules, unit-tested by promtool: each fires on its drift, and none without it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring import drift_metrics
from monitoring.metrics import COUNTERS, GAUGES, HISTOGRAMS
from tests.monitoring.rule_cases import (
    Dataset,
    Feature,
    N,
    Series,
    after,
    first,
    fleet,
    missed,
    together,
)
from tests.watchers import needs_promtool

MONITORING = Path(drift_metrics.__file__).parent
ROOT = MONITORING.parent
RULES = yaml.safe_load((MONITORING / "alert_rules.yml").read_text())
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
needs_amtool = pytest.mark.skipif(
    not shutil.which("amtool"), reason="amtool is not installed (Debian: apt install prometheus-alertmanager)"
)

FEW = 99  # readings, where 100 are asked for
HALF_HOUR, HALF_DAY, DAY = "30m", "12h", "21h"  # figures of a day are known after 20 hours
ERRORS_LARGE = {0.5: 300, 1.0: 650, 5.0: 50}
ERRORS_TAIL = {0.1: 400, 0.5: 500, 5.0: 100}
ERRORS_SMALL = {0.01: N}
REFUSED = {'tidewatch_releases_refused_total{dataset="pumps",instance="w1"}': "_x9 1+0x2000"}
LETTERS = {'tidewatch_dead_letters_total{stage="value",instance="w1"}': "0+1x2000"}
FEW_LETTERS = {'tidewatch_dead_letters_total{stage="value",instance="w1"}': "_x9 1+0x2000"}
FEW_ARE_OFF = together(
    fleet(Feature(mean=10, readings=100), instance="w1"), fleet(Feature(readings=10_000), instance="w2")
)  # 0.1 on the whole
ONE_MOVED = together(
    fleet(Feature(mean=4.5), instance="w1"), fleet(Feature(mean=2.5), instance="w2")
)  # 3.5 on the whole
ONE_IDLE = together(
    fleet(Feature(mean=10), instance="w1"), fleet(Feature(readings=0), Dataset(readings=0), instance="w2")
)

FIRES: dict[str, tuple[str, Series, str]] = {
    "a mean moved up": ("TidewatchFeatureMean", fleet(Feature(mean=3.5)), HALF_HOUR),
    "a mean moved down": ("TidewatchFeatureMean", fleet(Feature(mean=-3.5)), HALF_HOUR),
    "a negative mean moved": ("TidewatchFeatureMean", fleet(Feature(mean=-40, mean_ref=-50)), HALF_HOUR),
    "a mean of 0 moved": (
        "TidewatchFeatureMean",
        fleet(Feature(mean=0.4, mean_ref=0, std_ref=0.1, std=0.1)),
        HALF_HOUR,
    ),
    "a constant feature moved": (
        "TidewatchFeatureMean",
        fleet(Feature(mean=5.1, mean_ref=5, std=0, std_ref=0)),
        HALF_HOUR,
    ),
    "the mean of two workers moved": ("TidewatchFeatureMean", ONE_MOVED, HALF_HOUR),
    "a scrape that fails does not end it": ("TidewatchFeatureMean", missed(fleet(Feature(mean=3.5)), 20), "20m"),
    "a worker that has nothing does not hide it": ("TidewatchFeatureMean", ONE_IDLE, HALF_HOUR),
    "it is noisy": ("TidewatchFeatureSpread", fleet(Feature(std=2.1)), "1h"),
    "a constant feature is noisy": (
        "TidewatchFeatureSpread",
        fleet(Feature(mean=5, mean_ref=5, std=0.1, std_ref=0)),
        "1h",
    ),
    "it is stuck": ("TidewatchFeatureStuck", fleet(Feature(std=0.05)), DAY),
    "it is missing": ("TidewatchFeatureMissing", fleet(Feature(values=700)), HALF_HOUR),
    "its distribution changed": ("TidewatchFeatureDistribution", fleet(Feature(bins=(200, 800))), DAY),
    "a bin is empty": ("TidewatchFeatureDistribution", fleet(Feature(bins=(0, 1000))), DAY),
    "all errors are larger": ("TidewatchErrorMedian", fleet(Dataset(errors=ERRORS_LARGE, p95_ref=1.0)), HALF_HOUR),
    "errors where there were none": (
        "TidewatchErrorMedian",
        fleet(Dataset(median_ref=0)),
        HALF_HOUR,
    ),
    "a tenth of errors are larger": ("TidewatchErrorP95", fleet(Dataset(errors=ERRORS_TAIL)), HALF_HOUR),
    "much is over the threshold": ("TidewatchAnomalyRateHigh", fleet(Dataset(anomalous=90)), HALF_HOUR),
    "much is over it where nothing was": (
        "TidewatchAnomalyRateHigh",
        fleet(Dataset(anomalous=60, rate_ref=0)),
        HALF_HOUR,
    ),
    "nothing is over the threshold": ("TidewatchAnomalyRateZero", fleet(Dataset(anomalous=0)), DAY),
    "a worker is down": ("TidewatchWorkerDown", fleet(up="0"), "5m"),
    "a worker has no partitions": ("TidewatchWorkerNotReady", fleet(tidewatch_ready="0"), "10m"),
    "a worker does not commit": ("TidewatchCommitAge", fleet(tidewatch_last_commit_age_seconds="90"), "5m"),
    "readings stop": (
        "TidewatchSilence",
        first(fleet(), lambda name: "readings_total" in name, "0+60x60 3600+0x2000"),
        "90m",
    ),
    "readings stop, and the worker is started again": (
        "TidewatchSilence",
        first(fleet(), lambda name: "readings_total" in name, "0+60x60 _x2000"),
        "90m",
    ),
    "many dead letters": ("TidewatchDeadLetters", fleet() | LETTERS, HALF_HOUR),
    "a release is refused for the first time": ("TidewatchReleaseRefused", fleet() | REFUSED, HALF_HOUR),
    "the workers are behind": ("TidewatchCommitLag", fleet(tidewatch_commit_lag_records="9000+0x2000"), HALF_HOUR),
    "the workers stand still": (
        "TidewatchCommitLag",
        fleet(tidewatch_commit_lag_records="500+0x2000", tidewatch_records_total="60+0x2000"),
        HALF_HOUR,
    ),
}

SILENT: dict[str, tuple[Series, str]] = {
    "all is as in training": (fleet(), HALF_HOUR),
    "a day of it": (fleet(), DAY),
    "a worker that has just started": (
        fleet(
            Feature(mean=50, std=9, readings=FEW, values=5),
            Dataset(readings=FEW, errors={5.0: FEW}, anomalous=FEW),
        ),
        HALF_HOUR,
    ),
    "a worker that has had nothing yet": (
        fleet(Feature(readings=0), Dataset(readings=0, errors={}, anomalous=0, per_minute=0)),
        DAY,
    ),
    "half a day is no day": (fleet(Feature(std=0.05, bins=(0, 1000)), Dataset(anomalous=0)), HALF_DAY),
    "a constant feature that stays": (fleet(Feature(mean=5, mean_ref=5 - 1e-12, std=0, std_ref=0)), DAY),
    "a constant feature at 0": (fleet(Feature(std=0, std_ref=0)), DAY),
    "a negative mean that stays": (fleet(Feature(mean=-50.5, mean_ref=-50)), HALF_HOUR),
    "errors that fall": (fleet(Dataset(errors=ERRORS_SMALL)), HALF_HOUR),
    "a hundred readings of ten thousand, at a worker of their own": (FEW_ARE_OFF, HALF_HOUR),
    "another release is fitted to the new world": (
        first(fleet(Feature(mean=9)), lambda name: 'release="r1"' in name, "_x2000")
        | fleet(Feature(mean=9, mean_ref=9, release="r2"), Dataset(release="r2")),
        HALF_HOUR,
    ),
    "few dead letters": (fleet() | FEW_LETTERS, HALF_HOUR),
    "a refusal of long ago": (fleet() | REFUSED, "3h"),
    "a night without readings, a worker that lives": (
        first(fleet(), lambda name: "readings_total" in name, "0+0x2000"),
        HALF_HOUR,
    ),
    "a moment without commits": (
        fleet(tidewatch_last_commit_age_seconds=after(10, 2, 70) + " 2+0x9"),
        "10m",
    ),
}


def firing(tmp_path: Path, series: Series, moment: str, expected: list[str]) -> None:
    """Hold the alerts that fire at this moment, over all, against what is expected."""
    test = {
        "interval": interval(moment),
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": moment,
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in expected],
            }
        ],
    }
    promtool(tmp_path, test)


def interval(moment: str) -> str:
    """Between scrapes: a day of minutes would take its time."""
    return "5m" if moment in (HALF_DAY, DAY) else "1m"


def promtool(tmp_path: Path, test: dict[str, Any]) -> None:
    """Run one of promtool's tests on the very rule files."""
    rules = [str(MONITORING / f"{kind}_rules.yml") for kind in ("recording", "alert")]
    file = tmp_path / "test.json"  # which is YAML too
    file.write_text(json.dumps({"rule_files": rules, "evaluation_interval": test["interval"], "tests": [test]}))
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_prometheus_takes_the_job_of_the_admin(tmp_path):
    """Once its lines are no comment, it is a job of its own, so that no alert takes the admin for a worker."""
    (tmp_path / "token").touch()
    for rules in MONITORING.glob("*_rules.yml"):
        (tmp_path / rules.name).write_text(rules.read_text())
    text = (MONITORING / "prometheus.yml").read_text()
    admin = text[text.index("  # - job_name: tidewatch-admin") :]
    text = text.replace(admin, re.sub("^  # ", "  ", admin, flags=re.MULTILINE))
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus/tidewatch-token", "token"))
    config = yaml.safe_load((tmp_path / "prometheus.yml").read_text())
    assert [job["job_name"] for job in config["scrape_configs"]] == ["tidewatch", "tidewatch-admin"]
    done = subprocess.run(
        ["promtool", "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("what", FIRES)
def test_an_alert_fires_on_its_drift_and_no_other_does(what: str, tmp_path: Path):
    """A fleet that is as in training but for one thing."""
    alert, series, moment = FIRES[what]
    firing(tmp_path, series, moment, [alert])


@needs_promtool
@pytest.mark.parametrize("what", SILENT)
def test_nothing_fires_without_drift(what: str, tmp_path: Path):
    """What looks like it, and is not."""
    series, moment = SILENT[what]
    firing(tmp_path, series, moment, [])


def test_every_alert_is_tested():
    """None is there that nobody has seen fire."""
    assert {alert for alert, _, _ in FIRES.values()} == set(ALERTS)


@needs_promtool
def test_what_a_person_on_call_reads(tmp_path: Path):
    """Dataset, feature and figures are in the sentence."""
    mean = ALERTS["TidewatchFeatureMean"]
    labels = {"dataset": "pumps", "release": "r1", "feature": "temp"}
    annotations = {
        "summary": "temp of pumps is not where it was in training",
        "description": "The mean of temp over the last half hour is 3.5 from the mean that release r1 of dataset pumps "
        "learned; that is more than three of its standard deviations. A sensor was changed or fails, or the machine is "
        "run otherwise.",
        "runbook_url": mean["annotations"]["runbook_url"],
    }
    expected = {"exp_labels": labels | mean["labels"], "exp_annotations": annotations}
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in fleet(Feature(mean=3.5)).items()],
        "alert_rule_test": [{"eval_time": "30m", "alertname": "TidewatchFeatureMean", "exp_alerts": [expected]}],
    }
    promtool(tmp_path, test)


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    """The page exists, and names the alert."""
    pages = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    for name, rule in ALERTS.items():
        assert f"`{name}`" in pages[rule["annotations"]["runbook_url"]]
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert {rule["annotations"]["runbook_url"] for rule in ALERTS.values()} == set(pages)


def test_every_metric_that_rules_name_exists():
    """Of the worker's, or recorded by a rule before."""
    recording = yaml.safe_load((MONITORING / "recording_rules.yml").read_text())
    recorded = [rule["record"] for group in recording["groups"] for rule in group["rules"]]
    ours = {f"tidewatch_{name}_total" for name in COUNTERS} | {f"tidewatch_{name}" for name in [*GAUGES, *HISTOGRAMS]}
    drift = {*drift_metrics.OF_FEATURES, *drift_metrics.OF_BINS, *drift_metrics.OF_DATASETS, *drift_metrics.SETTINGS}
    known = ours | drift | {f"{drift_metrics.ERROR}_bucket", *recorded}
    rules = [rule for file in (recording, RULES) for group in file["groups"] for rule in group["rules"]]
    for rule in rules:
        assert set(re.findall(r"\b(?:tidewatch|feature|error|anomaly)[a-z0-9_:]*_[a-z0-9_:]+\b", rule["expr"])) <= known
    assert len(set(recorded)) == len(recorded)


@needs_promtool
def test_prometheus_takes_its_config():
    """With the rule files that it names."""
    done = subprocess.run(
        ["promtool", "check", "config", str(MONITORING / "prometheus.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_amtool
def test_alertmanager_takes_its_config():
    """Routes, inhibitions and receivers."""
    done = subprocess.run(
        ["amtool", "check-config", str(MONITORING / "alertmanager.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_amtool
@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (["alertname=TidewatchFeatureMean", "kind=drift", "severity=warning"], "retraining,on-call"),
        (["alertname=TidewatchWorkerDown", "kind=service", "severity=critical"], "on-call"),
        (["alertname=TidewatchSilence", "kind=service", "severity=warning"], "on-call"),
        (["alertname=TidewatchFeatureDistribution", "kind=drift", "severity=info"], "retraining,on-call"),
    ],
)
def test_who_hears_of_what(labels: list[str], receivers: str):
    """Drift goes to what trains anew too; people hear of all."""
    done = subprocess.run(
        ["amtool", "config", "routes", "test", f"--config.file={MONITORING / 'alertmanager.yml'}", *labels],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == receivers, done.stdout + done.stderr
