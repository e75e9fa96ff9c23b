"""Events that come together go out together, as far as nothing is lost by it."""

from __future__ import annotations

import orjson
import pytest

from chat.models import Profile
from chat.websocket import run as runs_module
from chat.websocket.hub import Hub
from chat.websocket.socket import Seat, Socket
from tests.websocket.ears import Ear, event, play


class Pen:
    """The server's short way: takes what it is given in one go, unless it is told not to."""

    def __init__(self) -> None:
        self.writes: list[list[int]] = []
        self.takes = True

    def __call__(self, texts: tuple[str, ...]) -> bool:
        if self.takes:
            self.writes.append([orjson.loads(text)["seq"] for text in texts])
        return self.takes


def sit(hub: Hub, ear: Ear, pen: Pen, at: int, *, history_from: int = 0) -> Socket:
    socket = Socket(ear, Profile(username="nobody"), own_log="own", only=None, write=pen)
    if hub.seat(socket, "r", Seat(history_from, at)):
        hub.catch_up(hub.rooms["r"], "r", at)
    socket.release("r", at)
    return socket


def test_messages_of_a_batch_are_one_write_for_each_socket() -> None:
    async def scene(hub: Hub) -> None:
        ann, bob = Pen(), Pen()
        for pen in (ann, bob):
            sit(hub, Ear(), pen, 3)
        hub.accept([event("r", 4), event("elsewhere", 9), event("r", 5), event("r", 6)])
        assert ann.writes == bob.writes == [[4, 5, 6]]

    play(scene)


def test_what_closes_a_hole_brings_what_came_early_along() -> None:
    async def scene(hub: Hub) -> None:
        pen = Pen()
        sit(hub, Ear(), pen, 3)
        hub.accept([event("r", 6), event("r", 5)])
        assert pen.writes == []
        hub.accept([event("r", 4)])
        assert pen.writes == [[4, 5, 6]]

    play(scene)


def test_what_does_something_to_sockets_is_the_last_of_its_run() -> None:
    """Whoever it takes out of the room must not have been given what follows."""
    done: list[tuple[int, list[list[int]]]] = []
    pen = Pen()

    async def scene(hub: Hub) -> None:
        sit(hub, Ear(), pen, 3)
        hub.accept([event("r", 4), event("r", 5, "member.joined"), event("r", 6)])

    play(scene, lambda hub, channel, item: done.append((item.seq, list(pen.writes))))
    assert pen.writes == [[4, 5], [6]]
    assert done == [(4, [[4, 5]]), (5, [[4, 5]]), (6, [[4, 5], [6]])]


def test_one_write_is_not_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "TOGETHER_MAX", 2 * len(event("r", 4).text))

    async def scene(hub: Hub) -> None:
        pen = Pen()
        sit(hub, Ear(), pen, 3)
        hub.accept([event("r", seq) for seq in range(4, 9)])
        assert pen.writes == [[4, 5], [6, 7], [8]]

    play(scene)


def test_a_socket_that_knows_or_may_see_but_a_part_gets_that() -> None:
    async def scene(hub: Hub) -> None:
        first, ahead, late = Pen(), Pen(), Pen()
        sit(hub, Ear(), first, 3)
        knows = sit(hub, Ear(), ahead, 3)
        knows.seats["r"].cursor = 4
        ear = Ear()
        sit(hub, ear, late, 3, history_from=5)
        late.takes = False
        hub.accept([event("r", 4), event("r", 5)])
        assert first.writes == [[4, 5]]
        assert ahead.writes == [[5]]
        assert [frame["type"] for frame in ear.frames] == ["hidden", "message.sent"]

    play(scene)


def test_where_it_is_not_taken_each_goes_its_own_way_in_order() -> None:
    async def scene(hub: Hub) -> None:
        ear, pen = Ear(), Pen()
        sit(hub, ear, pen, 3)
        pen.takes = False
        hub.accept([event("r", 4), event("r", 5)])
        pen.takes = True
        hub.accept([event("r", 6)])
        assert ear.seqs == [4, 5]
        assert pen.writes == [[6]]

    play(scene)


def test_nothing_goes_the_short_way_past_what_waits_on_the_long_one() -> None:
    async def scene(hub: Hub) -> None:
        ear, pen = Ear(), Pen()
        sit(hub, ear, pen, 3)
        ear.shut()
        pen.takes = False
        hub.accept([event("r", 4)])
        pen.takes = True
        hub.accept([event("r", 5)])
        ear.open.set()
        await ear.until(lambda: ear.seqs == [4, 5])
        assert pen.writes == []

    play(scene)
