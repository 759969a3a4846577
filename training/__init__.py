"""The offline job that turns a file of readings into a release."""
