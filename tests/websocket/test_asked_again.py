"""Which sign-ins are asked again while their socket is open, and what an answer ends."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.backends.signed_cookies import SessionStore as CookieStore
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import APIException, NotAuthenticated, Throttled
from rest_framework.request import Request

from chat.actions.people import register_person
from chat.websocket.signin import SignedIn, sign_in, still_in

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
SECRET = "what-only-they-know"


class Away(APIException):
    """What stands behind the class is away."""

    status_code = 503


class Moody(BaseAuthentication):
    """Whoever names themselves, until it answers something else."""

    answers: Any = None

    def authenticate(self, request: Request) -> Any:
        if isinstance(self.answers, Exception):
            raise self.answers
        named = self.answers or request.headers["X-Name"].removesuffix(SECRET)
        return get_user_model().objects.get(username=named), None


class WithSecondFactor(SessionAuthentication):
    """Looks at more than the session."""


@pytest.fixture
def people() -> None:
    for name in ("dora", "emil"):
        register_person(username=name, password=PASSWORD)


def handshake(**headers: str) -> dict[str, Any]:
    named = [(name.lower().replace("_", "-"), value) for name, value in headers.items()]
    raw = [(name.encode(), value.encode()) for name, value in named]
    return {"type": "websocket", "scheme": "ws", "path": "/ws/", "headers": raw}


def asked(who: SignedIn) -> list[str]:
    assert who.credentials is not None
    return [one.code for one in still_in([(who.credentials, who.grounds)]).values()]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("answers", "refused"),
    [
        (None, []),
        ("emil", ["unauthenticated"]),
        (NotAuthenticated("no more"), ["unauthenticated"]),
        (NotAuthenticated(code="token_expired"), ["token_expired"]),
        (ConnectionError(SECRET), []),
        (Away(SECRET), []),
        (Throttled(5), []),
    ],
)
def test_only_a_refusal_ends_a_socket(
    answers: Any,
    refused: list[str],
    configured: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    configured(AUTHENTICATION=[Moody])
    who = sign_in(handshake(X_Name="dora" + SECRET))
    assert asked(who) == []
    monkeypatch.setattr(Moody, "answers", answers)
    assert asked(who) == refused
    assert SECRET not in caplog.text + repr(who)


def session_of(name: str, store: Any) -> str:
    user = get_user_model().objects.get(username=name)
    session = store()
    session[SESSION_KEY] = str(user.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("by", "store", "again"),
    [
        (SessionAuthentication, SessionStore, False),
        (SessionAuthentication, CookieStore, True),
        (WithSecondFactor, SessionStore, True),
    ],
)
def test_a_session_is_asked_after_unless_the_table_says_all(
    by: Any, store: Any, again: bool, configured: Any, settings: Any
) -> None:
    settings.SESSION_ENGINE = store.__module__
    configured(AUTHENTICATION=[by], ORIGINS=["http://here.example"])
    cookie = f"{settings.SESSION_COOKIE_NAME}={session_of('dora', store)}"
    who = sign_in(handshake(Cookie=cookie, Origin="http://here.example"))
    assert (who.credentials is not None) == again


@pytest.mark.usefixtures("people")
def test_a_password_is_not_looked_at_every_few_seconds(configured: Any) -> None:
    configured(AUTHENTICATION=["rest_framework.authentication.BasicAuthentication"])
    word = b64encode(f"dora:{PASSWORD}".encode()).decode()
    assert sign_in(handshake(Authorization=f"Basic {word}")).credentials is None
