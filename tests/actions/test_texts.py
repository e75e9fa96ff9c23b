"""A host's code, an import and an account bring texts without a form before them: they are cleaned all the same."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from uuid import uuid4

import pytest

from chat.actions.bans import ban_member
from chat.actions.imports import Line, Speaker, import_lines
from chat.actions.messages import edit_message
from chat.actions.people import add_person, profile_of_account, update_profile
from chat.actions.rooms import create_group, update_room
from chat.errors import Invalid
from chat.models import Ban, Message, Profile, Room
from chat.serializers.cleaning import tidy_name
from tests.scene import say

pytestmark = pytest.mark.django_db

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
WRITE: dict[str, Callable[[Profile, Room, str], object]] = {
    "text": say,
    "text, edited": lambda me, room, text: edit_message(me, say(me, room).pk, text),
    "title": lambda me, room, text: create_group(me, title=text, visibility="public"),
    "title, changed": lambda me, room, text: update_room(me, room.pk, title=text),
    "topic": lambda me, room, text: update_room(me, room.pk, topic=text),
    "display_name": lambda me, room, text: update_profile(me, display_name=text),
    "reason": lambda me, room, text: ban_member(me, room.pk, add_person(username="dan").pk, text),
}


@pytest.mark.parametrize("verb", WRITE)
@pytest.mark.parametrize("bad", ["\u3164", "\u0301", "a\x00", "a\ud800", "x" * 20_000])
def test_a_text_that_no_form_takes_no_action_takes(
    verb: str, bad: str, ann: Profile, group: Room
) -> None:
    if verb in {"topic", "reason"} and bad in {"\u3164", "\u0301"}:
        # What may be left out is left out.
        WRITE[verb](ann, group, bad)
        assert not Room.objects.get(pk=group.pk).topic
        assert not Ban.objects.exclude(reason="").exists()
        return
    with pytest.raises(Invalid) as told:
        WRITE[verb](ann, group, bad)
    assert set(told.value.fields or {}) == {verb.partition(",")[0]}


def test_what_is_not_seen_is_dropped_and_what_joins_is_kept(ann: Profile, group: Room) -> None:
    assert say(ann, group, f"\ufeff{FAMILY}\u202e!").text == f"{FAMILY}!"
    room, new = create_group(ann, id=uuid4(), title=f" Tea\u200b  {FAMILY} ", visibility="public")
    assert (room.title, new) == (f"Tea {FAMILY}", True)
    again = {"id": room.pk, "title": f"Tea {FAMILY}", "visibility": "public"}
    assert create_group(ann, **again) == (room, False)
    assert update_profile(ann, display_name="").display_name == ""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ann\n\u202eevil\u200b  B", "Ann evil B"),
        ("\u3164", ""),
        ("a" + "\u0316" * 9, "a" + "\u0316" * 3),
        ("\ue000x\x00", "x"),
    ],
)
def test_a_name_from_elsewhere_is_made_fit_and_not_refused(name: str, shown: str) -> None:
    account = SimpleNamespace(get_username=lambda: "x", get_full_name=lambda: name)
    fields = profile_of_account(account)  # type: ignore[arg-type]
    assert add_person(**fields).display_name == shown == tidy_name(name)


def test_an_import_brings_names_that_are_fit(group: Room) -> None:
    speaker = Speaker("irc:kim", "kim", "Kim\u202e\u3164")
    import_lines(group.pk, [Line(uuid4(), group.created_at, "Hello.", speaker)])
    assert Message.objects.get(room=group).sender == Profile.objects.get(display_name="Kim")
