"""What the routes work with, made once from the settings: whoever adds a part adds a line here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from models.store import open_store
from models.store.base import Store
from stream_app.admin.access import Access
from stream_app.admin.audit import Audit
from stream_app.admin.database import Database
from stream_app.admin.tokens import Tokens

if TYPE_CHECKING:
    from config.settings import Settings

DATABASE = "admin.db"


@dataclass(frozen=True)
class Parts:
    """The services, by name."""

    settings: Settings
    database: Database
    store: Store
    access: Access
    audit: Audit

    def close(self) -> None:
        """Let go of all that is held."""
        self.database.close()


def assemble(settings: Settings) -> Parts:
    """Everything, built and not yet at work."""
    database = Database(settings.admin.folder / DATABASE)
    return Parts(
        settings=settings,
        database=database,
        store=open_store(settings.store.url),
        access=Access(Tokens(database), settings.admin.failures_cap),
        audit=Audit(database),
    )


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


With = Annotated[Parts, Depends(_parts)]  # a route's parameter `parts: With`
