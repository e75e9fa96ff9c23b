"""The few words that the tests of the domain are written in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Thread
from threading import Event as Signal
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connections
from django.db.transaction import atomic, set_rollback

from chat.actions.locks import self_key
from chat.actions.people import profile_for
from chat.actions.sending import Draft, send_message
from chat.events import database
from chat.models import Event, Membership, Message, Profile, Room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.db.models import Model

# Seconds, and ample: what does not come within them does not come.
WITHIN = 30


def say(person: Profile, room: Room, text: str = "Hello.", **more: Any) -> Message:
    """Send a message and return it as stored."""
    return send_message(Draft(person, room.pk, text, **more)).message


def logged(room: Room) -> list[str]:
    """The types of a room's events in order, once it is sure that there is no hole among them."""
    rows = list(Event.objects.filter(room=room).order_by("seq").values_list("seq", "type"))
    head = Room.objects.get(pk=room.pk).head
    assert [seq for seq, _ in rows] == list(range(1, head + 1))
    return [type for _, type in rows]


def staff_with(*permissions: str, username: str = "mod") -> Any:
    """An account of staff that holds these permissions of the chat: ``staff_with("moderate_room")``."""
    account = get_user_model().objects.create_user(username, is_staff=True)
    account.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return account


def moderator() -> Profile:
    """A person of staff who may moderate, and is in no room."""
    return profile_for(staff_with("moderate_room"))


def own_log(person: Profile) -> Room:
    return Room.objects.get(key=self_key(person.pk))


def seat(person: Profile, room: Room) -> Membership:
    """A person's place in a room, as it is stored."""
    return Membership.objects.get(user=person, room=room)


@contextmanager
def undone() -> Iterator[None]:
    """Take back, at the end, what the block wrote."""
    with atomic(using=database()):
        yield
        set_rollback(True, using=database())


def together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the calls at once, each in a thread with a connection of its own; an answer may be an exception."""
    start = Barrier(len(calls))

    def one(call: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return call()
        except Exception as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(one, calls))


@contextmanager
def held(*rows: Model) -> Iterator[Signal]:
    """Have another transaction hold rows until the signal is given, or the block ends."""
    is_held, release = Signal(), Signal()

    def hold() -> None:
        with atomic(using=database()):
            for row in rows:
                type(row)._base_manager.select_for_update(no_key=True).get(pk=row.pk)
            is_held.set()
            assert release.wait(WITHIN)
        connections.close_all()

    holder = Thread(target=hold)
    holder.start()
    assert is_held.wait(WITHIN)
    try:
        yield release
    finally:
        release.set()
        holder.join()
