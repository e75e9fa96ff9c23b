"""Messages after they were sent: their own sender's other words, or a tombstone at their place."""

from __future__ import annotations

from uuid import uuid4

import pytest

from chat.actions.members import change_role, join_room
from chat.actions.messages import delete_message, edit_message
from chat.actions.rooms import update_room
from chat.errors import Conflict, Forbidden, NotFound
from chat.models import Message, Profile, Room
from chat.serializers.messages import message_shape
from tests.conftest import Heard
from tests.scene import logged, say

pytestmark = pytest.mark.django_db


def test_an_edit_keeps_the_place_and_raises_the_version(group: Room, ann: Profile) -> None:
    message = say(ann, group, "Helo.")
    edited, _ = edit_message(ann, message.pk, "Hello.")
    stored = Message.objects.get(pk=message.pk)
    assert (stored.text, stored.seq) == ("Hello.", message.seq)
    assert stored.version == edited.version == Room.objects.get(pk=group.pk).head
    assert stored.edited_at
    assert logged(group)[-1] == "message.edited"


def test_the_same_words_again_are_not_told(group: Room, ann: Profile, heard: Heard) -> None:
    message = say(ann, group)
    assert heard.of(edit_message, ann, message.pk, message.text) == []
    assert Message.objects.get(pk=message.pk).edited_at is None


def test_a_deleted_message_is_a_tombstone_at_its_place(group: Room, ann: Profile) -> None:
    message = say(ann, group, "Oh no.", metadata={"where": "here"})
    delete_message(ann, message.pk)
    shape = message_shape(Message.objects.select_related("sender").get(pk=message.pk))
    assert (shape["text"], shape["metadata"], shape["attachments"]) == ("", {}, [])
    assert shape["deleted_at"]
    assert (shape["seq"], shape["sender"]["username"]) == (message.seq, "ann")
    assert shape["version"] == Room.objects.get(pk=group.pk).head


def test_deleting_again_is_not_told(group: Room, ann: Profile, heard: Heard) -> None:
    message = say(ann, group)
    assert heard.types_of(delete_message, ann, message.pk) == ["message.deleted"]
    assert heard.of(delete_message, ann, message.pk) == []


def test_a_tombstone_has_no_other_words(group: Room, ann: Profile) -> None:
    message = say(ann, group)
    delete_message(ann, message.pk)
    with pytest.raises(Conflict):
        edit_message(ann, message.pk, "Back again.")
    assert Message.objects.get(pk=message.pk).text == ""


def test_deleted_words_are_nowhere_in_what_goes_out(
    group: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    message = say(ann, group, "My secret.")
    say(bob, group, "What?", reply_to=message.pk)
    for item in heard.of(delete_message, ann, message.pk):
        assert "secret" not in item.text
    assert not Message.objects.filter(text__contains="secret").exists()


@pytest.mark.parametrize("role", ["member", "moderator", "admin", "owner"])
def test_others_words_are_edited_by_nobody_and_deleted_by_moderators(
    group: Room, ann: Profile, bob: Profile, role: str
) -> None:
    message = say(ann, group)
    change_role(ann, group.pk, bob.pk, role)
    with pytest.raises(Forbidden):
        edit_message(bob, message.pk, "Not mine.")
    if role == "member":
        with pytest.raises(Forbidden):
            delete_message(bob, message.pk)
    else:
        assert delete_message(bob, message.pk)[0].deleted_at


def test_in_a_direct_room_each_deletes_only_their_own(
    pair: Room, ann: Profile, bob: Profile
) -> None:
    message = say(ann, pair)
    with pytest.raises(Forbidden):
        delete_message(bob, message.pk)


def test_a_frozen_room_lets_words_be_taken_back_but_not_changed(
    group: Room, ann: Profile, bob: Profile
) -> None:
    message = say(bob, group)
    update_room(ann, group.pk, frozen=True)
    with pytest.raises(Forbidden):
        edit_message(bob, message.pk, "Later.")
    assert delete_message(bob, message.pk)[0].deleted_at


def test_outsiders_are_told_as_little_as_of_the_room(
    group: Room, den: Room, ann: Profile, cat: Profile
) -> None:
    for room, refusal in ((group, Forbidden), (den, NotFound)):
        message = say(ann, room)
        for verb in (
            lambda m=message: edit_message(cat, m.pk, "x"),
            lambda m=message: delete_message(cat, m.pk),
        ):
            with pytest.raises(refusal):
                verb()


def test_a_message_that_never_was(ann: Profile) -> None:
    with pytest.raises(NotFound):
        edit_message(ann, uuid4(), "x")
    with pytest.raises(NotFound):
        delete_message(ann, uuid4())


def test_what_lies_before_ones_history_is_not_there(pier: Room, ann: Profile, cat: Profile) -> None:
    message = say(ann, pier)
    join_room(cat, pier.pk)
    change_role(ann, pier.pk, cat.pk, "admin")
    with pytest.raises(NotFound):
        delete_message(cat, message.pk)
    assert not Message.objects.get(pk=message.pk).deleted_at
