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
        """List all my rooms, most recently active first.

        Each room has its last message and my membership with the unread count.
        """
        return self.mine(inbox(self.viewer, **self.asked()))

    def retrieve(self, request: Request, room: UUID) -> Response:
        """Return a room of any kind with its last message and my membership."""
        return Response(self.room(room))

    def partial_update(self, request: Request, room: UUID) -> Response:
        """Change the settings of a room. Only admins of a group may do this.

        It is the same change as at the path of the group. Direct rooms have no settings to change.
        """
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
        """Set the position up to which I have read the room.

        The position only rises: a lower `seq` changes nothing. The answer is my membership.
        """
        mark_read(self.viewer, room, **self.body())
        return self.membership(room)

    def unread(self, request: Request, room: UUID) -> Response:
        """Mark the room as unread from a position.

        My read position stays; my own devices are told. The answer is my membership.
        """
        mark_unread(self.viewer, room, **self.body())
        return self.membership(room)

    def keep(self, request: Request, room: UUID) -> Response:
        """Change my own preferences for the room: pinned, archived, notifications.

        Other members do not see them. The answer is my membership.
        """
        if changes := self.body():
            keep_room(self.viewer, room, **changes)
        return self.membership(room)

    def membership(self, room_id: UUID) -> Response:
        """Answer my membership, counted anew. Raises NotFound, Forbidden."""
        view = room_view(self.viewer, room_id)
        if view.me is None:
            raise outsider(view.room, self.viewer)
        return Response(OwnMembershipSerializer().to_representation(view.me))
