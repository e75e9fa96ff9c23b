"""Sends of many at once: stored together, answered each, and nobody held up by another's room or mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from threading import Event as Signal
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections, transaction

from chat.actions.group_commit import GroupCommit, Result, send
from chat.actions.members import join_room
from chat.actions.rooms import create_group
from chat.actions.sending import Draft, Sent, send_messages
from chat.errors import Conflict, Forbidden, NotFound
from chat.events import database
from chat.models import Message, Profile, Room
from tests.conftest import Heard
from tests.scene import logged, say, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("heard")]

# Ample: what does not come within it does not come.
WITHIN = 30


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
    held, release = Signal(), Signal()

    def hold() -> None:
        with transaction.atomic(using=database()):
            Room.objects.select_for_update(no_key=True).get(pk=group.pk)
            held.set()
            assert release.wait(WITHIN)
        connections.close_all()

    holder = Thread(target=hold)
    holder.start()
    assert held.wait(WITHIN)
    yield release
    release.set()
    holder.join()


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
    with transaction.atomic(using=database()):
        assert send(Draft(ann, group.pk, "Never mind.")).new
        assert texts(group) == ["Never mind."]
        transaction.set_rollback(True, using=database())
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
