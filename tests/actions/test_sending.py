"""Sending: a retry is always safe, and in a list of drafts each is decided for itself, in order."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from chat.actions.members import join_room, leave_room, remove_member
from chat.actions.messages import delete_message, edit_message
from chat.actions.rooms import create_group, delete_room, update_room
from chat.actions.sending import Draft, Sent, send_message, send_messages
from chat.commands import COMMANDS, run
from chat.errors import ChatError, Conflict, Forbidden, Invalid, NotFound, RateLimited
from chat.models import Message, Profile, Room
from chat.policy import Policy
from tests.conftest import Heard
from tests.scene import logged, own_log, say

pytestmark = pytest.mark.django_db


class Silence(Policy):
    def may_send_message(self, member: object, room: object) -> bool:
        return False


def codes(outcomes: list[Sent | ChatError]) -> list[str]:
    """What became of each draft: new, repeat, or the code of its refusal."""
    return [
        one.code if isinstance(one, ChatError) else "new" if one.new else "repeat"
        for one in outcomes
    ]


def test_a_message_takes_the_next_place(group: Room, ann: Profile, heard: Heard) -> None:
    draft = Draft(ann, group.pk, "Hello.")
    (told,) = heard.of(send_message, draft)
    stored = Message.objects.get(pk=draft.id)
    head = Room.objects.get(pk=group.pk).head
    assert stored.seq == stored.version == told.seq == head
    assert (told.type, told.room) == ("message.sent", str(group.pk))


def test_a_message_wakes_its_room(group: Room, ann: Profile) -> None:
    before = Room.objects.get(pk=group.pk).active_at
    message = say(ann, group)
    assert Room.objects.get(pk=group.pk).active_at == message.created_at > before


def test_the_same_again_is_a_repeat(group: Room, ann: Profile, heard: Heard) -> None:
    draft = Draft(ann, group.pk, "Hello.", metadata={"b": 1, "a": 2})
    first = send_message(draft)
    again = Draft(ann, group.pk, "Hello.", id=draft.id, metadata={"a": 2, "b": 1})
    assert heard.of(send_message, again) == []
    second = send_message(again)
    assert (first.new, second.new) == (True, False)
    assert second.message == first.message
    assert Message.objects.filter(room=group).count() == 1


def test_a_repeat_after_an_edit_shows_the_edit(group: Room, ann: Profile) -> None:
    draft = Draft(ann, group.pk, "Helo.")
    send_message(draft)
    edit_message(ann, draft.id, "Hello.")
    assert send_message(draft).message.text == "Hello."


def test_a_repeat_after_deletion_shows_the_tombstone(group: Room, ann: Profile) -> None:
    draft = Draft(ann, group.pk, "Oh no.")
    send_message(draft)
    delete_message(ann, draft.id)
    again = send_message(draft)
    assert (again.message.text, again.new) == ("", False)
    assert again.message.deleted_at


def test_the_words_after_an_edit_are_no_repeat(group: Room, ann: Profile) -> None:
    """What tells a repeat is the first input, not what became of it."""
    draft = Draft(ann, group.pk, "Helo.")
    send_message(draft)
    edit_message(ann, draft.id, "Hello.")
    with pytest.raises(Conflict):
        send_message(Draft(ann, group.pk, "Hello.", id=draft.id))


def test_everything_else_under_that_id_is_refused_in_one_wording(
    group: Room, pair: Room, ann: Profile, bob: Profile
) -> None:
    answered = say(bob, group)
    draft = Draft(ann, group.pk, "Hello.")
    send_message(draft)
    others = [
        Draft(ann, group.pk, "Other words.", id=draft.id),
        Draft(ann, group.pk, "Hello.", id=draft.id, metadata={"a": 1}),
        Draft(ann, group.pk, "Hello.", id=draft.id, reply_to=answered.pk),
        Draft(bob, group.pk, "Hello.", id=draft.id),
        Draft(ann, pair.pk, "Hello.", id=draft.id),
    ]
    refusals = send_messages(others)
    assert codes(refusals) == ["conflict"] * len(others)
    assert len({str(one.as_dict()) for one in refusals if isinstance(one, ChatError)}) == 1


def test_a_repeat_is_answered_where_one_may_no_longer_write(
    group: Room, ann: Profile, bob: Profile
) -> None:
    draft = Draft(bob, group.pk, "Hello.")
    send_message(draft)
    update_room(ann, group.pk, frozen=True)
    assert not send_message(draft).new
    with pytest.raises(Forbidden):
        say(bob, group)
    assert say(ann, group).seq


def test_a_repeat_shows_no_quote_from_before_ones_history(
    pier: Room, ann: Profile, bob: Profile
) -> None:
    quoted = say(ann, pier, "Then.")
    again: dict[str, Any] = {
        "room": str(pier.pk),
        "id": str(uuid4()),
        "text": "So?",
        "reply_to": str(quoted.pk),
    }
    run(COMMANDS["message.send"], bob, again)
    leave_room(bob, pier.pk)
    edit_message(ann, quoted.pk, "Said when bob was gone.")
    join_room(bob, pier.pk)
    answer = run(COMMANDS["message.send"], bob, again)
    assert answer["message"]["reply_to"]["text"] == ""


def test_an_answer_quotes_what_its_writer_can_see(
    group: Room, pier: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    early = say(ann, pier)
    join_room(cat, pier.pk)
    with pytest.raises(NotFound):
        say(cat, pier, reply_to=early.pk)
    assert say(bob, pier, reply_to=early.pk).reply_to == early


@pytest.mark.parametrize("where", ["another room", "nowhere"])
def test_an_answer_stays_in_its_room(group: Room, den: Room, ann: Profile, where: str) -> None:
    quoted: UUID = say(ann, den).pk if where == "another room" else uuid4()
    with pytest.raises(NotFound):
        say(ann, group, reply_to=quoted)


def test_a_tombstone_is_not_answered(group: Room, ann: Profile) -> None:
    message = say(ann, group)
    delete_message(ann, message.pk)
    with pytest.raises(Invalid) as refusal:
        say(ann, group, reply_to=message.pk)
    assert refusal.value.fields
    assert "reply_to" in refusal.value.fields


def test_only_members_write(
    group: Room, den: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    for room, refusal in ((group, Forbidden), (den, NotFound)):
        with pytest.raises(refusal):
            say(cat, room)
        remove_member(ann, room.pk, bob.pk)
        with pytest.raises(refusal):
            say(bob, room)
    delete_room(ann, group.pk)
    with pytest.raises(NotFound):
        say(ann, group)
    with pytest.raises(NotFound):
        send_message(Draft(ann, uuid4(), "Hello?"))


def test_a_slow_room_lets_each_speak_once_at_a_time(
    group: Room, ann: Profile, bob: Profile
) -> None:
    update_room(ann, group.pk, slow_mode=3600)
    draft = Draft(ann, group.pk, "Once.")
    outcomes = send_messages(
        [draft, Draft(ann, group.pk, "Twice."), Draft(bob, group.pk, "Me too."), draft]
    )
    assert codes(outcomes) == ["new", "rate_limited", "new", "repeat"]
    with pytest.raises(RateLimited) as refusal:
        say(ann, group)
    assert 0 < (refusal.value.retry_after or 0) <= 3600
    update_room(ann, group.pk, slow_mode=0)
    assert say(ann, group)


def test_a_refused_draft_does_not_use_up_ones_turn(group: Room, ann: Profile) -> None:
    update_room(ann, group.pk, slow_mode=3600)
    with pytest.raises(NotFound):
        say(ann, group, reply_to=uuid4())
    assert say(ann, group)


def test_a_policy_may_silence_everyone(group: Room, ann: Profile, configured: Any) -> None:
    configured(POLICY=Silence)
    with pytest.raises(Forbidden):
        say(ann, group)


def test_each_draft_of_a_list_is_decided_for_itself(
    den: Room, ann: Profile, bob: Profile, cat: Profile, heard: Heard
) -> None:
    group, _ = create_group(ann, title="Harbour", visibility="public", members=[bob.pk])
    stored = Draft(ann, group.pk, "Said before.")
    send_message(stored)
    first = Draft(ann, group.pk, "First.")
    drafts = [
        first,
        Draft(cat, group.pk, "Let me in."),
        Draft(bob, group.pk, "An answer.", reply_to=first.id),
        stored,
        first,
        Draft(bob, group.pk, "Not mine.", id=first.id),
        Draft(cat, den.pk, "And here?"),
        Draft(ann, den.pk, "Elsewhere."),
        Draft(ann, group.pk, "Lost.", reply_to=uuid4()),
    ]
    outcomes: list[Sent | ChatError] = []
    told = heard.of(lambda: outcomes.extend(send_messages(drafts)))
    assert codes(outcomes) == [
        "new", "forbidden", "new", "repeat", "repeat", "conflict", "not_found", "new", "not_found"
    ]  # fmt: skip
    assert [item.type for item in told] == ["message.sent"] * 3
    assert Message.objects.get(room=group, text="An answer.").reply_to_id == first.id
    assert logged(group).count("message.sent") == 3
    assert logged(den).count("message.sent") == 1


def test_the_order_of_arrival_is_the_order_of_the_log(
    group: Room, ann: Profile, bob: Profile
) -> None:
    drafts = [Draft(who, group.pk, str(n)) for n, who in enumerate([ann, bob, bob, ann, bob])]
    send_messages(drafts)
    texts = Message.objects.filter(room=group).order_by("seq").values_list("text", flat=True)
    assert list(texts) == ["0", "1", "2", "3", "4"]


def test_an_empty_list_does_nothing(heard: Heard, ann: Profile) -> None:
    assert heard.of(send_messages, []) == []


def test_no_identifier_of_another_log_can_be_taken(ann: Profile, bob: Profile, group: Room) -> None:
    """A message's id that someone else chose in a place one may not see is refused like any other."""
    secret = say(bob, own_log(bob), "A note.")
    with pytest.raises(Conflict, match="already in use"):
        say(ann, group, id=secret.pk)
