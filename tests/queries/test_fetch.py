"""Rows fetched by plain SQL are what the ORM would have made of them, in one journey, and fail as it fails."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DataError, connections, models, router, transaction
from django.test.utils import isolate_apps

from chat.events import database
from chat.models import Membership, Message, Profile, Room
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


def test_what_a_row_points_to_comes_with_it(group: Room, ann: Profile, bob: Profile) -> None:
    answer = say(ann, group, reply_to=say(bob, group).pk)
    related = ("reply_to", "reply_to__sender")
    ((own,),) = fetch([Fetch(Message, ("id",), [(answer.pk,)], related=related)], database())
    assert Message.reply_to.is_cached(own)
    assert own.reply_to == answer.reply_to
    assert Message.sender.is_cached(own.reply_to)
    assert own.reply_to.sender == bob


def test_where_a_relation_leads_nowhere_there_is_none(group: Room, ann: Profile) -> None:
    message = say(ann, group)
    related = ("reply_to", "reply_to__sender")
    ((own,),) = fetch([Fetch(Message, ("id",), [(message.pk,)], related=related)], database())
    assert Message.reply_to.is_cached(own)
    assert own.reply_to is None


@pytest.mark.skipif(
    router.db_for_read(get_user_model()) != database(), reason="accounts are elsewhere"
)
def test_an_account_that_is_gone_leaves_its_key(ann: Profile) -> None:
    Profile.objects.filter(pk=ann.pk).update(user_id=4711)
    ((own,),) = fetch([Fetch(Profile, ("id",), [(ann.pk,)], related=("user",))], database())
    assert own.user is None
    assert own.user_id == 4711


class Loud(models.CharField):  # type: ignore[type-arg]
    """Selected in capitals, as other fields may be in a form of their own."""

    def select_format(self, compiler: Any, sql: str, params: Any) -> Any:
        return f"upper({sql})", params


@isolate_apps("chat")
def test_a_hosts_model_is_asked_for_in_its_own_way(group: Room) -> None:
    class Quoted(models.Model):
        id = models.UUIDField(primary_key=True)
        title = Loud(max_length=200)

        class Meta:
            app_label = "chat"
            db_table = '"chat_room"'
            managed = False

        def __str__(self) -> str:
            return self.title

    ((own,),) = fetch([Fetch(Quoted, ("id",), [(group.pk,)])], database())
    assert own.title == group.title.upper() != group.title


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
