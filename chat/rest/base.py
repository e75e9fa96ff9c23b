"""What every view of this door is, whatever the host's ``REST_FRAMEWORK`` says."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

from django.db import connections, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import translation
from rest_framework.authentication import BaseAuthentication
from rest_framework.metadata import SimpleMetadata
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.settings import api_settings
from rest_framework.viewsets import ViewSet

from chat.actions.people import profile_for
from chat.conf import authenticators, chat_settings
from chat.errors import LANGUAGE
from chat.limits.basic import limited
from chat.limits.reads import count_read
from chat.limits.rooms import count_change
from chat.limits.writes import count_write
from chat.queries.people import Person
from chat.rest.answers import Answer
from chat.rest.browsable import BrowsableRenderer, described
from chat.rest.formats import JSONParser, JSONRenderer, refuse_oversize, set_length
from chat.rest.pages import Pages
from chat.rest.parameters import PageParameters, names_of, read_query
from chat.rest.refusals import refuse
from chat.serializers.reading import read

Shape = dict[str, Any]


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
    # True counts requests other than GET as writes of the person (LIMIT_WRITES), False as reads (LIMIT_READS).
    writes: ClassVar[bool] = True
    # Actions that append an event other than a message to a room's log (LIMIT_CHANGES).
    changes: ClassVar[frozenset[str]] = frozenset()
    reads: ClassVar[bool] = False
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
        return {
            **super().default_response_headers,
            "Cache-Control": "no-store",
            "Content-Language": LANGUAGE,
        }

    def get_authenticators(self) -> list[BaseAuthentication]:
        return limited(authenticators())

    def get_authenticate_header(self, request: Request) -> str:
        named = (one.authenticate_header(request) for one in self.get_authenticators())
        # A 401 must name a scheme; cookies are none.
        return next(filter(None, named), 'Bearer realm="api"')

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return refuse

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # DRF takes the texts of errors from the translations of the request's language.
        with translation.override(LANGUAGE):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # First of all, because already the check of a form's CSRF token reads the body.
        set_length(request._request)
        refuse_oversize(request)
        super().initial(request, *args, **kwargs)
        self.check_query()

    def check_query(self) -> None:
        """Refuse unknown parameters, also where the action reads none. Raises Invalid."""
        if self.request.query_params and self.action in self.outputs:
            self.query  # noqa: B018

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        # Before permissions are checked, so that refused requests count too.
        if self.reads or request.method in SAFE_METHODS:
            count_read(request)
        elif self.writes and IsAuthenticated().has_permission(request, self):
            count_write(self.viewer.pk)
            if self.action in self.changes:
                count_change(self.viewer)

    @classmethod
    def description_of(cls, action: str) -> str:
        """Return the text that the documents and the browsable API show of an action."""
        return inspect.getdoc(getattr(cls, action, cls)) or ""

    def get_view_description(self, html: bool = False) -> str:
        """Return the text of each operation of the page, that of GET first."""
        methods: dict[str, str] = {}
        for method, action in (self.action_map or {}).items():
            # HEAD repeats GET.
            methods.setdefault(action, method)
        texts = {method: self.description_of(action) for action, method in methods.items()}
        return described(texts) if html else "\n\n".join(texts.values())

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
        """Return the body in the action's shape; unknown fields are ignored. Raises Invalid."""
        # Only what a PATCH names is changed: a form leaves out a box that is not ticked.
        partial = self.request.method == "PATCH"
        return read(self.get_serializer_class(), self.request.data, partial=partial)

    @cached_property
    def query(self) -> dict[type[Serializer[Any]], Shape]:
        """The query string in each shape of the action. Raises Invalid for unknown parameters too."""
        # A form of the browsable API posts to the path of its page, with the query of the page.
        of_path = {shape for one in self.action_map.values() for shape in self.query_shapes(one)}
        # DRF has no name for its own parameter where a host has switched it off.
        elsewhere = {api_settings.URL_FORMAT_OVERRIDE or "", *chat_settings.PARAMETERS}
        known = elsewhere.union(*map(names_of, of_path))
        return read_query(self.request.query_params, self.query_shapes(self.action), known)

    def asked(self) -> Shape:
        """Return the query string in the action's shape. Raises Invalid."""
        return self.query[self.parameters[self.action]]

    @classmethod
    def query_shapes(cls, action: str) -> list[type[Serializer[Any]]]:
        """Return the shapes of the query string of an action."""
        shapes = [cls.parameters[action]] if action in cls.parameters else []
        paged = action in cls.outputs and cls.outputs[action].paged
        return [*shapes, PageParameters] if paged else shapes

    def page(self, rows: QuerySet[Any], shapes: Callable[[list[Any]], list[Shape]]) -> Response:
        """Answer the page of the rows that was asked for."""
        self.paginator.limit = self.query[PageParameters]["limit"]
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
