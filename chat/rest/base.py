"""What every view of this door is, whatever the host's ``REST_FRAMEWORK`` says."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any, ClassVar

from django.db import connections, transaction
from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.authentication import BaseAuthentication
from rest_framework.metadata import SimpleMetadata
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import ViewSet

from chat.actions.people import profile_for
from chat.conf import authenticators
from chat.limits.basic import limited
from chat.limits.rooms import count_change
from chat.limits.writes import count_write
from chat.queries.people import Person
from chat.rest.answers import Answer
from chat.rest.browsable import BrowsableRenderer, with_code
from chat.rest.formats import JSONParser, JSONRenderer, refuse_oversize, set_length
from chat.rest.pages import Pages
from chat.rest.parameters import asked
from chat.rest.refusals import refuse

Shape = dict[str, Any]


@cache
def _reader(shape: type[Serializer[Any]], partial: bool) -> Serializer[Any]:
    # Built once: to build it for each request costs as much as all else that validating does.
    return shape(partial=partial)


class ChatViewSet(ViewSet):
    """For signed-in people; of the host's defaults only the sign-in counts, and only where CHAT names none.

    ``inputs`` gives the shape that each action reads, for validation and for the browsable forms, and
    ``parameters`` that of its query string; ``outputs`` says what it answers.
    """

    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer, BrowsableRenderer]
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    content_negotiation_class = DefaultContentNegotiation
    metadata_class = SimpleMetadata
    versioning_class = None
    throttle_classes = []
    # Whether what is not a GET counts as a write of the person's (LIMIT_WRITES).
    writes: ClassVar[bool] = True
    # Actions that append an event other than a message to a room's log (LIMIT_CHANGES).
    changes: ClassVar[frozenset[str]] = frozenset()
    inputs: ClassVar[dict[str, type[Serializer[Any]]]] = {}
    parameters: ClassVar[dict[str, type[Serializer[Any]]]] = {}
    outputs: ClassVar[dict[str, Answer]] = {}

    @classmethod
    def as_view(cls, actions: Any = None, **initkwargs: Any) -> Any:
        """Return the view, outside any ATOMIC_REQUESTS: an action is a transaction of its own."""
        view = super().as_view(actions, **initkwargs)
        for alias in connections:
            transaction.non_atomic_requests(using=alias)(view)
        return view

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Cache-Control": "no-store"}

    def get_authenticators(self) -> list[BaseAuthentication]:
        return limited(authenticators())

    def get_authenticate_header(self, request: Request) -> str:
        named = (one.authenticate_header(request) for one in self.get_authenticators())
        # A 401 must name a scheme; cookies are none.
        return next(filter(None, named), 'Bearer realm="api"')

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return refuse

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # First of all, because already the check of a form's CSRF token reads the body.
        set_length(request._request)
        refuse_oversize(request)
        super().initial(request, *args, **kwargs)
        if self.writes and request.method not in SAFE_METHODS and request.user.is_authenticated:
            count_write(self.viewer.pk)
            if self.action in self.changes:
                count_change(self.viewer)

    def get_view_description(self, html: bool = False) -> str:
        """Return what a page says of itself: what is read there, else what is done there."""
        actions = self.action_map or {}
        action = actions.get("get") or next(iter(actions.values()), None)
        said = inspect.getdoc(getattr(self, action or "", type(self)))
        said = said or inspect.getdoc(type(self)) or ""
        return with_code(said) if html else said

    def get_serializer_class(self) -> type[Serializer[Any]]:
        """Return the input shape of the action that the request's method stands for."""
        action = (self.action_map or {}).get((self.request.method or "").lower())
        return self.inputs.get(action or "", Serializer)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Serializer[Any]:
        """Return that shape, for a body or for a form."""
        return self.get_serializer_class()(*args, **kwargs)

    @cached_property
    def paginator(self) -> Pages:
        """The pages of this request's list; the browsable API looks for it under this name."""
        return Pages()

    @cached_property
    def viewer(self) -> Person:
        """The profile of whoever asks."""
        return profile_for(self.request.user, self.request.auth)

    def body(self) -> Shape:
        """Return what the body says in the action's shape; other fields are ignored. Raises ValidationError."""
        # Only what a PATCH names is changed: a form leaves out a box that is not ticked.
        partial = self.request.method == "PATCH"
        found: Shape = _reader(self.get_serializer_class(), partial).run_validation(
            self.request.data
        )
        return found

    def asked(self) -> Shape:
        """Return the query string in the action's shape; other parameters are ignored. Raises ValidationError."""
        return asked(self.request, self.parameters[self.action])

    def page(self, rows: QuerySet[Any], shapes: Callable[[list[Any]], list[Shape]]) -> Response:
        """Answer the page of the rows that was asked for."""
        found = self.paginator.paginate_queryset(rows, self.request, self) or []
        return self.paginator.get_paginated_response(shapes(found))

    def stored(self, shape: Shape, *, new: bool, at: tuple[object, ...]) -> Response:
        """Answer a create: 201 the first time, 200 for a repeat, with the place of what is stored."""
        name, *args = at
        headers = {"Location": self.link(str(name), *args)}
        return Response(shape, status=201 if new else 200, headers=headers)

    def link(self, name: str, *args: object) -> str:
        """Return the path of a view of this door, wherever the host has put it."""
        here = self.request.resolver_match
        return reverse(f"{here.namespace}:{name}" if here else name, args=args)
