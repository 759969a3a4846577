"""What the tests of a service that asks for tokens share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.settings import Settings
from stream_app.admin.database import Database
from stream_app.admin.parts import DATABASE
from stream_app.admin.tokens import Tokens


@pytest.fixture(scope="module")
def tokens(chosen: Settings) -> Iterator[Tokens]:
    """The tokens of the service with the settings `chosen`, as another process would make them."""
    database = Database(chosen.admin.folder / DATABASE)
    yield Tokens(database)
    database.close()
