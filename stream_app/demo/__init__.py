"""`tidewatch demo`: a small plant, a detector trained on it, a real worker, and what it found against the truth."""
