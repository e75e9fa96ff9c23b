"""A socket is told each event once and in order, no more than its person may see, and waits for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
import pytest

from chat.events import Published, encode
from chat.models import Profile
from chat.websocket.hub import Hub
from chat.websocket.run import Run
from chat.websocket.socket import TOO_SLOW, Seat, Socket
from tests.websocket.ears import Ear, event, play, sit


def test_what_was_told_is_not_told_again() -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = sit(hub, ear, {"r": 3})
        for seq in (3, 4, 4, 2, 5):
            socket.push(Run.of([event("r", seq)]))
        socket.push(Run.of([event("elsewhere", 1)]))
        assert ear.seqs == [4, 5]
        assert socket.seats["r"].cursor == 5

    play(scene)


def test_what_waited_goes_out_when_it_is_released_but_for_what_was_told() -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = sit(hub, ear, {"r": 3})
        socket.hold("r")
        for seq in (4, 5, 0, 6):
            socket.push(Run.of([event("r", seq)]))
        socket.hold("r")
        assert ear.frames == []
        socket.release("r", 4)
        assert [frame["seq"] for frame in ear.frames] == [5, 0, 6]
        socket.push(Run.of([event("r", 7)]))
        assert ear.seqs == [5, 6, 7]

    play(scene)


def test_a_new_seat_is_held() -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = Socket(ear, Profile(username="nobody"), own_log="own", only=None)
        hub.seat(socket, "r", Seat(history_from=0, cursor=3))
        socket.push(Run.of([event("r", 4)]))
        assert ear.frames == []
        socket.release("r", 3)
        assert ear.seqs == [4]

    play(scene)


def test_too_much_that_waits_ends_the_socket(configured: Callable[..., None]) -> None:
    configured(RESUME_MAX=2)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = sit(hub, ear, {"r": 3})
        socket.hold("r")
        for seq in (4, 5):
            socket.push(Run.of([event("r", seq)]))
        assert not socket.closing
        socket.push(Run.of([event("r", 6)]))
        assert await ear.closed() == TOO_SLOW

    play(scene)


@pytest.mark.parametrize(
    ("history_from", "told"), [(0, "whole"), (4, "whole"), (5, "unquoted"), (6, "hidden")]
)
def test_one_is_told_no_more_than_ones_history_allows(history_from: int, told: str) -> None:
    texts = [encode({"type": name, "room": "r", "seq": 9}) for name in ("whole", "unquoted")]
    item = Published("r", 9, "message.edited", texts[0], 4, (5, texts[1]))

    async def scene(hub: Hub) -> None:
        ear, later = Ear(), Ear()
        sit(hub, ear, {"r": 8}, history_from=history_from)
        sit(hub, later, {"r": 8}, history_from=history_from).hold("r")
        hub.accept([item])
        assert ear.frames == [{"type": told, "room": "r", "seq": 9}]
        for socket in hub.sockets:
            socket.release("r", 8)
        assert later.frames == ear.frames

    play(scene)


def test_a_silent_seat_hears_nothing() -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        sit(hub, ear, {"r": 3, "own": 3}, only="r")
        hub.accept([event("own", 4), event("own", 0), event("r", 4)])
        assert [frame["room"] for frame in ear.frames] == ["r"]

    play(scene)


# What a reader does not take at once.


def test_what_waits_in_the_outbox_goes_out_in_order() -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = sit(hub, ear, {"r": 0})
        socket.push(Run.of([event("r", 1)]))
        ear.shut()
        for seq in range(2, 6):
            socket.push(Run.of([event("r", seq)]))
        await ear.pressed.wait()
        assert ear.seqs == [1]
        ear.open.set()
        socket.push(Run.of([event("r", 6)]))
        await socket.flushed()
        socket.push(Run.of([event("r", 7)]))
        assert ear.seqs == [1, 2, 3, 4, 5, 6, 7]
        assert socket._sending is None

    play(scene)


def test_one_who_does_not_read_holds_up_nobody() -> None:
    async def scene(hub: Hub) -> None:
        deaf, ear = Ear(), Ear()
        deaf.shut()
        sit(hub, deaf, {"r": 0})
        sit(hub, ear, {"r": 0})
        hub.accept([event("r", seq) for seq in range(1, 9)])
        assert ear.seqs == list(range(1, 9))
        assert deaf.frames == []

    play(scene)


@pytest.mark.parametrize("limit", [{"OUTBOX_EVENTS": 3}, {"OUTBOX_BYTES": 3 * 50}])
def test_a_full_outbox_ends_the_socket(
    limit: dict[str, int], configured: Callable[..., None]
) -> None:
    configured(**limit)
    room = "r" * (50 - len(event("", 1).text))
    assert len(event(room, 1).text) == 50

    async def scene(hub: Hub) -> None:
        ear = Ear()
        ear.shut()
        socket = sit(hub, ear, {room: 0})
        # One is being sent, three wait.
        for seq in range(1, 5):
            socket.push(Run.of([event(room, seq)]))
        assert not socket.closing
        socket.push(Run.of([event(room, 5)]))
        assert socket.closing
        ear.open.set()
        assert await ear.closed() == TOO_SLOW
        assert ear.seqs in ([], [1])
        socket.push(Run.of([event(room, 6)]))
        assert ear.seqs in ([], [1])

    play(scene)


def test_an_outbox_is_counted_in_bytes(configured: Callable[..., None]) -> None:
    configured(OUTBOX_BYTES=400)
    room = "😀" * 90

    async def scene(hub: Hub) -> None:
        ear = Ear()
        ear.shut()
        socket = sit(hub, ear, {room: 0})
        socket.push(Run.of([event(room, 1)]))
        assert not socket.closing
        socket.push(Run.of([event(room, 2)]))
        assert socket.closing

    play(scene)


def test_an_outbox_that_empties_may_fill_again(configured: Callable[..., None]) -> None:
    configured(OUTBOX_BYTES=200)

    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = sit(hub, ear, {"r": 0})
        for first in range(1, 30, 3):
            ear.shut()
            for seq in range(first, first + 3):
                socket.push(Run.of([event("r", seq)]))
            ear.open.set()
            await socket.flushed()
        assert ear.seqs == list(range(1, 31))

    play(scene)


def test_one_that_takes_not_even_a_close_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.websocket.socket.CLOSE_TIMEOUT", 0.01)

    async def scene(hub: Hub) -> None:
        ear, seated = Ear(), asyncio.Event()
        ear.shut()

        async def converse() -> None:
            sit(hub, ear, {"r": 0})
            seated.set()
            await asyncio.Event().wait()

        main = asyncio.create_task(converse())
        await seated.wait()
        (socket,) = hub.sockets
        socket.push(Run.of([event("r", 1)]))
        socket.close(TOO_SLOW)
        await asyncio.wait([main])
        assert main.cancelled()
        assert ear.code is None
        assert socket._sending is None

    play(scene)


def test_one_that_takes_its_close_ends_by_itself() -> None:
    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = sit(hub, ear, {"r": 0})
        socket.close(4401)
        socket.close(TOO_SLOW)
        socket.push(Run.of([event("r", 1)]))
        assert await ear.closed() == 4401
        assert ear.frames == []
        assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]

    play(scene)


def test_a_peer_that_is_gone_hurts_nobody() -> None:
    async def gone(message: dict[str, object]) -> None:
        raise ConnectionError

    async def scene(hub: Hub) -> None:
        ear = Ear()
        socket = Socket(gone, Profile(username="nobody"), own_log="own", only=None)
        hub.seat(socket, "r", Seat(history_from=0, cursor=0, held=None))
        sit(hub, ear, {"r": 0})
        hub.catch_up(hub.rooms["r"], "r", 0)
        hub.accept([event("r", 1)])
        assert socket.closing
        assert ear.seqs == [1]

    play(scene)


def test_a_frame_is_the_very_text_that_was_published() -> None:
    heard: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        heard.append(message)

    async def scene(hub: Hub) -> None:
        socket = Socket(send, Profile(username="nobody"), own_log="own", only=None)
        hub.seat(socket, "r", Seat(history_from=0, cursor=0, held=None))
        item = event("r", 1)
        socket.push(Run.of([item]))
        assert heard == [{"type": "websocket.send", "text": item.text}]
        assert orjson.loads(item.text)["seq"] == 1

    play(scene)
