"""Conversation from elsewhere: people, messages and their times, each under a key that admits it once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chat.actions.locks import lock_room
from chat.actions.own_logs import tell_joined
from chat.actions.people import add_person
from chat.actions.transactions import action
from chat.errors import NotFound
from chat.events import draft, draft_member, record
from chat.models import Ban, Event, Membership, Message, Profile, Room
from chat.serializers.messages import digest_of
from chat.serializers.rooms import RoomView


@dataclass(frozen=True, slots=True)
class Speaker:
    """Someone who spoke elsewhere and may have no account here; ``source_key`` tells them from all others."""

    source_key: str
    username: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Line:
    """Something said elsewhere. Its id is made from its source, so that it is the same on every run."""

    id: UUID
    at: datetime
    text: str
    speaker: Speaker | None = None
    reply_to: UUID | None = None


@dataclass(slots=True)
class Imported:
    """What a batch of lines added; ``known`` lines were here already."""

    people: int = 0
    messages: int = 0
    replies: int = 0
    known: int = 0

    def add(self, other: Imported) -> None:
        """Count another batch in."""
        self.people += other.people
        self.messages += other.messages
        self.replies += other.replies
        self.known += other.known


@action
def open_import_room(
    key: str, title: str, *, visibility: str, owner: Profile | None
) -> tuple[Room, bool]:
    """Return the room that this source is imported into, and whether it was made now, as on the first run."""
    room = Room.objects.filter(key=key, deleted_at=None).first()
    if room is not None:
        return room, False
    room = Room.objects.create(
        kind=Room.Kind.GROUP, key=key, title=title, visibility=visibility, created_by=owner
    )
    record([draft(room, "room.created", actor=owner)], {0: RoomView(room, personal=False)})
    if owner is not None:
        joined = _join(room, owner, Membership.Role.OWNER, room.created_at)
        record([draft_member("member.joined", joined, owner)])
        tell_joined([joined], owner)
    return room, True


@action
def import_lines(room_id: UUID, lines: Sequence[Line]) -> Imported:
    """Add to a room those of the lines that are not in it yet, in their order, with their own times.

    Each speaker becomes a person and a member before their first line. Raises NotFound.
    """
    room = lock_room(room_id)
    if room is None:
        raise NotFound()
    counts = Imported()
    named = {line.id for line in lines} | {line.reply_to for line in lines if line.reply_to}
    there = Message.objects.select_related("sender").in_bulk(named)
    people = _people(lines, there, counts)
    joined = _Joining(room)
    events: list[Event] = []
    for line in lines:
        if line.id in there:
            counts.known += 1
            continue
        sender = people[line.speaker.source_key] if line.speaker else None
        if sender is not None:
            events += joined.before(sender, line.at)
        there[line.id] = message = _message(room, line, sender, there)
        counts.messages += 1
        counts.replies += message.reply_to is not None
        events.append(draft(room, "message.sent", actor=sender, message=message))
    if events:
        record(events, messages=[event.message for event in events if event.message])
    joined.settle()
    return counts


def _people(
    lines: Sequence[Line], there: dict[UUID, Message], counts: Imported
) -> dict[str, Profile]:
    """Return who speaks in the new lines, by source key; those never seen are made."""
    wanted = {
        line.speaker.source_key: line.speaker
        for line in lines
        if line.speaker and line.id not in there
    }
    found = {one.source_key or "": one for one in Profile.objects.filter(source_key__in=wanted)}
    # In the order of their keys: another import that makes the same people waits for us, not we for it.
    for key, speaker in sorted(wanted.items()):
        if key not in found:
            found[key] = add_person(
                username=speaker.username, display_name=speaker.display_name, source_key=key
            )
            counts.people += 1
    return found


class _Joining:
    """Who is in a locked room, and who comes in while its lines are added."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.new: list[Membership] = []
        self._inside = set(Membership.objects.filter(room=room).values_list("user_id", flat=True))
        # What they said comes in, they do not.
        self._banned = set(Ban.objects.filter(room=room).values_list("user_id", flat=True))

    def before(self, person: Profile, at: datetime) -> list[Event]:
        """Let a person in before their first line; return the event of it, if there is one."""
        if person.pk in self._inside | self._banned:
            return []
        self._inside.add(person.pk)
        self.new.append(_join(self.room, person, Membership.Role.MEMBER, at))
        return [draft_member("member.joined", self.new[-1], person)]

    def settle(self) -> None:
        """Have who came in heard all of it, as they did where it was said, and tell their own logs."""
        for member in self.new:
            member.read_seq = self.room.head
        Membership.objects.bulk_update(self.new, ["read_seq"])
        if self.new:
            tell_joined(self.new)


def _join(room: Room, person: Profile, role: str, at: datetime) -> Membership:
    room.members_count += 1
    return Membership.objects.create(
        room=room, user=person, role=role, joined_at=at, read_seq=room.head + 1
    )


def _message(room: Room, line: Line, sender: Profile | None, there: dict[UUID, Message]) -> Message:
    quoted = there.get(line.reply_to) if line.reply_to else None
    return Message(
        id=line.id,
        room=room,
        seq=room.head + 1,
        version=room.head + 1,
        sender=sender,
        kind=Message.Kind.SYSTEM if sender is None else Message.Kind.TEXT,
        text=line.text,
        reply_to=quoted,
        digest=digest_of({"imported": line.id}),
        created_at=line.at,
    )
