"""Work in the background is taken up again whenever it ends; its failure costs nobody what they were to hear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from chat import metrics
from chat.models import Profile, Room
from chat.outlets import sockets as outlet
from chat.websocket import engine
from chat.websocket.bridge import cross
from chat.websocket.hub import Hub
from chat.websocket.leaving import reconnect_in
from chat.websocket.repair import mend
from chat.websocket.socket import Seat
from tests.conftest import Heard
from tests.scene import say
from tests.websocket import ears
from tests.websocket.ears import Ear, database_away, event, going, play, sit

ann, bob = ears.ann, ears.bob


def fails() -> None:
    raise RuntimeError


def is_cancelled() -> None:
    raise asyncio.CancelledError


ENDS: dict[str, Callable[[], None]] = {
    "returns": lambda: None,
    "fails": fails,
    "awaited what was cancelled": is_cancelled,
}


@pytest.mark.parametrize("end", ENDS)
def test_work_that_ends_is_taken_up_again_and_counted(
    end: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "PAUSE", 0)
    again = asyncio.Event()
    begun: list[None] = []
    before = restarts(end)

    async def work() -> None:
        begun.append(None)
        if len(begun) > 2:
            again.set()
            await asyncio.Event().wait()
        ENDS[end]()

    async def scene(hub: Hub) -> None:
        with going(engine._keep(end, work)) as keeper:
            await again.wait()
        with pytest.raises(asyncio.CancelledError):
            await keeper

    play(scene)
    assert restarts(end) - before == 2
    # Counted each time, and said once a minute.
    assert len([one for one in caplog.records if one.getMessage().startswith(end)]) == 1


def restarts(work: str) -> int:
    return metrics._restarts.read().get(work, 0)


def test_one_socket_that_cannot_be_told_its_heads_costs_the_others_nothing(
    configured: Callable[..., None],
) -> None:
    configured(HEARTBEAT=0.01)

    async def scene(hub: Hub) -> None:
        broken, ear = Ear(), Ear()
        # Sits in a room that the hub has let go of: what must not be, and may be one day.
        sit(hub, broken, {}).seats["gone"] = Seat(0, 3, held=None)
        sit(hub, ear, {"r": 3})
        hub.moved = {"r", "gone"}
        with going(engine._beat(hub)):
            await ear.until(lambda: ear.frames)
            assert ear.frames[0] == {"type": "heads", "rooms": {"r": 3}}
            assert await broken.closed() == 1013

    play(scene)


def test_nothing_is_told_by_the_clock_before_hello(configured: Callable[..., None]) -> None:
    configured(HEARTBEAT=0.01)

    async def scene(hub: Hub) -> None:
        coming, ear = Ear(), Ear()
        sit(hub, coming, {"r": 3}).greeted = False
        sit(hub, ear, {"r": 3})
        with going(engine._beat(hub)):
            await ear.until(lambda: len(ear.frames) > 1)
        assert coming.frames == []

    play(scene)


@pytest.mark.django_db(transaction=True)
def test_a_hole_stays_suspected_while_the_log_cannot_be_read(
    den: Room, ann: Profile, heard: Heard, configured: Callable[..., None]
) -> None:
    configured(GAP_WAIT=0)
    head, room = say(ann, den).seq, str(den.pk)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        sit(hub, ear, {room: head})
        await cross(say, ann, den)
        hub.suspect(room)
        with database_away(), pytest.raises(Exception, match="not available"):
            await mend(hub)
        assert hub.behind == {room}
        with going(mend(hub)):
            await ear.until(lambda: ear.seqs == [head + 1])

    play(scene)


@pytest.mark.django_db(transaction=True)
def test_after_a_failure_the_log_is_compared_everywhere(
    den: Room,
    ann: Profile,
    heard: Heard,
    configured: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was missed while no look succeeded may be older than a minute."""
    configured(TICK=0.01)
    head, room = say(ann, den).seq, str(den.pk)

    async def scene(hub: Hub) -> None:
        sit(hub, Ear(), {room: head - 1})
        looks: list[bool] = []
        look = engine.look

        async def looked(hub: Hub, *, everywhere: bool) -> None:
            looks.append(everywhere)
            await look(hub, everywhere=everywhere)

        monkeypatch.setattr(engine, "look", looked)
        with going(engine._tick(hub)):
            await hub.gap.wait()
        assert looks[0] is True
        assert hub.behind == {room}

    play(scene)


class Away:
    """A layer that refuses whatever it is asked."""

    def __getattr__(self, name: str) -> Any:
        async def refuse(*args: object) -> None:
            self.asked.append(name)
            raise ConnectionError

        return refuse

    def __init__(self) -> None:
        self.asked: list[str] = []


def test_a_layer_that_failed_is_left_alone_for_a_while_and_nothing_escapes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outlet, "_rest", type(outlet._rest)(until=0.0))

    async def scene(hub: Hub) -> None:
        layer = Away()
        hub.layer = layer
        sit(hub, Ear(), {"r": 3})
        for _ in range(3):
            await hub.attend()
        assert layer.asked == ["new_channel"]
        outlet._rest.until = 0.0
        hub.layer_channel = "ours"
        await hub.attend()
        assert layer.asked == ["new_channel", "group_add"]
        outlet._rest.until = 0.0
        hub.rooms["q"] = type(hub.rooms["r"])(subscribed=True)
        hub.rooms["r"].subscribed = True
        await hub.attend()
        assert layer.asked == ["new_channel", "group_add", "group_discard"]
        assert set(hub.rooms) == {"r"}
        hub.layer_channel = None

    play(scene)


def test_deliveries_repairs_and_drops_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.websocket.hub.EARLY_MAX", 1)

    async def scene(hub: Hub) -> None:
        for _ in range(3):
            sit(hub, Ear(), {"r": 3})
        before = metrics._deliveries.read()[""], metrics._drops.read().get("early", 0)
        hub.accept([event("r", 4), event("r", 0, "room.read"), event("r", 7), event("r", 8)])
        after = metrics._deliveries.read()[""], metrics._drops.read().get("early", 0)
        assert (after[0] - before[0], after[1] - before[1]) == (6, 1)

    play(scene)


def test_sockets_come_back_spread_over_more_seconds_the_more_they_are() -> None:
    few = [reconnect_in(10) for _ in range(500)]
    many = [reconnect_in(50_000) for _ in range(500)]
    assert 1 <= min(few) < max(few) <= 5
    assert max(many) > 50
    assert len(set(few)) > 10
