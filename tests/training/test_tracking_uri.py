"""Where runs are tracked, by the URI that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.tracking_uri import DEFAULT, artifacts_folder, is_server, named, sqlite_file, without_password


def test_the_variable_names_it_or_nobody_does():
    """As MLflow's own tools read it; empty is not set."""
    assert named({}) == named({"MLFLOW_TRACKING_URI": ""}) == DEFAULT
    assert named({"MLFLOW_TRACKING_URI": "http://there:5000"}) == "http://there:5000"


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("sqlite:///var/mlflow.db", "var/mlflow.db"),
        ("sqlite:////srv/runs.db", "/srv/runs.db"),
        ("sqlite:////srv/runs.db?timeout=10", "/srv/runs.db"),
        ("sqlite://", None),
        ("https://there/mlflow", None),
        ("postgresql://there/mlflow", None),
    ],
)
def test_the_file_of_a_sqlite_uri(uri, file):
    """Three slashes and a path: relative, or absolute with a fourth. Files of runs lie beside it."""
    assert sqlite_file(uri) == (None if file is None else Path(file))
    assert artifacts_folder(uri) == (None if file is None else Path(file).absolute().parent / "mlflow-artifacts")


def test_only_servers_have_pages_of_their_own():
    """Files and databases do not."""
    assert [uri for uri in ("http://a", "https://a", DEFAULT, "postgresql://a/b") if is_server(uri)] == [
        "http://a",
        "https://a",
    ]


def test_no_password_is_shown():
    """Nor the name before it; the rest is as it was."""
    assert without_password("https://me:secret@there:5000/mlflow?a=b") == "https://there:5000/mlflow?a=b"
    assert without_password(DEFAULT) == DEFAULT
