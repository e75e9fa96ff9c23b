"""A refused write says why, and until when: in an answer alone, in a batch, and for an edit alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from chat.actions.bans import ban_member
from chat.actions.group_commit import send
from chat.actions.members import mute_member
from chat.actions.messages import edit_message
from chat.actions.rooms import update_room
from chat.actions.sending import Draft, send_messages
from chat.errors import Forbidden, Invalid, RateLimited
from chat.models import Membership, Message, Profile, Room
from chat.policy import Policy, moment
from tests.scene import logged, say, seat

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def refusals(person: Profile, room: Room, own: Message) -> list[Forbidden]:
    """Every way to write in a room, each refused."""
    found = []
    for verb in (
        lambda: say(person, room),
        lambda: send(Draft(person, room.pk, "By way of the writer.")),
        lambda: edit_message(person, own.pk, "Otherwise."),
    ):
        with pytest.raises(Forbidden) as told:
            verb()
        found.append(told.value)
    (outcome,) = send_messages([Draft(person, room.pk, "In a batch.")])
    assert isinstance(outcome, Forbidden)
    return [*found, outcome]


def test_the_muted_are_told_until_when(group: Room, ann: Profile, bob: Profile) -> None:
    own = say(bob, group)
    until = timezone.now() + timedelta(minutes=10)
    mute_member(ann, group.pk, bob.pk, until)
    for refusal in refusals(bob, group, own):
        told = refusal.as_dict()
        assert told.pop("retry_after") in range(590, 601)
        assert told == {
            "code": "forbidden",
            "detail": f"You are muted in this room until {moment(until, timezone.now())}.",
            "reason": "muted",
            "until": until.isoformat().replace("+00:00", "Z"),
        }


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (NOON.replace(hour=14, minute=5), "14:05 UTC"),
        (NOON.replace(hour=14, minute=5, second=9, microsecond=5), "14:05:09 UTC"),
        (NOON + timedelta(days=1), "2026-12-02 12:00 UTC"),
        (datetime.max.replace(tzinfo=UTC), "9999-12-31 23:59:59 UTC"),
    ],
)
def test_a_moment_is_said_with_its_day_where_that_is_another(at: datetime, said: str) -> None:
    assert moment(at, NOON) == said


def test_of_a_frozen_room_it_is_said_that_it_is_frozen(
    group: Room, ann: Profile, bob: Profile
) -> None:
    own = say(bob, group)
    update_room(ann, group.pk, frozen=True)
    told = {str(refusal.as_dict()) for refusal in refusals(bob, group, own)}
    assert told == {
        str(
            {
                "code": "forbidden",
                "detail": "This room is frozen: only its moderators may write.",
                "reason": "frozen",
            }
        )
    }
    assert say(ann, group)


def test_the_banned_are_told_so(group: Room, ann: Profile, bob: Profile) -> None:
    own = say(bob, group)
    ban_member(ann, group.pk, bob.pk)
    assert {one.reason for one in refusals(bob, group, own)} == {"banned"}


class Refuses(Policy):
    """A host's rule that answers no."""

    def may_send_message(self, member: Membership, room: Room) -> bool:
        return False


class Explains(Policy):
    """A host's rule with a text of its own."""

    def may_send_message(self, member: Membership, room: Room) -> bool:
        raise Forbidden("Your trial has ended.")


@pytest.mark.parametrize(
    ("policy", "detail"),
    [
        (Refuses, "The rules of this service do not let you write here."),
        (Explains, "Your trial has ended."),
    ],
)
def test_a_hosts_policy_is_named_and_may_say_why(
    policy: type[Policy],
    detail: str,
    group: Room,
    bob: Profile,
    configured: Callable[..., None],
) -> None:
    own = say(bob, group)
    configured(POLICY=policy)
    for refusal in refusals(bob, group, own):
        assert refusal.as_dict() == {"code": "forbidden", "detail": detail, "reason": "policy"}


def test_what_is_not_about_writing_has_no_reason(group: Room, ann: Profile, bob: Profile) -> None:
    with pytest.raises(Forbidden) as told:
        edit_message(bob, say(ann, group).pk, "Otherwise.")
    assert told.value.reason is None


def test_a_mute_ends_in_the_future_and_is_never_ones_own(
    group: Room, ann: Profile, bob: Profile
) -> None:
    with pytest.raises(Invalid) as told:
        mute_member(ann, group.pk, bob.pk, timezone.now() - timedelta(seconds=1))
    assert set(told.value.fields or {}) == {"muted_until"}
    with pytest.raises(Forbidden, match="You cannot mute yourself"):
        mute_member(ann, group.pk, ann.pk, timezone.now() + timedelta(hours=1))
    assert "member.muted" not in logged(group)
    assert seat(ann, group).muted_until is None


def test_in_a_slow_room_a_message_is_edited_once_at_once_and_then_at_its_pace(
    group: Room, ann: Profile, bob: Profile
) -> None:
    update_room(ann, group.pk, slow_mode=30)
    message = say(bob, group, "Tpyo.")
    edit_message(bob, message.pk, "Typo.")
    with pytest.raises(RateLimited) as told:
        edit_message(bob, message.pk, "And another thing.")
    assert told.value.retry_after in range(28, 31)
    # Nothing to say is no edit, and is not held.
    assert edit_message(bob, message.pk, "Typo.")[0].text == "Typo."
    Message.objects.filter(pk=message.pk).update(edited_at=timezone.now() - timedelta(seconds=30))
    assert edit_message(bob, message.pk, "And another thing.")
    update_room(ann, group.pk, slow_mode=0)
    assert edit_message(bob, message.pk, "As often as one likes.")
