"""Groups: opened, found, joined, left, closed."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from chat.actions.members import join_room, leave_room
from chat.actions.rooms import create_group, delete_room, update_room
from chat.queries.rooms import directory, directory_views, inbox
from chat.rest.parameters import SearchParameters, asked
from chat.rest.rooms import RoomShapes
from chat.serializers.rooms import NewGroupSerializer, RoomChangeSerializer, room_shape

GROUP = "group"


class GroupViewSet(RoomShapes):
    """My groups; with `?search=`, even an empty one, the public directory."""

    inputs = {"create": NewGroupSerializer, "partial_update": RoomChangeSerializer}

    def list(self, request: Request) -> Response:
        if "search" not in request.query_params:
            return self.mine(inbox(self.viewer, kind=GROUP))
        public = directory(**asked(request, SearchParameters))
        return self.page(
            public,
            lambda found: [room_shape(view) for view in directory_views(self.viewer, found)],
        )

    def create(self, request: Request) -> Response:
        group, new = create_group(self.viewer, **self.body())
        return self.stored(self.room(group.pk), new=new, at=("group", group.pk))

    def retrieve(self, request: Request, room: UUID) -> Response:
        return Response(self.room(room, GROUP))

    def partial_update(self, request: Request, room: UUID) -> Response:
        if changes := self.body():
            update_room(self.viewer, room, **changes)
        return Response(self.room(room, GROUP))

    def destroy(self, request: Request, room: UUID) -> Response:
        delete_room(self.viewer, room)
        return Response(status=204)

    def join(self, request: Request, room: UUID) -> Response:
        join_room(self.viewer, room)
        return Response(self.room(room, GROUP))

    def leave(self, request: Request, room: UUID) -> Response:
        leave_room(self.viewer, room)
        return Response(status=204)
