"""AsyncAPI 3 of the sockets, written from the two catalogues and the shapes they name.

Seen from the server, as AsyncAPI has it: it receives commands and sends everything else.
"""

from __future__ import annotations

import inspect
from typing import Any

from django.conf import settings

from chat.commands import COMMANDS, Command
from chat.events import EVENTS, EventType
from chat.serializers.events import NothingPayload
from chat.serializers.examples import MOMENT, ROOM, example
from chat.serializers.json_schema import Schema, field_of, object_of, schema_of
from chat.serializers.people import UserSerializer
from chat.websocket.frames import REF_MAX
from chat.websocket.shapes import CLOSES, FRAMES
from chat.websocket.signin import AUTH_TIMEOUT, SUBPROTOCOL

VERSION = "1"
UUID: Schema = {"type": "string", "format": "uuid"}
SEQ: Schema = {"type": "integer", "minimum": 0}
REF: Schema = {
    "type": ["string", "integer"],
    "description": f"Chosen by the client, at most {REF_MAX} characters; the answer carries the same.",
}
# Name → address, what it hears, and what the address names.
CHANNELS: dict[str, tuple[str, str, dict[str, str]]] = {
    "all": ("/ws/", "All my rooms and my own log.", {}),
    "room": (
        "/ws/rooms/{room_id}/",
        "One room, which commands need not name.",
        {"room_id": "The id of the room."},
    ),
    "direct": (
        "/ws/direct/{user_id}/",
        "The direct room with a person; opening makes it. Commands need not name it.",
        {"user_id": "The id of the other person."},
    ),
}
DESCRIPTION = f"""JSON text frames under the subprotocol `{SUBPROTOCOL}`. Sign in by one of the security schemes,
by a header that a class of the service looks at, or by a first frame `auth` within {AUTH_TIMEOUT} seconds.
The server speaks first: `hello`. A command is answered by `done` or `failed` with its `ref`. Apply an event when
`seq` is one more than the cursor of its room, drop a lower one, and `resume` on a gap. A refused socket is
accepted, told `failed`, and closed.
So is one whose list of subprotocols names none that is known here."""
SECURITY: dict[str, Schema] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer <access>`",
    },
    "subprotocol": {
        "type": "httpApiKey",
        "in": "header",
        "name": "Sec-WebSocket-Protocol",
        "description": f"`{SUBPROTOCOL}, bearer.<access>`; only `{SUBPROTOCOL}` is echoed.",
    },
    "ticket": {
        "type": "httpApiKey",
        "in": "query",
        "name": "ticket",
        "description": "`?ticket=<ticket>` from POST `auth/ticket/`; it opens one socket.",
    },
    "cookie": {
        "type": "httpApiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "The session of a page on an allowed origin, where the service takes sessions.",
    },
}


def asyncapi(host: str, *, secure: bool) -> Schema:
    """Return the document for a server at this host."""
    schemas: dict[str, Schema] = {}
    messages = {**_commands(schemas), **_frames(schemas), **_events(schemas)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Parley, sockets",
            "version": VERSION,
            "description": DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "here": {
                "host": host,
                "protocol": "wss" if secure else "ws",
                "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in SECURITY],
            }
        },
        "channels": {name: _channel(name, messages) for name in CHANNELS},
        "operations": {
            key: operation for name in CHANNELS for key, operation in _operations(name).items()
        },
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": SECURITY,
            "correlationIds": {"ref": {"location": "$message.payload#/ref"}},
        },
    }


def _channel(name: str, messages: dict[str, Schema]) -> Schema:
    address, hears, parameters = CHANNELS[name]
    return {
        "address": address,
        "description": hears,
        "messages": {one: {"$ref": f"#/components/messages/{one}"} for one in messages},
        **(
            {"parameters": {key: {"description": says} for key, says in parameters.items()}}
            if parameters
            else {}
        ),
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
        "x-close-codes": {str(code): says for code, says in CLOSES.items()},
    }


def _operations(channel: str) -> dict[str, Schema]:
    """Return a command as one that the server receives and answers, and all that it says unasked."""
    here = {"$ref": f"#/channels/{channel}"}

    def named(*names: str) -> list[Schema]:
        return [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names]

    found: dict[str, Schema] = {
        f"{channel}.{name}": {
            "action": "receive",
            "channel": here,
            "summary": command.says,
            "messages": named(name),
            "reply": {"channel": here, "messages": named(f"{name}.done", "failed")},
        }
        for name, command in COMMANDS.items()
    }
    found[f"{channel}.tell"] = {
        "action": "send",
        "channel": here,
        "summary": "Events, and the socket's own frames.",
        "messages": named(*FRAMES, *(event_key(name) for name in EVENTS)),
    }
    return found


def event_key(name: str) -> str:
    """Return what an event is called among the messages, where some commands have the same name."""
    return f"{name}.event" if name in COMMANDS else name


def _message(
    name: str, summary: str, payload: Schema, sample: dict[str, Any], **more: Any
) -> Schema:
    return {
        "name": name,
        "summary": summary,
        **more,
        "payload": payload,
        "examples": [{"payload": sample}],
    }


def _commands(schemas: dict[str, Schema]) -> dict[str, Schema]:
    return {
        key: message
        for command in COMMANDS.values()
        for key, message in (
            (command.name, _command(command, schemas)),
            (f"{command.name}.done", _done(command, schemas)),
        )
    }


def _command(command: Command, schemas: dict[str, Schema]) -> Schema:
    shape = command.shape()
    payload = _typed(command.name, object_of(shape, schemas), {"ref": REF})
    return _message(
        command.name,
        command.says,
        payload,
        {"type": command.name, "ref": "c1", **example(shape)},
        correlationId={"$ref": "#/components/correlationIds/ref"},
    )


def _done(command: Command, schemas: dict[str, Schema]) -> Schema:
    result = command.answer()
    payload = _typed(
        "done", {"required": ["result"]}, {"ref": REF, "result": schema_of(result, schemas)}
    )
    return _message(
        "done",
        f"`{command.name}` is done; of a change this means that it is committed.",
        payload,
        {"type": "done", "ref": "c1", "result": example(result)},
        correlationId={"$ref": "#/components/correlationIds/ref"},
    )


def _frames(schemas: dict[str, Schema]) -> dict[str, Schema]:
    found = {}
    for name, shape in FRAMES.items():
        extra = {"ref": REF} if name == "failed" else {}
        payload = _typed(name, object_of(shape(), schemas), extra)
        says = (inspect.getdoc(shape) or "").partition("\n")[0]
        found[name] = _message(name, says, payload, {"type": name, **example(shape())})
    return found


def _events(schemas: dict[str, Schema]) -> dict[str, Schema]:
    return {event_key(name): _event(event, schemas) for name, event in EVENTS.items()}


def _event(event: EventType, schemas: dict[str, Schema]) -> Schema:
    shape = event.payload()
    own = object_of(shape, schemas)
    if event.payload is NothingPayload:
        own = {}
    if event.log is None:
        payload = _typed(event.name, own, {"room": UUID})
        return _message(event.name, event.says, payload, {"type": event.name, **example(shape)})
    actor = field_of(UserSerializer(allow_null=True), schemas)
    at = {"type": "string", "format": "date-time"}
    place = {"room": UUID, "seq": SEQ, "actor": actor, "at": at}
    # What a resume tells of one's own rooms has no place in the log.
    sure = ["room"] if event.name in {"room.joined", "room.left"} else list(place)
    payload = _typed(event.name, own, place, sure)
    sample = {
        "type": event.name,
        "room": ROOM,
        "seq": 42,
        "actor": example(UserSerializer()),
        "at": MOMENT,
    }
    return _message(event.name, event.says, payload, {**sample, **example(shape)})


def _typed(
    name: str, shape: Schema, more: dict[str, Schema], sure: list[str] | None = None
) -> Schema:
    """Return the frame of a type: a shape, with what surrounds it."""
    return {
        "type": "object",
        "properties": {"type": {"const": name}, **more, **shape.get("properties", {})},
        "required": ["type", *(sure or []), *shape.get("required", [])],
    }
