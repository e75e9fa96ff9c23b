"""An action is one transaction, its own or its host's: what goes out goes out on commit, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import pytest
from django.db import OperationalError, transaction

from chat.actions.members import join_room
from chat.actions.messages import delete_message
from chat.actions.rooms import create_group, open_direct
from chat.actions.transactions import TRIES, action
from chat.errors import Conflict, Forbidden
from chat.events import Published, database
from chat.models import Event, Message, Profile, Room
from tests.conftest import Heard
from tests.scene import logged, say

pytestmark = pytest.mark.django_db(transaction=True)


class Passing(Exception):
    """What a driver raises for a deadlock."""

    sqlstate = "40P01"


class Lasting(Exception):
    """What it raises for a statement that took too long."""

    sqlstate = "57014"


class HostFailed(Exception):
    """Something that the host did after calling us."""


def failing(cause: type[Exception], times: int) -> tuple[list[int], Callable[[], str]]:
    """Return a verb that the database refuses a number of times, and the list of its tries."""
    tries: list[int] = []

    @action
    def verb() -> str:
        tries.append(1)
        if len(tries) <= times:
            raise OperationalError from cause()
        return "done"

    return tries, verb


def test_nothing_goes_out_before_the_host_commits(group: Room, ann: Profile, heard: Heard) -> None:
    with transaction.atomic(using=database()):
        say(ann, group)
        say(ann, group)
        assert heard == []
    assert [item.type for item in heard] == ["message.sent"] * 2
    assert [item.seq for item in heard] == sorted(item.seq for item in heard)


def test_nothing_goes_out_when_the_host_rolls_back(
    group: Room, ann: Profile, cat: Profile, heard: Heard
) -> None:
    before = logged(group)
    heard.clear()

    def host() -> NoReturn:
        with transaction.atomic(using=database()):
            say(ann, group)
            join_room(cat, group.pk)
            open_direct(ann, cat.pk)
            create_group(ann, title="Never", visibility="public")
            raise HostFailed

    with pytest.raises(HostFailed):
        host()
    assert heard == []
    assert logged(group) == before
    assert say(ann, group).seq == len(before) + 1
    assert not Room.objects.filter(title="Never").exists()


def test_only_what_was_kept_of_a_hosts_savepoints_goes_out(
    group: Room, ann: Profile, heard: Heard
) -> None:
    heard.clear()
    with transaction.atomic(using=database()):
        say(ann, group, "Kept.")
        with transaction.atomic(using=database()):
            say(ann, group, "Lost.")
            transaction.set_rollback(True, using=database())
        say(ann, group, "Kept as well.")
    texts = Message.objects.filter(room=group).order_by("seq").values_list("text", flat=True)
    assert list(texts) == ["Kept.", "Kept as well."]
    assert [item.seq for item in heard] == [4, 5]
    assert logged(group)[-2:] == ["message.sent"] * 2


def test_a_refusal_leaves_the_hosts_transaction_usable(
    group: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    with transaction.atomic(using=database()):
        with pytest.raises(Forbidden):
            say(cat, group)
        say(ann, group, id=group.pk)
        with pytest.raises(Conflict):
            create_group(ann, title="Same id", visibility="public", id=group.pk)
        with pytest.raises(Conflict):
            say(bob, group, id=group.pk)
        say(bob, group)
    assert logged(group)[-2:] == ["message.sent"] * 2


def test_a_verb_that_fails_leaves_nothing(group: Room, ann: Profile, heard: Heard) -> None:
    heard.clear()

    @action
    def both() -> NoReturn:
        say(ann, group)
        raise HostFailed

    with pytest.raises(HostFailed):
        both()
    assert heard == []
    assert not Message.objects.exists()


def test_an_outlet_that_fails_stops_nobody(
    group: Room, ann: Profile, heard: Heard, configured: Callable[..., None]
) -> None:
    def broken(items: object) -> NoReturn:
        raise HostFailed

    configured(OUTLETS=[broken, heard.extend])
    heard.clear()
    message = say(ann, group)
    delete_message(ann, message.pk)
    assert [item.type for item in heard] == ["message.sent", "message.deleted"]


@pytest.mark.parametrize("times", range(TRIES))
def test_what_only_chance_refused_is_tried_again(times: int) -> None:
    tries, verb = failing(Passing, times)
    assert verb() == "done"
    assert len(tries) == times + 1


def test_chance_is_tried_three_times_at_the_most() -> None:
    tries, verb = failing(Passing, TRIES)
    with pytest.raises(OperationalError):
        verb()
    assert len(tries) == TRIES


def test_what_would_fail_again_is_not_tried_again() -> None:
    tries, verb = failing(Lasting, 1)
    with pytest.raises(OperationalError):
        verb()
    assert len(tries) == 1


def test_inside_a_hosts_transaction_nothing_is_tried_again() -> None:
    tries, verb = failing(Passing, 1)
    with pytest.raises(OperationalError), transaction.atomic(using=database()):
        verb()
    assert len(tries) == 1


def test_what_is_heard_can_be_found(
    group: Room, ann: Profile, configured: Callable[..., None]
) -> None:
    """An outlet that hears of an event reads it: it was told after the commit."""
    found: list[bool] = []

    def look(items: list[Published]) -> None:
        assert not transaction.get_connection(database()).in_atomic_block
        found.extend(Event.objects.filter(room=i.room, seq=i.seq).exists() for i in items)

    configured(OUTLETS=[look])
    say(ann, group)
    assert found == [True]
