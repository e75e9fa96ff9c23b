"""What goes out: one text for all who may see it, and a narrower one for those who came later."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest

from chat.actions.members import join_room
from chat.actions.messages import delete_message, edit_message
from chat.events import Published
from chat.models import Profile, Room
from tests.conftest import Heard
from tests.scene import say, seat

pytestmark = pytest.mark.django_db


def heard_by(person: Profile, room: Room, item: Published) -> dict[str, object]:
    return dict(json.loads(item.text_for(seat(person, room).history_from)))


def test_words_from_before_ones_time_are_heard_by_those_who_were_there(
    pier: Room, ann: Profile, bob: Profile, cat: Profile, heard: Heard
) -> None:
    before = say(ann, pier, "Before.")
    join_room(cat, pier.pk)
    for verb in (
        lambda: edit_message(ann, before.pk, "Before, edited."),
        lambda: delete_message(ann, before.pk),
    ):
        (item,) = heard.of(verb)
        assert heard_by(bob, pier, item)["type"] == item.type
        assert heard_by(cat, pier, item) == {
            "type": "hidden",
            "room": str(pier.pk),
            "seq": item.seq,
        }


def test_a_quote_from_before_ones_time_comes_without_words(
    pier: Room, ann: Profile, bob: Profile, cat: Profile, heard: Heard
) -> None:
    before = say(ann, pier, "Before.")
    join_room(cat, pier.pk)
    (item,) = heard.of(say, bob, pier, "After.", reply_to=before.pk)
    full, narrow = heard_by(ann, pier, item)["message"], heard_by(cat, pier, item)["message"]
    assert isinstance(full, dict)
    assert isinstance(narrow, dict)
    assert (full["text"], narrow["text"]) == ("After.", "After.")
    assert full["reply_to"]["text"] == "Before."
    assert (narrow["reply_to"]["text"], narrow["reply_to"]["sender"]) == ("", None)


def test_where_nobody_came_late_there_is_one_text(
    group: Room, ann: Profile, cat: Profile, heard: Heard
) -> None:
    message = say(ann, group)
    join_room(cat, group.pk)
    (item,) = heard.of(say, ann, group, "An answer.", reply_to=message.pk)
    assert item.narrower is None
    assert item.text_for(0) == item.text_for(message.seq) == item.text


def test_an_outlet_that_fails_is_noted_by_name_and_without_words(
    group: Room,
    ann: Profile,
    heard: Heard,
    configured: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(items: list[Published]) -> None:
        raise RuntimeError

    configured(OUTLETS=[broken])
    with caplog.at_level(logging.ERROR, "chat.events"):
        heard.of(say, ann, group, "My secret.")
    assert "broken" in caplog.text
    assert "secret" not in caplog.text
