"""Frames that are no command and no event: what the socket itself says."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from chat.serializers.fields import IdField, SeqField
from chat.serializers.people import UserSerializer

Shape = type[serializers.Serializer[Any]]


class ErrorShape(serializers.Serializer[Any]):
    """**error**: a stable code, words for people, and where it helps the fields and how long to wait."""

    code = serializers.CharField()
    detail = serializers.CharField()
    fields = serializers.DictField(required=False)  # type: ignore[assignment]
    retry_after = serializers.IntegerField(required=False, help_text="Seconds.")


class RateShape(serializers.Serializer[Any]):
    """So many within so many seconds."""

    count = serializers.IntegerField()
    seconds = serializers.IntegerField()


class LimitsShape(serializers.Serializer[Any]):
    """Characters of a message, bytes of a frame, events of a room that a resume replays; and how often.

    ``writes`` and ``reads`` are a person's over REST and sockets together, ``frames`` those of one socket.
    null: there is no limit.
    """

    text = serializers.IntegerField()
    frame = serializers.IntegerField()
    resume = serializers.IntegerField()
    writes = RateShape(allow_null=True)
    reads = RateShape(allow_null=True)
    frames = RateShape(allow_null=True)


class HelloFrame(serializers.Serializer[Any]):
    """Who is signed in, and where their rooms stand; every event after these heads follows."""

    user = UserSerializer()
    epoch = serializers.CharField()
    heartbeat = serializers.IntegerField(help_text="Seconds between two `heads`.")
    limits = LimitsShape()
    heads = serializers.DictField(child=SeqField())


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
    1012: "the server is leaving: reconnect after a random pause",
    1013: "too slow, or not now: reconnect and resume",
    4400: "malformed",
    4401: "not signed in, or the sign-in has ended",
    4403: "forbidden",
    4404: "no such room, or none that you may know of",
    4408: "no sign-in came in time",
    4429: "too many",
}
