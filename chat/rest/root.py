"""Where the API begins, and where its paths end."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from chat.errors import NotFound
from chat.rest.answers import Answer, LinksSerializer
from chat.rest.base import ChatViewSet
from chat.rest.paths import path_of

LISTS = ("users", "rooms", "groups", "direct")
# Of an include of its own, which a host may leave out.
DOCUMENTS = ("schema", "docs", "asyncapi", "console")


class RootViewSet(ChatViewSet):
    """The chat: people, rooms, messages. Times are RFC 3339 in UTC, errors `{code, detail, fields?}`."""

    permission_classes = [AllowAny]
    outputs = {"list": Answer(LinksSerializer)}

    def list(self, request: Request) -> Response:
        """Show where to begin."""
        paths = {"me": self.link("me"), **{name: self.link(name) for name in LISTS}}
        paths |= {name: path for name in DOCUMENTS if (path := path_of(f"chat_docs:{name}"))}
        return Response({name: request.build_absolute_uri(path) for name, path in paths.items()})


class NowhereViewSet(ChatViewSet):
    """Any other path: not found, in the words that a hidden thing gets too."""

    permission_classes = [AllowAny]

    def get_authenticators(self) -> list[BaseAuthentication]:
        return []

    @property
    def allowed_methods(self) -> list[str]:
        # Whatever is asked is refused; a page that offered more would be believed.
        return ["GET"]

    def nothing(self, request: Request) -> Response:
        """There is nothing here, or nothing for you."""
        raise NotFound()
