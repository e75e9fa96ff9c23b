"""What a view answers, said where it answers it; the API's document is written from this."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from rest_framework import serializers

from chat.errors import REASONS, ChatError, Conflict
from chat.serializers.fields import IdField, SeqField
from chat.serializers.messages import MessageSerializer
from chat.serializers.people import UserSerializer
from chat.serializers.rooms import PersonalRoomSerializer

Shape = type[serializers.Serializer[Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The shape of an action's answer (None: no body), its statuses, and what may refuse it in particular.

    ``instead`` is the other shape that it answers in, where the body asks for that.
    What may refuse any action of its kind (no sign-in, no such thing, too much) is not repeated here.
    """

    shape: Shape | None = None
    statuses: tuple[int, ...] = (200,)
    refuses: tuple[type[ChatError], ...] = ()
    paged: bool = False
    instead: Shape | None = None


@cache
def listed(shape: Shape) -> Answer:
    """Answer a page of a list: ``{results, next, previous}``."""
    name = shape.__name__.removesuffix("Serializer")
    fields = {
        "__doc__": f"A page of a list of {name}.",
        "results": shape(many=True),
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
    }
    return Answer(type(f"{name}ListSerializer", (serializers.Serializer,), fields), paged=True)


def made(shape: Shape, *refuses: type[ChatError]) -> Answer:
    """Answer a create: 201 the first time, 200 for a repeat."""
    return Answer(shape, (201, 200), (Conflict, *refuses))


def gone(*refuses: type[ChatError]) -> Answer:
    """Answer nothing but that it is done: 204."""
    return Answer(None, (204,), refuses)


class EventSerializer(serializers.Serializer[Any]):
    """**event**: these fields, and what its type adds; `hidden` stands for what the viewer may not see.

    The AsyncAPI document has the shape of each type.
    """

    type = serializers.CharField()
    room = IdField()
    seq = SeqField()
    actor = UserSerializer(allow_null=True, required=False)
    at = serializers.CharField(required=False)


class HistorySerializer(serializers.Serializer[Any]):
    """A stretch of a room's messages, oldest first; `head` was read before the rows, and `epoch` before it.

    A cursor that begins at `head` belongs to this `epoch`.
    """

    results = MessageSerializer(many=True)
    epoch = serializers.CharField()
    head = SeqField()
    has_before = serializers.BooleanField()
    has_after = serializers.BooleanField()


class RoomLogSerializer(serializers.Serializer[Any]):
    """Events in order, and the room's head; `reset` says why a cursor is of no use any more."""

    events = EventSerializer(many=True)
    head = SeqField()
    reset = serializers.ChoiceField(
        choices=["epoch", "ahead", "too_far", "pruned"], allow_null=True
    )


class LogSerializer(RoomLogSerializer):
    """A stretch of one room's log, and the epoch that its numbers belong to."""

    epoch = serializers.CharField()


class MissingSerializer(serializers.Serializer[Any]):
    """What the cursors missed, by room; `more`: ask again with the cursors moved on."""

    epoch = serializers.CharField()
    rooms = serializers.DictField(child=RoomLogSerializer())
    joined = PersonalRoomSerializer(many=True)
    left = serializers.ListField(child=IdField())
    more = serializers.BooleanField()


class LinksSerializer(serializers.Serializer[Any]):
    """Where to go from here, by name; to the documents where the host has them."""

    me = serializers.URLField()
    users = serializers.URLField()
    rooms = serializers.URLField()
    groups = serializers.URLField()
    direct = serializers.URLField()
    schema = serializers.URLField(required=False)
    docs = serializers.URLField(required=False)
    asyncapi = serializers.URLField(required=False)
    console = serializers.URLField(required=False)


class DocumentSerializer(serializers.Serializer[Any]):
    """A description of this API for machines."""

    info = serializers.DictField()


class ErrorSerializer(serializers.Serializer[Any]):
    """**error**: a stable code, words for people, and where it helps the fields and how long to wait.

    ``reason`` and ``until`` stand in a refused write, where they are known.
    """

    code = serializers.CharField()
    detail = serializers.CharField()
    reason = serializers.ChoiceField(
        choices=list(REASONS), required=False, help_text="Why one may not write."
    )
    until = serializers.CharField(required=False, help_text="When the reason ends by itself.")
    fields = serializers.DictField(required=False)  # type: ignore[assignment]
    retry_after = serializers.IntegerField(required=False, help_text="Seconds.")
