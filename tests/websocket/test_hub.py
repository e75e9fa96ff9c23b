"""The hub hands on each event of a room once and in order, and finds by itself what did not reach it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from channels.layers import InMemoryChannelLayer

from chat.events import Published
from chat.models import Event, Profile, Room
from chat.outlets import sockets as outlet
from chat.websocket import effects, engine
from chat.websocket.bridge import cross
from chat.websocket.hub import Channel, Hub
from chat.websocket.repair import look
from chat.websocket.socket import Seat, Socket
from tests.conftest import Heard
from tests.scene import say
from tests.websocket import ears
from tests.websocket.ears import Ear, event, going, play, sit

ann, bob = ears.ann, ears.bob

in_database = pytest.mark.django_db(transaction=True)
NO_REDIS = not os.environ.get("REDIS_URL")
on_redis = [pytest.mark.redis, pytest.mark.skipif(NO_REDIS, reason="no REDIS_URL")]


def test_what_is_next_is_handed_on_at_once() -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        sit(hub, ear, {"r": 3})
        hub.accept([event("r", 4), event("q", 1), event("r", 5)])
        assert ear.seqs == [4, 5]
        assert not hub.behind

    play(scene)


def test_what_came_early_waits_for_what_is_before_it() -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        sit(hub, ear, {"r": 3})
        hub.accept([event("r", 7), event("r", 5), event("r", 6)])
        assert ear.seqs == []
        assert hub.rooms["r"].seq == 3
        hub.accept([event("r", 4)])
        assert ear.seqs == [4, 5, 6, 7]
        assert not hub.rooms["r"].early

    play(scene)


def test_a_hole_is_suspected_at_once() -> None:
    async def scene(hub: Hub) -> None:
        sit(hub, Ear(), {"r": 3, "q": 3})
        hub.accept([event("r", 5)])
        assert hub.behind == {"r"}
        assert hub.gap.is_set()

    play(scene)


def test_what_is_old_changes_nothing() -> None:
    done: list[int] = []

    def effect(hub: Hub, channel: Channel, item: Published) -> None:
        done.append(item.seq)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        sit(hub, ear, {"r": 3})
        hub.accept([event("r", seq) for seq in (4, 5, 4, 5, 2)])
        assert hub.rooms["r"].seq == 5
        hub.accept([event("r", 6)])
        assert ear.seqs == [4, 5, 6]
        assert done == [4, 5, 6]

    play(scene, effect)


def test_a_live_only_fact_is_told_and_moves_nothing() -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        sit(hub, ear, {"r": 3})
        hub.accept([event("r", 0, "room.read")] * 2)
        assert ear.types == ["room.read"] * 2
        assert (hub.rooms["r"].seq, hub.behind) == (3, set())

    play(scene)


def test_what_comes_before_the_log_was_read_is_kept() -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = Socket(ear, Profile(username="nobody"), own_log="own", only=None)
        assert hub.seat(socket, "r", Seat(history_from=0, cursor=4))
        hub.accept([event("r", seq) for seq in (4, 5, 7)])
        hub.catch_up(hub.rooms["r"], "r", 4)
        socket.release("r", 4)
        assert ear.seqs == [5]
        assert hub.behind == {"r"}
        hub.accept([event("r", 6)])
        assert ear.seqs == [5, 6, 7]

    play(scene)


def test_what_another_thread_commits_is_heard() -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        sit(hub, ear, {"r": 3})
        await asyncio.to_thread(outlet.deliver, [event("r", 4)])
        await ear.until(lambda: ear.seqs == [4])

    play(scene)


# What did not come is read from the log.


@in_database
def test_what_happened_lately_is_looked_for(den: Room, ann: Profile, heard: Heard) -> None:
    head = say(ann, den).seq

    async def scene(hub: Hub) -> None:
        sit(hub, Ear(), {str(den.pk): head})
        await look(hub, everywhere=False)
        assert not hub.behind
        await cross(say, ann, den)
        await look(hub, everywhere=False)
        assert hub.behind == {str(den.pk)}

    play(scene)


@in_database
def test_what_happened_long_ago_is_found_by_comparing_all_heads(
    den: Room, ann: Profile, heard: Heard, configured: Callable[..., None]
) -> None:
    configured(TICK=0.01, TICK_ALL=0)
    head = say(ann, den).seq
    Event.objects.update(created_at="1999-01-01T00:00:00Z")

    async def scene(hub: Hub) -> None:
        sit(hub, Ear(), {str(den.pk): head - 1})
        await look(hub, everywhere=False)
        assert not hub.behind
        await look(hub, everywhere=True)
        assert hub.behind == {str(den.pk)}
        hub.behind.clear()
        hub.gap.clear()
        with going(engine._tick(hub)):
            await hub.gap.wait()
        assert hub.behind == {str(den.pk)}

    play(scene)


@in_database
def test_an_event_between_subscribing_and_reading_is_not_lost(
    den: Room, ann: Profile, heard: Heard
) -> None:
    class Slow(InMemoryChannelLayer):
        """While it takes a subscription, somebody speaks: nobody will send that to us."""

        async def group_add(self, group: str, channel: str) -> None:
            await cross(say, ann, den)
            await super().group_add(group, channel)

    async def scene(hub: Hub) -> None:
        hub.layer = Slow()
        await hub.connect()
        socket, room = sit(hub, Ear(), {}), str(den.pk)
        assert hub.seat(socket, room, Seat(history_from=0, cursor=0))
        await hub.open([room], (ann.pk, None))
        assert hub.rooms[room].subscribed
        assert hub.rooms[room].seq == heard[-1].seq

    play(scene)


# By the clock.


def test_a_token_that_ends_soon_is_said_once_and_one_that_ended_ends_the_socket() -> None:
    async def scene(hub: Hub) -> None:
        ear, other = Ear(), Ear()
        socket = sit(hub, ear, {})
        sit(hub, other, {}).signed_in(None, time.time() + 3600)
        socket.signed_in(None, time.time() + 30)
        for _ in range(2):
            engine._expire(hub)
        assert ear.types == ["token.expiring"]
        socket.signed_in(None, time.time() + 30)
        engine._expire(hub)
        assert ear.types == ["token.expiring"] * 2
        socket.signed_in(None, time.time() - 1)
        engine._expire(hub)
        assert ear.frames[-1]["error"]["code"] == "token_expired"
        assert await ear.closed() == 4401
        assert (other.frames, other.code) == ([], None)

    play(scene)


def test_the_watch_looks_at_tokens(configured: Callable[..., None]) -> None:
    configured(RECHECK=0.01)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        sit(hub, ear, {}).signed_in(None, time.time() + 30)
        with going(engine._watch(hub)):
            await ear.until(lambda: ear.frames)
        assert ear.types == ["token.expiring"]

    play(scene)


# Between processes.


def sent(items: list[Published], origin: str = "another", epoch: str = "") -> dict[str, Any]:
    return outlet._packed("r", items, origin, epoch)


def test_a_layer_message_says_all_that_was_published() -> None:
    items = [
        event("r", 4),
        Published("r", 5, "message.edited", "{}", 2, (4, '{"type": "x"}')),
        event("r", 0, "room.read"),
    ]
    message = sent(items)
    assert outlet.unpacked(message) == items
    assert outlet.unpacked(orjson.loads(orjson.dumps(message))) == items


LAYERS: dict[str, Callable[[Hub], Any]] = {
    "memory": lambda hub: InMemoryChannelLayer(),
    "redis": lambda hub: hub.layer,
}


@pytest.mark.parametrize("kind", ["memory", pytest.param("redis", marks=on_redis)])
def test_only_events_are_taken_from_the_layer(kind: str) -> None:
    async def scene(hub: Hub) -> None:
        ear, group = Ear(), outlet.group_of("r")
        hub.layer = LAYERS[kind](hub)
        await hub.connect()
        sit(hub, ear, {"r": 3})
        await hub.subscribe(["r"])
        foreign = sent([event("r", 4, "foreign")])
        with going(hub.listen()):
            await hub.layer.group_send(group, {**foreign, "type": "other.app"})
            await hub.layer.group_send(group, {"type": "other.app"})
            await hub.layer.group_send(group, sent([event("r", 4, "echo")], hub.id))
            await hub.layer.group_send(group, sent([event("r", 4), event("r", 5)]))
            await ear.until(lambda: len(ear.frames) == 2)
        assert ear.types == ["message.sent"] * 2

    play(scene)


@pytest.mark.redis
@pytest.mark.skipif(NO_REDIS, reason="no REDIS_URL")
def test_what_one_process_commits_another_hears() -> None:
    async def scene(hub: Hub) -> None:
        ear, other = Ear(), Hub(effects.part, effects.apply)
        outlet.detach(other.post)
        await hub.connect()
        await other.connect()
        sit(other, ear, {"r": 3})
        await other.subscribe(["r"])
        with going(hub.pass_on()), going(other.listen()):
            outlet.deliver([event("r", 4), event("q", 1), event("r", 5)])
            await ear.until(lambda: len(ear.frames) == 2)
        assert ear.seqs == [4, 5]

    play(scene)
