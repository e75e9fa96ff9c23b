"""What is stored in one statement comes back as it was, and is refused where a row alone would be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DataError, IntegrityError, transaction

from chat.events import database
from chat.models import Message, Profile, Room
from chat.models.bulk import Insert, Update, store
from tests.scene import say

pytestmark = pytest.mark.django_db

# What a text may hold that JSON or SQL could take for something of its own.
TEXTS = (
    "%s %% {0}",
    "'; --",
    '"\\"',
    "\\x41 \\u0041",
    "\u2028\n\t",
    "\U0001f600",
    "\\",
    "null",
    "",
)


def made(room: Room, sender: Profile, seq: int, **more: Any) -> Message:
    fields = {"text": "Hello.", "digest": b"\x00\xff" * 16, "version": seq}
    return Message(room=room, sender=sender, seq=seq, **{**fields, **more})


def stored(*rows: Message) -> list[Message]:
    store([Insert(rows)], database())
    found = Message.objects.in_bulk([row.pk for row in rows])
    return [found[row.pk] for row in rows]


def test_every_text_comes_back_as_it_was(group: Room, ann: Profile) -> None:
    rows = [made(group, ann, 100 + place, text=text) for place, text in enumerate(TEXTS)]
    assert [row.text for row in stored(*rows)] == list(TEXTS)


def test_every_kind_of_value_comes_back_as_it_was(group: Room, ann: Profile) -> None:
    metadata = {"a": [1, 2.5, None, True, "%s"], "ü": {"'": "\\"}, "big": 2**53 + 1}
    at = datetime(2026, 2, 28, 23, 59, 59, 123456, UTC)
    answered = say(ann, group)
    (row,) = stored(
        made(group, ann, 100, metadata=metadata, created_at=at, reply_to=answered, edited_at=None)
    )
    assert row.metadata == metadata
    assert row.created_at == at
    assert bytes(row.digest) == b"\x00\xff" * 16
    assert (row.reply_to_id, row.edited_at, row.seq) == (answered.pk, None, 100)


def test_an_update_changes_these_fields_of_these_rows_alone(group: Room, den: Room) -> None:
    title, other = group.title, Room.objects.get(pk=den.pk).head
    group.head, group.title = 77, "Another"
    store([Update([group], ["head"])], database())
    group.refresh_from_db()
    assert (group.head, group.title) == (77, title)
    assert Room.objects.get(pk=den.pk).head == other


def test_two_rows_in_one_place_are_refused_and_nothing_is_stored(group: Room, ann: Profile) -> None:
    rows = [made(group, ann, 100), made(group, ann, 100)]
    with pytest.raises(IntegrityError), transaction.atomic(using=database()):
        store([Insert(rows)], database())
    assert not Message.objects.filter(pk__in=[row.pk for row in rows]).exists()


@pytest.mark.postgres
def test_what_is_too_long_for_its_column_is_not_cut(group: Room, ann: Profile) -> None:
    with pytest.raises(DataError), transaction.atomic(using=database()):
        store([Insert([made(group, ann, 100, kind="k" * 200)])], database())
