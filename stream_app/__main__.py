"""`python -m stream_app` is `tidewatch`."""

from stream_app.cli import main

main()
