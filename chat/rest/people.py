"""People: oneself, and whoever can be found."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from chat.actions.people import update_profile
from chat.queries.people import people_for, person
from chat.rest.answers import Answer, listed
from chat.rest.base import ChatViewSet
from chat.rest.pages import forged_cursor
from chat.rest.parameters import PageParameters, SearchParameters
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
        """Return my own profile, with the settings that only I can see."""
        return Response(own_shape(self.viewer))

    def partial_update(self, request: Request) -> Response:
        """Change my own profile.

        Only fields that the body names are changed. An empty value clears a field.
        """
        if changes := self.body():
            self.viewer = update_profile(self.viewer, **changes)
        return Response(own_shape(self.viewer))


class UserViewSet(ChatViewSet):
    """People, by the beginning of their name."""

    parameters = {"list": SearchParameters}
    outputs = {"list": listed(UserSerializer), "retrieve": Answer(UserSerializer)}

    def list(self, request: Request) -> Response:
        """Find people by the beginning of their username or display name.

        A search of two or more characters finds anybody, at most one page of them. Without one the answer
        holds people who share a room with me. A site may list everybody instead.
        """
        people, paged = people_for(self.viewer, **self.asked())
        if not paged and "cursor" in self.query[PageParameters]:
            # Anybody can write a cursor, and so could go on where the page ends.
            raise forged_cursor()
        answer = self.page(people, lambda found: [user_shape(one) for one in found])
        return answer if paged else Response({**answer.data, "next": None, "previous": None})

    def retrieve(self, request: Request, user: UUID) -> Response:
        """Return the public profile of a person."""
        return Response(user_shape(person(user)))
