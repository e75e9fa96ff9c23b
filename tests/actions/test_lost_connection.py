"""The writer's connection breaks while nobody uses it: the next send does not hear of it."""

from __future__ import annotations

import pytest
from django.db import connections

from chat.actions.group_commit import send
from chat.actions.sending import Draft
from chat.events import database
from chat.models import Message, Profile, Room

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

OTHERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def test_a_send_survives_the_loss_of_the_writers_connection(group: Room, ann: Profile) -> None:
    send(Draft(ann, group.pk, "before"))
    for number in range(5):
        with connections[database()].cursor() as cursor:
            cursor.execute(OTHERS)
        assert send(Draft(ann, group.pk, f"{number}")).new
    assert Message.objects.filter(room=group).count() == 6
