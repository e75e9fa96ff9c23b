"""Everything that goes out, each fact once: the catalogue, the log's next place, and publishing.

This file is where anything leaves the domain. An action drafts events on rooms that it has locked and
hands them to :func:`record`; after commit each outlet in ``CHAT["OUTLETS"]`` is given what was published.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.db import router, transaction

from chat.conf import chat_settings
from chat.models import Event, Membership, Message, Profile, Room
from chat.models.bulk import Insert, Update, store
from chat.security_log import EVENTS as SECURITY_EVENTS
from chat.security_log import log_security_event
from chat.serializers import events as shapes
from chat.serializers.fields import json_text, rfc3339
from chat.serializers.messages import message_shape
from chat.serializers.people import OwnProfileSerializer, user_or_none
from chat.serializers.rooms import RoomView, room_shape, standing

logger = logging.getLogger("chat.events")

# What an event may change of its room.
MOVED = ("head", "active_at", "members_count", "history_floor")


@dataclass(frozen=True, slots=True)
class EventType:
    """One line of the catalogue. ``log``: the room's, the person's own, or none (live only, no seq)."""

    name: str
    log: Literal["room", "own"] | None
    payload: shapes.Shape
    says: str


EVENTS: dict[str, EventType] = {
    event.name: event
    for event in (
        EventType("message.sent", "room", shapes.MessagePayload, "A message was sent."),
        EventType("message.edited", "room", shapes.MessagePayload, "Its words were changed."),
        EventType(
            "message.deleted", "room", shapes.MessagePayload, "Its words are gone, its place stays."
        ),
        EventType("message.pinned", "room", shapes.MessagePayload, "It is kept at hand."),
        EventType("message.unpinned", "room", shapes.MessagePayload, "It is so no longer."),
        EventType(
            "room.created",
            "room",
            shapes.SnapshotPayload,
            "The room exists: the first event of its log.",
        ),
        EventType("room.updated", "room", shapes.SnapshotPayload, "Title, topic or rules changed."),
        EventType(
            "room.deleted",
            "room",
            shapes.NothingPayload,
            "The room is gone: the last event of its log.",
        ),
        EventType("member.joined", "room", shapes.MemberPayload, "A person came in."),
        EventType("member.left", "room", shapes.MemberPayload, "A person went."),
        EventType("member.removed", "room", shapes.MemberPayload, "The actor removed a person."),
        EventType(
            "member.role_changed",
            "room",
            shapes.MemberPayload,
            "The actor gave a person another role.",
        ),
        EventType(
            "member.muted",
            "room",
            shapes.MemberPayload,
            "The actor silenced a person, or ended that.",
        ),
        EventType(
            "member.banned",
            "room",
            shapes.BannedPayload,
            "The actor banned a person; who was in is out.",
        ),
        EventType(
            "member.unbanned",
            "room",
            shapes.UnbannedPayload,
            "The actor lifted a ban; the person is not put back.",
        ),
        EventType("room.joined", "own", shapes.JoinedPayload, "A room is mine from now on."),
        EventType("room.left", "own", shapes.LeftPayload, "A room is no longer mine."),
        EventType("room.kept", "own", shapes.KeptPayload, "I pinned, archived or hushed a room."),
        EventType("profile.updated", "own", shapes.ProfilePayload, "My profile changed."),
        EventType("device.ended", "own", shapes.DevicePayload, "A device of mine was signed out."),
        EventType("room.read", None, shapes.ReadPayload, "A person read up to a place."),
        EventType("room.unread", None, shapes.UnreadPayload, "I marked a room unread."),
        EventType(
            "token.expiring",
            None,
            shapes.ExpiringPayload,
            "This socket's token ends; send a fresh one.",
        ),
        EventType(
            "heads", None, shapes.HeadsPayload, "How far the rooms of this socket have come."
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Published:
    """An event as it goes out: one JSON text for everyone who may see the room from ``since`` on.

    Where it quotes something older in a room that hides its past, ``narrower`` holds the text without the
    quote, with the seq that one must see for it. Who sees neither is told ``hidden``.
    ``seq`` 0 stands for a live-only fact.
    """

    room: str
    seq: int
    type: str
    text: str
    since: int
    narrower: tuple[int, str] | None = None

    def text_for(self, history_from: int) -> str:
        """Return the text for a member whose history begins at ``history_from``."""
        if history_from <= self.since:
            return self.text
        if self.narrower and history_from <= self.narrower[0]:
            return self.narrower[1]
        return encode({"type": "hidden", "room": self.room, "seq": self.seq})


def database() -> str:
    """Return the alias that the chat's tables are written to: ``CHAT["DATABASE"]``, by way of the routers."""
    return router.db_for_write(Event)


def draft(
    room: Room,
    type: str,
    *,
    actor: Profile | None = None,
    message: Message | None = None,
    subject: Profile | None = None,
    data: dict[str, Any] | None = None,
) -> Event:
    """Take the next place in the log of a room that this transaction has locked."""
    room.head += 1
    return Event(
        room=room,
        seq=room.head,
        type=EVENTS[type].name,
        actor=actor,
        message=message,
        subject=subject,
        data=data or {},
    )


def draft_member(type: str, member: Membership, actor: Profile | None) -> Event:
    """Take the next place for something that happened to a member of a locked room."""
    data = {"membership": standing(member), "members_count": member.room.members_count}
    return draft(member.room, type, actor=actor, subject=member.user, data=data)


def draft_ban(room: Room, person: Profile, member: Membership | None, actor: Profile) -> Event:
    """Take the next place for a ban in a locked room; ``member`` is what the person lost by it, if anything."""
    data: dict[str, Any] = {"members_count": room.members_count}
    if member is not None:
        data["membership"] = standing(member)
    return draft(room, "member.banned", actor=actor, subject=person, data=data)


def record(
    events: Sequence[Event],
    views: dict[int, RoomView] | None = None,
    *,
    messages: Sequence[Message] = (),
) -> None:
    """Write events, the new messages that they tell of, and the heads they moved; publish on commit.

    ``views`` gives, by position in ``events``, the room that a snapshot shows.
    """
    moved = list({event.room_id: event.room for event in events}.values())
    store([Insert(messages), Insert(events), Update(moved, MOVED)], database())
    views = views or {}
    publish(published(event, views.get(index)) for index, event in enumerate(events))
    _log_on_commit([event for event in events if event.type in SECURITY_EVENTS])


def _log_on_commit(events: Sequence[Event]) -> None:
    if events:
        transaction.on_commit(lambda: _log(events), using=database())


def _log(events: Sequence[Event]) -> None:
    for event in events:
        log_security_event(
            event.type,
            actor=event.actor_id,
            room=event.room_id,
            person=event.subject_id,
            role=event.data.get("membership", {}).get("role"),
            device=event.data.get("device"),
        )


def publish(items: Iterable[Published]) -> None:
    """Hand what is published to every outlet once the transaction is committed, or not at all."""
    ready = list(items)
    # A lambda and not a partial: Django names a failed hook by its __qualname__, which a partial lacks.
    transaction.on_commit(lambda: _deliver(ready), using=database())


def _deliver(items: list[Published]) -> None:
    for outlet in chat_settings.OUTLETS:
        try:
            outlet(items)
        except Exception:
            # What is committed stays true; an outlet that failed catches up by its cursor.
            logger.exception("outlet %s failed", getattr(outlet, "__qualname__", outlet))


def published(event: Event, view: RoomView | None = None) -> Published:
    """Return a loaded event as it goes out to everyone in the room."""
    place = (str(event.room_id), event.seq, event.type, encode(event_shape(event, view)))
    message = event.message
    if message is None:
        return Published(*place, event.seq)
    since = min(message.seq, _quoted_seq(message))
    if since == message.seq or event.room.history_floor <= since:
        return Published(*place, since)
    unquoted = encode(event_shape(event, view, visible_from=message.seq))
    return Published(*place, since, (message.seq, unquoted))


def _quoted_seq(message: Message) -> int:
    return message.reply_to.seq if message.reply_to else message.seq


def live(type: str, fact: dict[str, Any], *, room: UUID, listeners: UUID) -> Published:
    """Return a live-only fact about a room, for whoever is now listening to the room ``listeners``."""
    shape = {"type": EVENTS[type].name, "room": str(room), **fact}
    return Published(str(listeners), 0, type, encode(shape), 0)


def event_shape(
    event: Event, view: RoomView | None = None, *, visible_from: int = 0
) -> dict[str, Any]:
    """Return the **event** shape of a row with its actor, subject and message loaded."""
    return {
        "type": event.type,
        "room": str(event.room_id),
        "seq": event.seq,
        "actor": user_or_none(event.actor),
        "at": rfc3339(event.created_at),
        **_payload(event, view, visible_from),
    }


def hidden_shape(event: Event) -> dict[str, Any]:
    """Return what stands at an event's place for those who may not see it."""
    return {"type": "hidden", "room": str(event.room_id), "seq": event.seq}


def _payload(event: Event, view: RoomView | None, visible_from: int) -> dict[str, Any]:
    shape = EVENTS[event.type].payload
    if event.message is not None:
        return {"message": message_shape(event.message, visible_from)}
    if shape is shapes.ProfilePayload:
        # Staff may change a person's profile; then the person is the subject.
        person = event.subject or event.actor
        return {"user": person and OwnProfileSerializer().to_representation(person)}
    if event.subject is not None:
        return _payload_of_person(shape, user_or_none(event.subject), event.data)
    if view is not None:
        return {**event.data, "snapshot": room_shape(view)}
    return dict(event.data)


def _payload_of_person(
    shape: shapes.Shape, user: dict[str, Any] | None, data: dict[str, Any]
) -> dict[str, Any]:
    if shape is shapes.UnbannedPayload:
        return {"user": user}
    place = data.get("membership")
    membership = place and {"user": user, **place}
    told = {"membership": membership, "members_count": data["members_count"]}
    return {"user": user, **told} if shape is shapes.BannedPayload else told


def encode(shape: dict[str, Any]) -> str:
    """Return a shape as the JSON text of a frame."""
    return json_text(shape).decode()
