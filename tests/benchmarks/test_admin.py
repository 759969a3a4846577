"""The benchmark of predictions runs, and its figures are of one another."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks import admin


@pytest.mark.slow
def test_it_measures_all_three_and_writes_it_down(tmp_path, monkeypatch):
    """With few clients for an instant: every figure is there, and a latency is no more than the one above it."""
    monkeypatch.setattr(admin, "CLIENTS", 3)
    output = tmp_path / "admin.json"
    monkeypatch.setattr(sys, "argv", ["admin", "--seconds", "0.2", "--turns", "1", "--output", str(output)])
    admin.main()
    figures = json.loads(output.read_text())
    for name in admin.APPS:
        assert 0 < figures[name]["p50_ms"] <= figures[name]["p95_ms"] <= figures[name]["p99_ms"]
    for other in ("nothing", "alone"):
        ratio = figures["predict"]["requests_per_second"] / figures[other]["requests_per_second"]
        assert figures[f"predict_over_{other}"]["requests_per_second"] == pytest.approx(ratio, rel=0.1, abs=0.01)
