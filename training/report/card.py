"""The release's card: what it is called, what it was made from, and how to know it again."""

from __future__ import annotations

from training.report.findings import Findings
from training.report.words import number


def identity(findings: Findings) -> list[tuple[str, str]]:
    """Names, versions and digests."""
    manifest, meta = findings.manifest, findings.meta
    return [
        ("release", manifest.release),
        ("dataset", manifest.dataset),
        ("made", f"{manifest.created}, by Tidewatch {manifest.code_version}"),
        ("features", ", ".join(manifest.features)),
        ("window", f"{manifest.window} readings, every {manifest.stride}"),
        ("networks", f"{', '.join(meta.weights)}, combined by {meta.combine}"),
        ("threshold", f"{meta.threshold.method}, at a combined error of {number(meta.threshold.level)}"),
        ("config's SHA-256", manifest.config_digest),
    ]


def digests(findings: Findings) -> list[tuple[str, str]]:
    """SHA-256 of each file that was read and of each that was made."""
    sources = [(source["file"], source["sha256"]) for source in findings.ingestion["source"]]
    return [*sources, *sorted(findings.manifest.files.items())]
