"""Statistics and metrics that tell how the worker and its data are doing."""
