"""Every list costs the same number of queries however long it is, and no more than is stated here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.actions.bans import ban_member
from chat.actions.devices import open_device
from chat.actions.members import add_member
from chat.actions.messages import pin_message
from chat.actions.people import add_person
from chat.actions.rooms import create_group, open_direct
from chat.actions.sending import Draft, send_messages
from chat.queries import log, messages, people, rooms
from chat.queries.epoch import current_epoch
from chat.queries.standings import standings, standings_of
from chat.serializers.messages import message_shape
from chat.serializers.people import DeviceSerializer, UserSerializer
from chat.serializers.rooms import BanSerializer, MembershipSerializer, room_shape
from tests.scene import own_log, say, undone

pytestmark = pytest.mark.django_db

Read = Callable[["World"], Any]


class World:
    """A viewer with as many of everything as a list is to have."""

    def __init__(self, size: int) -> None:
        self.viewer = add_person(username="viewer")
        self.owner = add_person(username="owner")
        self.room, _ = create_group(
            self.owner, title="Main", visibility="public", members=[self.viewer.pk]
        )
        quoted = say(self.owner, self.room)
        for number in range(size):
            self._grow(number, quoted.pk)
        self.own = own_log(self.viewer)
        self.epoch = current_epoch()

    def _grow(self, number: int, quoted: UUID) -> None:
        other = add_person(username=f"p{number}")
        add_member(self.owner, self.room.pk, other.pk)
        pair, _ = open_direct(other, self.viewer.pk)
        group, _ = create_group(self.viewer, title=f"Group {number}", visibility="public")
        send_messages(
            [
                Draft(other, self.room.pk, "Hello.", reply_to=quoted),
                Draft(other, pair.pk, "Hello."),
                Draft(self.viewer, group.pk, "Hello."),
            ]
        )
        pin_message(self.owner, say(other, self.room, reply_to=quoted).pk)
        ban_member(self.owner, self.room.pk, add_person(username=f"q{number}").pk)
        open_device(self.viewer, None, name=str(number), refresh_jti="", sid=uuid4())

    @property
    def cursors(self) -> dict[UUID, int]:
        return dict.fromkeys(self.viewer.memberships.values_list("room", flat=True), 1)


def _inbox(world: World, **which: Any) -> list[Any]:
    found = list(rooms.inbox(world.viewer, **which)[:100])
    return [room_shape(view) for view in rooms.views(world.viewer, found)]


def _directory(world: World) -> list[Any]:
    found = list(rooms.directory("o")[:100])
    return [room_shape(view) for view in rooms.directory_views(world.viewer, found)]


def _members(world: World) -> list[Any]:
    found = rooms.members(world.viewer, world.room.pk)
    return [MembershipSerializer().to_representation(one) for one in found]


def _members_searched(world: World) -> list[Any]:
    found = rooms.members(world.viewer, world.room.pk, search="p", role="member")
    return [MembershipSerializer().to_representation(one) for one in found]


def _bans(world: World) -> list[Any]:
    return [
        BanSerializer().to_representation(one) for one in rooms.bans(world.owner, world.room.pk)
    ]


def _history(world: World, edge: messages.Edge | None) -> list[Any]:
    found = messages.history(world.viewer, world.room.pk, limit=100, edge=edge, seq=5)
    return [message_shape(one, found.visible_from) for one in found.messages]


def _pins(world: World) -> list[Any]:
    found, me = messages.pins(world.viewer, world.room.pk)
    return [message_shape(one, me.history_from) for one in found]


def _sync(world: World, cursors: dict[UUID, int]) -> Any:
    return log.sync(world.viewer, world.epoch, cursors, limit=999)


def _standings_of_many(world: World) -> Any:
    asked = [(world.viewer.pk, None), (world.viewer.pk, world.room.pk), (world.owner.pk, None)]
    found = standings_of(asked)
    assert all(found.values())
    return found


def _replay(world: World) -> Any:
    return log.replay(world.viewer, {str(room): (0, 99) for room in world.cursors})


def _people(world: World) -> list[Any]:
    return [UserSerializer().to_representation(one) for one in people.find_people("p")]


def _devices(world: World) -> list[Any]:
    return [DeviceSerializer().to_representation(one) for one in people.devices_of(world.viewer)]


EPOCH = 1  # The query for the epoch.
READS: dict[str, tuple[int, Read]] = {
    "inbox": (3, _inbox),
    "inbox, searched": (3, lambda world: _inbox(world, search="p")),
    "directory": (4, _directory),
    "members": (2, _members),
    "members, searched": (2, _members_searched),
    "bans": (2, _bans),
    "history": (2 + EPOCH, lambda world: _history(world, None)),
    "history before": (3 + EPOCH, lambda world: _history(world, "before")),
    "history after": (3 + EPOCH, lambda world: _history(world, "after")),
    "history around": (3 + EPOCH, lambda world: _history(world, "around")),
    "pins": (2, _pins),
    "log of a room": (2 + EPOCH, lambda w: log.log(w.viewer, w.room.pk, after=0, limit=999)),
    "own log": (5 + EPOCH, lambda w: log.log(w.viewer, w.own.pk, after=0, limit=999)),
    "sync, all behind": (5 + EPOCH, lambda world: _sync(world, world.cursors)),
    "sync, all joined": (5 + EPOCH, lambda world: _sync(world, {})),
    "replay": (5, _replay),
    "repair of a room": (1, lambda world: log.missed({str(world.room.pk): 0}, 999)),
    "repair of an own log": (6, lambda world: log.missed({str(world.own.pk): 0}, 999)),
    "recent heads": (1, lambda world: log.recent_heads(3600)),
    "heads of rooms": (1, lambda world: log.heads_of([str(room) for room in world.cursors])),
    "standings": (1, lambda world: standings(world.viewer)),
    "standings of many": (1, _standings_of_many),
    "people": (1, _people),
    "devices": (1, _devices),
}
# `cursors` is one query of the test's own.
OWN = {"sync, all behind": 1, "replay": 1, "heads of rooms": 1}


def _cost(name: str, world: World) -> int:
    _, read = READS[name]
    read(world)
    with CaptureQueriesContext(connection) as captured:
        assert read(world)
    return len(captured) - OWN.get(name, 0)


@pytest.fixture(scope="module")
def costs(django_db_setup: None, django_db_blocker: Any) -> dict[str, list[int]]:
    """Return the queries of each read in a world of two and in a world of twelve; each is built once."""
    found: dict[str, list[int]] = {name: [] for name in READS}
    with django_db_blocker.unblock():
        for size in (2, 12):
            with undone():
                world = World(size)
                for name, counted in found.items():
                    counted.append(_cost(name, world))
    return found


@pytest.mark.parametrize("name", READS)
def test_two_cost_what_twelve_cost(costs: dict[str, list[int]], name: str) -> None:
    two, twelve = costs[name]
    assert two == twelve
    assert twelve <= READS[name][0]


@pytest.mark.parametrize("size", [2, 12])
def test_opening_a_group_asks_all_its_members_at_once(size: int) -> None:
    owner = add_person(username="owner")
    others = [add_person(username=f"p{number}").pk for number in range(size)]
    costs = []
    for members in (others[:1], others):
        with CaptureQueriesContext(connection) as captured:
            create_group(owner, title="Many", visibility="private", members=members)
        costs.append(len(captured))
    assert costs[0] == costs[1]
