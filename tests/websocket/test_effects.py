"""What happens to people and rooms decides who hears a room from then on, from its own event alone."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from chat.actions.bans import ban_member
from chat.actions.devices import end_devices, open_device
from chat.actions.members import add_member, join_room, leave_room, remove_member
from chat.actions.people import update_profile
from chat.actions.reads import mark_read
from chat.actions.rooms import delete_room
from chat.events import Published
from chat.models import Profile, Room
from chat.queries.grounds import Grounds
from chat.websocket import effects
from chat.websocket.hub import Hub
from chat.websocket.replay import follow
from chat.websocket.run import PARTING
from chat.websocket.socket import Seat, Socket
from tests.conftest import Heard
from tests.scene import own_log, say
from tests.websocket import ears
from tests.websocket.ears import Ear, at, come_in, play, sit

ann, bob = ears.ann, ears.bob

pytestmark = pytest.mark.django_db

Verb = Callable[[Profile, Profile, Room], object]
GOING: dict[str, Verb] = {
    "member.left": lambda ann, bob, room: leave_room(bob, room.pk),
    "member.removed": lambda ann, bob, room: remove_member(ann, room.pk, bob.pk),
    "member.banned": lambda ann, bob, room: ban_member(ann, room.pk, bob.pk),
}


def gone_and_on(
    ann: Profile, bob: Profile, room: Room, heard: Heard, verb: Verb
) -> list[Published]:
    """What the room's log alone tells of somebody going, and of a word after that."""
    return at(heard.of(verb, ann, bob, room) + heard.of(say, ann, room), room)


@pytest.mark.parametrize("type", GOING)
def test_who_is_gone_hears_the_room_no_more(
    type: str, den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    told = gone_and_on(ann, bob, den, heard, GOING[type])
    places = {str(den.pk): told[0].seq - 1}

    async def scene(hub: Hub) -> None:
        hers, his = Ear(), Ear()
        sit(hub, hers, places, ann)
        socket = sit(hub, his, places, bob)
        hub.accept(told)
        # Their own log tells it, in whichever order the two logs come to this process.
        assert his.types == []
        assert hers.types == [type, "message.sent"]
        assert (socket.seats, socket.closing) == ({}, False)

    play(scene)


@pytest.mark.parametrize("type", GOING)
def test_who_is_gone_heard_all_before_it_also_when_it_came_together(
    type: str, den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    said = at(heard.of(say, ann, den) + heard.of(say, bob, den), den)
    told = said + gone_and_on(ann, bob, den, heard, GOING[type])

    async def scene(hub: Hub) -> None:
        his = Ear()
        sit(hub, his, {str(den.pk): told[0].seq - 1}, bob)
        # The first comes last, so that all are handed on at once.
        hub.accept([*told[1:], told[0]])
        assert his.types == ["message.sent", "message.sent"]

    assert effects.PARTINGS.keys() == PARTING
    play(scene)


@pytest.mark.parametrize("type", GOING)
def test_a_socket_for_that_room_alone_ends(
    type: str, den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    told = gone_and_on(ann, bob, den, heard, GOING[type])
    room = str(den.pk)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        sit(hub, ear, {room: told[0].seq - 1}, bob, only=room)
        hub.accept(told)
        assert await ear.closed() == 4403
        assert ear.types == ["failed"]

    play(scene)


@pytest.mark.parametrize("only", [False, True])
def test_ones_own_log_alone_says_it_too(
    only: bool, den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    own, room = str(own_log(bob).pk), str(den.pk)
    (left,) = at(heard.of(leave_room, bob, den.pk), own)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        places = {own: left.seq - 1, room: 3}
        socket = sit(hub, ear, places, bob, only=room if only else None)
        hub.accept([left])
        assert set(socket.seats) == {own}
        assert ear.types == (["failed"] if only else ["room.left"])
        assert socket.closing is only

    play(scene)


def test_a_room_that_ended_is_heard_by_nobody(den: Room, ann: Profile, heard: Heard) -> None:
    (told,) = at(heard.of(delete_room, ann, den.pk), den)

    async def scene(hub: Hub) -> None:
        ear, one = Ear(), Ear()
        socket = sit(hub, ear, {told.room: told.seq - 1}, ann)
        sit(hub, one, {told.room: told.seq - 1}, ann, only=told.room)
        hub.accept([told])
        assert socket.seats == {}
        assert (ear.types, one.types) == (["room.deleted"], ["room.deleted", "failed"])
        assert await one.closed() == 4403
        assert not hub.rooms[told.room].sockets

    play(scene)


def test_who_is_back_keeps_the_seat_that_was_taken_since(
    group: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    """A process that is behind hears of somebody going only when they are back and seated."""
    events = heard.of(leave_room, bob, group.pk) + heard.of(join_room, bob, group.pk)
    left, joined, said = at(events + heard.of(say, ann, group), group)

    async def scene(hub: Hub) -> None:
        hers, his = Ear(), Ear()
        sit(hub, hers, {left.room: left.seq - 1}, ann)
        socket = Socket(his, bob, own_log="own", only=left.room)
        hub.seat(socket, left.room, Seat(history_from=0, cursor=joined.seq))
        socket.release(left.room, joined.seq)
        hub.accept([left, joined, said])
        assert hers.types == ["member.left", "member.joined", "message.sent"]
        assert his.types == ["message.sent"]
        assert not socket.closing

    play(scene)


def test_only_the_sockets_of_a_device_that_ended_are_closed(ann: Profile, heard: Heard) -> None:
    phone, laptop = (
        open_device(ann, None, name=name, refresh_jti=name, sid=uuid4())
        for name in ("phone", "laptop")
    )
    on = {one: Grounds(ann.pk, None, "", device=str(one.pk)) for one in (phone, laptop)}
    (ended,) = heard.of(end_devices, ann, [phone.pk])

    async def scene(hub: Hub) -> None:
        goes, goes_too, stays = Ear(), Ear(), Ear()
        places = {ended.room: ended.seq - 1, "r": 0}
        sit(hub, goes, places, ann).signed_in(on[phone], None)
        sit(hub, goes_too, places, ann, only="r").signed_in(on[phone], None)
        socket = sit(hub, stays, places, ann)
        socket.signed_in(on[laptop], None)
        hub.accept([ended])
        assert (await goes.closed(), await goes_too.closed()) == (4401, 4401)
        assert goes_too.types == ["failed"]
        assert (stays.types, socket.closing) == (["device.ended"], False)

    play(scene)


def test_a_late_word_of_ones_own_log_takes_no_seat_from_who_is_back(
    pier: Room, bob: Profile, heard: Heard
) -> None:
    """The process may be behind in the log of somebody whose new socket was told where it stands by now."""
    own, room = str(own_log(bob).pk), str(pier.pk)
    (left,) = at(heard.of(leave_room, bob, pier.pk), own)
    (joined,) = at(heard.of(join_room, bob, pier.pk), own)

    async def scene(hub: Hub) -> None:
        sit(hub, Ear(), {own: left.seq - 1}, bob)
        back = sit(hub, Ear(), {own: joined.seq, room: 9}, bob)
        hub.accept([left])
        assert set(back.seats) == {own, room}

    play(scene)


def test_a_name_of_before_does_not_come_back(ann: Profile, heard: Heard) -> None:
    (older,) = heard.of(update_profile, ann, display_name="Annie")
    (newer,) = heard.of(update_profile, ann, display_name="Anna")

    async def scene(hub: Hub) -> None:
        viewer = Profile(pk=ann.pk, username="ann")
        sit(hub, Ear(), {older.room: older.seq - 1}, viewer)
        names = []
        for item in (older, newer, older):
            hub.accept([item])
            names.append(viewer.display_name)
        assert names == ["Annie", "Anna", "Anna"]

    play(scene)


@pytest.mark.django_db(transaction=True)
def test_a_room_that_was_left_at_once_is_not_followed(den: Room, cat: Profile) -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = await come_in(hub, ear, cat)
        await follow(hub, socket, str(den.pk), 0)
        assert str(den.pk) not in socket.seats
        assert ear.types == ["hello"]

    play(scene)


def test_a_socket_for_one_room_follows_into_no_other(
    den: Room, ann: Profile, cat: Profile, heard: Heard
) -> None:
    own = str(own_log(cat).pk)
    (joined,) = at(heard.of(add_member, ann, den.pk, cat.pk), own)

    async def scene(hub: Hub) -> None:
        sit(hub, Ear(), {own: joined.seq - 1, "r": 0}, cat, only="r")
        hub.accept([joined])
        assert not effects._following

    play(scene)


def test_in_a_big_room_only_ones_own_devices_hear_how_far_one_read(
    den: Room, ann: Profile, bob: Profile, heard: Heard, configured: Callable[..., None]
) -> None:
    own = str(own_log(bob).pk)
    told = {}
    for limit in (1, 2):
        configured(LIVE_MEMBERS=limit)
        message = say(ann, den)
        (told[limit],) = heard.of(mark_read, bob, den.pk, message.seq)

    async def scene(hub: Hub) -> None:
        hers, his = Ear(), Ear()
        sit(hub, hers, {str(den.pk): 9}, ann)
        sit(hub, his, {str(den.pk): 9, own: 9}, bob)
        hub.accept([told[1]])
        assert (hers.types, his.types) == ([], ["room.read"])
        hub.accept([told[2]])
        assert (hers.types, his.types) == (["room.read"], ["room.read"] * 2)

    play(scene)
