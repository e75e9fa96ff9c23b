"""Where the API begins, and where its paths end."""

from __future__ import annotations

from django.http import HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.http import escape_leading_slashes
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
        """Return the addresses at which the API begins.

        Addresses of documents are included where the site serves them. All times are RFC 3339 in UTC;
        all errors have the shape `{code, detail, fields?, retry_after?}`.
        """
        paths = {"me": self.link("me"), **{name: self.link(name) for name in LISTS}}
        paths |= {name: path for name in DOCUMENTS if (path := path_of(f"chat_docs:{name}"))}
        return Response({name: request.build_absolute_uri(path) for name, path in paths.items()})


class NowhereViewSet(ChatViewSet):
    """Any other path: not found, in the words that a hidden thing gets too."""

    permission_classes = [AllowAny]

    def get_authenticators(self) -> list[BaseAuthentication]:
        return []

    def check_query(self) -> None:
        """Check nothing: a path that is none has no parameters."""

    @property
    def allowed_methods(self) -> list[str]:
        # Whatever is asked is refused; a page that offered more would be believed.
        return ["GET"]

    def nothing(self, request: Request) -> HttpResponseBase:
        """Report that nothing is found at this path.

        The answer is the same where something exists that you may not see.
        """
        if not self._lacks_slash():
            raise NotFound()
        whole = request._request.get_full_path(force_append_slash=True)
        if request.method in {"GET", "HEAD"}:
            return HttpResponsePermanentRedirect(escape_leading_slashes(whole))
        path = whole.partition("?")[0]
        # A redirected POST would arrive as a GET.
        raise NotFound(f"Not found. The path ends with a slash: `{path}`.")

    def _lacks_slash(self) -> bool:
        """Return whether the path with a slash at its end leads to another view."""
        request = self.request._request
        if request.path_info.endswith("/"):
            return False
        try:
            found = resolve(f"{request.path_info}/", getattr(request, "urlconf", None))
        except Resolver404:
            return False
        return getattr(found.func, "cls", None) is not type(self)
