"""Direct rooms: one for each pair of people, whoever begins."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from chat.actions.rooms import open_direct
from chat.queries.rooms import inbox
from chat.rest.rooms import RoomShapes
from chat.serializers.rooms import NewDirectSerializer


class DirectViewSet(RoomShapes):
    """My conversations with one other person."""

    inputs = {"create": NewDirectSerializer}

    def list(self, request: Request) -> Response:
        return self.mine(inbox(self.viewer, kind="direct"))

    def create(self, request: Request) -> Response:
        room, new = open_direct(self.viewer, self.body()["user"])
        return self.stored(self.room(room.pk), new=new, at=("room", room.pk))
