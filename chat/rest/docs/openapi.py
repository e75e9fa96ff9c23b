"""OpenAPI 3.1 of this door, written from what its views declare. The only file that knows drf-spectacular.

What the host's ``SPECTACULAR_SETTINGS`` say is left as it is, and not needed: ours hold while we generate.
"""

from __future__ import annotations

import importlib
import inspect
import re
from functools import cache
from threading import Lock
from typing import Any

from django.conf import settings
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.settings import patched_settings
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, PolymorphicProxySerializer
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.serializers import Serializer

from chat.rest.answers import Answer, ErrorSerializer
from chat.rest.base import ChatViewSet
from chat.rest.docs.refusals import refusals_of, response_of
from chat.rest.root import NowhereViewSet
from chat.serializers.examples import MESSAGE, OTHER, ROOM, example
from chat.serializers.json_schema import moment_format

VERSION = "1"
SETTINGS: dict[str, Any] = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "Parley",
    "VERSION": VERSION,
    "DESCRIPTION": (
        "Rooms, groups, direct messages. Every room is a log: each change is one event with the next `seq`. "
        "JSON in UTF-8, times in RFC 3339 UTC, ids as strings; unknown fields in input are ignored, and clients "
        "ignore fields that they do not know. Known fields that a request does not set, values of another type and "
        "unknown query parameters are `invalid`; one answer names them all. "
        "A create takes an `id` of the client's choice and is safe to repeat: "
        "201 the first time, 200 after. Every error has the shape `Error`, over REST and sockets alike; the "
        "sockets have a document of their own, in AsyncAPI."
    ),
    "SCHEMA_PATH_PREFIX": "/",
    "PREPROCESSING_HOOKS": [],
    "POSTPROCESSING_HOOKS": [],
    "SORT_OPERATIONS": True,
    "SORT_OPERATION_PARAMETERS": False,
    "COMPONENT_SPLIT_REQUEST": False,
    "COMPONENT_NO_READ_ONLY_REQUIRED": False,
    "SCHEMA_PATH_PREFIX_TRIM": False,
    "SCHEMA_PATH_PREFIX_INSERT": "",
    "SCHEMA_COERCE_PATH_PK_SUFFIX": False,
    "CAMELIZE_NAMES": False,
    "SERVERS": [],
    "SECURITY": [],
    "WEBHOOKS": [],
    "EXTENSIONS_INFO": {},
    "EXTENSIONS_ROOT": {},
    "EXTERNAL_DOCS": {},
    "TOS": None,
    "CONTACT": {},
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "APPEND_COMPONENTS": {},
}
PLACES = {
    "room": ("The id of a room.", ROOM),
    "user": ("The id of a person.", OTHER),
    "message": ("The id of a message.", MESSAGE),
    "device": ("The id of a device.", OTHER),
}
VIEW = re.compile(r"ViewSet$")
# Its settings and its registry of warnings are the process's.
_generating = Lock()


class ChatSchema(AutoSchema):
    """One operation, read from the view's ``inputs``, ``parameters``, ``outputs`` and docstrings."""

    view: Any

    @property
    def answer(self) -> Answer:
        found: Answer = self.view.outputs[self.view.action]
        return found

    def get_operation_id(self) -> str:
        name = VIEW.sub("", type(self.view).__name__)
        words = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        return f"{words}_{self.view.action}"

    def get_tags(self) -> list[str]:
        return [tag_of(type(self.view))]

    def get_summary(self) -> str:
        # Summaries are plain text.
        return self.get_description().partition("\n")[0].rstrip(".").replace("`", "")

    def get_description(self) -> str:  # type: ignore[override]
        text: str = self.view.description_of(self.view.action)
        return text

    def get_override_parameters(self) -> list[Any]:
        found: list[Any] = self.view.query_shapes(self.view.action)
        return found

    def get_filter_backends(self) -> list[Any]:
        return []

    def _is_list_view(self, serializer: Any = None) -> bool:
        # The shape of a list says itself that it is one.
        return False

    def _resolve_path_parameters(self, variables: list[str]) -> list[Any]:
        found: list[Any] = super()._resolve_path_parameters(variables)
        for parameter in found:
            says, sample = PLACES.get(parameter["name"], ("", None))
            parameter.update({"description": says, "example": sample} if says else {})
        return found

    def _map_serializer_field(
        self, field: Any, direction: Any, bypass_extensions: Any = False
    ) -> Any:
        schema = super()._map_serializer_field(field, direction, bypass_extensions)
        if not isinstance(schema, dict):
            return schema
        # A mark for a hook that we do not use.
        schema.pop("x-spec-enum-id", None)
        return {**schema, **moment_format(field)}

    def get_request_serializer(self) -> type[Serializer[Any]] | None:
        shape: type[Serializer[Any]] | None = self.view.inputs.get(self.view.action)
        return shape

    def map_parsers(self) -> list[str]:
        # Forms are there for the browsable pages; the protocol is JSON.
        return ["application/json"]

    def get_examples(self) -> list[OpenApiExample]:
        asked, told = self.get_request_serializer(), self.answer.shape
        found = []
        if asked:
            found.append(OpenApiExample("A request", example(asked()), request_only=True))
        if told and example(told()):
            codes = [str(status) for status in self.answer.statuses]
            found.append(
                OpenApiExample("An answer", example(told()), response_only=True, status_codes=codes)
            )
        return found

    def get_response_serializers(self) -> Any:
        says = {200: "Here it is.", 201: "It is made.", 204: "It is done."}
        if len(self.answer.statuses) > 1:
            says[200] = "It was made before: here it is as it now stands."
        shape: Any = self.answer.shape
        if shape and self.answer.instead:
            shape = PolymorphicProxySerializer(
                component_name=f"{self.get_operation_id()}_answer",
                serializers=[shape, self.answer.instead],
                resource_type_field_name=None,
            )
        return {
            str(status): OpenApiResponse(shape, description=says[status])
            for status in sorted(self.answer.statuses)
        }

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        # Creates that can be repeated say where the thing is.
        if len(self.answer.statuses) > 1:
            where = {"description": "Where it is now.", "schema": {"type": "string"}}
            bodies["201"]["headers"] = {"Location": where}
        return {**bodies, **self._refusals()}

    def _refusals(self) -> dict[str, Any]:
        """Return a reference for each refusal; the first to need one describes it for all."""
        error = self.resolve_serializer(ErrorSerializer, "response").ref
        body = bool(self.get_request_serializer())
        found = {}
        for status, (name, kinds) in refusals_of(self.view, self.path, body=body).items():
            described = response_of(kinds, error)
            component = ResolvedComponent(name, ResolvedComponent.RESPONSE, described, name)
            self.registry.register_on_missing(component)
            found[status] = component.ref
        return found

    def get_auth(self) -> list[dict[str, list[str]]]:
        found: list[dict[str, list[str]]] = []
        for authenticator in self.view.get_authenticators():
            name, scheme = scheme_of(authenticator)
            component = ResolvedComponent(
                name=name, type="securitySchemes", schema=scheme, object=name
            )
            self.registry.register_on_missing(component)
            found.append({name: []})
        open_to_all = AllowAny in self.view.permission_classes
        return [*found, {}] if open_to_all else found


def scheme_of(authenticator: BaseAuthentication) -> tuple[str, dict[str, Any]]:
    """Return the name and the security scheme of a way to sign in, also of the host's own."""
    if isinstance(authenticator, SessionAuthentication):
        says = "The session of Django's own sign-in; what changes anything also needs X-CSRFToken."
        return "session", {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": says,
        }
    header = authenticator.authenticate_header(None) or ""  # type: ignore[arg-type]
    word = header.partition(" ")[0].lower()
    if word == "bearer":
        says = "The access token of `auth/token/`, or one that the host gives out."
        return "bearer", {"type": "http", "scheme": "bearer", "description": says}
    if word == "basic":
        return "basic", {"type": "http", "scheme": "basic"}
    says = f"`{word or type(authenticator).__name__}`, as this site defines it."
    return (
        type(authenticator).__name__,
        {"type": "apiKey", "in": "header", "name": "Authorization", "description": says},
    )


class ChatEndpoints(EndpointEnumerator):
    """The paths of the chat, wherever the host has put them; nothing of the host's own."""

    def should_include_endpoint(self, path: str, callback: Any) -> bool:
        view: type | None = getattr(callback, "cls", None)
        return (
            view is not None
            and issubclass(view, ChatViewSet)
            and not issubclass(view, NowhereViewSet)
        )


class ChatGenerator(SchemaGenerator):
    """A generator that gives each view its schema, so that views need not know of it."""

    endpoint_inspector_cls = ChatEndpoints

    def create_view(self, callback: Any, method: str, request: Any = None) -> Any:
        view = super().create_view(callback, method, request)
        schema = ChatSchema()
        schema.view = view
        view.schema = schema
        return view


def tag_of(view: type) -> str:
    """Return the file of this door that a view stands in."""
    return view.__module__.split(".")[2]


def _said(thing: Any) -> str:
    return inspect.getdoc(thing) or ""


@cache
def openapi(urlconf: Any = None) -> tuple[dict[str, Any], list[str]]:
    """Return the document of a URL configuration, by default the site's, and the generator's warnings.

    A test sees to it that there are none.
    """
    with _generating, patched_settings(SETTINGS), GENERATOR_STATS.silence():
        generator = ChatGenerator(urlconf=urlconf)
        document = generator.get_schema(request=None, public=True)
        said = [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
    tags = sorted(
        {tag for path in document["paths"].values() for one in path.values() for tag in one["tags"]}
    )
    document["tags"] = [
        {"name": tag, "description": _said(importlib.import_module(f"chat.rest.{tag}"))}
        for tag in tags
    ]
    return document, said
