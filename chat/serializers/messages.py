"""How a message looks, and what a sender may say of a new one."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from rest_framework import serializers

from chat.conf import chat_settings
from chat.models import Message
from chat.serializers.fields import IdField, JSONObjectField, PlainTextField, SeqField, rfc3339
from chat.serializers.people import UserSerializer, user_or_none

# Characters of a quoted message that a reply repeats.
QUOTE_MAX = 300


class QuoteSerializer(serializers.Serializer[Message]):
    """The message that another answers, as far as this viewer may see it."""

    id = IdField()
    sender = UserSerializer(allow_null=True)
    text = serializers.CharField(allow_blank=True, help_text=f"Its first {QUOTE_MAX} characters.")
    deleted = serializers.BooleanField()


class MessageSerializer(serializers.Serializer[Message]):
    """**message**. Rendered from a row with ``sender`` and ``reply_to__sender`` loaded.

    ``visible_from`` is the lowest seq that may be shown: a quote from below it comes without words.
    """

    id = IdField()
    room = IdField()
    seq = SeqField()
    version = SeqField()
    sender = UserSerializer(allow_null=True)
    kind = serializers.ChoiceField(choices=Message.Kind.choices)
    text = serializers.CharField(allow_blank=True)
    attachments = serializers.ListField(child=serializers.DictField())
    reply_to = QuoteSerializer(allow_null=True)
    thread = IdField(allow_null=True)
    in_room = serializers.BooleanField()
    thread_info = serializers.DictField(allow_null=True)
    mentions = serializers.ListField(child=UserSerializer())
    reactions = serializers.ListField(child=serializers.DictField())
    pinned = serializers.BooleanField()
    edited_at = serializers.CharField(allow_null=True)
    deleted_at = serializers.CharField(allow_null=True)
    created_at = serializers.CharField()
    metadata = serializers.DictField()

    def to_representation(self, instance: Message, visible_from: int = 0) -> dict[str, Any]:
        return {
            "id": str(instance.pk),
            "room": str(instance.room_id),
            "seq": instance.seq,
            "version": instance.version,
            "sender": user_or_none(instance.sender),
            "kind": instance.kind,
            "text": instance.text,
            "attachments": [],
            "reply_to": _quote(instance.reply_to, visible_from),
            "thread": None,
            "in_room": True,
            "thread_info": None,
            "mentions": [],
            "reactions": [],
            "pinned": instance.pinned_at is not None,
            "edited_at": rfc3339(instance.edited_at),
            "deleted_at": rfc3339(instance.deleted_at),
            "created_at": rfc3339(instance.created_at),
            "metadata": instance.metadata,
        }


def _quote(quoted: Message | None, visible_from: int) -> dict[str, Any] | None:
    if quoted is None:
        return None
    seen = quoted.seq >= visible_from
    return {
        "id": str(quoted.pk),
        "sender": user_or_none(quoted.sender) if seen else None,
        "text": quoted.text[:QUOTE_MAX] if seen else "",
        "deleted": seen and quoted.deleted_at is not None,
    }


def message_shape(message: Message, visible_from: int = 0) -> dict[str, Any]:
    """Return the **message** shape for someone who may see the room from ``visible_from`` on."""
    return MessageSerializer().to_representation(message, visible_from)


class NewMessageSerializer(serializers.Serializer[Message]):
    """What a client says of a new message; the same ``id`` again is a repeat, not a second message."""

    id = IdField(required=False)
    text = PlainTextField()
    reply_to = IdField(required=False, allow_null=True)
    metadata = JSONObjectField(max_bytes=chat_settings.METADATA_MAX, required=False)

    def validate_text(self, value: str) -> str:
        return within_text_max(value)


class AddressedMessageSerializer(NewMessageSerializer):
    """A new message and the room that it goes to."""

    room = IdField()


class EditedMessageSerializer(serializers.Serializer[Message]):
    """The new words of a message."""

    text = PlainTextField()

    def validate_text(self, value: str) -> str:
        return within_text_max(value)


def within_text_max(text: str) -> str:
    """Return the text, or refuse one longer than ``CHAT["TEXT_MAX"]`` characters."""
    if len(text) > chat_settings.TEXT_MAX:
        raise serializers.ValidationError(f"At most {chat_settings.TEXT_MAX} characters.")
    return text


def digest_of(content: dict[str, Any]) -> bytes:
    """Return the 32 bytes that tell the same input from another one."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS, default=str)).digest()
