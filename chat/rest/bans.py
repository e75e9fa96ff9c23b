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
        """List who is banned from a group, the last first: for its moderators."""
        return self.page(bans(self.viewer, room), lambda found: [ban_shape(one) for one in found])

    def create(self, request: Request, room: UUID) -> Response:
        """Keep a person out, whether they are in now or not; a repeat changes nothing."""
        body = self.body()
        put, new = ban_member(self.viewer, room, body["user"], body["reason"])
        return self.stored(ban_shape(put), new=new, at=("ban", room, body["user"]))

    def retrieve(self, request: Request, room: UUID, user: UUID) -> Response:
        """Show one person's ban."""
        return Response(ban_shape(ban(self.viewer, room, user)))

    def destroy(self, request: Request, room: UUID, user: UUID) -> Response:
        """Lift a ban; it does not put the person back."""
        unban_member(self.viewer, room, user)
        return Response(status=204)
