"""The members of a room, and of a group also what others make of them."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from chat.actions.members import add_member, change_member, remove_member
from chat.errors import Conflict
from chat.queries.rooms import member, members
from chat.rest.answers import Answer, gone, listed, made
from chat.rest.base import ChatViewSet
from chat.rest.parameters import MemberParameters
from chat.serializers.rooms import (
    MemberChangeSerializer,
    MembershipSerializer,
    NewMemberSerializer,
)

member_shape = MembershipSerializer().to_representation


GROUP = "group"


class RoomMemberViewSet(ChatViewSet):
    """The members of a room of any kind, with their read positions."""

    parameters = {"list": MemberParameters}
    outputs = {"list": listed(MembershipSerializer)}

    def list(self, request: Request, room: UUID) -> Response:
        """List who is in a room, the longest first; `search` is the beginning of a handle or name."""
        people = members(self.viewer, room, **self.asked())
        return self.page(people, lambda found: [member_shape(one) for one in found])


class MemberViewSet(ChatViewSet):
    """Who is in the group, the longest first."""

    inputs = {"create": NewMemberSerializer, "partial_update": MemberChangeSerializer}
    changes = frozenset({"create", "partial_update"})
    outputs = {
        "list": listed(MembershipSerializer),
        "create": made(MembershipSerializer),
        "retrieve": Answer(MembershipSerializer),
        "partial_update": Answer(MembershipSerializer, refuses=(Conflict,)),
        "destroy": gone(Conflict),
    }

    def list(self, request: Request, room: UUID) -> Response:
        """List the members of a group, longest membership first."""
        people = members(self.viewer, room, kind=GROUP)
        return self.page(people, lambda found: [member_shape(one) for one in found])

    def create(self, request: Request, room: UUID) -> Response:
        """Add a person to a group, with a role.

        Adding a member again changes nothing and answers 200. A banned person cannot be added before the
        ban is lifted.
        """
        body = self.body()
        added, new = add_member(self.viewer, room, body["user"], body["role"])
        return self.stored(member_shape(added), new=new, at=("member", room, body["user"]))

    def retrieve(self, request: Request, room: UUID, user: UUID) -> Response:
        """Return one member of a group."""
        return Response(member_shape(member(self.viewer, room, user, kind=GROUP)))

    def partial_update(self, request: Request, room: UUID, user: UUID) -> Response:
        """Change the role of a member, or mute the member until a time.

        `muted_until: null` ends a mute. Nobody can change a member with a role above their own.
        """
        if changes := self.body():
            change_member(self.viewer, room, user, changes)
        return self.retrieve(request, room, user)

    def destroy(self, request: Request, room: UUID, user: UUID) -> Response:
        """Remove a member from a group.

        The person may join again unless they are banned.
        """
        remove_member(self.viewer, room, user)
        return Response(status=204)
