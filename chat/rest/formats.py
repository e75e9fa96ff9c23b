"""JSON in and out: no body may break the server, and every shape can be written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import SEEK_END
from typing import IO, Any

import orjson
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from chat.errors import Invalid, LengthRequired, TooLarge
from chat.serializers.fields import json_text

# Levels of a body. Deeper than any shape of ours, and far from where Python's own recursion ends.
DEPTH_MAX = 32


class JSONRenderer(BaseRenderer):
    """JSON as UTF-8; indented where a person reads it in the browsable API."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        if (renderer_context or {}).get("indent"):
            return json.dumps(data, indent=2, ensure_ascii=False, default=str).encode()
        return json_text(data)


class JSONParser(BaseParser):
    """JSON by the letter: no NaN, no lone surrogates, no depth that Python could not walk."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            body = orjson.loads(stream.read())
        except orjson.JSONDecodeError as error:
            raise Invalid(f"This is not JSON: {error}.") from None
        if nests_deeper(body, DEPTH_MAX):
            raise Invalid(f"The body nests more than {DEPTH_MAX} levels.")
        return body


def nests_deeper(value: Any, levels: int) -> bool:
    """Say whether objects and arrays nest deeper than so many levels."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [inner for item in layer for inner in _inside(item)]
        if not layer:
            return False
    return True


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def set_length(request: HttpRequest) -> None:
    """Set the `CONTENT_LENGTH` of a body that came without one, because Django and DRF take such a body for none.

    Under ASGI the body has been received. Under WSGI Django cannot read it. Raises LengthRequired.
    """
    meta = request.META
    if meta.get("CONTENT_LENGTH"):
        return
    if isinstance(request, ASGIRequest):
        body = request._stream
        at = body.tell()
        size = body.seek(0, SEEK_END)
        body.seek(at)
        if size:
            meta["CONTENT_LENGTH"] = str(size)
    elif "HTTP_TRANSFER_ENCODING" in meta:
        raise LengthRequired


def refuse_oversize(request: HttpRequest) -> None:
    """Refuse a body above the host's ``DATA_UPLOAD_MAX_MEMORY_SIZE``, unread. Raises TooLarge."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if limit is not None and length.isdecimal() and int(length) > limit:
        raise TooLarge(f"At most {limit} bytes.")
