"""Groups: opened once, set up by their admins, kept by each member for themselves, ended by an owner."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from chat.actions.members import change_role
from chat.actions.rooms import create_group, delete_room, keep_room, update_room
from chat.errors import ChatError, Conflict, Forbidden, Invalid, NotFound
from chat.models import Event, Membership, Message, Profile, Room
from chat.policy import Policy
from chat.queries.rooms import inbox
from chat.serializers.rooms import RoomChangeSerializer
from tests.conftest import Heard
from tests.scene import logged, own_log, say, seat

pytestmark = pytest.mark.django_db


class NoGroups(Policy):
    def may_create_group(self, person: Profile) -> bool:
        return False


def test_the_creator_owns_the_group_and_the_others_are_members(
    group: Room, ann: Profile, bob: Profile
) -> None:
    assert seat(ann, group).role == "owner"
    assert seat(bob, group).role == "member"
    assert Room.objects.get(pk=group.pk).members_count == 2


def test_a_log_begins_with_the_room_and_those_who_came(group: Room, bob: Profile) -> None:
    assert logged(group) == ["room.created", "member.joined", "member.joined"]
    assert logged(own_log(bob)) == ["room.created", "member.joined", "room.joined"]


def test_who_opens_a_group_is_in_it_once(ann: Profile) -> None:
    room, _ = create_group(ann, title="Echo", visibility="public", members=[ann.pk, ann.pk])
    assert seat(ann, room).role == "owner"
    assert Room.objects.get(pk=room.pk).members_count == 1


@pytest.mark.parametrize("visibility", ["public", "private"])
def test_the_same_id_again_is_a_repeat(
    ann: Profile, bob: Profile, heard: Heard, visibility: str
) -> None:
    wanted = {"id": uuid4(), "title": "Once", "visibility": visibility, "members": [bob.pk]}
    first, new = create_group(ann, **wanted)
    assert new
    assert heard.of(create_group, ann, **wanted) == []
    assert create_group(ann, **wanted) == (first, False)


def test_a_repeat_after_a_change_is_still_a_repeat(ann: Profile) -> None:
    wanted = {"id": uuid4(), "title": "Once", "visibility": "public"}
    room, _ = create_group(ann, **wanted)
    update_room(ann, room.pk, title="Now otherwise")
    again, new = create_group(ann, **wanted)
    assert (again.title, new) == ("Now otherwise", False)


@pytest.mark.parametrize(
    "other", [{"title": "Twice"}, {"visibility": "private"}, {"history": "joined"}]
)
def test_the_same_id_for_something_else_is_a_conflict(ann: Profile, other: dict[str, Any]) -> None:
    wanted: dict[str, Any] = {"id": uuid4(), "title": "Once", "visibility": "public"}
    create_group(ann, **wanted)
    with pytest.raises(Conflict, match="already in use"):
        create_group(ann, **{**wanted, **other})


def test_another_persons_id_is_a_conflict_in_the_same_words(ann: Profile, bob: Profile) -> None:
    wanted: dict[str, Any] = {"id": uuid4(), "title": "Once", "visibility": "private"}
    create_group(ann, **wanted)
    with pytest.raises(Conflict, match="already in use"):
        create_group(bob, **wanted)


def test_a_member_who_is_nobody_opens_nothing(ann: Profile) -> None:
    with pytest.raises(NotFound):
        create_group(ann, title="Ghosts", visibility="public", members=[uuid4()])
    assert not Room.objects.filter(title="Ghosts").exists()


def test_a_policy_may_forbid_new_groups(ann: Profile, configured: Any) -> None:
    configured(POLICY=NoGroups)
    with pytest.raises(Forbidden):
        create_group(ann, title="Closed", visibility="public")


def test_admins_set_a_group_up_and_members_do_not(group: Room, ann: Profile, bob: Profile) -> None:
    with pytest.raises(Forbidden):
        update_room(bob, group.pk, title="Bob's")
    change_role(ann, group.pk, bob.pk, "moderator")
    with pytest.raises(Forbidden):
        update_room(bob, group.pk, title="Bob's")
    change_role(ann, group.pk, bob.pk, "admin")
    assert update_room(bob, group.pk, title="Ours", slow_mode=5).title == "Ours"
    stored = Room.objects.get(pk=group.pk)
    assert (stored.title, stored.slow_mode) == ("Ours", 5)
    assert logged(group)[-1] == "room.updated"


def test_what_is_so_already_is_not_told(group: Room, ann: Profile, heard: Heard) -> None:
    assert heard.types_of(update_room, ann, group.pk, topic="Ships") == ["room.updated"]
    assert heard.of(update_room, ann, group.pk, topic="Ships", title="Harbour") == []
    assert heard.of(update_room, ann, group.pk) == []


@pytest.mark.parametrize("field", ["title", "topic", "avatar_url"])
def test_every_change_that_the_shape_lets_in_can_be_stored(
    group: Room, ann: Profile, field: str
) -> None:
    for value in (None, "", "https://example.org/x.png"):
        shape = RoomChangeSerializer(data={field: value})
        if shape.is_valid():
            update_room(ann, group.pk, **shape.validated_data)


def test_a_direct_room_and_ones_own_log_have_nothing_to_set(pair: Room, ann: Profile) -> None:
    for room in (pair, own_log(ann)):
        with pytest.raises(Forbidden):
            update_room(ann, room.pk, title="Mine")
        with pytest.raises(Forbidden):
            delete_room(ann, room.pk)


def test_only_an_owner_ends_a_group(group: Room, ann: Profile, bob: Profile) -> None:
    change_role(ann, group.pk, bob.pk, "admin")
    with pytest.raises(Forbidden):
        delete_room(bob, group.pk)
    delete_room(ann, group.pk)
    assert logged(group)[-1] == "room.deleted"
    assert not Membership.objects.filter(room=group).exists()


def test_an_ended_group_is_gone_for_all_and_its_rows_stay(
    group: Room, ann: Profile, bob: Profile
) -> None:
    message = say(bob, group)
    delete_room(ann, group.pk)
    for verb in (
        lambda: say(ann, group),
        lambda: update_room(ann, group.pk),
        lambda: keep_room(bob, group.pk, pinned=True),
    ):
        with pytest.raises(NotFound):
            verb()
    assert not inbox(bob).filter(room=group).exists()
    assert logged(own_log(bob))[-1] == "room.left"
    assert Message.objects.filter(pk=message.pk).exists()


def test_an_ended_groups_id_stays_taken(ann: Profile) -> None:
    wanted: dict[str, Any] = {"id": uuid4(), "title": "Once", "visibility": "public"}
    room, _ = create_group(ann, **wanted)
    delete_room(ann, room.pk)
    with pytest.raises(Conflict):
        create_group(ann, **wanted)


def test_each_member_keeps_a_room_for_themselves(
    group: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    (told,) = heard.of(keep_room, bob, group.pk, pinned=True, notify="mentions")
    assert (told.type, told.room) == ("room.kept", str(own_log(bob).pk))
    assert (seat(bob, group).pinned, seat(bob, group).notify) == (True, "mentions")
    assert not seat(ann, group).pinned
    assert heard.of(keep_room, bob, group.pk, pinned=True) == []


def test_keeping_needs_something_to_change(group: Room, bob: Profile) -> None:
    with pytest.raises(Invalid):
        keep_room(bob, group.pk)


@pytest.mark.parametrize(("room", "refusal"), [("group", Forbidden), ("den", NotFound)])
def test_who_is_not_in_a_room_does_nothing_there(
    request: pytest.FixtureRequest, cat: Profile, room: str, refusal: type[ChatError]
) -> None:
    there: Room = request.getfixturevalue(room)
    before = Event.objects.count()
    for verb in (update_room, delete_room, lambda *who: keep_room(*who, pinned=True)):
        with pytest.raises(refusal):
            verb(cat, there.pk)
    assert Event.objects.count() == before
