"""Arrays in, scores out: no clock, no settings, no network outside `store`."""
