"""A connection of the service ends when PostgreSQL is silent, and not when it refuses something."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.db import connections

from chat.actions.rooms import create_group
from chat.events import database
from chat.models import Profile
from chat.queries.people import find_people
from chat.queries.rooms import members

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def connected(statement_timeout: str) -> Any:
    """Return a connection of the service's kind to the database of the tests."""
    # Only here, because psycopg is there only where PostgreSQL is.
    from project.postgresql import patient

    known = connections[database()].get_connection_params()
    named = {name: known[name] for name in ("dbname", "host", "port", "user") if name in known}
    return patient(statement_timeout).connect(**named)


def test_what_the_server_gives_up_in_a_pipeline_breaks_no_connection() -> None:
    from psycopg.errors import PipelineAborted, QueryCanceled

    with connected("5s") as connection:
        connection.execute("SET statement_timeout = '50ms'")
        connection.commit()
        with suppress(PipelineAborted), connection.pipeline():
            slow = connection.execute("SELECT pg_sleep(30)")
            connection.execute("SELECT 1")
            with pytest.raises(QueryCanceled):
                slow.fetchall()
            assert not connection.closed
        connection.rollback()
        assert connection.execute("SELECT 2").fetchone() == (2,)


def test_names_are_found_by_an_index_however_many_people_there_are(ann: Profile) -> None:
    """The indexes of the migration are in the very form that Django asks for."""
    room, _ = create_group(ann, title="Large", visibility="public")
    with connections[database()].cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = [find_people("ann").explain(), members(ann, room.pk, search="ann").explain()]
    for plan in plans:
        assert "chat_profile_handle_prefix" in plan
        assert "chat_profile_name_prefix" in plan
