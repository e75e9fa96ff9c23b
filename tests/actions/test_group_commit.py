"""Sends of many at once: stored together, answered each, and nobody held up by another's room or mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from threading import Event as Signal
from typing import Any
from unittest.mock import Mock
from uuid import UUID, uuid4

import pytest
from django.db import InterfaceError

from chat.actions import group_commit
from chat.actions.group_commit import GroupCommit, Result, send
from chat.actions.members import join_room
from chat.actions.rooms import create_group
from chat.actions.sending import Draft, RoomBusy, Sent, one_by_one, send_messages
from chat.errors import Conflict, Forbidden, NotFound, Unavailable
from chat.models import Membership, Message, Profile, Room
from tests.conftest import Heard
from tests.scene import WITHIN, held, logged, say, together, undone

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("heard")]


class Told:
    """A receiver that keeps what it is told, batch by batch, and can hold up the writer meanwhile."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[Any, Result]]] = []
        self.entered = Signal()
        self.may_go_on = Signal()
        self.may_go_on.set()
        self._one_more = Signal()

    def __call__(self, told: list[tuple[Any, Result]]) -> None:
        self.batches.append(told)
        self.entered.set()
        self._one_more.set()
        assert self.may_go_on.wait(WITHIN)

    def of(self, count: int) -> list[tuple[Any, Result]]:
        """Return the first results, in the order in which they came."""
        while len(results := [one for batch in self.batches for one in batch]) < count:
            assert self._one_more.wait(WITHIN)
            self._one_more.clear()
        return results


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def writer() -> GroupCommit:
    return GroupCommit()


@pytest.fixture
def others_room(bob: Profile) -> Room:
    return create_group(bob, title="Elsewhere", visibility="public")[0]


@pytest.fixture
def locked(group: Room) -> Iterator[Signal]:
    """The group, held by another transaction until the signal is given."""
    with held(group) as release:
        yield release


def held_up(writer: GroupCommit, told: Told, first: Draft) -> None:
    """Have the writer store one draft and then wait while it tells so."""
    told.may_go_on.clear()
    writer.submit(first, told, "first")
    assert told.entered.wait(WITHIN)


def texts(room: Room) -> list[str]:
    return list(Message.objects.filter(room=room).order_by("seq").values_list("text", flat=True))


def test_what_comes_while_a_batch_is_written_goes_together_in_the_next(
    writer: GroupCommit, told: Told, group: Room, others_room: Room, ann: Profile, bob: Profile
) -> None:
    held_up(writer, told, Draft(ann, group.pk, "first"))
    for number in range(10):
        writer.submit(Draft(ann, group.pk, f"ann {number}"), told, number)
        writer.submit(Draft(bob, others_room.pk, f"bob {number}"), told, number)
    told.may_go_on.set()
    told.of(21)
    assert [len(batch) for batch in told.batches] == [1, 20]
    assert texts(group) == ["first", *(f"ann {number}" for number in range(10))]
    assert texts(others_room) == [f"bob {number}" for number in range(10)]


def test_each_is_answered_for_itself(
    writer: GroupCommit, told: Told, group: Room, ann: Profile, person: Callable[..., Profile]
) -> None:
    """A stranger, a taken id, what no database takes, the same twice: none of them touches another."""
    known = say(ann, group)
    again = Draft(ann, group.pk, "again")
    held_up(writer, told, Draft(ann, group.pk, "first"))
    drafts: dict[str, Draft] = {
        "good": Draft(ann, group.pk, "good"),
        "stranger": Draft(person("eve"), group.pk, "in"),
        "nowhere": Draft(ann, uuid4(), "anyone?"),
        "taken": Draft(ann, group.pk, "other words", id=known.pk),
        "unstorable": Draft(ann, group.pk, "bad", metadata={"what": object()}),
        "once": again,
        "twice": again,
    }
    for name, draft in drafts.items():
        writer.submit(draft, told, name)
    told.may_go_on.set()
    results = dict(told.of(8))
    new = {name: one.new for name, one in results.items() if isinstance(one, Sent)}
    assert new == {"first": True, "good": True, "once": True, "twice": False}
    refused = {name: type(one) for name, one in results.items() if not isinstance(one, Sent)}
    assert refused == {
        "stranger": Forbidden,
        "nowhere": NotFound,
        "taken": Conflict,
        "unstorable": TypeError,
    }
    assert texts(group)[-2:] == ["good", "again"]
    logged(group)


def test_many_threads_are_all_answered_and_in_one_order(
    group: Room, person: Callable[..., Profile], heard: Heard
) -> None:
    people = [person(f"p{number}") for number in range(20)]
    for one in people:
        join_room(one, group.pk)
    before = len(logged(group))
    calls = [partial(send, Draft(one, group.pk, str(n))) for one in people for n in range(3)]
    sent = together(calls)
    assert sorted(one.message.seq for one in sent) == list(range(before + 1, before + 61))
    assert logged(group)[before:] == ["message.sent"] * 60
    places = [item.seq for item in heard if item.type == "message.sent"]
    assert sorted(places) == list(range(before + 1, before + 61))


def test_inside_a_transaction_it_is_sent_there_and_taken_back_with_it(
    group: Room, ann: Profile
) -> None:
    before = logged(group)
    with undone():
        assert send(Draft(ann, group.pk, "Never mind.")).new
        assert texts(group) == ["Never mind."]
    assert logged(group) == before


@pytest.mark.postgres
def test_a_busy_room_holds_up_nobody_else(
    writer: GroupCommit,
    told: Told,
    group: Room,
    others_room: Room,
    ann: Profile,
    bob: Profile,
    locked: Signal,
) -> None:
    writer.submit(Draft(ann, group.pk, "waits"), told, "waits")
    writer.submit(Draft(bob, others_room.pk, "goes"), told, "goes")
    assert [tag for tag, _ in told.of(1)] == ["goes"]
    locked.set()
    assert [tag for tag, _ in told.of(2)] == ["goes", "waits"]


@pytest.mark.postgres
def test_what_waits_for_a_busy_room_is_not_overtaken(
    writer: GroupCommit, told: Told, group: Room, others_room: Room, ann: Profile, locked: Signal
) -> None:
    join_room(ann, others_room.pk)
    slow = Told()

    def beside() -> None:
        """Once this is answered, what was submitted before it has been tried."""
        writer.submit(Draft(ann, others_room.pk, "beside"), told)
        told.of(len([one for batch in told.batches for one in batch]) + 1)

    slow.may_go_on.clear()
    writer.submit(Draft(ann, group.pk, "0"), slow)
    beside()
    writer.submit(Draft(ann, group.pk, "1"), slow)
    beside()
    locked.set()
    assert slow.entered.wait(WITHIN)
    # The room is free again, and "1" still waits behind "0", which is being answered.
    writer.submit(Draft(ann, group.pk, "2"), slow)
    beside()
    slow.may_go_on.set()
    slow.of(3)
    assert texts(group) == ["0", "1", "2"]


def test_a_room_that_is_gone_is_not_taken_for_a_busy_one(ann: Profile) -> None:
    (result,) = send_messages([Draft(ann, UUID(int=1), "anyone?")], wait=False)
    assert type(result) is NotFound


def test_what_was_not_begun_in_time_is_never_sent(
    told: Told, group: Room, ann: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waited was told so, and may have said it again in other words."""
    monkeypatch.setattr(group_commit, "ANSWER_TIMEOUT", 0)
    writer = GroupCommit()
    writer.submit(Draft(ann, group.pk, "late"), told, "late")
    ((_, result),) = told.of(1)
    assert type(result) is Unavailable
    monkeypatch.undo()
    writer.submit(Draft(ann, group.pk, "soon"), told, "soon")
    told.of(2)
    assert texts(group) == ["soon"]


@pytest.mark.postgres
def test_nor_is_it_behind_others_in_a_busy_room(
    writer: GroupCommit,
    told: Told,
    group: Room,
    ann: Profile,
    locked: Signal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writer.submit(Draft(ann, group.pk, "soon"), told, "soon")
    monkeypatch.setattr(group_commit, "ANSWER_TIMEOUT", 0)
    writer.submit(Draft(ann, group.pk, "late"), told, "late")
    locked.set()
    results = dict(told.of(2))
    assert isinstance(results["soon"], Sent)
    assert type(results["late"]) is Unavailable
    assert texts(group) == ["soon"]


@pytest.mark.postgres
def test_busy_rooms_take_turns(
    told: Told,
    group: Room,
    others_room: Room,
    ann: Profile,
    bob: Profile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However much is said in one of them, the others come to their turn."""
    free = create_group(ann, title="Free", visibility="public")[0]
    monkeypatch.setattr(group_commit, "BUSY_LANES", 1)
    monkeypatch.setattr(group_commit, "BATCH_MAX", 1)
    writer, beside = GroupCommit(), Told()
    with held(group, others_room) as release:
        for number in range(5):
            writer.submit(Draft(ann, group.pk, f"{number}"), told, number)
        writer.submit(Draft(bob, others_room.pk, "my turn"), told, "turn")
        writer.submit(Draft(ann, free.pk, "beside"), beside)
        # What was submitted before it waits for its room by now.
        beside.of(1)
        release.set()
        assert [tag for tag, _ in told.of(6)] == [0, "turn", 1, 2, 3, 4]


@pytest.mark.postgres
def test_a_row_that_is_held_holds_up_its_room_alone(
    writer: GroupCommit, told: Told, group: Room, others_room: Room, ann: Profile, bob: Profile
) -> None:
    """Not the room's own row, which is passed over, but one that the batch stumbles upon."""
    Room.objects.filter(pk=group.pk).update(slow_mode=1)
    held_up(writer, told, Draft(bob, others_room.pk, "first"))
    with held(Membership.objects.get(room=group, user=ann)) as release:
        writer.submit(Draft(ann, group.pk, "waits"), told, "waits")
        writer.submit(Draft(bob, others_room.pk, "goes"), told, "goes")
        told.may_go_on.set()
        tag, result = told.of(2)[1]
        assert tag == "goes"
        assert isinstance(result, Sent)
        release.set()
        assert isinstance(dict(told.of(3))["waits"], Sent)


def test_none_overtakes_another_of_its_room_where_each_is_sent_alone(
    ann: Profile, group: Room, others_room: Room
) -> None:
    drafts = [Draft(ann, room.pk, "?") for room in (group, others_room, group)]
    tried: list[Draft] = []

    def alone(one: Draft) -> RoomBusy | None:
        tried.append(one)
        return RoomBusy() if one is drafts[0] else None

    results = one_by_one(drafts, alone)
    assert [type(one) for one in results] == [RoomBusy, type(None), RoomBusy]
    assert tried == drafts[:2]


def test_too_many_do_not_wait(
    writer: GroupCommit, told: Told, group: Room, ann: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "WAITING_MAX", 1)
    held_up(writer, told, Draft(ann, group.pk, "first"))
    writer.submit(Draft(ann, group.pk, "waits"), told)
    with pytest.raises(Unavailable):
        writer.submit(Draft(ann, group.pk, "one too many"), told)
    told.may_go_on.set()
    told.of(2)
    assert texts(group) == ["first", "waits"]


def test_a_connection_that_cannot_be_given_back_stops_nobody(
    told: Told, group: Room, ann: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "KEPT", 0)
    monkeypatch.setattr(group_commit, "close_old_connections", Mock(side_effect=InterfaceError))
    writer = GroupCommit()
    for number in range(1, 6):
        writer.submit(Draft(ann, group.pk, f"{number}"), told)
        assert isinstance(told.of(number)[-1][1], Sent)
