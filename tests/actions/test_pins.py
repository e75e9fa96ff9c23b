"""Pins: what a room keeps at hand, until it is taken down or deleted."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

import pytest
from django.utils import timezone

from chat.actions import messages as actions
from chat.actions.members import change_role, join_room
from chat.actions.messages import delete_message, edit_message, pin_message, unpin_message
from chat.errors import Conflict, Forbidden, NotFound
from chat.models import Message, Profile, Room
from chat.queries.messages import pins
from chat.serializers.messages import message_shape
from tests.conftest import Heard
from tests.scene import logged, own_log, say, together

pytestmark = pytest.mark.django_db


def pinned(viewer: Profile, room: Room) -> list[str]:
    """The words of a room's pinned messages, in the order of the list."""
    return [one.text for one in pins(viewer, room.pk)[0]]


def test_a_pin_keeps_the_place_and_raises_the_version(group: Room, ann: Profile) -> None:
    message = say(ann, group)
    stored, _ = pin_message(ann, message.pk)
    assert message_shape(stored)["pinned"] is True
    assert (stored.seq, stored.version) == (message.seq, Room.objects.get(pk=group.pk).head)
    stored, _ = unpin_message(ann, message.pk)
    assert message_shape(stored)["pinned"] is False
    assert stored.version == Room.objects.get(pk=group.pk).head
    assert logged(group)[-2:] == ["message.pinned", "message.unpinned"]


def test_pinning_again_is_not_told(group: Room, ann: Profile, bob: Profile, heard: Heard) -> None:
    message = say(ann, group)
    assert heard.of(unpin_message, ann, message.pk) == []
    assert heard.types_of(pin_message, ann, message.pk) == ["message.pinned"]
    change_role(ann, group.pk, bob.pk, "moderator")
    before = Message.objects.get(pk=message.pk).pinned_at
    assert heard.of(pin_message, bob, message.pk) == []
    assert Message.objects.get(pk=message.pk).pinned_at == before
    assert heard.types_of(unpin_message, bob, message.pk) == ["message.unpinned"]
    assert heard.of(unpin_message, ann, message.pk) == []


def test_the_newest_pin_is_first(group: Room, ann: Profile, bob: Profile) -> None:
    one, two, three = (say(ann, group, text) for text in ("one", "two", "three"))
    for message in (two, three, one):
        pin_message(ann, message.pk)
    assert pinned(bob, group) == ["one", "three", "two"]
    pin_message(ann, two.pk)
    unpin_message(ann, three.pk)
    assert pinned(bob, group) == ["one", "two"]


def test_an_edit_keeps_the_pin_and_a_deletion_takes_it(
    group: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    message = say(bob, group)
    pin_message(ann, message.pk)
    assert message_shape(edit_message(bob, message.pk, "Other words.")[0])["pinned"]
    assert heard.types_of(delete_message, bob, message.pk) == ["message.deleted"]
    assert '"pinned":false' in heard[-1].text
    assert pinned(ann, group) == []


def test_a_tombstone_has_no_pin(group: Room, ann: Profile, heard: Heard) -> None:
    message = say(ann, group)
    delete_message(ann, message.pk)
    with pytest.raises(Conflict):
        pin_message(ann, message.pk)
    assert heard.of(unpin_message, ann, message.pk) == []


def test_in_a_group_moderators_pin(group: Room, ann: Profile, bob: Profile) -> None:
    message = say(bob, group)
    for verb in (pin_message, unpin_message):
        with pytest.raises(Forbidden):
            verb(bob, message.pk)
    change_role(ann, group.pk, bob.pk, "moderator")
    assert pin_message(bob, message.pk)[0].pinned_at
    change_role(ann, group.pk, bob.pk, "member")
    with pytest.raises(Forbidden):
        unpin_message(bob, message.pk)
    assert pinned(bob, group)


def test_in_a_direct_room_both_pin_and_in_ones_own_log_oneself(
    pair: Room, ann: Profile, bob: Profile
) -> None:
    message, note = say(ann, pair), say(ann, own_log(ann), "Buy tea.")
    pin_message(bob, message.pk)
    unpin_message(ann, message.pk)
    assert logged(pair)[-2:] == ["message.pinned", "message.unpinned"]
    pin_message(ann, note.pk)
    assert pinned(ann, own_log(ann)) == ["Buy tea."]


def test_outsiders_are_told_as_little_as_of_the_room(
    group: Room, den: Room, ann: Profile, cat: Profile
) -> None:
    for room, refusal in ((group, Forbidden), (den, NotFound)):
        message = say(ann, room)
        for verb in (pin_message, unpin_message):
            with pytest.raises(refusal):
                verb(cat, message.pk)
        with pytest.raises(refusal):
            pins(cat, room.pk)
    with pytest.raises(NotFound):
        pin_message(ann, uuid4())


def test_what_lies_before_ones_history_is_neither_pinned_nor_shown(
    pier: Room, ann: Profile, cat: Profile, heard: Heard
) -> None:
    before = say(ann, pier, "Before.")
    join_room(cat, pier.pk)
    cats = change_role(ann, pier.pk, cat.pk, "admin")
    after = say(ann, pier, "After.", reply_to=before.pk)
    for verb in (pin_message, unpin_message):
        with pytest.raises(NotFound):
            verb(cat, before.pk)
    for one in (before, after):
        (told,) = heard.of(pin_message, ann, one.pk)
        assert "Before." in told.text
        assert "Before." not in told.text_for(cats.history_from)
    assert pinned(ann, pier) == ["After.", "Before."]
    found, me = pins(cat, pier.pk)
    shapes = [message_shape(one, me.history_from) for one in found]
    assert [one["text"] for one in shapes] == ["After."]
    assert "Before." not in str(shapes)


def fill(room: Room, person: Profile, number: int) -> None:
    """Pin so many messages of a room, without telling."""
    said = [say(person, room).pk for _ in range(number)]
    Message.objects.filter(pk__in=said).update(pinned_at=timezone.now())


def test_a_room_has_a_hundred_pins(group: Room, den: Room, ann: Profile, heard: Heard) -> None:
    fill(group, ann, 99)
    last, more = say(ann, group), say(ann, group)
    pin_message(ann, last.pk)
    with pytest.raises(Conflict, match="at most 100 pinned messages"):
        pin_message(ann, more.pk)
    assert heard.of(pin_message, ann, last.pk) == []
    assert pin_message(ann, say(ann, den).pk)
    delete_message(ann, last.pk)
    assert pin_message(ann, more.pk)[0].pinned_at


@pytest.mark.django_db(transaction=True)
def test_of_many_who_pin_at_once_one_has_the_last_place(
    group: Room, ann: Profile, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "PINS_MAX", 3)
    fill(group, ann, 2)
    said = [say(ann, group).pk for _ in range(6)]
    answers = together([partial(pin_message, ann, one) for one in said])
    assert [type(one) for one in answers].count(Conflict) == 5
    assert len(pinned(ann, group)) == 3
    assert logged(group).count("message.pinned") == 1
