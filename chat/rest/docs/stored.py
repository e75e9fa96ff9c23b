"""The documents as they are sent: written once per process for each set of paths and each host."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from threading import Lock
from typing import Any

from django.utils import translation

from chat.errors import LANGUAGE
from chat.rest.formats import JSONRenderer
from chat.websocket.asyncapi import asyncapi

# A site with a wildcard in ALLOWED_HOSTS has any number of hosts.
HOSTS_MAX = 16
# Requests that come together wait for one of them to write the document.
_writing = Lock()


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as JSON, and its entity tag."""

    text: bytes
    etag: str


def asyncapi_of(host: str, secure: bool) -> Stored:
    """Return the AsyncAPI document for a host."""
    with _writing:
        return _asyncapi(host, secure)


def openapi_of(urlconf: Any) -> Stored:
    """Return the OpenAPI document of the paths of a URL configuration."""
    with _writing:
        return _openapi(urlconf)


@lru_cache(maxsize=HOSTS_MAX)
def _asyncapi(host: str, secure: bool) -> Stored:
    with translation.override(LANGUAGE):
        return _stored(asyncapi(host, secure=secure))


@lru_cache(maxsize=HOSTS_MAX)
def _openapi(urlconf: Any) -> Stored:
    # Only reached where drf-spectacular is installed.
    from chat.rest.docs.openapi import openapi  # noqa: PLC0415

    with translation.override(LANGUAGE):
        return _stored(openapi(urlconf)[0])


def _stored(document: dict[str, Any]) -> Stored:
    text = JSONRenderer().render(document)
    return Stored(text, f'"{sha256(text).hexdigest()[:32]}"')
