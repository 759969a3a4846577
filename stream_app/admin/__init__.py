"""The admin: a file of readings becomes a detector in service, over HTTP. Nothing here computes."""
