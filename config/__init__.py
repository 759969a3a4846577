"""Settings, read once at the edge and handed down in groups."""
