"""The writer and connections that are not as it left them."""

from __future__ import annotations

from threading import Event as Signal
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.db.backends.signals import connection_created

from chat.actions.group_commit import GroupCommit, Result, send
from chat.actions.sending import Draft
from chat.events import database
from chat.models import Message, Profile, Room

pytestmark = pytest.mark.django_db(transaction=True)

# The one that was used last, which is the writer's.
LAST_USED = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = (SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY state_change DESC LIMIT 1)"
)


@pytest.mark.postgres
def test_a_send_survives_the_loss_of_the_writers_connection(group: Room, ann: Profile) -> None:
    send(Draft(ann, group.pk, "before"))
    for number in range(5):
        with connections[database()].cursor() as cursor:
            cursor.execute(LAST_USED)
        assert send(Draft(ann, group.pk, f"{number}")).new
    assert Message.objects.filter(room=group).count() == 6


def test_who_waited_while_the_database_was_away_is_told_with_the_others(
    group: Room, ann: Profile
) -> None:
    """The next batch would wait as long again, and the one after it."""
    writer, told = GroupCommit(), []
    both, attempts = Signal(), []

    def hear(results: list[tuple[Any, Result]]) -> None:
        told.extend(results)
        if len(told) == 2:
            both.set()

    def refuse(**signal: object) -> None:
        attempts.append(signal)
        writer.submit(Draft(ann, group.pk, "second"), hear, "second")
        raise OperationalError("The database is away.")

    connection_created.connect(refuse)
    try:
        writer.submit(Draft(ann, group.pk, "first"), hear, "first")
        assert both.wait(30)
    finally:
        connection_created.disconnect(refuse)
    assert [(tag, type(result).code) for tag, result in told] == [
        ("first", "unavailable"),
        ("second", "unavailable"),
    ]
    assert len(attempts) == 1


@pytest.mark.postgres
def test_what_is_begun_by_hand_is_a_transaction_too(group: Room, ann: Profile) -> None:
    using = database()
    transaction.set_autocommit(False, using=using)
    try:
        assert send(Draft(ann, group.pk, "Never mind.")).new
        transaction.rollback(using=using)
    finally:
        transaction.set_autocommit(True, using=using)
    assert not Message.objects.filter(room=group).exists()
