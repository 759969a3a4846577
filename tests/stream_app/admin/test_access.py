"""Who is let in: everybody on this machine while there is no token, and then who has one."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from stream_app.admin.attempts import Attempts
from stream_app.admin.audit import Audit
from stream_app.admin.database import Database
from stream_app.admin.failures import Missing, TooOften, Unusable
from stream_app.admin.tokens import Tokens, find
from stream_app.cli import tidewatch


@pytest.fixture
def tokens(tmp_path):
    """Tokens in a database of their own."""
    database = Database(tmp_path / "admin.db")
    yield Tokens(database)
    database.close()


def test_a_token_is_found_by_its_text_alone(tokens):
    """The text of one token finds that one; a text that differs in its last letter, its id or its form finds none."""
    first, text = tokens.create("anna")
    tokens.create("anna")
    known = tokens.all()
    assert find(known, text) == first
    wrong = "B" if text.endswith("A") else "A"
    for other in (text[:-1] + wrong, text.replace(first.id, "00000000"), "", "_", "tw__", "é_é_é"):
        assert find(known, other) is None


def test_the_text_is_not_kept(tokens):
    """What lies on the disk has the digest, not the token."""
    _, text = tokens.create("anna")
    for file in tokens.database.path.parent.iterdir():
        assert text.encode() not in file.read_bytes()


def test_a_revoked_token_is_worthless_and_the_other_stays(tokens):
    """Changing a token: make the new one, revoke the old one."""
    old, old_text = tokens.create("anna")
    new, new_text = tokens.create("anna")
    tokens.revoke(old.id)
    assert find(tokens.all(), old_text) is None
    assert find(tokens.all(), new_text) == new
    with pytest.raises(Missing, match=old.id):
        tokens.revoke(old.id)


@pytest.mark.parametrize("owner", ["", "Anna", "../x", "a" * 41, "a/b"])
def test_an_owner_is_a_name_that_can_be_a_folder(tokens, owner):
    """Owners become folders, so that nothing else is taken."""
    with pytest.raises(Unusable, match="is not a name"):
        tokens.create(owner)


def test_who_may_operate_may_read(tokens):
    """A token with `operate` alone has both; one with `read` has that."""
    assert tokens.create("anna", ["operate"])[0].scopes == ("read", "operate")
    assert tokens.create("anna", ["read"])[0].scopes == ("read",)


def test_who_guesses_is_refused_for_the_rest_of_the_minute():
    """Three failures are looked at, the fourth is not; another address is; after a minute all is forgotten."""
    attempts = Attempts(3)
    for at in (0.0, 1.0, 2.0):
        attempts.check("a", at)
        attempts.failed("a", at)
    with pytest.raises(TooOften) as refused:
        attempts.check("a", 3.0)
    assert refused.value.seconds == 58
    attempts.check("b", 3.0)
    attempts.check("a", 60.0)


@pytest.mark.usefixtures("plain_environment")
def test_the_command_makes_lists_and_revokes(tmp_path):
    """The token is on standard output alone; the list does not show it; beyond this machine there must be one."""
    setting = f"admin.folder={tmp_path}"

    def run(*words: str):
        return CliRunner().invoke(tidewatch, [*words, "--setting", setting])

    refused = run("admin", "--host", "0.0.0.0")
    assert refused.exit_code == 1
    assert "tidewatch token create" in refused.output
    made = run("token", "create", "--owner", "anna", "--scope", "read")
    text = made.stdout.strip()
    listed = run("token", "list").output
    assert "anna" in listed
    assert text not in listed
    assert run("token", "revoke", text.split("_")[1]).exit_code == 0
    assert run("token", "revoke", text.split("_")[1]).exit_code == 1
    refused = run("admin", "--host", "0.0.0.0")
    assert refused.exit_code == 1
    assert "no token that is valid" in refused.output
    database = Database(tmp_path / "admin.db")
    revoked, created = Audit(database).newest()
    database.close()
    assert (created["owner"], created["action"]) == ("local", "create token")
    assert created["outcome"] == "anna may read"
    assert (revoked["action"], revoked["subject"]) == ("revoke token", created["subject"])
