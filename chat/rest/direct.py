"""Direct rooms: one for each pair of people, whoever begins."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from chat.actions.rooms import open_direct
from chat.errors import NotFound
from chat.limits.rooms import count_direct
from chat.queries.rooms import inbox
from chat.rest.answers import Answer, listed
from chat.rest.rooms import RoomShapes
from chat.serializers.rooms import NewDirectSerializer, PersonalRoomSerializer


class DirectViewSet(RoomShapes):
    """My conversations with one other person."""

    inputs = {"create": NewDirectSerializer}
    outputs = {
        "list": listed(PersonalRoomSerializer),
        "create": Answer(PersonalRoomSerializer, (201, 200), (NotFound,)),
    }

    def list(self, request: Request) -> Response:
        """List my direct rooms, most recently active first.

        Each room has the other person as `peer`, the last message, and my unread count.
        """
        return self.mine(inbox(self.viewer, kind="direct"))

    def create(self, request: Request) -> Response:
        """Open the direct room with another person.

        Each pair of people has one room. The answer is 201 if this request created it, and 200 if it
        already existed.
        """
        other = self.body()["user"]
        count_direct(self.viewer, other)
        room, new = open_direct(self.viewer, other)
        return self.stored(self.room(room.pk), new=new, at=("room", room.pk))
