"""What a change in a room means for the people it concerns: events in their own logs."""

from __future__ import annotations

from collections.abc import Sequence

from chat.actions.locks import lock_own_logs
from chat.events import draft, record
from chat.models import Event, Membership, Profile, Room
from chat.queries.messages import last_messages
from chat.serializers.rooms import RoomView


def tell_joined(members: Sequence[Membership], actor: Profile | None = None) -> None:
    """Write `room.joined` to the own log of each new member of a room, by themselves where no actor is named.

    Call last and once: own logs are locked after rooms, together, and the snapshot shows the room as
    it then stands.
    """
    logs = lock_own_logs(member.user for member in members)
    events: list[Event] = []
    views: dict[int, RoomView] = {}
    last = last_messages(members)
    for member in members:
        views[len(events)] = RoomView(
            member.room, last[member.history_from], me=member, peer=_peer(member, members)
        )
        data = {"joined": str(member.room_id)}
        log = logs[member.user_id]
        events.append(draft(log, "room.joined", actor=actor or member.user, data=data))
    record(events, views)


def _peer(member: Membership, members: Sequence[Membership]) -> Profile | None:
    if member.room.kind != Room.Kind.DIRECT:
        return None
    return next(other.user for other in members if other.user_id != member.user_id)


def tell_left(room: Room, people: Sequence[Profile], actor: Profile) -> None:
    """Write `room.left` to the own log of each person who is no longer in the room. Call last."""
    logs = lock_own_logs(people)
    data = {"left": str(room.pk)}
    record([draft(logs[person.pk], "room.left", actor=actor, data=data) for person in people])
