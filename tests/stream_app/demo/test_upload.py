"""The parts of the demo of an upload; whole it is in test_demo.py."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from stream_app.demo.command import demo
from stream_app.demo.processes import DemoError
from stream_app.demo.upload.play import smaller
from stream_app.demo.upload.service import accepted


def test_what_is_uploaded_has_ten_thousand_rows():
    """Of 8 features."""
    past = smaller(7).history
    pumps, minutes, sensors = past.values.shape
    assert (pumps * minutes, sensors) == (10_000, 8)


def test_a_refused_upload_is_said():
    """In the words of the service."""
    with pytest.raises(DemoError, match="the name is taken"):
        accepted('{"status": 409, "detail": "the name is taken"}')


@pytest.mark.parametrize("option", ["--drift", "--picture=page.svg"])
def test_an_upload_is_a_demo_of_its_own(option):
    """It has neither alerts nor a picture."""
    told = CliRunner().invoke(demo, ["--upload", option])
    assert told.exit_code == 2
    assert "leave out --" in told.output
