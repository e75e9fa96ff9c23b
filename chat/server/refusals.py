"""Answers that the server itself gives to a request which it does not pass to the application."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple


class Refusal(NamedTuple):
    """The status and the error shape of the protocol, `{code, detail}`."""

    status: HTTPStatus
    code: str
    detail: str


MALFORMED = Refusal(HTTPStatus.BAD_REQUEST, "invalid", "The request is not valid HTTP.")
CONNECT = Refusal(
    HTTPStatus.METHOD_NOT_ALLOWED, "unsupported", "The method CONNECT is not supported."
)
TOO_MANY_CONNECTIONS = Refusal(
    HTTPStatus.TOO_MANY_REQUESTS, "rate_limited", "Too many connections are open from this address."
)
BUSY = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "The server is receiving too many large bodies."
)
LEAVING = Refusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "The server is stopping. Send the request again."
)


def url_too_long(limit: int) -> Refusal:
    return Refusal(
        HTTPStatus.REQUEST_URI_TOO_LONG, "too_large", f"The URL may have at most {limit} bytes."
    )


def head_too_large(limit: int) -> Refusal:
    return _headers(f"The request line and the headers may have at most {limit} bytes together.")


def too_many_headers(limit: int) -> Refusal:
    return _headers(f"A request may have at most {limit} headers.")


def _headers(detail: str) -> Refusal:
    return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large", detail)


def body_too_large(limit: int) -> Refusal:
    # The words of the REST API for the same.
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"The body may have at most {limit} bytes.",
    )


def too_slow(part: str, seconds: float) -> Refusal:
    detail = f"The {part} did not arrive in time: the server waits {seconds:g} seconds for it."
    return Refusal(HTTPStatus.REQUEST_TIMEOUT, "unavailable", detail)


# No page of another site may use an answer, and no browser may take it for anything but JSON.
HEADERS = (
    b"content-type: application/json\r\n"
    b"cache-control: no-store\r\n"
    b"x-content-type-options: nosniff\r\n"
    b"referrer-policy: same-origin\r\n"
    b"content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n"
    b"connection: close\r\n"
)
RETRY_AFTER = {HTTPStatus.TOO_MANY_REQUESTS: 5, HTTPStatus.SERVICE_UNAVAILABLE: 2}


def response(refusal: Refusal, default_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a whole HTTP response, which says that the connection is closed after it."""
    shape: dict[str, object] = {"code": refusal.code, "detail": refusal.detail}
    head = f"HTTP/1.1 {refusal.status.value} {refusal.status.phrase}\r\n".encode()
    head += b"".join(name + b": " + value + b"\r\n" for name, value in default_headers)
    if seconds := RETRY_AFTER.get(refusal.status):
        shape["retry_after"] = seconds
        head += b"retry-after: %d\r\n" % seconds
    body = json.dumps(shape).encode()
    return head + HEADERS + b"content-length: %d\r\n\r\n" % len(body) + body
