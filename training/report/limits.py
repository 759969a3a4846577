"""What the detector can not know, and what it was measured to miss."""

from __future__ import annotations

from collections.abc import Iterator

from training.report.findings import Findings
from training.report.headline import weaknesses
from training.report.words import duration, percent


def limits(findings: Findings) -> Iterator[str]:
    """In plain sentences, from the certain to the particular."""
    window, config = findings.window, findings.config
    span = "" if findings.by_rows else f", {duration(window['size'] * window['interval_us'])} at the usual pace"
    since = "" if findings.by_rows else f", {findings.ingestion['time_range'][0]} and on"
    yield (
        f"It knows what was in its training part{since}, and takes all of that for normal: a fault that was there "
        "already is normal to it."
    )
    yield "What is new and harmless, another load or product, looks the same to it as what is new and harmful."
    yield (
        f"It sees {window['size']} readings at once{span}: a change that takes much longer than that may pass as "
        "normal at every step."
    )
    yield (
        f"It promises to flag {percent(findings.evaluation.flag_rate.promised)} of normal windows: "
        + _threshold(config["threshold"]["method"])
    )
    yield "It says which features look odd together; that is where to look first, not the cause."
    missed = weaknesses(findings.evaluation.injected)
    if missed:
        yield f"Measured on injected anomalies, it misses most of {', '.join(missed)}."
    yield from _unmeasured(findings)


def _threshold(method: str) -> str:
    if method == "budget":
        return (
            "some flags are nothing, and its threshold adapts to each series within a budget of flags. What stays "
            "for 1,100 flags is taken for normal."
        )
    return "some flags are nothing. Its threshold is fixed and does not follow a series that changes."


def _unmeasured(findings: Findings) -> Iterator[str]:
    if not findings.labelled:
        yield "There were no labels: how many real faults it finds is not known, only how many injected ones."
    if not findings.evaluation.injected:
        yield "No anomalies were injected: the test part has no room for them, or no feature ever varied."
