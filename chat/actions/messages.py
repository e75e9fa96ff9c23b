"""Messages after they were sent: other words, or none."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from chat.actions.locks import enter
from chat.actions.transactions import action
from chat.errors import Conflict, Forbidden, NotFound
from chat.events import draft, record
from chat.models import Membership, Message, Profile
from chat.policy import get_policy


@action
def edit_message(person: Profile, message_id: UUID, text: str) -> tuple[Message, Membership]:
    """Give one's message other words; return it and the person's membership.

    The same words again append nothing. Raises NotFound, Forbidden, Conflict (it was deleted).
    """
    member, message = _find(person, message_id)
    if not get_policy().may_edit_message(member, message, member.room):
        raise Forbidden()
    if message.deleted_at:
        raise Conflict("This message was deleted.")
    if message.text != text:
        message.text, message.edited_at = text, timezone.now()
        _store(person, member, message, "message.edited")
    return message, member


@action
def delete_message(person: Profile, message_id: UUID) -> tuple[Message, Membership]:
    """Take a message's words away and leave its place; return it and the person's membership.

    Deleting it again changes nothing. Raises NotFound, Forbidden.
    """
    member, message = _find(person, message_id)
    if not get_policy().may_delete_message(member, message):
        raise Forbidden()
    if not message.deleted_at:
        message.text, message.metadata, message.deleted_at = "", {}, timezone.now()
        _store(person, member, message, "message.deleted")
    return message, member


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


def _store(person: Profile, member: Membership, message: Message, event: str) -> None:
    changed = draft(member.room, event, actor=person, message=message)
    message.version = changed.seq
    message.save(update_fields=["text", "metadata", "edited_at", "deleted_at", "version"])
    record([changed])
