"""A hub that meets another log forgets its positions and has every socket come back; no event is skipped silently."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from chat.actions.epoch import renew_epoch
from chat.errors import Unavailable
from chat.models import Event, Message, Profile, Room
from chat.outlets import sockets as outlet
from chat.queries import log
from chat.queries.epoch import current_epoch
from chat.queries.grounds import Grounds
from chat.websocket import handshake, reading
from chat.websocket.bridge import cross
from chat.websocket.handshake import say_hello
from chat.websocket.hub import Hub
from chat.websocket.reading import NewEpoch
from chat.websocket.repair import look, repair
from chat.websocket.replay import resume
from chat.websocket.signin import SignedIn
from chat.websocket.socket import Socket
from tests.conftest import Heard
from tests.scene import own_log, say
from tests.websocket import ears
from tests.websocket.ears import Ear, begun, come_in, event, going, play, sit
from tests.websocket.restoring import SERVICE_RESTART

ann, bob = ears.ann, ears.bob

pytestmark = pytest.mark.django_db(transaction=True)


def set_back(room: Room, events: int) -> None:
    """Take the last events of a room away, as a backup from before them does."""
    head = Room.objects.get(pk=room.pk).head - events
    Event.objects.filter(room=room, seq__gt=head).delete()
    Message.objects.filter(room=room, seq__gt=head).delete()
    Room.objects.filter(pk=room.pk).update(head=head)


def test_new_epoch_closes_every_socket_and_forgets_every_position(
    den: Room, ann: Profile, heard: Heard
) -> None:
    head, room = say(ann, den).seq, str(den.pk)

    async def scene(hub: Hub) -> None:
        await look(hub, everywhere=False)
        ears = [Ear(), Ear()]
        for ear in ears:
            sit(hub, ear, {room: head})
        hub.accept([event(room, head + 5)])
        await cross(renew_epoch)
        await look(hub, everywhere=False)
        for ear in ears:
            assert await ear.closed() == SERVICE_RESTART
            assert ear.types == ["leaving"]
        assert hub.epoch == await cross(current_epoch)
        assert hub.sockets == {}
        assert (hub.rooms[room].seq, hub.rooms[room].early, hub.behind) == (None, {}, set())

    play(scene)


def test_epoch_that_stays_closes_nothing(den: Room, ann: Profile, heard: Heard) -> None:
    head, room = say(ann, den).seq, str(den.pk)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        sit(hub, ear, {room: head})
        for everywhere in (False, True):
            await look(hub, everywhere=everywhere)
        assert hub.rooms[room].seq == head
        assert ear.frames == []

    play(scene)


@pytest.mark.parametrize("everywhere", [False, True], ids=["recent", "everywhere"])
def test_head_that_went_back_renews_the_epoch(
    den: Room, ann: Profile, heard: Heard, everywhere: bool
) -> None:
    """The log was restored and nobody said so; one event has followed since."""
    for _ in range(3):
        head = say(ann, den).seq
    room = str(den.pk)

    async def scene(hub: Hub) -> None:
        await look(hub, everywhere=False)
        before, ear = hub.epoch, Ear()
        sit(hub, ear, {room: head})
        await cross(set_back, den, 3)
        await cross(say, ann, den)
        await look(hub, everywhere=everywhere)
        assert await ear.closed() == SERVICE_RESTART
        assert ear.seqs == []
        assert hub.epoch == await cross(current_epoch) != before

    play(scene)


def test_event_that_a_slow_clock_dated_back_is_no_shorter_log(
    den: Room, ann: Profile, heard: Heard
) -> None:
    """Heads are read from the rooms: by the events of the last minute this one would be missing."""
    say(ann, den)
    head, room = say(ann, den).seq, str(den.pk)
    Event.objects.filter(room=den, seq=head).update(created_at="1999-01-01T00:00:00Z")

    async def scene(hub: Hub) -> None:
        await look(hub, everywhere=False)
        before = hub.epoch
        sit(hub, Ear(), {room: head})
        await look(hub, everywhere=False)
        assert hub.epoch == before
        assert hub.rooms[room].seq == head

    play(scene)


def test_event_handed_on_during_a_look_is_no_shorter_log(
    den: Room, ann: Profile, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, room = say(ann, den).seq, str(den.pk)
    read, told = log.heads_of, threading.Event()

    def slow(names: list[str]) -> dict[str, int]:
        found = read(names)
        assert told.wait(10)
        return found

    monkeypatch.setattr(log, "heads_of", slow)

    async def scene(hub: Hub) -> None:
        await look(hub, everywhere=False)
        before = hub.epoch
        sit(hub, Ear(), {room: head})
        looking = asyncio.create_task(look(hub, everywhere=True))
        await asyncio.sleep(0)
        hub.accept([event(room, head + 1)])
        told.set()
        await looking
        assert (hub.epoch, hub.rooms[room].seq) == (before, head + 1)

    play(scene)


def test_repair_in_a_new_epoch_hands_on_nothing(den: Room, ann: Profile, heard: Heard) -> None:
    head, room = say(ann, den).seq, str(den.pk)

    async def scene(hub: Hub) -> None:
        await look(hub, everywhere=False)
        ear = Ear()
        sit(hub, ear, {room: head})
        await cross(renew_epoch)
        await cross(say, ann, den)
        await repair(hub, [room])
        assert await ear.closed() == SERVICE_RESTART
        assert ear.seqs == []

    play(scene)


def test_resume_in_a_new_epoch_replays_nothing(den: Room, ann: Profile, heard: Heard) -> None:
    head, room = say(ann, den).seq, str(den.pk)

    async def scene(hub: Hub) -> None:
        await look(hub, everywhere=False)
        ear = Ear()
        socket = await come_in(hub, ear, ann)
        socket.standings = None
        await cross(renew_epoch)
        with pytest.raises(Unavailable):
            await resume(hub, socket, hub.epoch, {room: head - 1})
        assert await ear.closed() == SERVICE_RESTART
        assert ear.types == ["hello", "leaving"]

    play(scene)


def test_resume_under_way_ends_with_the_epoch(den: Room, ann: Profile, heard: Heard) -> None:
    head, room, own = say(ann, den).seq, str(den.pk), str(own_log(ann).pk)

    async def scene(hub: Hub) -> None:
        await look(hub, everywhere=False)
        ear = Ear()
        socket = await come_in(hub, ear, ann)
        resuming = await begun(hub, ear, socket, {room: head - 1, own: 0})
        await cross(renew_epoch)
        await look(hub, everywhere=False)
        ear.open.set()
        with pytest.raises(Unavailable):
            await resuming
        assert await ear.closed() == SERVICE_RESTART
        assert "message.sent" not in ear.types

    play(scene)


@pytest.mark.parametrize("at", ["standings", "seats", "hello"])
def test_handshake_that_meets_a_new_epoch_is_made_again_in_it(
    den: Room, ann: Profile, heard: Heard, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    lost, room = say(ann, den).seq, str(den.pk)

    async def another_epoch(hub: Hub) -> None:
        await cross(set_back, den, 1)
        await cross(renew_epoch)
        if at == "hello":
            # Its rooms are open again by then, by another socket.
            await look(hub, everywhere=False)
            await come_in(hub, Ear(), ann)

    entered: list[int] = []

    async def enter(hub: Hub, *args: Any) -> Socket:
        entered.append(args[-1][room].head)
        if at == "seats" and len(entered) == 1:
            await another_epoch(hub)
        socket = await right(hub, *args)
        if at == "hello" and len(entered) == 1:
            await another_epoch(hub)
        return socket

    right = handshake.enter
    monkeypatch.setattr(handshake, "enter", enter)

    async def scene(hub: Hub) -> None:
        await look(hub, everywhere=False)
        if at == "standings":
            await another_epoch(hub)
        ear = Ear()
        who = SignedIn(ann, Grounds(ann.pk, None, ""), None)
        say_hello(hub, await handshake.come_in(hub, {}, ear, who, None))
        assert ear.types == ["hello"]
        assert ear.frames[0]["epoch"] == await cross(current_epoch)
        assert ear.frames[0]["heads"][room] == lost - 1
        assert entered[-1] == lost - 1

    play(scene)


def test_answer_from_before_the_change_changes_nothing_back(
    ann: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two reads that ran at once, the one that began in the old epoch is the last to answer."""
    old, go_on = current_epoch(), threading.Event()

    def slow() -> str:
        assert go_on.wait(10)
        return "old"

    async def scene(hub: Hub) -> None:
        await look(hub, everywhere=False)
        late = asyncio.create_task(hub.read(slow))
        await asyncio.sleep(0)
        await cross(renew_epoch)
        await look(hub, everywhere=False)
        new = hub.epoch
        assert new != old
        go_on.set()
        with pytest.raises(NewEpoch):
            await late
        assert hub.epoch == new

    read = reading.in_epoch

    def in_epoch(query: Any, *args: Any) -> tuple[str, Any]:
        # The slow one has read its epoch before the renewal.
        return (old, slow()) if query is slow else read(query, *args)

    monkeypatch.setattr(reading, "in_epoch", in_epoch)
    play(scene)


def test_layer_message_of_another_epoch_is_dropped(ann: Profile) -> None:
    """It may have waited in Redis, or come from a copy of the service that shares it."""

    async def scene(hub: Hub) -> None:
        await look(hub, everywhere=False)
        ear, layer = Ear(), _Layer()
        hub.layer, hub.layer_channel = layer, "here"
        hub.attached.set()
        sit(hub, ear, {"r": 3})
        for epoch, seq in (("another", 4), (hub.epoch, 4), ("", 5)):
            message = outlet._packed("r", [event("r", seq, label=epoch)], "another process", epoch)
            layer.waiting.put_nowait(message)
        with going(hub.listen()):
            await ear.until(lambda: len(ear.frames) == 2)
        assert [frame["label"] for frame in ear.frames] == [hub.epoch, ""]

    play(scene)


def test_what_waits_to_be_passed_on_is_not_passed_on_in_another_epoch(ann: Profile) -> None:
    async def scene(hub: Hub) -> None:
        await look(hub, everywhere=False)
        hub.outgoing.put_nowait([event("r", 4)])
        await cross(renew_epoch)
        await look(hub, everywhere=False)
        assert hub.outgoing.empty()

    play(scene)


class _Layer:
    """Gives what was put into it."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[Any] = asyncio.Queue()

    async def receive(self, channel: str) -> Any:
        return await self.waiting.get()

    async def flush(self) -> None:
        """Nothing is left to others."""
