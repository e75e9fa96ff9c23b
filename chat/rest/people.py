"""People: oneself, and whoever can be found."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from chat.actions.people import update_profile
from chat.queries.people import find_people, person
from chat.rest.answers import Answer, listed
from chat.rest.base import ChatViewSet
from chat.rest.parameters import SearchParameters
from chat.serializers.people import OwnProfileSerializer, ProfileChangeSerializer, UserSerializer

own_shape = OwnProfileSerializer().to_representation
user_shape = UserSerializer().to_representation


class MeViewSet(ChatViewSet):
    """My own profile."""

    inputs = {"partial_update": ProfileChangeSerializer}
    outputs = {
        "retrieve": Answer(OwnProfileSerializer),
        "partial_update": Answer(OwnProfileSerializer),
    }

    def retrieve(self, request: Request) -> Response:
        """Show my own profile."""
        return Response(own_shape(self.viewer))

    def partial_update(self, request: Request) -> Response:
        """Change my own profile; an empty value takes a field back."""
        if changes := self.body():
            self.viewer = update_profile(self.viewer, **changes)
        return Response(own_shape(self.viewer))


class UserViewSet(ChatViewSet):
    """People, by the beginning of their name."""

    parameters = {"list": SearchParameters}
    outputs = {"list": listed(UserSerializer), "retrieve": Answer(UserSerializer)}

    def list(self, request: Request) -> Response:
        """Find people by the beginning of their handle or name."""
        people = find_people(**self.asked())
        return self.page(people, lambda found: [user_shape(one) for one in found])

    def retrieve(self, request: Request, user: UUID) -> Response:
        """Show a person."""
        return Response(user_shape(person(user)))
