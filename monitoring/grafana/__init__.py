"""Grafana's pages, as data: `python -m monitoring.grafana` writes them (docs/grafana.md)."""
