"""Everything that may come in over a socket: name → verb and shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework import serializers

from chat.actions import group_commit
from chat.actions.messages import delete_message, edit_message, pin_message, unpin_message
from chat.actions.reads import mark_read, mark_unread
from chat.actions.sending import Draft, Sent
from chat.limits.rooms import count_change
from chat.models import Membership, Message, Profile
from chat.serializers.events import MessagePayload
from chat.serializers.fields import CursorsField, IdField, SeqField
from chat.serializers.messages import (
    AddressedMessageSerializer,
    EditedMessageSerializer,
    message_shape,
)
from chat.serializers.reading import read
from chat.serializers.rooms import PositionSerializer

Shape = type[serializers.Serializer[Any]]
Verb = Callable[[Profile, dict[str, Any]], dict[str, Any]]


# Fields that any frame may have. A socket for one room adds `room` to each command.
AROUND = frozenset({"ref", "room", "type"})


class EditShape(EditedMessageSerializer):
    """New words for a message."""

    message = IdField()


class WhichShape(serializers.Serializer[Any]):
    """Which message."""

    message = IdField()


class ReadShape(PositionSerializer):
    """A place in a room's log."""

    room = IdField()


class ResumeShape(serializers.Serializer[Any]):
    """Where a client stands: room id → the last seq it has applied."""

    epoch = serializers.CharField(max_length=100)
    cursors = CursorsField()


class AuthShape(serializers.Serializer[Any]):
    """A fresh access token of the same person."""

    token = serializers.CharField(max_length=4_000)


class NothingShape(serializers.Serializer[Any]):
    """Nothing."""


class PositionAnswer(serializers.Serializer[Any]):
    """How far one has read, and from where the room is marked unread."""

    read_seq = SeqField()
    unread_from = SeqField(allow_null=True)


class ResumeAnswer(serializers.Serializer[Any]):
    """How many rooms were caught up."""

    rooms = serializers.IntegerField()


def sent_answer(sent: Sent) -> dict[str, Any]:
    """Return what `done` carries for a stored message."""
    return {"message": message_shape(sent.message, sent.visible_from)}


def _send(person: Profile, data: dict[str, Any]) -> dict[str, Any]:
    return sent_answer(group_commit.send(Draft(person, **data)))


def _edit(person: Profile, data: dict[str, Any]) -> dict[str, Any]:
    message, member = edit_message(person, data["message"], data["text"])
    return {"message": message_shape(message, member.history_from)}


def _to_message(change: Callable[[Profile, UUID], tuple[Message, Membership]]) -> Verb:
    def run(person: Profile, data: dict[str, Any]) -> dict[str, Any]:
        message, member = change(person, data["message"])
        return {"message": message_shape(message, member.history_from)}

    return run


def _position(move: Callable[..., Membership]) -> Verb:
    def run(person: Profile, data: dict[str, Any]) -> dict[str, Any]:
        member = move(person, data["room"], data["seq"])
        return {"read_seq": member.read_seq, "unread_from": member.unread_from}

    return run


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the catalogue. Without a ``verb`` the socket itself answers; ``answer`` is what `done` carries."""

    name: str
    shape: Shape
    verb: Verb | None
    answer: Shape
    says: str
    # True if the command appends an event other than a message to a room's log (LIMIT_CHANGES).
    changes: bool = False


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command(
            "message.send",
            AddressedMessageSerializer,
            _send,
            MessagePayload,
            "Send a message; the same id again is a repeat.",
        ),
        Command(
            "message.edit",
            EditShape,
            _edit,
            MessagePayload,
            "Give one's message other words.",
            changes=True,
        ),
        Command(
            "message.delete",
            WhichShape,
            _to_message(delete_message),
            MessagePayload,
            "Take a message's words away.",
        ),
        Command(
            "message.pin",
            WhichShape,
            _to_message(pin_message),
            MessagePayload,
            "Keep a message at hand for everyone in the room.",
            changes=True,
        ),
        Command(
            "message.unpin",
            WhichShape,
            _to_message(unpin_message),
            MessagePayload,
            "Take a message's pin off.",
            changes=True,
        ),
        Command(
            "room.read",
            ReadShape,
            _position(mark_read),
            PositionAnswer,
            "Say how far one has read.",
        ),
        Command(
            "room.unread",
            ReadShape,
            _position(mark_unread),
            PositionAnswer,
            "Mark a room unread.",
        ),
        Command(
            "resume",
            ResumeShape,
            None,
            ResumeAnswer,
            "Ask for what the cursors miss; live events follow.",
        ),
        Command(
            "auth",
            AuthShape,
            None,
            NothingShape,
            "Sign in by the first frame, or keep an open socket with a fresh token.",
        ),
        Command("ping", NothingShape, None, NothingShape, "Ask whether the other side is there."),
    )
}


def validated(command: Command, data: dict[str, Any]) -> dict[str, Any]:
    """Return the frame's fields in the command's shape; unknown ones are ignored. Raises Invalid."""
    return read(command.shape, data, around=AROUND)


def run(command: Command, person: Profile, data: dict[str, Any]) -> dict[str, Any]:
    """Run a command's verb for a person and return what `done` carries. Raises what refused it."""
    if command.verb is None:
        raise ValueError(f"{command.name} is the socket's own")
    fields = validated(command, data)
    if command.changes:
        count_change(person)
    return command.verb(person, fields)
