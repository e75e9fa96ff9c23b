"""Messages after they were sent: other words, or none; pinned, or no longer."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from uuid import UUID

from django.utils import timezone

from chat.actions.changes import blank_message, store_message
from chat.actions.locks import enter
from chat.actions.texts import checked_text
from chat.actions.transactions import action
from chat.conf import chat_settings
from chat.errors import Conflict, Forbidden, NotFound, RateLimited
from chat.models import Membership, Message, Profile, Room
from chat.policy import check_may_edit, get_policy

# Pinned messages that a room may have.
PINS_MAX = 100


@action
def edit_message(person: Profile, message_id: UUID, text: str) -> tuple[Message, Membership]:
    """Give one's message other words; return it and the person's membership.

    The same words again append nothing. Raises NotFound, Forbidden, Conflict (it was deleted), RateLimited
    (in a slow room, where the message was edited before).
    """
    member, message = _find(person, message_id)
    text = checked_text("text", text, chat_settings.TEXT_MAX)
    check_may_edit(get_policy(), member, message, member.room)
    if message.deleted_at:
        raise Conflict("This message was deleted.")
    if message.text != text:
        _keep_edits_slow(message)
        message.text, message.edited_at = text, timezone.now()
        store_message(message, person, "message.edited")
    return message, member


@action
def delete_message(person: Profile, message_id: UUID) -> tuple[Message, Membership]:
    """Take a message's words and its pin away, leave its place; return it and the person's membership.

    Deleting it again changes nothing. Raises NotFound, Forbidden.
    """
    member, message = _find(person, message_id)
    if not get_policy().may_delete_message(member, message):
        raise Forbidden()
    blank_message(message, person)
    return message, member


@action
def pin_message(person: Profile, message_id: UUID) -> tuple[Message, Membership]:
    """Pin a message to its room; return it and the person's membership.

    Pinning it again changes nothing. Raises NotFound, Forbidden, Conflict (deleted, or too many pins).
    """
    member, message = _find_to_pin(person, message_id)
    if message.deleted_at:
        raise Conflict("This message was deleted.")
    if not message.pinned_at:
        _keep_pins_few(member.room)
        message.pinned_at = timezone.now()
        store_message(message, person, "message.pinned")
    return message, member


@action
def unpin_message(person: Profile, message_id: UUID) -> tuple[Message, Membership]:
    """Take a message's pin off; return it and the person's membership.

    One that is not pinned stays as it is. Raises NotFound, Forbidden.
    """
    member, message = _find_to_pin(person, message_id)
    if message.pinned_at:
        message.pinned_at = None
        store_message(message, person, "message.unpinned")
    return message, member


def _keep_edits_slow(message: Message) -> None:
    """Hold the edits of one message to the pace of a slow room; the first is free, to correct a typo."""
    pace, now = timedelta(seconds=message.room.slow_mode), timezone.now()
    if pace and message.edited_at and now < message.edited_at + pace:
        wait = ceil((message.edited_at + pace - now).total_seconds())
        raise RateLimited("This room is in slow mode: wait before editing again.", retry_after=wait)


def _find_to_pin(person: Profile, message_id: UUID) -> tuple[Membership, Message]:
    member, message = _find(person, message_id)
    if not get_policy().may_pin_message(member, message, member.room):
        raise Forbidden()
    return member, message


def _keep_pins_few(room: Room) -> None:
    if Message.objects.filter(room=room, pinned_at__isnull=False).count() >= PINS_MAX:
        raise Conflict(f"A room has at most {PINS_MAX} pinned messages. Unpin one first.")


def _find(person: Profile, message_id: UUID) -> tuple[Membership, Message]:
    """Lock the message's room and return the membership and the message, read after the lock."""
    room_id = Message.objects.filter(pk=message_id).values_list("room_id", flat=True).first()
    if room_id is None:
        raise NotFound()
    member = enter(person, room_id)
    message = Message.objects.select_related("sender", "reply_to__sender").get(pk=message_id)
    if message.seq < member.history_from:
        raise NotFound()
    message.room = member.room
    return member, message
