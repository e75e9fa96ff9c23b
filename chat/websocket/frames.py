"""Frames as they come in and the answers that concern one socket alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from chat.errors import (
    ChatError,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    TokenExpired,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unsupported,
)
from chat.security_log import log_refusal
from chat.websocket.socket import Socket, size

REF_MAX = 64

# How a refused socket is closed; anything else that is wrong with the server says: try again later.
CLOSE_CODES = {
    Invalid.code: 4400,
    Unsupported.code: 4400,
    Unauthenticated.code: 4401,
    TokenExpired.code: 4401,
    Forbidden.code: 4403,
    NotFound.code: 4404,
    RateLimited.code: 4429,
    TooLarge.code: 1009,
    Unavailable.code: 1013,
}


def size_of(message: dict[str, Any]) -> int:
    """Return the bytes of a frame."""
    text = message.get("text")
    return len(message.get("bytes") or b"") if text is None else size(text)


def parsed(message: dict[str, Any]) -> dict[str, Any]:
    """Return a frame as an object with a ``type``. Raises Unsupported, Invalid."""
    text = message.get("text")
    if text is None:
        raise Unsupported("Binary frames are not spoken on chat.v1.")
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Invalid("The frame is not JSON.") from None
    if not isinstance(frame, dict):
        raise Invalid("The frame is not an object.")
    if not isinstance(frame.get("type"), str):
        raise Invalid("The frame has no type.")
    return frame


def ref_of(frame: dict[str, Any]) -> dict[str, Any]:
    """Return the ref to be repeated in the answer. Raises Invalid for one that is no short text or number."""
    ref = frame.get("ref")
    if ref is None:
        return {}
    if isinstance(ref, bool) or not isinstance(ref, (str, int)) or len(str(ref)) > REF_MAX:
        raise Invalid(f"A ref is a text or number of at most {REF_MAX} characters.")
    return {"ref": ref}


def failed(error: ChatError, ref: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the answer that says what was refused."""
    return {"type": "failed", **(ref or {}), "error": error.as_dict()}


def log_failed(error: ChatError, socket: Socket, command: str | None, room: Any = None) -> None:
    """Log a refused command if its refusal concerns security; ``room`` is as the client sent it, of any type."""
    try:
        room = UUID(str(room))
    except ValueError:
        room = None
    log_refusal(error, operation=f"socket:{command or ''}", person=socket.viewer.pk, room=room)


def refuse(socket: Socket, error: ChatError) -> None:
    """Say why, then close."""
    socket.answer(failed(error))
    socket.close(CLOSE_CODES.get(error.code, 1011))
