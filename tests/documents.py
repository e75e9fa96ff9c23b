"""The two documents as a client gets them, and whether what was said fits them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator

from chat.commands import COMMANDS
from chat.rest.docs.openapi import openapi
from chat.websocket.asyncapi import asyncapi, event_key

Schema = dict[str, Any]


def _as_sent(document: Schema) -> Any:
    # No lazy texts any more, no enumerations of Python.
    return json.loads(json.dumps(document, default=str))


REST = _as_sent(openapi()[0])
SOCKETS = _as_sent(asyncapi("chat.example.org", secure=True))


def found(reference: Schema, document: Schema) -> Any:
    """What is meant by an object that may be a reference."""
    for name in reference.get("$ref", "").split("/")[1:]:
        document = document[name]
    return document if "$ref" in reference else reference


def validator(schema: Schema, document: Schema) -> Any:
    """What says whether something fits a schema of the document."""
    kind = Draft7Validator if document is SOCKETS else Draft202012Validator
    whole = {**schema, "components": document["components"]}
    return kind(whole, format_checker=kind.FORMAT_CHECKER)


@cache
def _answers(method: str, path: str) -> dict[str, Any] | None:
    """A validator for each status of an operation, None where there is no body; nothing for another path."""
    operation = REST["paths"].get(path, {}).get(method.lower())
    if operation is None:
        return None
    answers = {status: found(one, REST) for status, one in operation["responses"].items()}
    return {
        status: "content" in one and validator(one["content"]["application/json"]["schema"], REST)
        for status, one in answers.items()
    }


def check_answer(method: str, answer: Any) -> None:
    """Hold an answer to what the document says of its operation, if it is one.

    DRF's own `?format=`, for its pages, is no part of the protocol: a format that is not there is not found.
    """
    if "format=" in answer.request["QUERY_STRING"]:
        return
    match = answer.resolver_match
    route = getattr(match, "route", "").replace("<uuid:", "{").replace(">", "}")
    # What answers for any other path has no name.
    promised = _answers(method, f"/{route}") if match and match.url_name else None
    if promised is None or not answer.headers.get("Content-Type", "application/json").endswith(
        "json"
    ):
        return
    status = str(answer.status_code)
    assert status in promised, f"{method} /{route} does not promise {status}: {answer.content!r}"
    if promised[status]:
        promised[status].validate(answer.json())
    else:
        assert not answer.content


@cache
def _frame(key: str) -> Any:
    return validator(SOCKETS["components"]["messages"][key]["payload"], SOCKETS)


def check_done(command: str, frame: Schema) -> None:
    """Hold the answer to a command to what the document says of it."""
    _frame(f"{command}.done").validate(frame)


def check_frame(frame: Schema) -> None:
    """Hold what a server said to what the document says of its type."""
    if frame["type"] == "done":
        fitting = [name for name in COMMANDS if _frame(f"{name}.done").is_valid(frame)]
        assert fitting, frame
    else:
        _frame(event_key(frame["type"])).validate(frame)
