"""Who is kept out of a group: seen, set and lifted by its moderators."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from chat.actions.bans import ban_member, unban_member
from chat.queries.rooms import ban, bans
from chat.rest.answers import Answer, gone, listed
from chat.rest.base import ChatViewSet
from chat.serializers.rooms import BanSerializer, NewBanSerializer

ban_shape = BanSerializer().to_representation


class BanViewSet(ChatViewSet):
    """Who is banned from the group, the last first."""

    inputs = {"create": NewBanSerializer}
    changes = frozenset({"create", "destroy"})
    outputs = {
        "list": listed(BanSerializer),
        "create": Answer(BanSerializer, (201, 200)),
        "retrieve": Answer(BanSerializer),
        "destroy": gone(),
    }

    def list(self, request: Request, room: UUID) -> Response:
        """List the bans of a group, most recent first. Only its moderators may do this."""
        return self.page(bans(self.viewer, room), lambda found: [ban_shape(one) for one in found])

    def create(self, request: Request, room: UUID) -> Response:
        """Ban a person from a group. Only its moderators may do this.

        A member is removed at once; somebody who is not a member can be banned too. Banning a person again
        changes nothing and answers 200.
        """
        body = self.body()
        put, new = ban_member(self.viewer, room, body["user"], body["reason"])
        return self.stored(ban_shape(put), new=new, at=("ban", room, body["user"]))

    def retrieve(self, request: Request, room: UUID, user: UUID) -> Response:
        """Return the ban of one person. Only moderators of the group may do this."""
        return Response(ban_shape(ban(self.viewer, room, user)))

    def destroy(self, request: Request, room: UUID, user: UUID) -> Response:
        """Lift the ban of a person. Only moderators of the group may do this.

        The person may join again, but is not added back.
        """
        unban_member(self.viewer, room, user)
        return Response(status=204)
