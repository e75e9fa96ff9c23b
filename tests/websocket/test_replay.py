"""What was missed is read from the log: for the hub where a push was lost, for a socket that comes or resumes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat.actions.members import add_member, join_room, leave_room, remove_member
from chat.actions.messages import edit_message
from chat.errors import NotFound, Unavailable
from chat.models import Event, Profile, Room
from chat.queries.standings import standings
from chat.websocket.bridge import cross
from chat.websocket.hub import Hub
from chat.websocket.repair import mend, repair
from chat.websocket.replay import resume
from tests.conftest import Heard
from tests.scene import own_log, say
from tests.websocket import ears
from tests.websocket.ears import Ear, at, begun, come_in, database_away, going, play, settle, sit

ann, bob = ears.ann, ears.bob

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_hole_is_mended_without_being_asked(den: Room, ann: Profile, heard: Heard) -> None:
    lost, came = say(ann, den), say(ann, den)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        sit(hub, ear, {str(den.pk): lost.seq - 1})
        with going(mend(hub)):
            hub.accept(heard[-1:])
            await ear.until(lambda: ear.seqs)
        assert ear.seqs == [lost.seq, came.seq]

    play(scene)


def test_what_is_more_than_one_page_stays_suspected(
    den: Room, ann: Profile, heard: Heard, configured: Callable[..., None]
) -> None:
    configured(RESUME_MAX=2)
    seqs = [say(ann, den).seq for _ in range(3)]

    async def scene(hub: Hub) -> None:
        ear, room = Ear(), str(den.pk)
        sit(hub, ear, {room: seqs[0] - 1})
        await repair(hub, [room])
        assert (ear.seqs, hub.behind) == (seqs[:2], {room})
        hub.behind.clear()
        await repair(hub, [room])
        assert (ear.seqs, hub.behind) == (seqs, set())

    play(scene)


def test_where_the_log_begins_later_it_goes_on_from_there(
    den: Room, ann: Profile, heard: Heard
) -> None:
    pruned, kept = say(ann, den), say(ann, den)
    Event.objects.filter(room=den, seq=pruned.seq).delete()

    async def scene(hub: Hub) -> None:
        ear = Ear()
        sit(hub, ear, {str(den.pk): pruned.seq - 1})
        await repair(hub, [str(den.pk)])
        assert ear.seqs == [kept.seq]

    play(scene)


# A socket comes.


def test_a_room_joined_during_the_handshake_is_heard(
    den: Room, ann: Profile, cat: Profile, heard: Heard
) -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        mine = await cross(standings, cat)
        await cross(add_member, ann, den.pk, cat.pk)
        socket = await settle(hub, ear, cat, mine)
        assert str(den.pk) in socket.seats
        said = await cross(say, ann, den)
        hub.accept(heard)
        assert ear.frames[0]["heads"][str(den.pk)] == said.seq - 1
        assert ear.types == ["hello", "message.sent"]

    play(scene)


def test_a_room_joined_during_the_handshake_is_seen_where_the_hub_heard_of_it(
    den: Room, ann: Profile, cat: Profile, heard: Heard
) -> None:
    """Nothing is read anew for a second socket: only the hub's place in the own log tells."""

    async def scene(hub: Hub) -> None:
        await come_in(hub, Ear(), cat)
        mine = await cross(standings, cat)
        await cross(add_member, ann, den.pk, cat.pk)
        hub.accept(at(heard, str(next(iter(mine)))))
        socket = await settle(hub, Ear(), cat, mine)
        assert str(den.pk) in socket.seats

    play(scene)


def test_a_room_left_during_the_handshake_is_not_heard(
    den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        mine = await cross(standings, bob)
        await cross(leave_room, bob, den.pk)
        socket = await settle(hub, ear, bob, mine)
        await cross(say, ann, den)
        hub.accept(heard)
        assert str(den.pk) not in socket.seats
        assert ear.types == ["hello"]

    play(scene)


def test_a_socket_for_a_room_that_was_just_left_is_refused(
    den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    async def scene(hub: Hub) -> None:
        mine = await cross(standings, bob, den.pk)
        await cross(leave_room, bob, den.pk)
        with pytest.raises(NotFound):
            await settle(hub, Ear(), bob, mine, den)
        assert not hub.sockets
        assert not any(channel.sockets for channel in hub.rooms.values())

    play(scene)


# A socket's person joins.


def test_a_room_joined_is_heard_from_there_on_and_nothing_of_before(
    pier: Room, ann: Profile, cat: Profile, heard: Heard
) -> None:
    old = say(ann, pier, "Before cat came.")

    async def scene(hub: Hub) -> None:
        ear = Ear()
        await come_in(hub, ear, cat)
        await cross(join_room, cat, pier.pk)
        await cross(say, ann, pier, "Welcome.")
        hub.accept(heard)
        await ear.until(lambda: "message.sent" in ear.types)
        await cross(edit_message, ann, old.pk, "Of old.")
        hub.accept(heard[-1:])
        await ear.until(lambda: ear.frames[-1]["type"] != "message.sent")
        assert ear.types == ["hello", "room.joined", "message.sent", "hidden"]
        places = [frame["seq"] for frame in ear.frames if frame.get("room") == str(pier.pk)]
        assert places == [old.seq + 2, old.seq + 3]

    play(scene)


# A socket resumes.


def test_what_happens_meanwhile_comes_after_what_was_missed(
    den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    missed = [say(ann, den).seq for _ in range(3)]
    room = str(den.pk)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = await come_in(hub, ear, bob, den)
        resuming = await begun(hub, ear, socket, {room: missed[0] - 1})
        live = await cross(say, ann, den)
        hub.accept(heard[-1:])
        ear.open.set()
        assert await resuming == 1
        assert ear.types == ["hello", *["message.sent"] * 3, "resumed", "message.sent"]
        assert ear.seqs == [*missed, live.seq]
        assert ear.frames[4]["head"] == missed[-1]

    play(scene)


def test_a_resume_shows_nothing_of_before_one_came(
    pier: Room, ann: Profile, cat: Profile, heard: Heard
) -> None:
    old = say(ann, pier, "Before cat came.")
    join_room(cat, pier.pk)
    edit_message(ann, old.pk, "Of old.")
    said = say(ann, pier, "Yes.", reply_to=old.pk)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = await come_in(hub, ear, cat, pier)
        await resume(hub, socket, hub.epoch, {str(pier.pk): old.seq - 1})
        types = ["hidden", "member.joined", "hidden", "message.sent", "resumed"]
        assert ear.types == ["hello", *types]
        assert ear.frames[4]["seq"] == said.seq
        await cross(edit_message, ann, old.pk, "Of old, too.")
        hub.accept(heard[-1:])
        assert ear.types[-1] == "hidden"
        assert "Of old" not in str(ear.frames)

    play(scene)


def test_after_a_resume_that_failed_every_room_is_live_where_it_was(
    den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = await come_in(hub, ear, bob)
        with database_away(), pytest.raises(Unavailable):
            await resume(hub, socket, hub.epoch, {})
        assert all(seat.held is None for seat in socket.seats.values())
        said = await cross(say, ann, den)
        hub.accept(heard)
        assert ear.types == ["hello", "message.sent"]
        assert ear.seqs == [said.seq]

    play(scene)


def test_what_waited_for_a_resume_that_failed_half_way_is_told(
    den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    own, room, head = str(own_log(bob).pk), str(den.pk), say(ann, den).seq

    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = await come_in(hub, ear, bob)
        cursors = {own: socket.seats[own].cursor - 1, room: head - 1}
        resuming = await begun(hub, ear, socket, cursors)
        live = await cross(say, ann, den)
        hub.accept(heard[-1:])
        with database_away():
            ear.open.set()
            with pytest.raises(Unavailable):
                await resuming
        assert ear.types == ["hello", "room.joined", "resumed", "message.sent"]
        assert ear.frames[-1]["seq"] == live.seq
        assert not socket.replaying.locked()

    play(scene)


def test_a_room_shown_stands_where_it_stood_when_the_resume_began(
    den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    own, room = str(own_log(bob).pk), str(den.pk)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = await come_in(hub, ear, bob)
        cursors = {own: socket.seats[own].cursor - 1}
        resuming = await begun(hub, ear, socket, cursors)
        live = await cross(say, ann, den)
        hub.accept(heard[-1:])
        ear.open.set()
        await resuming
        assert ear.types == ["hello", "room.joined", "resumed", "room.joined", "message.sent"]
        assert ear.frames[3]["joined"] == room
        assert ear.frames[3]["snapshot"]["head"] + 1 == ear.frames[4]["seq"] == live.seq

    play(scene)


def test_a_room_lost_during_a_resume_is_said_to_be_left_and_not_replayed(
    den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    own, room, head = str(own_log(bob).pk), str(den.pk), say(ann, den).seq

    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = await come_in(hub, ear, bob)
        cursors = {own: socket.seats[own].cursor - 1, room: head - 1}
        resuming = await begun(hub, ear, socket, cursors)
        await cross(remove_member, ann, den.pk, bob.pk)
        await cross(say, ann, den)
        ear.open.set()
        await resuming
        assert ear.types == ["hello", "room.joined", "resumed", "room.left"]
        hub.accept(heard)
        assert "message.sent" not in ear.types
        assert set(socket.seats) == {own}

    play(scene)
