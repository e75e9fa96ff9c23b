"""Where a person's rooms stand, when there are more than one socket hears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from chat.actions.rooms import create_group
from chat.events import database
from chat.models import Profile, Room
from chat.queries.standings import count_rooms, standings, standings_among, standings_of
from tests.scene import own_log, say

MOST = 2


@pytest.fixture
def rooms(ann: Profile, bob: Profile, configured: Callable[..., None]) -> list[Room]:
    """Rooms of ann's and bob's, the most recently active first."""
    configured(LIMIT_SOCKET_ROOMS=MOST)
    made = [
        create_group(ann, title=f"{n}", visibility="private", members=[bob.pk])[0] for n in range(4)
    ]
    for room in made:
        say(ann, room)
    return made[::-1]


def test_the_most_recently_active_and_the_own_log(rooms: list[Room], ann: Profile) -> None:
    assert list(standings(ann)) == [*(str(room.pk) for room in rooms[:MOST]), str(own_log(ann).pk)]
    assert count_rooms(ann) == len(rooms) + 1


def test_the_own_log_takes_no_place_of_a_room(rooms: list[Room], ann: Profile) -> None:
    Room.objects.filter(pk=own_log(ann).pk).update(active_at=timezone.now())
    heard = [str(own_log(ann).pk), *(str(room.pk) for room in rooms[:MOST])]
    assert list(standings(ann)) == heard


def test_one_room_is_found_however_long_ago_it_was_active(rooms: list[Room], ann: Profile) -> None:
    last = rooms[-1]
    assert set(standings(ann, only=last.pk)) == {str(last.pk), str(own_log(ann).pk)}
    assert standings_among(ann, [last.pk]).keys() == {str(last.pk)}


def test_what_one_socket_asks_changes_nothing_for_another(
    rooms: list[Room], ann: Profile, bob: Profile
) -> None:
    last = rooms[-1].pk
    together = standings_of([(ann.pk, None), (ann.pk, last), (bob.pk, None), (bob.pk, last)])
    assert together[ann.pk, None] == standings(ann)
    assert together[ann.pk, last] == standings(ann, only=last)
    assert together[bob.pk, None] == standings(bob)
    assert together[bob.pk, last] == standings(bob, only=last)


def test_two_queries_for_all_who_ask(
    rooms: list[Room], ann: Profile, bob: Profile, django_assert_num_queries: Any
) -> None:
    for asked in ([(ann.pk, None)], [(ann.pk, None), (bob.pk, None), (bob.pk, rooms[-1].pk)]):
        with django_assert_num_queries(2, connection=connections[database()]):
            standings_of(asked)


def test_no_limit(rooms: list[Room], ann: Profile, configured: Callable[..., None]) -> None:
    configured(LIMIT_SOCKET_ROOMS=None)
    assert len(standings(ann)) == len(rooms) + 1
