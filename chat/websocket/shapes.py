"""Frames that are no command and no event: what the socket itself says."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from chat.errors import REASONS
from chat.serializers.fields import IdField, SeqField
from chat.serializers.people import OwnProfileSerializer

Shape = type[serializers.Serializer[Any]]


class ErrorShape(serializers.Serializer[Any]):
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


class RateShape(serializers.Serializer[Any]):
    """So many within so many seconds."""

    count = serializers.IntegerField()
    seconds = serializers.IntegerField()


class LimitsShape(serializers.Serializer[Any]):
    """Characters of a message, bytes of a frame, events of a room that a resume replays; and how often.

    ``rooms`` are those that one socket hears. ``writes`` and ``reads`` are a person's over REST and sockets together.
    ``frames`` are those of one socket, pings and fragments included. null: there is no limit.
    """

    text = serializers.IntegerField()
    frame = serializers.IntegerField()
    resume = serializers.IntegerField()
    rooms = serializers.IntegerField(allow_null=True)
    writes = RateShape(allow_null=True)
    reads = RateShape(allow_null=True)
    frames = RateShape(allow_null=True)


class ServerShape(serializers.Serializer[Any]):
    """The software of the server."""

    name = serializers.CharField()
    version = serializers.CharField()


class HelloFrame(serializers.Serializer[Any]):
    """Who is signed in, and where their rooms stand; every event after these heads follows."""

    server = ServerShape()
    user = OwnProfileSerializer()
    epoch = serializers.CharField()
    heartbeat = serializers.IntegerField(help_text="Seconds between two `heads`.")
    limits = LimitsShape()
    heads = serializers.DictField(child=SeqField())
    left_out = serializers.IntegerField(
        help_text="My rooms that this socket does not hear, because they are more than `limits.rooms`."
    )


class FailedFrame(serializers.Serializer[Any]):
    """A command was refused, or the socket is: then it closes."""

    error = ErrorShape()


class ResumedFrame(serializers.Serializer[Any]):
    """A room is caught up to its head; live events follow."""

    room = IdField()
    head = SeqField()
    read_seq = SeqField()


class ResetFrame(serializers.Serializer[Any]):
    """A cursor is of no use any more: fetch the room anew and go on from its head."""

    room = IdField()
    reason = serializers.ChoiceField(choices=["epoch", "ahead", "too_far", "pruned"])
    head = SeqField()


class HiddenFrame(serializers.Serializer[Any]):
    """Stands for an event that this viewer may not see; it advances the cursor."""

    room = IdField()
    seq = SeqField()


class LeavingFrame(serializers.Serializer[Any]):
    """The server leaves: what is under way is answered yet, then the socket closes (1012). Reconnect and resume."""

    reconnect_in = serializers.FloatField(
        help_text="Seconds to wait before that, another number for every socket."
    )


FRAMES: dict[str, Shape] = {
    "hello": HelloFrame,
    "failed": FailedFrame,
    "resumed": ResumedFrame,
    "reset": ResetFrame,
    "hidden": HiddenFrame,
    "leaving": LeavingFrame,
}

# Whoever shows a closed socket can say why.
CLOSES = {
    1009: "too large: a frame above the limit",
    1011: "a defect of the server",
    1012: "the server is leaving, or was restored: reconnect after a random pause",
    1013: "too slow, or not now: reconnect and resume",
    4400: "malformed",
    4401: "not signed in, or the sign-in has ended",
    4403: "forbidden",
    4404: "no such room, or none that you may know of",
    4408: "no sign-in came in time, or not the rest of a message",
    4429: "too many",
}
