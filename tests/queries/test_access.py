"""Who is told what: of a private room, that there is none; of a public one, to join first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from chat.actions.members import join_room, leave_room, remove_member
from chat.actions.rooms import delete_room, open_direct
from chat.errors import ChatError, Forbidden, NotFound
from chat.models import Message, Profile, Room
from chat.queries import log, messages, rooms
from chat.queries.access import membership_of, shares_room
from chat.queries.epoch import current_epoch
from chat.queries.standings import standings
from tests.scene import own_log, say

pytestmark = pytest.mark.django_db

Read = Callable[[Profile, UUID], Any]
READS: dict[str, Read] = {
    "history": lambda who, room: messages.history(who, room, limit=9),
    "log": lambda who, room: log.log(who, room, after=0, limit=9),
    "members": rooms.members,
    "member": lambda who, room: rooms.member(who, room, who.pk),
    "message": lambda who, room: messages.message(
        who, Message.objects.filter(room=room).latest("seq").pk
    ),
    "membership": membership_of,
}


@pytest.fixture(params=READS)
def read(request: pytest.FixtureRequest) -> Read:
    return READS[request.param]


def refused(read: Read, who: Profile, room: Room) -> type[ChatError]:
    with pytest.raises(ChatError) as refusal:
        read(who, room.pk)
    return refusal.type


def test_members_read(read: Read, group: Room, den: Room, pair: Room, bob: Profile) -> None:
    for room in (group, den, pair):
        say(bob, room)
        assert read(bob, room.pk) is not None


def test_strangers_are_told_to_join_or_nothing(
    read: Read, group: Room, den: Room, ann: Profile, cat: Profile
) -> None:
    unknown = (
        den,
        own_log(ann),
        open_direct(ann, den.memberships.exclude(user=ann).get().user_id)[0],
    )
    for room in (group, *unknown):
        say(ann, room)
    assert refused(read, cat, group) is Forbidden
    for room in unknown:
        assert refused(read, cat, room) is NotFound


def test_those_who_were_removed_are_strangers(
    read: Read, group: Room, den: Room, ann: Profile, bob: Profile
) -> None:
    for room, refusal in ((group, Forbidden), (den, NotFound)):
        say(bob, room)
        remove_member(ann, room.pk, bob.pk)
        assert refused(read, bob, room) is refusal


def test_a_room_that_ended_is_not_there(
    read: Read, group: Room, ann: Profile, bob: Profile
) -> None:
    say(ann, group)
    delete_room(ann, group.pk)
    for who in (ann, bob):
        assert refused(read, who, group) is NotFound


def test_a_room_that_never_was_is_not_there_either(read: Read, ann: Profile) -> None:
    room = Room(pk=uuid4())
    if read is not READS["message"]:
        assert refused(read, ann, room) is NotFound
    with pytest.raises(NotFound):
        messages.message(ann, uuid4())


def test_there_is_no_telling_a_private_room_from_none(den: Room, cat: Profile) -> None:
    said = set()
    for room in (den.pk, uuid4()):
        with pytest.raises(NotFound) as refusal:
            rooms.room_view(cat, room)
        said.add(str(refusal.value.as_dict()))
    assert len(said) == 1


def test_a_passer_by_sees_a_public_room_and_no_more(
    group: Room, den: Room, ann: Profile, cat: Profile
) -> None:
    say(ann, group, "For members.")
    view = rooms.room_view(cat, group.pk)
    assert (view.me, view.last_message, view.peer) == (None, None, None)
    with pytest.raises(NotFound):
        rooms.room_view(cat, den.pk)


def test_nothing_of_others_rooms_is_in_what_is_mine(
    group: Room, den: Room, pair: Room, ann: Profile, cat: Profile
) -> None:
    for room in (group, den, pair):
        say(ann, room)
    mine = {own_log(cat).pk}
    assert {member.room_id for member in rooms.inbox(cat)} == mine
    assert set(rooms.room_views(cat, [group.pk, den.pk, pair.pk])) == set()
    assert set(standings(cat)) == set(map(str, mine))
    assert standings(cat, only=den.pk).keys() == set(map(str, mine))
    cursors = dict.fromkeys([group.pk, den.pk, pair.pk, uuid4()], 0)
    missing = log.sync(cat, current_epoch(), {**cursors, own_log(cat).pk: 0}, limit=99)
    assert set(missing.rooms) == set(map(str, mine))
    assert set(missing.left) == set(map(str, cursors))
    assert missing.joined == []
    asked = {str(room): (0, 99) for room in cursors}
    assert log.replay(cat, asked) == ([], set(asked))


def test_sharing_a_group_ends_with_it(
    group: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    assert not shares_room(ann, cat)
    open_direct(ann, cat.pk)
    assert not shares_room(ann, cat)
    join_room(cat, group.pk)
    assert shares_room(ann, cat)
    leave_room(cat, group.pk)
    assert not shares_room(cat, ann)
