"""A right that is taken while it is used, and rooms whose last owner is gone."""

from __future__ import annotations

from functools import partial

import pytest

from chat.actions.members import add_member, change_role, join_room
from chat.actions.messages import delete_message, pin_message
from chat.actions.moderation import moderate_change_role
from chat.actions.people import register_person
from chat.actions.rooms import create_group, delete_room, update_room
from chat.errors import Forbidden, NotFound
from chat.models import Event, Membership, Profile, Room
from tests.scene import logged, moderator, say, seat, together

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 4


def after(room: Room, type: str, actor: Profile) -> list[str]:
    """What a person did in a room after an event of a type, as its log has it."""
    place = Event.objects.filter(room=room, type=type).latest("seq").seq
    later = Event.objects.filter(room=room, actor=actor, seq__gt=place)
    assert logged(room)
    return list(later.values_list("type", flat=True))


def test_a_moderator_put_down_at_that_moment_moderates_no_more(
    ann: Profile, bob: Profile, cat: Profile
) -> None:
    for _ in range(ROUNDS):
        room, _ = create_group(ann, title="Busy", visibility="public", members=[bob.pk])
        change_role(ann, room.pk, bob.pk, "moderator")
        said = [say(ann, room) for _ in range(4)]
        answers = together(
            [
                *(partial(delete_message, bob, one.pk) for one in said[:2]),
                *(partial(pin_message, bob, one.pk) for one in said[2:]),
                partial(add_member, bob, room.pk, cat.pk),
                partial(change_role, ann, room.pk, bob.pk, "member"),
            ]
        )
        assert all(isinstance(one, Forbidden) or not isinstance(one, Exception) for one in answers)
        assert after(room, "member.role_changed", bob) == []


def test_who_writes_while_a_room_is_frozen_writes_before_it(ann: Profile, bob: Profile) -> None:
    for _ in range(ROUNDS):
        room, _ = create_group(ann, title="Cold", visibility="public", members=[bob.pk])
        answers = together(
            [
                *(partial(say, bob, room, str(number)) for number in range(5)),
                partial(update_room, ann, room.pk, frozen=True),
            ]
        )
        assert all(isinstance(one, Forbidden) or not isinstance(one, Exception) for one in answers)
        assert after(room, "room.updated", bob) == []


def test_who_joins_while_a_room_is_shut_is_in_before_it(
    ann: Profile, bob: Profile, cat: Profile
) -> None:
    for _ in range(ROUNDS):
        room, _ = create_group(ann, title="Door", visibility="public")
        answers = together(
            [
                partial(join_room, bob, room.pk),
                partial(join_room, cat, room.pk),
                partial(update_room, ann, room.pk, visibility="private"),
            ]
        )
        assert all(isinstance(one, NotFound) or not isinstance(one, Exception) for one in answers)
        assert after(room, "room.updated", bob) + after(room, "room.updated", cat) == []


def test_a_room_keeps_an_owner_whose_account_is_switched_off(bob: Profile) -> None:
    """The account may be switched on again, so nobody takes over but by staff."""
    dora = register_person(username="dora", password="a long walk home")
    room, _ = create_group(dora, title="Left", visibility="private", members=[bob.pk])
    assert dora.user
    dora.user.is_active = False
    dora.user.save()
    assert seat(Profile.objects.get(pk=dora.pk), room).role == "owner"
    with pytest.raises(Forbidden):
        change_role(bob, room.pk, bob.pk, "owner")
    with pytest.raises(Forbidden):
        delete_room(bob, room.pk)
    assert moderate_change_role(moderator(), room.pk, bob.pk, "owner", "Its owner is away.")
    assert Membership.objects.filter(room=room, role="owner").count() == 2
    update_room(bob, room.pk, title="Found")
