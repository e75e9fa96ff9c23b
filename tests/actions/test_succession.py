"""Whom a room goes to when its last owner's account is deleted, also when much happens at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.db.transaction import atomic

from chat.actions.members import add_member, change_role, join_room
from chat.actions.people import add_person, register_person
from chat.actions.rooms import create_group, open_direct
from chat.errors import Forbidden
from chat.events import database
from chat.models import Event, Membership, Profile, Room
from tests.scene import WITHIN, held, logged, seat, together

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "a long walk home"


@pytest.fixture
def dora(db: None) -> Profile:
    return register_person(username="dora", password=PASSWORD)


def delete(person: Profile) -> None:
    """Delete the account as a host does, and look at the person anew."""
    get_user_model().objects.get(pk=person.user_id).delete()
    person.refresh_from_db()


@pytest.mark.parametrize(
    ("roles", "heir"),
    [
        (["member", "admin", "admin"], 1),
        (["member", "moderator", "member"], 1),
        (["moderator", "admin"], 1),
        (["member", "member"], 0),
        (["admin", "member", "owner"], None),
    ],
    ids=str,
)
def test_the_highest_who_was_there_longest_takes_over(
    dora: Profile, person: Callable[..., Profile], roles: list[str], heir: int | None
) -> None:
    room, _ = create_group(dora, title="Left", visibility="private")
    others = [person(f"p{number}") for number in range(len(roles))]
    for one, role in zip(others, roles, strict=True):
        add_member(dora, room.pk, one.pk, role)
    delete(dora)
    assert not Membership.objects.filter(room=room, user=dora).exists()
    owners = Membership.objects.filter(room=room, role="owner")
    assert [one.user for one in owners] == [others[2 if heir is None else heir]]
    changed = Event.objects.filter(room=room, type="member.role_changed")
    assert [(one.actor, one.subject) for one in changed] == (
        [] if heir is None else [(None, others[heir])]
    )
    assert Room.objects.get(pk=room.pk).members_count == len(roles)
    logged(room)


def test_a_room_without_anyone_else_stays_as_it_is(dora: Profile) -> None:
    room, _ = create_group(dora, title="Alone", visibility="private")
    before = logged(room)
    delete(dora)
    assert (logged(room), seat(dora, room).role) == (before, "owner")


def test_the_first_who_joins_a_room_of_a_deleted_owner_owns_it(
    dora: Profile, bob: Profile, cat: Profile
) -> None:
    room, _ = create_group(dora, title="Empty", visibility="public")
    delete(dora)
    assert join_room(bob, room.pk).role == "owner"
    assert join_room(cat, room.pk).role == "member"


def test_an_imported_person_takes_nothing_over(dora: Profile, bob: Profile) -> None:
    room, _ = create_group(dora, title="Old", visibility="private")
    kim = add_person(username="kim", source_key="irc:kim")
    Membership.objects.create(room=room, user=kim, role="admin")
    add_member(dora, room.pk, bob.pk)
    delete(dora)
    assert (seat(bob, room).role, seat(kim, room).role) == ("owner", "admin")


def test_two_last_owners_who_go_at_once_leave_an_heir(ann: Profile, bob: Profile) -> None:
    for number in range(4):
        one, two = (register_person(username=f"{name}{number}", password=PASSWORD) for name in "xy")
        room, _ = create_group(ann, title="Two", visibility="public", members=[one.pk, two.pk])
        for owner in (one, two):
            change_role(ann, room.pk, owner.pk, "owner")
        change_role(ann, room.pk, ann.pk, "member")
        answers = together([partial(delete, one), partial(delete, two)])
        assert answers == [None, None]
        assert [m.user for m in Membership.objects.filter(room=room, role="owner")] == [ann]
        assert Room.objects.get(pk=room.pk).members_count == 1
        logged(room)


def test_nobody_is_added_while_their_account_goes(ann: Profile) -> None:
    """Either they were in, and have left; or they were refused."""
    for number in range(6):
        one = register_person(username=f"x{number}", password=PASSWORD)
        rooms = [create_group(ann, title="R", visibility="public")[0] for _ in range(3)]
        answers = together(
            [
                *(partial(add_member, ann, room.pk, one.pk) for room in rooms),
                partial(join_room, one, rooms[0].pk),
                partial(create_group, ann, title="N", visibility="public", members=[one.pk]),
                partial(open_direct, ann, one.pk),
                partial(delete, one),
            ]
        )
        failed = [one for one in answers if isinstance(one, Exception)]
        assert all(isinstance(one, Forbidden) for one in failed), failed
        groups = Membership.objects.filter(user=one, room__kind="group")
        assert not groups.exists()
        pair = Room.objects.filter(kind="direct", memberships__user=one).first()
        assert pair is None or pair.frozen


@pytest.mark.postgres
def test_a_deletion_that_waits_for_a_room_does_not_hold_the_person(ann: Profile) -> None:
    """Else an action that holds the room and needs the person would be a deadlock, and either may fail."""
    dora = register_person(username="dora", password=PASSWORD)
    room, _ = create_group(ann, title="Busy", visibility="public", members=[dora.pk])
    with ThreadPoolExecutor(1) as thread:
        with held(room), atomic(using=database()):
            deletion = thread.submit(in_a_thread, partial(delete, dora))
            wait_for_a_blocked_statement()
            assert Profile.objects.select_for_update(nowait=True).get(pk=dora.pk)
        deletion.result(WITHIN)
    dora.refresh_from_db()
    assert dora.deleted_at
    assert logged(room)[-1] == "member.left"


def in_a_thread(call: Callable[[], None]) -> None:
    try:
        call()
    finally:
        connections.close_all()


def wait_for_a_blocked_statement() -> None:
    """Return once another connection to this database waits for a lock."""
    blocked = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    until = monotonic() + WITHIN
    with connections[database()].cursor() as cursor:
        while monotonic() < until:
            # Within a transaction PostgreSQL shows the activity as it was at the first look.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(blocked)
            if cursor.fetchone():
                return
    raise AssertionError("no statement waits for a lock")
