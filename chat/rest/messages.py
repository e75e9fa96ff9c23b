"""Messages: a room's history and pins, and one of them sent, read, changed, pinned, taken back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from chat.actions import group_commit
from chat.actions.messages import delete_message, edit_message, pin_message, unpin_message
from chat.actions.sending import Draft
from chat.errors import Conflict, NotFound
from chat.queries import messages as queries
from chat.rest.answers import Answer, HistorySerializer, listed, made
from chat.rest.base import ChatViewSet, Shape
from chat.rest.parameters import HistoryParameters
from chat.serializers.messages import (
    AddressedMessageSerializer,
    EditedMessageSerializer,
    MessageSerializer,
    NewMessageSerializer,
    message_shape,
)


class MessageShapes(ChatViewSet):
    """Views that answer with messages."""

    def send(self, room: UUID, body: Shape) -> Response:
        """Send what the body says and answer it as stored: 201, or 200 for a repeat."""
        sent = group_commit.send(Draft(sender=self.viewer, room=room, **body))
        shape = message_shape(sent.message, sent.visible_from)
        return self.stored(shape, new=sent.new, at=("message", sent.message.pk))


class HistoryViewSet(MessageShapes):
    """A room's messages, oldest first: the newest, or `before`, `after` or `around` a place."""

    inputs = {"create": NewMessageSerializer}
    parameters = {"list": HistoryParameters}
    outputs = {"list": Answer(HistorySerializer), "create": made(MessageSerializer)}

    def list(self, request: Request, room: UUID) -> Response:
        """Read a stretch of a room's history, oldest first: the newest where no place is named."""
        found = queries.history(self.viewer, room, **self.asked())
        return Response(
            {
                "results": [message_shape(one, found.visible_from) for one in found.messages],
                "epoch": found.epoch,
                "head": found.head,
                "has_before": found.has_before,
                "has_after": found.has_after,
            }
        )

    def create(self, request: Request, room: UUID) -> Response:
        """Send a message into this room; the same `id` again is a repeat."""
        return self.send(room, self.body())


class PinsViewSet(ChatViewSet):
    """A room's pinned messages, the newest pin first."""

    outputs = {"list": listed(MessageSerializer)}

    def list(self, request: Request, room: UUID) -> Response:
        """List the messages that are kept at hand in a room."""
        pinned, me = queries.pins(self.viewer, room)
        return self.page(
            pinned, lambda found: [message_shape(one, me.history_from) for one in found]
        )


class MessageViewSet(MessageShapes):
    """One message; a deleted one keeps its place without its words."""

    inputs = {"create": AddressedMessageSerializer, "partial_update": EditedMessageSerializer}
    changes = frozenset({"partial_update", "pin", "unpin"})
    outputs = {
        "create": made(MessageSerializer, NotFound),
        "retrieve": Answer(MessageSerializer),
        "partial_update": Answer(MessageSerializer, refuses=(Conflict,)),
        "destroy": Answer(MessageSerializer),
        "pin": Answer(MessageSerializer, refuses=(Conflict,)),
        "unpin": Answer(MessageSerializer),
    }

    def create(self, request: Request) -> Response:
        """Send a message, naming its room; the same `id` again is a repeat."""
        body = self.body()
        return self.send(body.pop("room"), body)

    def retrieve(self, request: Request, message: UUID) -> Response:
        """Show a message as it now stands."""
        return _seen(*queries.message(self.viewer, message))

    def partial_update(self, request: Request, message: UUID) -> Response:
        """Give a message of mine other words."""
        if text := self.body().get("text"):
            return _seen(*edit_message(self.viewer, message, text))
        return self.retrieve(request, message)

    def destroy(self, request: Request, message: UUID) -> Response:
        """Take a message's words away; its place stays."""
        return _seen(*delete_message(self.viewer, message))

    def pin(self, request: Request, message: UUID) -> Response:
        """Keep a message at hand for everyone in the room: for moderators; in a direct room, for both."""
        return _seen(*pin_message(self.viewer, message))

    def unpin(self, request: Request, message: UUID) -> Response:
        """Take a message's pin off."""
        return _seen(*unpin_message(self.viewer, message))


def _seen(message: Any, me: Any) -> Response:
    """Answer a message as the membership may see it: a quote from before it comes without words."""
    return Response(message_shape(message, me.history_from))
