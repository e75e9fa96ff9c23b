"""Which pages count as one's own: scheme, host and port, as a trusted proxy tells them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest
from rest_framework.authentication import BaseAuthentication

from chat.conf import chat_settings
from chat.errors import Forbidden, Unauthenticated
from chat.websocket import signin
from chat.websocket.origins import from_allowed_origin


def handshake(origin: str | None, host: str = "localhost", **more: Any) -> ASGIRequest:
    headers = [(b"host", host.encode())]
    headers += [(b"origin", origin.encode())] if origin is not None else []
    headers += [(name.encode(), value.encode()) for name, value in more.pop("headers", {}).items()]
    scope = {"path": "/ws/", "scheme": "ws", "query_string": b"token=x", "headers": headers}
    return signin._handshake(signin.Credentials({**scope, **more}, cookies=True))


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "allowed"),
    [
        ("http://localhost", "localhost", "ws", True),
        ("http://localhost", "localhost:80", "ws", True),
        ("http://localhost:80", "localhost", "ws", True),
        ("HTTP://LocalHost", "localhost", "ws", True),
        ("https://localhost", "localhost", "wss", True),
        ("https://localhost:443", "localhost", "wss", True),
        ("http://[::1]:8000", "[::1]:8000", "ws", True),
        ("http://localhost", "localhost", "wss", False),
        ("https://localhost", "localhost", "ws", False),
        ("http://localhost:8000", "localhost", "ws", False),
        ("https://localhost:8000", "localhost:8000", "ws", False),
        ("http://localhost:8000", "localhost:8000", "wss", False),
        ("http://localhost", "localhost:8000", "ws", False),
        ("http://localhost.example.evil", "localhost", "ws", False),
        ("http://example.evil", "example.evil", "ws", False),
        ("http://localhost@example.evil", "localhost", "ws", False),
        ("http://localhost/path", "localhost", "ws", False),
        ("http://localhost:port", "localhost", "ws", False),
        ("http://localhost,http://localhost", "localhost", "ws", False),
        ("http://[", "localhost", "ws", False),
        ("null", "localhost", "ws", False),
        ("file://", "localhost", "ws", False),
        ("", "localhost", "ws", False),
        (None, "localhost", "ws", False),
    ],
)
def test_without_a_list_only_the_sites_own_is_allowed(
    origin: str | None, host: str, scheme: str, allowed: bool
) -> None:
    assert from_allowed_origin(handshake(origin, host, scheme=scheme)) is allowed


def test_a_proxy_that_is_trusted_says_which_scheme(settings: Any) -> None:
    headers = {"x-forwarded-proto": "https"}
    assert not from_allowed_origin(handshake("https://localhost", headers=headers))
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert from_allowed_origin(handshake("https://localhost", headers=headers))
    assert not from_allowed_origin(handshake("http://localhost", headers=headers))


def test_a_list_names_each_origin_exactly_and_nothing_else(configured: Any) -> None:
    configured(ORIGINS=["https://app.example.org", "http://127.0.0.1:3000/"])
    assert from_allowed_origin(handshake("https://app.example.org"))
    assert from_allowed_origin(handshake("https://app.example.org:443"))
    for other in (
        "http://app.example.org",
        "https://example.org",
        "https://x.app.example.org",
        "https://app.example.org:8443",
        "http://127.0.0.1:3000",
        "http://localhost",
        "null",
        None,
    ):
        assert not from_allowed_origin(handshake(other)), other
    configured(ORIGINS=[])
    assert not from_allowed_origin(handshake("http://localhost"))


def test_a_doubled_origin_is_none() -> None:
    asked = handshake("http://localhost", headers={"origin": "http://localhost"})
    assert not from_allowed_origin(asked)


def test_a_password_that_a_browser_remembers_is_like_a_cookie(configured: Any) -> None:
    class Anybody(BaseAuthentication):
        def authenticate(self, request: Any) -> None:
            return None

    configured(AUTHENTICATION=[Anybody])

    def opens(origin: str | None, scheme: str) -> None:
        signin.sign_in(handshake(origin, headers={"authorization": f"{scheme} x"}).scope)

    for scheme in ("Basic", "negotiate"):
        with pytest.raises(Forbidden):
            opens("http://example.evil", scheme)
    for origin, scheme in (
        ("http://localhost", "Basic"),
        (None, "Basic"),
        ("http://example.evil", "Bearer"),
    ):
        with pytest.raises(Unauthenticated):
            opens(origin, scheme)


def test_no_class_sees_a_query_nor_a_cookie_from_elsewhere(configured: Any, settings: Any) -> None:
    """A host's class that reads cookies or queries of its own is no way around."""
    seen: list[tuple[dict[str, str], dict[str, Any]]] = []

    class Curious(BaseAuthentication):
        def authenticate(self, request: Any) -> None:
            seen.append((dict(request.COOKIES), dict(request.GET)))

    configured(AUTHENTICATION=[Curious])
    assert [Curious] == chat_settings.AUTHENTICATION
    scope = handshake("http://localhost", headers={"cookie": "jwt=x"}).scope
    with pytest.raises(signin.NamesNobody):
        signin.sign_in({**scope, "query_string": b"token=x"})
    assert seen == [({"jwt": "x"}, {})]
    elsewhere = handshake("http://example.evil", headers={"cookie": "jwt=x"}).scope
    with pytest.raises(signin.NamesNobody):
        signin.sign_in({**elsewhere, "query_string": b"token=x"})
    # The second look only tells whether to say that a cookie was not enough.
    assert seen[1:] == [({}, {}), ({"jwt": "x"}, {})]
