"""The documents, and the two pages that make them usable: Swagger UI and a console for sockets.

All are open to anyone, because they say nothing that the source does not; a host that wants them closed
leaves the include out, or wraps it.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import get_urlconf
from django.utils.cache import get_conditional_response
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from chat.rest.answers import Answer, DocumentSerializer
from chat.rest.base import ChatViewSet
from chat.rest.browsable import takes_sessions
from chat.rest.docs.stored import Stored, asyncapi_of, openapi_of
from chat.rest.formats import JSONRenderer
from chat.rest.paths import path_of


class DocumentViewSet(ChatViewSet):
    """A description of this service for machines."""

    permission_classes = [AllowAny]
    renderer_classes = [JSONRenderer]
    outputs = {"retrieve": Answer(DocumentSerializer)}

    def get_authenticators(self) -> list[BaseAuthentication]:
        return []

    @property
    def default_response_headers(self) -> dict[str, str]:
        # Caches keep the document, and ask with its ETag whether it is still the same.
        return {**super().default_response_headers, "Cache-Control": "no-cache"}

    def answer(self, document: Stored) -> HttpResponseBase:
        """Answer a stored document, or 304 to a client that has it."""
        response = HttpResponse(document.text, content_type=JSONRenderer.media_type)
        response["ETag"] = document.etag
        found = get_conditional_response(self.request._request, document.etag, None, response)
        return found or response


class AsyncApiViewSet(DocumentViewSet):
    """The sockets: channels, commands, events."""

    def retrieve(self, request: Request) -> HttpResponseBase:
        """Return the AsyncAPI 3 document of the sockets.

        It describes channels, commands, events, and close codes. Send its `ETag` as `If-None-Match` to get
        304 while it is unchanged.
        """
        return self.answer(asyncapi_of(request.get_host(), request.is_secure()))


class OpenApiViewSet(DocumentViewSet):
    """The REST API: paths, shapes, refusals."""

    def retrieve(self, request: Request) -> HttpResponseBase:
        """Return the OpenAPI 3.1 document of the REST API.

        It describes paths, parameters, shapes, examples, and errors. Send its `ETag` as `If-None-Match` to
        get 304 while it is unchanged.
        """
        return self.answer(openapi_of(get_urlconf(settings.ROOT_URLCONF)))


@method_decorator(never_cache, name="dispatch")
class Page(TemplateView):
    """A page that knows where the documents and the sign-in are, and whom the site has signed in."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        names = {
            "schema": "chat_docs:schema",
            "docs": "chat_docs:docs",
            "asyncapi": "chat_docs:asyncapi",
            "token": "chat_auth:token",
        }
        user: Any = getattr(self.request, "user", None)
        known = user is not None and user.is_authenticated and takes_sessions()
        return super().get_context_data(
            **{name: path_of(view) for name, view in names.items()},
            me=user.get_username() if known else "",
            **kwargs,
        )
