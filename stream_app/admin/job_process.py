"""A job's own process: `tidewatch` with less memory, that ends when the service that started it does.

`python -m stream_app.admin.job_process MEGABYTES train ...`; whoever starts it holds the other end of standard input.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading

from stream_app.cli import tidewatch
from training.wording import over_http

MEGABYTE = 1_000_000
GRACE_SECONDS = 5.0
NICE = 5  # the service, and a worker on the same machine, come first


def main() -> None:
    """Set the limits, and do what is asked."""
    limit = int(sys.argv[1]) * MEGABYTE
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICE)
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    with over_http():  # who reads what it says asked so
        tidewatch(sys.argv[2:], prog_name="tidewatch")


def _end_with_the_service() -> None:
    """Wait for the end of standard input, which is the end of the service, and go."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
