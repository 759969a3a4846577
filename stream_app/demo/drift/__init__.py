"""`tidewatch demo --drift`: one sensor of the plant shifts, and Prometheus and Alertmanager see it."""
