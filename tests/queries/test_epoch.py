"""The epoch names one history: it changes where the log may be another one, and stays through all else."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from chat.actions.epoch import renew_epoch
from chat.checks.stack import check_marks
from chat.events import database
from chat.models import Epoch, Event
from chat.queries import epoch as module
from chat.queries.epoch import current_epoch, in_epoch, unreadable_marks

pytestmark = pytest.mark.django_db

# The chat may have a database of its own.
connection = connections[database()]


def sql(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone() if cursor.description else None


@pytest.fixture
def asked_anew() -> Iterator[None]:
    """Permissions are looked up in this test, and again in the next."""
    module._readable_marks.cache_clear()
    yield
    module._readable_marks.cache_clear()


def test_epoch_is_read_in_one_query() -> None:
    current_epoch()
    with CaptureQueriesContext(connection) as asked:
        found = current_epoch()
    assert len(asked) == 1
    assert found == current_epoch()
    assert Epoch.objects.count() == 1


def test_epoch_is_opaque() -> None:
    found = current_epoch()
    assert len(found) == 32
    assert Epoch.objects.get().value.hex not in found


def test_renewing_changes_it() -> None:
    before = current_epoch()
    renew_epoch()
    assert current_epoch() != before


def test_one_of_several_that_saw_the_same_epoch_renews_it() -> None:
    seen = current_epoch()
    renew_epoch(seen)
    renewed = current_epoch()
    assert renewed != seen
    renew_epoch(seen)
    assert current_epoch() == renewed


def test_epoch_is_read_before_the_rows_that_it_names() -> None:
    """Rows newer than their epoch are reset later; rows older than their epoch never would be."""
    before = current_epoch()
    epoch, _ = in_epoch(renew_epoch)
    assert epoch == before != current_epoch()


@pytest.mark.parametrize("table", ["chat_event", "own"], ids=["its name", "renamed"])
@pytest.mark.postgres
def test_a_table_made_anew_is_another_epoch(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pg_restore makes it. Maintenance and a new name keep the table what it is."""
    before = current_epoch()
    if table != "chat_event":
        sql(f"ALTER TABLE chat_event RENAME TO {table}")
    monkeypatch.setattr(Event._meta, "db_table", table)
    assert current_epoch() == before
    sql(f"CLUSTER {table} USING chat_event_pkey")
    assert current_epoch() == before
    sql(f"ALTER TABLE {table} RENAME TO old")
    sql(f"CREATE TABLE {table} (LIKE old INCLUDING ALL)")
    assert current_epoch() != before


@pytest.mark.postgres
def test_table_is_found_by_the_search_path_and_with_its_quotes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = current_epoch()
    sql("CREATE SCHEMA apart")
    sql('CREATE TABLE apart."Chat Event" ()')
    monkeypatch.setattr(Event._meta, "db_table", 'apart"."Chat Event')
    there = current_epoch()
    assert there != before
    monkeypatch.setattr(Event._meta, "db_table", "Chat Event")
    sql("SET LOCAL search_path TO public, apart")
    assert current_epoch() == there


@pytest.mark.postgres
def test_a_role_without_permission_is_told_and_served(
    asked_anew: None, caplog: pytest.LogCaptureFixture
) -> None:
    full = current_epoch()
    assert unreadable_marks(connection.alias) == []
    assert check_marks(None, databases=[connection.alias]) == []
    role = f"chat_limited_{os.getpid()}"
    sql(f"CREATE ROLE {role}")
    sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    sql("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    sql(f"SET LOCAL ROLE {role}")
    module._readable_marks.cache_clear()
    with caplog.at_level(logging.WARNING):
        first = current_epoch()
        assert current_epoch() == first != full
    assert unreadable_marks(connection.alias) == ["pg_control_system()"]
    (warning,) = check_marks(None, databases=[connection.alias])
    assert (warning.id, "pg_control_system()" in warning.msg) == ("chat.W018", True)
    assert "GRANT EXECUTE ON FUNCTION pg_control_system()" in str(warning.hint)
    # Only where databases may be asked.
    assert check_marks(None) == []
    assert [record.getMessage() for record in caplog.records] == [
        "this role cannot read pg_control_system():"
        " run chat_epoch --renew after each restore and failover"
    ]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a file is SQLite's")
def test_a_file_in_place_of_another_is_another_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    for file in files:
        file.touch()
    seen = set()
    for file in [*files, files[0]]:
        monkeypatch.setitem(connection.settings_dict, "NAME", str(file))
        seen.add(current_epoch())
    assert len(seen) == 2
    assert unreadable_marks(connection.alias) == []
