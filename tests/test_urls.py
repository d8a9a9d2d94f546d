"""URLs of databases: told apart, identified, and shown without their secrets."""

from __future__ import annotations

import pytest

from prontodb import urls
from prontodb.errors import InvalidDatabase, UsageError


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("main", "main"),
        ("/a@b:c/d.db", "/a@b:c/d.db"),
        ("postgresql://h/db", "postgresql://h/db"),
        ("postgresql://u@h/db?sslmode=require", "postgresql://u@h/db?sslmode=require"),
        ("postgresql://u:pw@h1:1,h2:2/db?a=1", "postgresql://u@h1:1,h2:2/db?..."),
        ("postgres://u:p@w@h/db?password=x&durability=local&sslpassword=y", "postgres://u@h/db?durability=local&..."),
        ("postgresql://u:p/w?x@h/db", "postgresql://u@h/db"),
        ("postgresql://h/db?pass%77ord=x", "postgresql://h/db?..."),
    ],
)
def test_a_url_is_shown_without_what_may_be_a_secret(url: str, shown: str) -> None:
    assert urls.shown(url) == shown


def test_one_database_has_one_identity() -> None:
    """Whoever asks, and however: what was rescued for it is found again."""
    spelled = ["postgresql://h1,h2/db", "postgres://u@h1:5432,h2/db?sslmode=require", "postgresql://v:pw@h1,h2:5432/db?durability=local"]
    assert {urls.identity(url) for url in spelled} == {"postgresql://h1,h2/db"}
    assert urls.identity("postgresql://h1/db") != urls.identity("postgresql://h1/db2")
    assert urls.identity("postgresql://h1:5433/db") != urls.identity("postgresql://h1/db")


@pytest.mark.parametrize(
    ("url", "durability", "rest"),
    [
        ("postgresql://h/db", "quorum", "postgresql://h/db"),
        ("postgresql://h/db?durability=local", "local", "postgresql://h/db"),
        ("postgresql://h/db?a=1&durability=local&b=2", "local", "postgresql://h/db?a=1&b=2"),
        ("postgresql://u:p?durability=x@h/db?durability=local", "local", "postgresql://u:p?durability=x@h/db"),
        ("postgresql:///db?host=/run&durability=local", "local", "postgresql:///db?host=/run"),
        ("postgresql://h/db?application_name=a@b&durability=local", "local", "postgresql://h/db?application_name=a@b"),
    ],
)
def test_our_own_parameter_is_kept_from_libpq(url: str, durability: str, rest: str) -> None:
    assert urls.take(url, "durability", "quorum") == (durability, rest)


def test_nobody_keeps_a_password() -> None:
    assert urls.to_keep("postgresql://u@h/db?durability=local", "A cursor") == "postgresql://u@h/db?durability=local"
    with pytest.raises(UsageError, match="A cursor keeps no password: 'postgresql://u@h/db'") as told:
        urls.to_keep("postgresql://u:secret@h/db", "A cursor")
    assert "secret" not in told.value.message + told.value.cure


def test_the_environment_of_a_call_is_the_one_it_was_given() -> None:
    told = dict(urls.environment({"PGUSER": "ada", "HOME": "/home/ada", "OTHER": "x"}))
    assert told == {"PGPASSWORD": "", "PGPASSFILE": "", "PGUSER": "ada", "PGSSLMODE": "", "PGSSLROOTCERT": "", "HOME": "/home/ada"}


def test_durability_is_one_of_two_words() -> None:
    assert [urls.check_durability(word) for word in ("quorum", "local")] == ["quorum", "local"]
    with pytest.raises(InvalidDatabase, match="neither quorum nor local"):
        urls.check_durability("Local")
