"""The page *Fleet*: all workers and all that they watch, at a glance."""

from __future__ import annotations

from monitoring.grafana.now import Column, stat, table
from monitoring.grafana.over_time import bands, graph
from monitoring.grafana.page import THIS_FEATURE, THIS_RELEASE, Page, Section, leads_to
from monitoring.grafana.panel import Panel, Query
from monitoring.grafana.promql import ANOMALY_RATE, BY_FEATURE, DISTANCE, MEAN, OF_DATASET, OF_RELEASE, grown, rate
from monitoring.grafana.runbooks import runbook

READINGS = "tidewatch_readings_total"
FLAGS = "tidewatch_flags_total"
DEAD = "tidewatch_dead_letters_total"
LAG = "sum by (topic) (tidewatch_commit_lag_records)"
BEHIND = f"{LAG} / clamp_min({rate('tidewatch_records_total', 'topic')}, 0.001)"  # at rest nothing waits
MOST = 10


def page() -> Page:
    """First whether all is well, then what drifts, then how it runs."""
    sections = (
        Section("Now", _now()),
        Section("What they watch", (_datasets(), _drifted(), _releases(), _alerts())),
        Section("Throughput", _throughput()),
        Section("Latency and lag", _latency()),
        Section("What went wrong", _wrong()),
        Section("What it takes", _taken()),
    )
    return Page("fleet", "Fleet", "All workers: what they watch, how fast, how late, and what went wrong.", sections)


def _now() -> tuple[Panel, ...]:
    return (
        stat("Workers", "That answer.", 'sum(up{job="tidewatch"})', width=3),
        stat(
            "Not ready",
            "Workers that do not answer, or have no partitions.",
            'count(up{job="tidewatch"}) - (sum(tidewatch_ready) or vector(0))',
            width=3,
            steps=((1, "red"),),
        ),
        stat("Datasets", "With a release in service.", "count(count by (dataset) (tidewatch_release_info))", width=3),
        stat("Readings", "In a second.", f"sum({rate(READINGS, 'dataset', OF_DATASET)})", unit="cps", width=3),
        stat(
            "Flags",
            "In the chosen time.",
            grown(FLAGS, OF_DATASET),
            width=3,
        ),
        stat(
            "Alerts",
            "That fire now.",
            'count(ALERTS{alertstate="firing", alertname=~"Tidewatch.*"}) or vector(0)',
            width=3,
            steps=((1, "red"),),
        ),
        stat(
            "Behind",
            "How long the workers need for what waits in Kafka, at their pace; of the topics the most.",
            f"max({BEHIND})",
            unit="s",
            width=3,
            steps=((30, "orange"), (120, "red")),
        ),
        stat(
            "Dead letters",
            "In the chosen time.",
            grown(DEAD),
            width=3,
            steps=((1, "orange"),),
        ),
    )


def _datasets() -> Panel:
    return table(
        "By dataset",
        "A dataset's name leads to its features.",
        Column("readings a second", rate(READINGS, "dataset", OF_DATASET)),
        Column("anomaly rate", f"max by (dataset) ({ANOMALY_RATE.live})", "percentunit"),
        Column("calibrated to", f"max by (dataset) ({ANOMALY_RATE.ref})", "percentunit"),
        Column("farthest mean", f"max by (dataset) ({DISTANCE})", "suffix: std", ((2, "orange"), (3, "red"))),
        first="farthest mean",
        cells=(("dataset", leads_to("feature-drift", "Its features", "var-dataset=${__value.text:percentencode}")),),
        links=(leads_to("feature-drift", "Feature drift"), leads_to("anomaly-rate-drift", "Anomaly-rate drift")),
    )


def _drifted() -> Panel:
    return table(
        "Most drifted features",
        f"The {MOST} whose mean is farthest from training, in its standard deviations. A name leads to its graphs.",
        Column("distance", _of_those(DISTANCE), "suffix: std", ((2, "orange"), (3, "red"))),
        Column("mean, reference", _of_those(MEAN.ref), "none"),
        Column("mean, live", _of_those(MEAN.live), "none"),
        first="distance",
        cells=(("feature", leads_to("feature-drift", "This feature", THIS_FEATURE)),),
        links=(runbook("feature-mean"),),
    )


def _of_those(expr: str) -> str:
    return f"max {BY_FEATURE} ({expr}) and topk({MOST}, {DISTANCE})"


def _releases() -> Panel:
    return table(
        "Releases in service",
        "How many workers serve each. Two of one dataset for longer than seconds: a worker could not take the new one.",
        Column("workers", f"count by (dataset, release) (tidewatch_release_info{{{OF_RELEASE}}})"),
        cells=(("release", leads_to("error-drift", "Its errors", THIS_RELEASE)),),
        links=(runbook("release-refused"),),
    )


def _alerts() -> Panel:
    return bands(
        "Alerts that fire",
        "By Prometheus' own account; Alertmanager says who heard of it. What to do: the page of runbooks.",
        Query(
            'max by (alertname, dataset) (ALERTS{alertstate="firing", alertname=~"Tidewatch.*"})',
            "{{alertname}} {{dataset}}",
        ),
        links=(leads_to("runbooks", "Runbooks"),),
    )


def _throughput() -> tuple[Panel, ...]:
    windows = rate("tidewatch_windows_scored_total", "dataset", OF_DATASET)
    return (
        graph(
            "Readings a second",
            "Of datasets with a release in service. At 0: silence.",
            Query(rate(READINGS, "dataset", OF_DATASET), "{{dataset}}"),
            unit="cps",
            width=8,
            links=(runbook("silence"),),
        ),
        graph("Windows a second", "That were scored.", Query(windows, "{{dataset}}"), unit="cps", width=8),
        graph(
            "Flags a second",
            "Windows flagged.",
            Query(rate(FLAGS, "dataset", OF_DATASET), "{{dataset}}"),
            unit="cps",
            width=8,
            links=(leads_to("anomaly-rate-drift", "Anomaly-rate drift"),),
        ),
    )


def _latency() -> tuple[Panel, ...]:
    return (
        graph(
            "Publishing",
            "From a chunk's scored windows to the brokers' word that its flags are written. From a reading to its flag"
            " it takes this, what waits (Time behind), and the scoring (milliseconds; no metric tells).",
            *(Query(_publishing(share), name) for share, name in ((0.5, "median"), (0.95, "95th"), (0.99, "99th"))),
            unit="s",
        ),
        graph(
            "Time behind",
            "How long the workers need for what waits in Kafka, at their pace: flags are so late. An alert follows over"
            " two minutes.",
            Query(BEHIND, "{{topic}}"),
            unit="s",
            mark=120,
            links=(runbook("commit-lag"),),
        ),
        graph(
            "Commit lag",
            "Records between the committed offset and the end of each topic.",
            Query(LAG, "{{topic}}"),
            links=(runbook("commit-lag"),),
        ),
        graph(
            "Age of the last commit",
            "While there is something to commit. An alert follows over a minute.",
            Query("max by (instance) (tidewatch_last_commit_age_seconds)", "{{instance}}"),
            unit="s",
            mark=60,
            links=(runbook("commit-age"),),
        ),
    )


def _publishing(share: float) -> str:
    return f"histogram_quantile({share}, {rate('tidewatch_publish_seconds_bucket', 'le')})"


def _wrong() -> tuple[Panel, ...]:
    dropped = (("tidewatch_late_readings_total", "late"), ("tidewatch_duplicate_readings_total", "duplicate"))
    changes = (("tidewatch_reloads_total", "put into service"), ("tidewatch_releases_refused_total", "refused"))
    return (
        graph(
            "Dead letters a second",
            "Records that can not be read, by what failed. An alert follows over one in a thousand.",
            Query(rate(DEAD, "stage"), "{{stage}}"),
            unit="cps",
            width=8,
            links=(runbook("dead-letters"),),
        ),
        graph(
            "Dropped a second",
            "Readings older than their series' newest, or as old.",
            *(Query(rate(metric, "dataset", OF_DATASET), f"{{{{dataset}}}} {name}") for metric, name in dropped),
            unit="cps",
            width=8,
        ),
        graph(
            "Changes of releases",
            "Put into service in place of another, and refused, since the workers started.",
            *(
                Query(f"sum by (dataset) ({metric}{{{OF_DATASET}}})", f"{{{{dataset}}}} {name}")
                for metric, name in changes
            ),
            width=8,
            links=(runbook("release-refused"),),
        ),
    )


def _taken() -> tuple[Panel, ...]:
    return (
        graph(
            "Where the time goes",
            "Seconds spent in a second, of all workers, by stage. *model* near the number of workers: they are too few."
            " *publish*: the brokers are slow.",
            Query(rate("tidewatch_stage_seconds_total", "stage"), "{{stage}}"),
            width=8,
        ),
        graph(
            "Processors",
            "Each worker's use, in processors.",
            Query('rate(process_cpu_seconds_total{job="tidewatch"}[$__rate_interval])', "{{instance}}"),
            width=8,
        ),
        graph(
            "Memory",
            "Each worker's, and what its series take of it.",
            Query('process_resident_memory_bytes{job="tidewatch"}', "{{instance}}"),
            Query("tidewatch_series_bytes", "{{instance}} series"),
            unit="bytes",
            width=8,
            links=(runbook("worker-down"),),
        ),
    )
