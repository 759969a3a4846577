"""The files of `monitoring/` for a demo or a test: the same rules, in which time runs faster."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from monitoring import drift_metrics

FILES = Path(drift_metrics.__file__).parent
RULES = ("recording_rules.yml", "alert_rules.yml")
PROMETHEUS, ALERTMANAGER = "prometheus.yml", "alertmanager.yml"
MILLISECONDS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def hastened(text: str, factor: int) -> str:
    """A YAML file with every duration in it so many times shorter."""

    def shorter(found: re.Match[str]) -> str:
        return f"{int(found[1]) * MILLISECONDS[found[2]] // factor}ms"

    return re.sub(r"(?<![\w.])(\d+)([smhd])\b", shorter, text)


def write(folder: Path, factor: int, worker: str, alertmanager: str, webhook: str) -> None:
    """Write all of them into a folder: for a worker and an Alertmanager at host:port, and a webhook's URL."""
    for name in RULES:
        (folder / name).write_text(hastened((FILES / name).read_text(), factor))
    _write(folder / PROMETHEUS, _prometheus(_read(PROMETHEUS, factor), worker, alertmanager))
    _write(folder / ALERTMANAGER, _alertmanager(_read(ALERTMANAGER, factor), webhook))


def _prometheus(config: dict[str, Any], worker: str, alertmanager: str) -> dict[str, Any]:
    config["global"]["scrape_timeout"] = config["global"]["scrape_interval"]
    config["scrape_configs"][0]["static_configs"] = [{"targets": [worker]}]
    config["alerting"]["alertmanagers"][0]["static_configs"] = [{"targets": [alertmanager]}]
    return config


def _alertmanager(config: dict[str, Any], webhook: str) -> dict[str, Any]:
    for receiver in config["receivers"]:
        receiver["webhook_configs"] = [{"url": webhook}]
    return config


def _read(name: str, factor: int) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(hastened((FILES / name).read_text(), factor))
    return config


def _write(file: Path, config: Mapping[str, Any]) -> None:
    file.write_text(yaml.safe_dump(config))
