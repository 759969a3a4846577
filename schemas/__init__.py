"""The words on the wire and on disk: data only, nothing of ours is imported here."""
