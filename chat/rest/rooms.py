"""Rooms of every kind: the inbox, one of them, and how one keeps it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from chat.actions.reads import mark_read, mark_unread
from chat.actions.rooms import keep_room, update_room
from chat.errors import NotFound
from chat.queries.access import outsider
from chat.queries.rooms import inbox, room_view, views
from chat.rest.answers import Answer, listed
from chat.rest.base import ChatViewSet, Shape
from chat.rest.parameters import InboxParameters
from chat.serializers.rooms import (
    OwnMembershipChangeSerializer,
    OwnMembershipSerializer,
    PersonalRoomSerializer,
    PositionSerializer,
    RoomChangeSerializer,
    room_shape,
)


class RoomShapes(ChatViewSet):
    """Views that answer with rooms."""

    def mine(self, memberships: QuerySet[Any]) -> Response:
        """Answer a page of my rooms."""
        return self.page(
            memberships, lambda found: [room_shape(view) for view in views(self.viewer, found)]
        )

    def room(self, room_id: UUID, kind: str | None = None) -> Shape:
        """Return one room, of the kind that the path promises. Raises NotFound."""
        view = room_view(self.viewer, room_id)
        if kind and view.room.kind != kind:
            raise NotFound()
        return room_shape(view)


class RoomViewSet(RoomShapes):
    """My rooms, the last active first: unread counts, last message."""

    inputs = {"partial_update": RoomChangeSerializer}
    changes = frozenset({"partial_update"})
    parameters = {"list": InboxParameters}
    outputs = {
        "list": listed(PersonalRoomSerializer),
        "retrieve": Answer(PersonalRoomSerializer),
        "partial_update": Answer(PersonalRoomSerializer),
    }

    def list(self, request: Request) -> Response:
        """List my rooms, the last active first: my inbox."""
        return self.mine(inbox(self.viewer, **self.asked()))

    def retrieve(self, request: Request, room: UUID) -> Response:
        """Show a room."""
        return Response(self.room(room))

    def partial_update(self, request: Request, room: UUID) -> Response:
        """Change a room's settings: for its admins."""
        if changes := self.body():
            update_room(self.viewer, room, **changes)
        return Response(self.room(room))


class OwnPlaceViewSet(ChatViewSet):
    """Where I am in a room and how I keep it; each answers with my membership."""

    inputs = {
        "read": PositionSerializer,
        "unread": PositionSerializer,
        "keep": OwnMembershipChangeSerializer,
    }
    outputs = dict.fromkeys(inputs, Answer(OwnMembershipSerializer))

    def read(self, request: Request, room: UUID) -> Response:
        """Say how far I have read; a cursor only rises."""
        mark_read(self.viewer, room, **self.body())
        return self.membership(room)

    def unread(self, request: Request, room: UUID) -> Response:
        """Mark the room unread from a place on."""
        mark_unread(self.viewer, room, **self.body())
        return self.membership(room)

    def keep(self, request: Request, room: UUID) -> Response:
        """Say how I keep the room: pinned, archived, how much it may call me."""
        if changes := self.body():
            keep_room(self.viewer, room, **changes)
        return self.membership(room)

    def membership(self, room_id: UUID) -> Response:
        """Answer my membership, counted anew. Raises NotFound, Forbidden."""
        view = room_view(self.viewer, room_id)
        if view.me is None:
            raise outsider(view.room, self.viewer)
        return Response(OwnMembershipSerializer().to_representation(view.me))
