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
        """List a part of the messages of a room, oldest first.

        Give `before`, `after`, or `around` a `seq`; without one of them the answer holds the newest
        messages. `head` is the last `seq` of the room.
        """
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
        """Send a message to this room.

        Choose an `id` to make the request safe to repeat: the first answer is 201, a repeat gets 200 and
        stores nothing.
        """
        return self.send(room, self.body())


class PinsViewSet(ChatViewSet):
    """A room's pinned messages, the newest pin first."""

    outputs = {"list": listed(MessageSerializer)}

    def list(self, request: Request, room: UUID) -> Response:
        """List the pinned messages of a room, most recent pin first."""
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
        """Send a message to the room that the body names.

        It works like sending to the path of the room, for clients that keep one queue for all rooms.
        """
        body = self.body()
        return self.send(body.pop("room"), body)

    def retrieve(self, request: Request, message: UUID) -> Response:
        """Return a message in its present state.

        A deleted message keeps its place, without text.
        """
        return _seen(*queries.message(self.viewer, message))

    def partial_update(self, request: Request, message: UUID) -> Response:
        """Edit the text of a message of mine.

        The message gets a new `version`, and members receive `message.edited`.
        """
        if text := self.body().get("text"):
            return _seen(*edit_message(self.viewer, message, text))
        return self.retrieve(request, message)

    def destroy(self, request: Request, message: UUID) -> Response:
        """Delete a message: mine, or as a moderator any message of the group.

        The message keeps its place in the room, without its text and metadata.
        """
        return _seen(*delete_message(self.viewer, message))

    def pin(self, request: Request, message: UUID) -> Response:
        """Pin a message for everyone in the room.

        In a group only moderators may do this, in a direct room both people. Pinning it again changes
        nothing.
        """
        return _seen(*pin_message(self.viewer, message))

    def unpin(self, request: Request, message: UUID) -> Response:
        """Unpin a message for everyone in the room.

        In a group only moderators may do this, in a direct room both people.
        """
        return _seen(*unpin_message(self.viewer, message))


def _seen(message: Any, me: Any) -> Response:
    """Answer a message as the membership may see it: a quote from before it comes without words."""
    return Response(message_shape(message, me.history_from))
