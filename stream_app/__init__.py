"""Processes: the worker, the command line, the local Kafka. Nothing here computes."""
