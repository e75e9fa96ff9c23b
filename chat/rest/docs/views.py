"""The documents, and the two pages that make them usable: Swagger UI and a console for sockets.

All are open to anyone, because they say nothing that the source does not; a host that wants them closed
leaves the include out, or wraps it.
"""

from __future__ import annotations

from typing import Any

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from chat.rest.answers import Answer, DocumentSerializer
from chat.rest.base import ChatViewSet
from chat.rest.browsable import takes_sessions
from chat.rest.formats import JSONRenderer
from chat.rest.paths import path_of
from chat.websocket.asyncapi import asyncapi


class DocumentViewSet(ChatViewSet):
    """A description of this service for machines."""

    permission_classes = [AllowAny]
    renderer_classes = [JSONRenderer]
    outputs = {"retrieve": Answer(DocumentSerializer)}

    def get_authenticators(self) -> list[BaseAuthentication]:
        return []


class AsyncApiViewSet(DocumentViewSet):
    """The sockets: channels, commands, events."""

    def retrieve(self, request: Request) -> Response:
        """Get the AsyncAPI 3 document of the sockets."""
        return Response(asyncapi(request.get_host(), secure=request.is_secure()))


class OpenApiViewSet(DocumentViewSet):
    """The REST API: paths, shapes, refusals."""

    def retrieve(self, request: Request) -> Response:
        """Get the OpenAPI 3.1 document of this API."""
        # Only reached where drf-spectacular is installed.
        from chat.rest.docs.openapi import openapi  # noqa: PLC0415

        return Response(openapi()[0])


@method_decorator(never_cache, name="dispatch")
class Page(TemplateView):
    """A page that knows where the documents and the sign-in are, and whom the site has signed in."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        names = {
            "schema": "chat_docs:schema",
            "docs": "chat_docs:docs",
            "asyncapi": "chat_docs:asyncapi",
            "token": "chat_auth:token",  # nosec B105: the name of a view
        }
        user: Any = getattr(self.request, "user", None)
        known = user is not None and user.is_authenticated and takes_sessions()
        return super().get_context_data(
            **{name: path_of(view) for name, view in names.items()},
            me=user.get_username() if known else "",
            **kwargs,
        )
