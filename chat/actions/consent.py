"""Consent: people are put into a group only as far as they let others do so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from chat.errors import Forbidden
from chat.models import Event, Profile, Room
from chat.policy import get_policy
from chat.queries.access import sharing_room

# Departures after which nobody else may add the person again.
LEAVINGS = 2
REFUSED = "Some of these people cannot be added."
# One wording for every cause, because the cause is the person's own affair.
NOT_ADDED = "This person cannot be added by others."


def keep_consent(
    person: Profile, room: Room, people: Sequence[Profile], *, ask_consent: bool
) -> None:
    """Raise Forbidden unless all people may be added. The caller holds the locks on room and people.

    Raises Forbidden for all of them, naming each, if the account of one was deleted or, with
    ``ask_consent``, if one has left this room twice or does not let this person add them.
    """
    refused = {one.pk for one in people if one.deleted_at}
    if ask_consent:
        refused |= _unwilling(person, people) | _left_for_good(room, people)
    if refused:
        fields = {"members": {str(pk): [NOT_ADDED] for pk in sorted(refused)}}
        raise Forbidden(REFUSED, fields=fields)


def _unwilling(person: Profile, people: Sequence[Profile]) -> set[UUID]:
    """Return those who do not let this person add them: one query for all."""
    policy, near = get_policy(), sharing_room(person, [one.pk for one in people])
    return {
        one.pk
        for one in people
        if not policy.may_add_person(person, one, share_room=one.pk in near)
    }


def _left_for_good(room: Room, people: Sequence[Profile]) -> set[UUID]:
    """Return those who left the room twice, or left it and were added again by others since.

    Being removed or banned is not leaving. Joining oneself lets others add that person once more.
    """
    told = Event.objects.filter(
        room=room, subject__in=people, type__in=("member.left", "member.joined")
    )
    left: Counter[UUID] = Counter()
    added_again: set[UUID] = set()
    for person, actor, event in told.order_by("seq").values_list("subject_id", "actor_id", "type"):
        if event == "member.left":
            left[person] += 1
        elif actor == person:
            added_again.discard(person)
        elif left[person]:
            added_again.add(person)
    return added_again | {person for person, times in left.items() if times >= LEAVINGS}
