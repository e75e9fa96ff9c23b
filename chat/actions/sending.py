"""Sending: many drafts, one transaction, each decided in the order of arrival."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError, connections
from django.utils import timezone
from uuid6 import uuid7

from chat.actions.texts import checked_text
from chat.actions.transactions import action
from chat.conf import chat_settings
from chat.errors import (
    ChatError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Unavailable,
)
from chat.events import database, draft, record
from chat.models import Event, Membership, Message, Profile, Room
from chat.models.fetch import Fetch, fetch
from chat.policy import UNREACHABLE, Policy, check_may_send, get_policy, why_suspended
from chat.queries.access import outsider
from chat.serializers.messages import digest_of

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Draft:
    """What one person wants to say in one room: validated, not yet allowed."""

    sender: Profile
    room: UUID
    text: str
    id: UUID = field(default_factory=uuid7)
    reply_to: UUID | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> bytes:
        """What makes this input the same as an earlier one under the same id."""
        content = {"text": self.text, "reply_to": self.reply_to, "metadata": self.metadata}
        return digest_of(content)


@dataclass(frozen=True, slots=True)
class Sent:
    """A stored message, and from where its sender may see quotes in it.

    ``new`` is false for a repeat, which shows the message as it now stands.
    """

    message: Message
    new: bool
    visible_from: int


Outcome = Sent | ChatError


class RoomBusy(Unavailable):
    """Another transaction holds the room; whoever asked not to wait for that may ask again."""


def send_message(draft: Draft) -> Sent:
    """Send one message, its text cleaned. Raises what refused it."""
    text = checked_text("text", draft.text, chat_settings.TEXT_MAX)
    (outcome,) = send_messages([draft if text == draft.text else replace(draft, text=text)])
    if isinstance(outcome, ChatError):
        raise outcome
    return outcome


def send_messages(drafts: Sequence[Draft], *, wait: bool = True) -> list[Outcome]:
    """Send what may be sent, in order of arrival; a refused draft fails alone. Answers in the same order.

    Without ``wait``, drafts for rooms that somebody else is writing to are answered RoomBusy.
    """
    try:
        return _send(drafts, wait)
    except IntegrityError:
        # Someone stored one of these ids since we looked. Now it can be seen: decide again, one by one.
        return one_by_one(drafts, lambda one: _send_alone(one, wait))


def one_by_one(drafts: Sequence[Draft], alone: Callable[[Draft], R]) -> list[R | RoomBusy]:
    """Have each draft sent alone, in order; behind one whose room is busy those of its room are not tried.

    The room may be free again by then, and they would overtake it.
    """
    busy: set[UUID] = set()
    results: list[R | RoomBusy] = []
    for one in drafts:
        result = RoomBusy() if one.room in busy else alone(one)
        if isinstance(result, RoomBusy):
            busy.add(one.room)
        results.append(result)
    return results


def _send_alone(draft: Draft, wait: bool) -> Outcome:
    try:
        return _send([draft], wait)[0]
    except IntegrityError:
        return Conflict()


@action
def _send(drafts: Sequence[Draft], wait: bool) -> list[Outcome]:
    batch = Batch(drafts, wait)
    outcomes = [batch.outcome(one) for one in drafts]
    batch.write()
    return outcomes


class Batch:
    """The rows that deciding a list of drafts needs, and the rows that come of it."""

    def __init__(self, drafts: Sequence[Draft], wait: bool) -> None:
        self.policy: Policy = get_policy()
        self.now: datetime = timezone.now()
        self.events: list[Event] = []
        using, named = database(), {one.room for one in drafts}
        # In this order: memberships are read once the rooms are locked.
        rooms, members, messages = fetch(
            [
                Fetch(Room, ("id",), _alone(named), f"ORDER BY kind, id {_lock(using, wait)}"),
                Fetch(
                    Membership,
                    ("room", "user"),
                    {(one.room, one.sender.pk) for one in drafts},
                    # A draft's sender may be as old as its socket; a suspension must hold at once.
                    related=("user",),
                ),
                Fetch(Message, ("id",), _alone(_messages_named(drafts))),
            ],
            using,
        )
        self.rooms: dict[UUID, Room] = {one.pk: one for one in rooms if one.deleted_at is None}
        self.busy: set[UUID] = set() if wait else _living(named - set(self.rooms))
        self.members: dict[tuple[UUID, UUID], Membership] = {
            (one.room_id, one.user_id): one for one in members
        }
        self.messages = _whole(messages)

    def outcome(self, one: Draft) -> Outcome:
        """Decide a draft against the database and the drafts before it."""
        try:
            return self._decide(one)
        except ChatError as refusal:
            return refusal

    def _decide(self, one: Draft) -> Sent:
        if one.room in self.busy:
            raise RoomBusy()
        room = self.rooms.get(one.room)
        member = self.members.get((one.room, one.sender.pk))
        if room is None or member is None:
            raise outsider(room, one.sender)
        if one.id in self.messages:
            return Sent(_repeated(one, self.messages[one.id]), False, member.history_from)
        if member.user.is_suspended:
            raise why_suspended(member.user)
        if room.frozen and room.kind == Room.Kind.DIRECT:
            # The other person's account was deleted.
            raise Forbidden(UNREACHABLE, reason="policy")
        check_may_send(self.policy, member, room)
        quoted = self._quoted(one, member)
        self._keep_slow(member, room)
        return Sent(self._draft(one, room, quoted), True, member.history_from)

    def _quoted(self, one: Draft, member: Membership) -> Message | None:
        if one.reply_to is None:
            return None
        quoted = self.messages.get(one.reply_to)
        if quoted is None or quoted.room_id != one.room or quoted.seq < member.history_from:
            raise NotFound("The message that this answers is not here.")
        if quoted.deleted_at:
            raise Invalid(fields={"reply_to": ["This message was deleted."]})
        return quoted

    def _keep_slow(self, member: Membership, room: Room) -> None:
        if not room.slow_mode:
            return
        free = (member.sent_at or self.now) + timedelta(seconds=room.slow_mode)
        if member.sent_at and self.now < free:
            wait = ceil((free - self.now).total_seconds())
            raise RateLimited("This room is in slow mode.", retry_after=wait)
        member.sent_at = self.now

    def _draft(self, one: Draft, room: Room, quoted: Message | None) -> Message:
        message = Message(
            id=one.id,
            room=room,
            seq=room.head + 1,
            version=room.head + 1,
            sender=one.sender,
            text=one.text,
            reply_to=quoted,
            metadata=one.metadata,
            digest=one.digest,
            created_at=self.now,
        )
        room.active_at = self.now
        self.messages[one.id] = message
        self.events.append(draft(room, "message.sent", actor=one.sender, message=message))
        return message

    def write(self) -> None:
        """Store what was decided: one insert a table, and the heads."""
        if not self.events:
            return
        # In the order of ids: two batches that insert the same ones wait for each other in one direction only.
        new = sorted((event.message for event in self.events if event.message), key=_id)
        slow = [member for member in self.members.values() if member.sent_at == self.now]
        if slow:
            Membership.objects.bulk_update(slow, ["sent_at"])
        record(self.events, messages=new)


def _id(message: Message) -> UUID:
    return message.pk


def _alone(ids: Iterable[UUID]) -> list[tuple[UUID]]:
    """Return ids as keys of one field."""
    return [(one,) for one in ids]


def _messages_named(drafts: Sequence[Draft]) -> set[UUID]:
    """Return the ids of the new messages and of those they answer."""
    return {one.id for one in drafts} | {one.reply_to for one in drafts if one.reply_to}


def _lock(using: str, wait: bool) -> str:
    """Return what locks rooms, read in the one order of the house: by kind, own logs (self) last, then by id."""
    if not connections[using].features.has_select_for_update:
        return ""
    return "FOR NO KEY UPDATE" if wait else "FOR NO KEY UPDATE SKIP LOCKED"


def _living(ids: set[UUID]) -> set[UUID]:
    """Return which of the rooms that could not be locked are there, and so are held by somebody."""
    if not ids:
        return ids
    found = Room.objects.using(database()).filter(pk__in=ids, deleted_at=None)
    return set(found.values_list("pk", flat=True))


def _whole(known: Sequence[Message]) -> dict[UUID, Message]:
    """Return messages by id, with what an answer shows of them: nearly always there are none."""
    if not known:
        return {}
    whole = Message.objects.using(database()).select_related("sender", "reply_to__sender")
    return whole.in_bulk([one.pk for one in known])


def _repeated(one: Draft, stored: Message) -> Message:
    same_place = (stored.room_id, stored.sender_id) == (one.room, one.sender.pk)
    if not same_place or bytes(stored.digest) != one.digest:
        raise Conflict()
    return stored
