"""The two documents are valid, complete, and true of what is really sent."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.validation import validate_schema
from jsonschema import Draft7Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from chat.commands import COMMANDS
from chat.errors import ChatError
from chat.events import EVENTS
from chat.rest.docs.openapi import openapi
from chat.rest.docs.refusals import KINDS
from chat.websocket.asyncapi import CHANNELS, event_key
from chat.websocket.frames import CLOSE_CODES
from chat.websocket.routing import websocket_urlpatterns
from chat.websocket.shapes import CLOSES, FRAMES
from tests.documents import REST, SOCKETS, found, validator

pytestmark = pytest.mark.once

# Pages for people, and what any other path comes to.
NO_OPERATIONS = {"docs", "console"}
OFFICIAL = Path(__file__).parent / "data" / "asyncapi-3.0.0.schema.json.gz"
METHODS = {"get", "post", "put", "patch", "delete"}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in REST["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_openapi_is_valid_and_was_made_without_a_warning() -> None:
    assert REST["openapi"].startswith("3.1.")
    assert not openapi()[1]
    validate_schema(REST)
    # Stricter: it also holds each default and example to its own schema.
    errors = [one.message for one in OpenAPIV31SpecValidator(REST).iter_errors()]
    assert not errors


def test_an_empty_search_is_told_to_be_allowed_as_it_is() -> None:
    """Of groups it is another question than none: the public directory."""
    for path in ("/api/groups/", "/api/rooms/", "/api/users/"):
        told = {one["name"]: one for one in REST["paths"][path]["get"]["parameters"]}["search"]
        assert "minLength" not in told["schema"]
        assert not told.get("required")
        assert ("default" in told["schema"]) == (path != "/api/groups/")


def urls(patterns: Any, prefix: str = "/") -> Iterator[tuple[str, URLPattern]]:
    for one in patterns:
        path = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from urls(one.url_patterns, path)
        else:
            yield path, one


def test_every_path_under_api_is_in_the_document_with_every_method() -> None:
    """A view that is added and says nothing of its answers is seen here."""
    missing = []
    for path, pattern in urls(get_resolver().url_patterns):
        if not path.startswith("/api/") or not pattern.name or pattern.name in NO_OPERATIONS:
            continue
        documented = REST["paths"].get(path.replace("<uuid:", "{").replace(">", "}"), {})
        actions = getattr(pattern.callback, "actions", {})
        assert actions, f"{path} is no view of this door"
        missing += [
            f"{method} {path}" for method in set(actions) & METHODS if method not in documented
        ]
    assert not missing
    assert len(REST["paths"]) > 20


@pytest.mark.parametrize(("name", "operation"), list(operations()))
def test_an_operation_is_told_whole(name: str, operation: dict[str, Any]) -> None:
    """Words for people; shapes and examples that fit them; all refusals in the one shape."""
    assert operation["summary"]
    assert operation["tags"]
    assert operation["responses"].keys() >= {"406", "429", "500", "503"}
    assert "security" in operation
    signed_in = {} not in operation["security"] and operation["security"]
    assert operation["responses"].keys() >= ({"401", "403"} if signed_in else set())
    named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
    assert all(f"{{{name}}}" in named or f"{{{one}}}" in name for one in named)
    if "requestBody" in operation:
        assert operation["responses"].keys() >= {"400", "413", "415"}
        fits(operation["requestBody"]["content"]["application/json"])
    for status, reference in operation["responses"].items():
        answer = found(reference, REST)
        assert answer["description"]
        if status != "204":
            fits(answer["content"]["application/json"])


def fits(content: dict[str, Any]) -> None:
    assert content["examples"]
    for example in content["examples"].values():
        validator(content["schema"], REST).validate(example["value"])


def test_every_code_of_an_error_is_in_the_document_with_its_status() -> None:
    told = {
        (code, answer[0])
        for _, operation in operations()
        for answer in ((s, found(a, REST)) for s, a in operation["responses"].items() if s >= "4")
        for code in answer[1]["content"]["application/json"]["schema"]["properties"]["code"]["enum"]
    }
    assert told == {(kind.code, str(kind.status)) for kind in KINDS} | {
        ("unsupported", "406"),
        ("unavailable", "500"),
    }
    assert ChatError not in KINDS


def test_the_document_knows_bearer_and_session() -> None:
    schemes = REST["components"]["securitySchemes"]
    assert schemes["bearer"] | {"description": ""} == {
        "type": "http",
        "scheme": "bearer",
        "description": "",
    }
    assert schemes["session"]["in"] == "cookie"


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    assert len(names) == len(set(names))


def test_asyncapi_is_valid_by_the_official_schema() -> None:
    official = json.loads(gzip.decompress(OFFICIAL.read_bytes()))
    Draft7Validator(official).validate(SOCKETS)
    # The schema is not asleep.
    assert not Draft7Validator(official).is_valid({**SOCKETS, "channels": []})
    assert not Draft7Validator(official).is_valid({**SOCKETS, "asyncapi": "2.6.0"})


def test_every_reference_of_asyncapi_leads_somewhere() -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                found(node, SOCKETS)
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(SOCKETS)


def test_asyncapi_has_every_command_and_event_and_nothing_else() -> None:
    messages = SOCKETS["components"]["messages"]
    answers = {f"{name}.done" for name in COMMANDS}
    assert messages.keys() == {*COMMANDS, *answers, *FRAMES, *map(event_key, EVENTS)}
    for channel in CHANNELS:
        assert SOCKETS["channels"][channel]["messages"].keys() == messages.keys()
        told = {name for name in SOCKETS["operations"] if name.startswith(f"{channel}.")}
        assert told == {f"{channel}.{name}" for name in (*COMMANDS, "tell")}


def test_asyncapi_has_every_way_to_sign_in() -> None:
    schemes = SOCKETS["components"]["securitySchemes"]
    places = {name: (one.get("in"), one.get("name")) for name, one in schemes.items()}
    assert places == {
        "bearer": (None, None),
        "subprotocol": ("header", "Sec-WebSocket-Protocol"),
        "ticket": ("query", "ticket"),
        "cookie": ("cookie", settings.SESSION_COOKIE_NAME),
    }
    named = {one["$ref"].rpartition("/")[2] for one in SOCKETS["servers"]["here"]["security"]}
    assert named == set(schemes)
    assert "first frame `auth`" in SOCKETS["info"]["description"]


def test_asyncapi_has_every_path_and_every_way_to_be_closed() -> None:
    routed = {
        "/" + str(one.pattern).replace("<uuid:", "{").replace(">", "}")
        for one in websocket_urlpatterns
        if str(one.pattern)
    }
    assert {one["address"] for one in SOCKETS["channels"].values()} == routed
    assert set(CLOSES) >= set(CLOSE_CODES.values())


@pytest.mark.parametrize("name", SOCKETS["components"]["messages"])
def test_the_example_of_a_message_fits_its_shape(name: str) -> None:
    message = SOCKETS["components"]["messages"][name]
    for example in message["examples"]:
        validator(message["payload"], SOCKETS).validate(example["payload"])


def test_both_documents_show_a_shape_alike() -> None:
    """They are written by two hands; what they share has the same fields, kinds and bounds."""
    ours, theirs = (one["components"]["schemas"] for one in (SOCKETS, REST))
    shared = sorted(ours.keys() & theirs.keys())
    assert len(shared) > 5
    for name in shared:
        assert plain(ours[name]) == plain(theirs[name]), name


def plain(schema: dict[str, Any]) -> dict[str, Any]:
    """The fields of an object and what must be there, without words."""
    fields = {
        name: {
            (key, str(sorted(map(str, value)) if isinstance(value, list) else value))
            for key, value in field.items()
            if key
            not in {"description", "format", "additionalProperties", "oneOf", "title", "items"}
        }
        for name, field in schema["properties"].items()
    }
    return {"fields": fields, "required": sorted(schema.get("required", []))}
