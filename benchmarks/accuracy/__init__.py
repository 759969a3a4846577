"""How well the detector tells anomalies from normal readings, on published labelled sets."""
