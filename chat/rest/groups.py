"""Groups: opened, found, joined, left, closed."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from chat.actions.members import join_room, leave_room
from chat.actions.rooms import create_group, delete_room, update_room
from chat.errors import Conflict, NotFound
from chat.limits.rooms import count_group, count_join, uncount_group
from chat.queries.rooms import directory, directory_views, inbox
from chat.rest.answers import Answer, gone, listed, made
from chat.rest.parameters import DirectoryParameters
from chat.rest.rooms import RoomShapes
from chat.serializers.rooms import (
    NewGroupSerializer,
    PersonalRoomSerializer,
    RoomChangeSerializer,
    room_shape,
)

GROUP = "group"


class GroupViewSet(RoomShapes):
    """My groups; with `?search=`, even an empty one, the public directory."""

    inputs = {"create": NewGroupSerializer, "partial_update": RoomChangeSerializer}
    changes = frozenset({"partial_update"})
    parameters = {"list": DirectoryParameters}
    outputs = {
        "list": listed(PersonalRoomSerializer),
        "create": made(PersonalRoomSerializer, NotFound),
        "retrieve": Answer(PersonalRoomSerializer),
        "partial_update": Answer(PersonalRoomSerializer),
        "destroy": gone(),
        "join": Answer(PersonalRoomSerializer),
        "leave": gone(Conflict),
    }

    def list(self, request: Request) -> Response:
        """List my groups, or search the public groups.

        Without `search`, the answer holds my groups, most recently active first. With `search`, even an
        empty one, it holds public groups whose title or topic contains the words.
        """
        if "search" not in request.query_params:
            return self.mine(inbox(self.viewer, kind=GROUP))
        public = directory(**self.asked())
        return self.page(
            public,
            lambda found: [room_shape(view) for view in directory_views(self.viewer, found)],
        )

    def create(self, request: Request) -> Response:
        """Create a group with me as its owner.

        Sending the same `id` with the same content again returns the existing group with status 200.
        Other people can be added at once by `members`.
        """
        body = self.body()
        count_group(self.viewer)
        group, new = create_group(self.viewer, **body)
        if not new:
            uncount_group(self.viewer)
        return self.stored(self.room(group.pk), new=new, at=("group", group.pk))

    def retrieve(self, request: Request, room: UUID) -> Response:
        """Return a group with its settings and my membership.

        Public groups can be read by people who are not members; for them `me` is null.
        """
        return Response(self.room(room, GROUP))

    def partial_update(self, request: Request, room: UUID) -> Response:
        """Change the settings of a group. Only its admins may do this.

        Only fields that the body names are changed.
        """
        if changes := self.body():
            update_room(self.viewer, room, **changes)
        return Response(self.room(room, GROUP))

    def destroy(self, request: Request, room: UUID) -> Response:
        """Delete a group with all its messages. Only its owners may do this.

        Members receive `room.deleted`.
        """
        delete_room(self.viewer, room)
        return Response(status=204)

    def join(self, request: Request, room: UUID) -> Response:
        """Join a public group as a member.

        Joining a group that I am already in changes nothing.
        """
        count_join(self.viewer, room)
        join_room(self.viewer, room)
        return Response(self.room(room, GROUP))

    def leave(self, request: Request, room: UUID) -> Response:
        """Leave a group.

        The last owner of a group with other members cannot leave before someone else is an owner.
        """
        leave_room(self.viewer, room)
        return Response(status=204)
