"""The page at `/`: templates over what the service tells anyway; whatever changes something is a call of its API."""
