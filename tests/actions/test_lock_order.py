"""Verbs that lock a person, rooms and own logs do so in one order, so that none of them is ended by a deadlock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from typing import Any

import pytest
from django.db import connections
from django.db.transaction import atomic

from chat.actions.locks import lock_own_logs, lock_people, lock_room
from chat.actions.members import join_room
from chat.actions.moderation import suspend
from chat.actions.people import register_person
from chat.events import database
from chat.models import Profile, Room
from tests.scene import WITHIN, moderator, say

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def dora(db: None) -> Profile:
    return register_person(username="dora", password="a long walk home")


def begun(call: Callable[[], Any]) -> Future[Any]:
    """Run a call in a thread, in a transaction of its own as a host does; return once it waits for a lock."""

    def run() -> Any:
        try:
            # A deadlock inside a host's transaction is not tried again.
            with atomic(using=database()):
                return call()
        finally:
            connections.close_all()

    threads = ThreadPoolExecutor(1)
    answer = threads.submit(run)
    threads.shutdown(wait=False)
    wait_for_lock()
    return answer


def wait_for_lock() -> None:
    until = monotonic() + WITHIN
    with connections[database()].cursor() as cursor:
        while monotonic() < until:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock')"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits for a lock")


def test_an_account_is_deleted_while_its_person_sends(dora: Profile, group: Room) -> None:
    join_room(dora, group.pk)
    account: Any = dora.user
    with atomic(using=database()):
        lock_room(group.pk)
        deletion = begun(account.delete)
        say(dora, group, "One more.")
    deletion.result(WITHIN)
    dora.refresh_from_db()
    assert dora.deleted_at


def test_a_person_is_suspended_while_they_change_their_profile(dora: Profile) -> None:
    staff = moderator()
    with atomic(using=database()):
        lock_people([dora.pk])
        suspension = begun(lambda: suspend(staff, dora, "Threats in three rooms."))
        lock_own_logs([dora])
    assert suspension.result(WITHIN)
