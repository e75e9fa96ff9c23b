"""Rows fetched by plain SQL are what the ORM would have made of them, in one journey, and fail as it fails."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DataError, connections, transaction

from chat.events import database
from chat.models import Device, Membership, Message, Profile, Room
from chat.models.fetch import Fetch, fetch
from tests.scene import say

pytestmark = pytest.mark.django_db


def values(row: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


def test_a_row_is_what_the_orm_makes_of_it(group: Room, ann: Profile) -> None:
    message = say(ann, group, metadata={"a": [1, None, "ü"]})
    ((own,), (room,)) = fetch(
        [
            Fetch(Message, ("id",), [(message.pk,)]),
            Fetch(Room, ("id",), [(group.pk,)]),
        ],
        database(),
    )
    assert values(own) == values(Message.objects.get(pk=message.pk))
    assert values(room) == values(Room.objects.get(pk=group.pk))
    assert not own._state.adding
    assert own._state.db == database()


def test_each_question_has_its_own_answer(group: Room, den: Room, ann: Profile) -> None:
    pairs = {(group.pk, ann.pk), (den.pk, ann.pk)}
    rooms, nothing, members = fetch(
        [
            Fetch(Room, ("id",), [(group.pk,), (den.pk,)], "ORDER BY title"),
            Fetch(Message, ("id",), []),
            Fetch(Membership, ("room", "user"), pairs),
        ],
        database(),
    )
    assert rooms == list(Room.objects.filter(pk__in=(group.pk, den.pk)).order_by("title"))
    assert nothing == []
    assert {(one.room_id, one.user_id) for one in members} == pairs


def test_what_a_row_points_to_comes_with_it(ann: Profile) -> None:
    user = get_user_model().objects.create_user("host")
    Profile.objects.filter(pk=ann.pk).update(user=user)
    device = Device.objects.create(profile=ann)
    ((own,),) = fetch(
        [Fetch(Device, ("id",), [(device.pk,)], related=("profile", "profile__user"))], database()
    )
    assert Device.profile.is_cached(own)
    assert own.profile == ann
    assert Profile.user.is_cached(own.profile)
    assert own.profile.user == user


def test_a_relation_that_leads_nowhere_keeps_its_key(ann: Profile) -> None:
    Profile.objects.filter(pk=ann.pk).update(user_id=4711)
    ((own,),) = fetch([Fetch(Profile, ("id",), [(ann.pk,)], related=("user",))], database())
    assert own.user is None
    assert own.user_id == 4711


@pytest.mark.postgres
def test_a_question_that_fails_among_others_fails_as_by_the_orm(
    group: Room, caplog: pytest.LogCaptureFixture
) -> None:
    asked = [
        Fetch(Room, ("id",), [(group.pk,)]),
        Fetch(Room, ("id",), [(group.pk,)], "AND 1 / (head - head) = 1"),
        Fetch(Message, ("id",), [(group.pk,)]),
    ]
    with pytest.raises(DataError), transaction.atomic(using=database()):
        fetch(asked, database())
    assert fetch(asked[:1], database()) == [[group]]
    assert connections[database()].is_usable()
    assert not caplog.records
