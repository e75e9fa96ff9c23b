"""Messages: a room's history, its pinned ones, and one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.db.models import QuerySet

from chat.errors import NotFound
from chat.models import Membership, Message, Profile
from chat.queries.access import membership_of
from chat.queries.epoch import current_epoch

Edge = Literal["before", "after", "around"]


@dataclass(frozen=True, slots=True)
class History:
    """A stretch of messages, oldest first; ``head`` was read before the rows, so it never claims too much.

    ``epoch`` was read before both: it is the one to keep with a cursor that begins at ``head``.
    """

    messages: list[Message]
    epoch: str
    head: int
    has_before: bool
    has_after: bool
    visible_from: int


def history(
    viewer: Profile, room_id: UUID, *, limit: int, edge: Edge | None = None, seq: int = 0
) -> History:
    """Return up to ``limit`` messages before, after or around a place; without one, the newest.

    Raises NotFound, Forbidden. Four queries at the most, and one for the epoch.
    """
    epoch = current_epoch()
    member = membership_of(viewer, room_id)
    seen = _seen(member)
    older: list[Message] = []
    newer: list[Message] = []
    has_before = has_after = False
    if edge in ("after", "around"):
        newer = list(seen.filter(seq__gte=seq + (edge == "after")).order_by("seq")[: limit + 1])
    if edge != "after":
        room_for = limit // 2 if edge == "around" else limit
        past = seen.filter(seq__lt=seq) if edge else seen
        older = list(past.order_by("-seq")[: room_for + 1])
        has_before, older = len(older) > room_for, older[:room_for]
    room_left = limit - len(older)
    has_after, newer = len(newer) > room_left, newer[:room_left]
    if edge == "after":
        has_before = _any(seen.filter(seq__lte=seq).order_by("-seq"))
    elif edge == "before":
        has_after = _any(seen.filter(seq__gte=seq).order_by("seq"))
    return History(
        older[::-1] + newer, epoch, member.room.head, has_before, has_after, member.history_from
    )


def _any(ordered: QuerySet[Message]) -> bool:
    # Not exists(), which drops the order: PostgreSQL then looks through the table, as many rows should match.
    return bool(ordered.values_list("pk")[:1])


def _seen(member: Membership) -> QuerySet[Message]:
    return Message.objects.filter(
        room_id=member.room_id, seq__gte=member.history_from, seq__lte=member.room.head
    ).select_related("sender", "reply_to__sender")


def last_messages(members: Sequence[Membership]) -> dict[int, Message | None]:
    """Return, by where a member's history begins, the last message with words that they may see.

    The members are of one room; one query for each different beginning, of which there is nearly always one.
    """
    return {
        begins: _living(members[0].room_id, begins).order_by("-seq").first()
        for begins in {member.history_from for member in members}
    }


def _living(room_id: UUID, begins: int) -> QuerySet[Message]:
    living = Message.objects.filter(room_id=room_id, seq__gte=begins, deleted_at=None)
    return living.select_related("sender", "reply_to__sender")


def pins(viewer: Profile, room_id: UUID) -> tuple[QuerySet[Message], Membership]:
    """Return a room's pinned messages, the newest pin first, and the viewer's membership.

    Raises NotFound, Forbidden.
    """
    member = membership_of(viewer, room_id)
    pinned = _seen(member).filter(pinned_at__isnull=False)
    return pinned.order_by("-pinned_at", "-seq"), member


def message(viewer: Profile, message_id: UUID) -> tuple[Message, Membership]:
    """Return a message that the viewer may see, and their membership of its room. Raises NotFound, Forbidden."""
    found = (
        Message.objects.select_related("sender", "reply_to__sender").filter(pk=message_id).first()
    )
    if found is None:
        raise NotFound()
    member = membership_of(viewer, found.room_id)
    if found.seq < member.history_from:
        raise NotFound()
    return found, member
