"""Logs: what a cursor misses in one room, and what all my cursors miss."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chat.queries.log import Log, log, sync
from chat.rest.answers import Answer, LogSerializer, MissingSerializer
from chat.rest.base import ChatViewSet, Shape
from chat.rest.parameters import LogParameters
from chat.serializers.fields import CursorsField

# Events that one answer may hold.
EVENTS_MAX = 500


class SyncSerializer(serializers.Serializer[Any]):
    """What a client holds: the epoch it belongs to, and a cursor for each room it knows."""

    epoch = serializers.CharField(max_length=200, allow_blank=True, default="")
    cursors = CursorsField(default=dict)


class LogViewSet(ChatViewSet):
    """A room's events in order; `reset` says why a cursor is of no use any more."""

    parameters = {"list": LogParameters}
    outputs = {"list": Answer(LogSerializer)}

    def list(self, request: Request, room: UUID) -> Response:
        """List the events of a room in order, after a position.

        If `reset` is not null, the position cannot be used any more: fetch the room and its history again.
        """
        found, epoch = log(self.viewer, room, **self.asked())
        return Response({**log_shape(found), "epoch": epoch})


class SyncViewSet(ChatViewSet):
    """What is missing in every room of mine; `more`: ask again with the cursors moved on."""

    # As `resume` over a socket: it reads.
    writes = False
    reads = True
    inputs = {"create": SyncSerializer}
    outputs = {"create": Answer(MissingSerializer)}

    def create(self, request: Request) -> Response:
        """Return the events after many positions in one answer.

        The answer also names rooms that I joined or left since. If `more` is true, move the positions on
        and ask again.
        """
        missing = sync(self.viewer, **self.body(), limit=EVENTS_MAX)
        return Response(
            {
                "epoch": missing.epoch,
                "rooms": {room: log_shape(found) for room, found in missing.rooms.items()},
                "joined": missing.joined,
                "left": missing.left,
                "more": missing.more,
            }
        )


def log_shape(found: Log) -> Shape:
    """Return ``{events, head, reset}``."""
    return {"events": found.events, "head": found.head, "reset": found.reset}
