"""A resume that comes first and soon counts with what was read when the socket sat down, where that still holds."""

from __future__ import annotations

import pytest

from chat.actions.members import add_member
from chat.models import Profile, Room
from chat.queries.epoch import current_epoch
from chat.websocket.bridge import cross
from chat.websocket.hub import Hub
from chat.websocket.replay import resume
from tests.conftest import Heard
from tests.scene import own_log, say
from tests.websocket import ears
from tests.websocket.ears import Ear, come_in, play, queries

ann, bob = ears.ann, ears.bob

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_resume_that_comes_first_asks_for_what_was_missed_and_nothing_else(
    den: Room, ann: Profile, bob: Profile
) -> None:
    own, room, head = str(own_log(bob).pk), str(den.pk), say(ann, den).seq
    # Made on first use.
    current_epoch()

    def rows(asked: list[str]) -> int:
        return sum("chat_epoch" not in sql for sql in asked)

    async def scene(hub: Hub) -> None:
        with queries() as asked:
            first = await come_in(hub, Ear(), bob)
            # Where the rooms stand, and again once it hears them; the latter after the epoch.
            assert len(asked) == 3
            assert rows(asked) == 2
            await resume(hub, first, hub.epoch, {own: first.seats[own].cursor, room: head})
            assert rows(asked) == 2
            ear = Ear()
            second = await come_in(hub, ear, bob)
            # The rooms are heard here already.
            assert rows(asked) == 3
            await resume(hub, second, hub.epoch, {own: second.seats[own].cursor, room: head - 1})
            assert rows(asked) == 4
            assert ear.types == ["hello", "resumed", "message.sent", "resumed"]
            # What was read when it sat down is good once.
            await resume(hub, second, hub.epoch, {own: second.seats[own].cursor, room: head})
            assert rows(asked) == 5
            assert len(asked) == 8

    play(scene)


def test_a_resume_counts_with_what_was_said_since_the_socket_sat_down(
    den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    own, room = str(own_log(bob).pk), str(den.pk)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = await come_in(hub, ear, bob)
        cursors = {own: socket.seats[own].cursor, room: socket.seats[room].cursor}
        live = await cross(say, ann, den)
        hub.accept(heard)
        await resume(hub, socket, hub.epoch, cursors)
        assert ear.frames[-1]["room"] == room
        assert ear.frames[-1]["head"] == live.seq

    play(scene)


def test_a_cursor_beyond_what_was_told_is_looked_up_and_not_called_ahead(
    den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    """As of a client that sent something over REST and resumes before the hub has heard of it."""
    own, room = str(own_log(bob).pk), str(den.pk)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = await come_in(hub, ear, bob)
        said = await cross(say, ann, den)
        own_seq = socket.seats[own].cursor
        await resume(hub, socket, hub.epoch, {own: own_seq, room: said.seq})
        assert ear.types == ["hello", "resumed", "resumed"]

    play(scene)


def test_rooms_joined_since_the_socket_sat_down_are_known_to_its_resume(
    den: Room, ann: Profile, cat: Profile, heard: Heard
) -> None:
    own, room = str(own_log(cat).pk), str(den.pk)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = await come_in(hub, ear, cat)
        await cross(add_member, ann, den.pk, cat.pk)
        said = await cross(say, ann, den)
        hub.accept(heard)
        await ear.until(lambda: "message.sent" in ear.types)
        cursors = {own: socket.seats[own].cursor, room: said.seq}
        await resume(hub, socket, hub.epoch, cursors)
        assert ear.types[-2:] == ["resumed", "resumed"]
        assert {frame["room"] for frame in ear.frames[-2:]} == {own, room}

    play(scene)
