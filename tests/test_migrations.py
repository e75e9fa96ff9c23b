"""The tables are what the models say, and can be unmade and made again."""

from __future__ import annotations

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from chat.actions.people import add_person
from tests.scene import own_log, say


def tables() -> set[str]:
    return {name for name in connection.introspection.table_names() if name.startswith("chat_")}


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    said = StringIO()
    call_command("makemigrations", "chat", check_changes=True, dry_run=True, stdout=said)
    assert "No changes" in said.getvalue()


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize("name", ["0008", "0010"])
def test_indexes_of_large_tables_are_built_while_others_write(name: str) -> None:
    said = StringIO()
    call_command("sqlmigrate", "chat", name, stdout=said)
    indexes = [line for line in said.getvalue().splitlines() if line.startswith("CREATE INDEX")]
    assert indexes
    assert all(line.startswith("CREATE INDEX CONCURRENTLY") for line in indexes)


@pytest.mark.django_db(transaction=True)
def test_the_way_back_to_nothing_and_forward_again() -> None:
    person = add_person(username="ann")
    say(person, own_log(person))
    declared = {model._meta.db_table for model in apps.get_app_config("chat").get_models()}
    assert declared <= tables()
    try:
        call_command("migrate", "chat", "zero", verbosity=0)
        assert tables() == set()
    finally:
        call_command("migrate", "chat", verbosity=0)
    assert declared <= tables()
    assert own_log(add_person(username="bob"))
