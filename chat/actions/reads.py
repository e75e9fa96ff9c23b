"""Read positions: a cursor that only rises, and *mark unread* beside it."""

from __future__ import annotations

from uuid import UUID

from chat.actions.locks import self_key
from chat.actions.transactions import action, while_suspended
from chat.conf import chat_settings
from chat.errors import Invalid
from chat.events import Published, live, publish
from chat.models import Membership, Profile, Room
from chat.queries.access import membership_of
from chat.serializers.people import user_or_none


@action
@while_suspended
def mark_read(person: Profile, room_id: UUID, seq: int) -> Membership:
    """Move one's cursor up to ``seq`` (at most the head) and end a *mark unread* that lies before it."""
    member = membership_of(person, room_id)
    place = min(seq, member.room.head)
    mine = Membership.objects.filter(pk=member.pk)
    # The condition is in the update: of two devices that report at once, the higher place stays.
    moved = mine.filter(read_seq__lt=place).update(read_seq=place)
    cleared = mine.filter(unread_from__lte=place).update(unread_from=None)
    if moved or cleared:
        member.refresh_from_db(fields=["read_seq", "unread_from"])
        publish([_read(person, member)])
    return member


def _read(person: Profile, member: Membership) -> Published:
    """Tell the room where it is small, else only the person's own devices."""
    small = member.room.members_count <= chat_settings.LIVE_MEMBERS
    payload = {"user": user_or_none(person), "seq": member.read_seq}
    listeners = member.room_id if small else _own_log(person)
    return live("room.read", payload, room=member.room_id, listeners=listeners)


def _own_log(person: Profile) -> UUID:
    return Room.objects.values_list("pk", flat=True).get(key=self_key(person.pk))


@action
@while_suspended
def mark_unread(person: Profile, room_id: UUID, seq: int) -> Membership:
    """Have the room counted as unread from ``seq`` on; the cursor stays where it is."""
    member = membership_of(person, room_id)
    if not max(1, member.history_from) <= seq <= member.room.head:
        raise Invalid(fields={"seq": ["There is nothing at this place."]})
    if Membership.objects.filter(pk=member.pk).exclude(unread_from=seq).update(unread_from=seq):
        member.unread_from = seq
        fact = {"unread_from": seq}
        publish([live("room.unread", fact, room=room_id, listeners=_own_log(person))])
    return member
