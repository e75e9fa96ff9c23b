"""History: a stretch around any place, oldest first, honest about what lies before and after it."""

from __future__ import annotations

import pytest

from chat.actions.members import join_room
from chat.actions.messages import delete_message, edit_message
from chat.errors import NotFound
from chat.models import Message, Profile, Room
from chat.queries.messages import Edge, History, history, message
from chat.serializers.messages import QUOTE_MAX, message_shape
from tests.scene import say

pytestmark = pytest.mark.django_db


@pytest.fixture
def ten(group: Room, ann: Profile) -> list[Message]:
    """Ten messages at the places 4 to 13."""
    return [say(ann, group, str(number)) for number in range(10)]


def texts(found: History) -> str:
    return "".join(one.text for one in found.messages)


def test_the_newest_come_when_nothing_is_said(
    ten: list[Message], group: Room, bob: Profile
) -> None:
    found = history(bob, group.pk, limit=3)
    assert (texts(found), found.has_before, found.has_after) == ("789", True, False)
    assert found.head == ten[-1].seq
    assert texts(history(bob, group.pk, limit=100)) == "0123456789"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("before", 5, 3), ("234", True, True)),
        (("before", 2, 3), ("01", False, True)),
        (("before", 3, 3), ("012", False, True)),
        (("before", 0, 3), ("", False, True)),
        (("after", 5, 3), ("678", True, True)),
        (("after", 7, 3), ("89", True, False)),
        (("after", 6, 3), ("789", True, False)),
        (("after", 9, 3), ("", True, False)),
        (("around", 5, 4), ("3456", True, True)),
        (("around", 0, 4), ("0123", False, True)),
        (("around", 9, 4), ("789", True, False)),
        (("around", 5, 1), ("5", True, True)),
        (("around", 5, 100), ("0123456789", False, False)),
    ],
)
def test_a_stretch_lies_where_it_was_asked_for(
    ten: list[Message], asked: tuple[Edge, int, int], expected: tuple[str, bool, bool]
) -> None:
    (edge, at, limit), room = asked, ten[0].room
    found = history(room.created_by, room.pk, limit=limit, edge=edge, seq=ten[at].seq)
    assert (texts(found), found.has_before, found.has_after) == expected


@pytest.mark.parametrize("seq", [0, 1, 2**63 - 1])
def test_a_place_outside_the_log_is_no_error(
    ten: list[Message], group: Room, bob: Profile, seq: int
) -> None:
    for edge in ("before", "after", "around"):
        found = history(bob, group.pk, limit=3, edge=edge, seq=seq)  # type: ignore[arg-type]
        assert len(found.messages) <= 3


def test_an_empty_room_has_an_empty_history(group: Room, bob: Profile) -> None:
    found = history(bob, group.pk, limit=3)
    assert (found.messages, found.has_before, found.has_after) == ([], False, False)


def test_tombstones_keep_their_place(
    ten: list[Message], group: Room, ann: Profile, bob: Profile
) -> None:
    delete_message(ann, ten[8].pk)
    found = history(bob, group.pk, limit=3)
    assert [one.seq for one in found.messages] == [one.seq for one in ten[7:]]
    assert found.messages[1].deleted_at


def test_history_ends_where_ones_own_begins(pier: Room, ann: Profile, cat: Profile) -> None:
    before = say(ann, pier, "Before.")
    join_room(cat, pier.pk)
    after = say(ann, pier, "After.", reply_to=before.pk)
    for edge in (None, "before", "after", "around"):
        found = history(
            cat, pier.pk, limit=9, edge=edge, seq=0 if edge == "after" else after.seq + 1
        )  # type: ignore[arg-type]
        assert texts(found) == "After."
        assert not found.has_before
        assert "Before." not in str([message_shape(m, found.visible_from) for m in found.messages])
    with pytest.raises(NotFound):
        message(cat, before.pk)
    shown, member = message(cat, after.pk)
    quote = message_shape(shown, member.history_from)["reply_to"]
    assert (quote["id"], quote["sender"], quote["text"]) == (str(before.pk), None, "")


def test_an_edit_of_what_is_hidden_stays_hidden(pier: Room, ann: Profile, cat: Profile) -> None:
    before = say(ann, pier, "Before.")
    join_room(cat, pier.pk)
    edit_message(ann, before.pk, "Edited after.")
    assert texts(history(cat, pier.pk, limit=9)) == ""


def test_a_hidden_quote_does_not_say_whether_it_was_deleted(
    pier: Room, ann: Profile, cat: Profile
) -> None:
    before = say(ann, pier, "Before.")
    join_room(cat, pier.pk)
    after = say(ann, pier, "After.", reply_to=before.pk)
    shown, member = message(cat, after.pk)
    was = message_shape(shown, member.history_from)["reply_to"]
    delete_message(ann, before.pk)
    shown, member = message(cat, after.pk)
    assert message_shape(shown, member.history_from)["reply_to"] == was


def test_a_quote_is_short_and_of_now(group: Room, ann: Profile, bob: Profile) -> None:
    quoted = say(ann, group, "x" * (QUOTE_MAX + 1))
    answer = say(bob, group, reply_to=quoted.pk)
    assert message_shape(message(ann, answer.pk)[0])["reply_to"]["text"] == "x" * QUOTE_MAX
    edit_message(ann, quoted.pk, "Short.")
    assert message_shape(message(ann, answer.pk)[0])["reply_to"]["text"] == "Short."
    delete_message(ann, quoted.pk)
    quote = message_shape(message(ann, answer.pk)[0])["reply_to"]
    assert (quote["text"], quote["deleted"]) == ("", True)
