"""A service set up for the world: it does not start with weak settings, and every answer has its headers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from secrets import token_urlsafe
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from chat.actions.people import profile_for
from tests.live.processes import ROOT
from tests.scene import staff_with

SECURE = {
    "DJANGO_SETTINGS_MODULE": "project.settings",
    "DEBUG": "off",
    "HTTPS": "on",
    "SECRET_KEY": token_urlsafe(64),
    "JWT_SIGNING_KEY": token_urlsafe(64),
    "ALLOWED_HOSTS": "chat.example.org",
    "DATABASE_URL": "sqlite:////nowhere/parley.sqlite3",
    "REDIS_URL": "redis://127.0.0.1:6379",
}


def checked(**changes: str) -> tuple[int, str]:
    """Run the checks for deployment; return how they ended and what they said."""
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={**os.environ, **SECURE, **changes},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_what_is_well_set_up_is_let_go() -> None:
    assert checked()[0] == 0


WEAK: dict[str, tuple[dict[str, str], str]] = {
    "development": ({"DEBUG": "on"}, "security.W018"),
    "no key": ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
    "a short key": ({"SECRET_KEY": "k" * 30 + "0123456789"}, "at least 50 characters"),
    "a key of one letter": ({"SECRET_KEY": "k" * 64}, "SECRET_KEY is not random"),
    "Django's own key": ({"SECRET_KEY": f"django-insecure-{token_urlsafe(48)}"}, "security.W009"),
    "no key for tokens": ({"JWT_SIGNING_KEY": ""}, "JWT_SIGNING_KEY is not set"),
    "one key for both": ({"JWT_SIGNING_KEY": SECURE["SECRET_KEY"]}, "must not be SECRET_KEY"),
    "any host": ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name the hosts"),
    "no host": ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is not set"),
    "no TLS": ({"HTTPS": "off"}, "security.W008"),
}


@pytest.mark.parametrize("weak", WEAK)
def test_weak_settings_are_refused(weak: str) -> None:
    changes, said = WEAK[weak]
    code, told = checked(**changes)
    assert code != 0
    assert said in told
    assert SECURE["SECRET_KEY"] not in told


def test_the_server_does_not_start_with_them() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "project.server"],
        cwd=ROOT,
        env={**os.environ, **SECURE, "SECRET_KEY": "short"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert done.stderr.startswith("Not started: SECRET_KEY must have at least 50 characters")


# What is answered by different hands: a path, who asks, and the status.
ANSWERS: dict[str, tuple[str, str, int]] = {
    "welcome": ("/", "nobody", 200),
    "API": ("/api/users/me/", "person", 200),
    "API, browsable": ("/api/rooms/", "browser", 200),
    "API, not signed in": ("/api/users/me/", "nobody", 401),
    "API, not found": ("/api/nowhere/", "nobody", 404),
    "API, not acceptable": ("/api/rooms/?format=xml", "person", 404),
    "the document": ("/api/schema/", "nobody", 200),
    "the other document": ("/api/asyncapi/", "nobody", 200),
    "Swagger UI": ("/api/docs/", "nobody", 200),
    "the console": ("/api/console/", "nobody", 200),
    "admin": ("/admin/", "staff", 200),
    "admin, a list": ("/admin/chat/room/", "staff", 200),
    "admin, sign-in": ("/admin/login/", "nobody", 200),
    "admin, redirect": ("/admin/", "nobody", 302),
    "admin, not found": ("/admin/nowhere/", "staff", 404),
    "API's sign-in": ("/api-auth/login/", "nobody", 200),
    "not found": ("/nowhere", "nobody", 404),
    "icon": ("/favicon.ico", "nobody", 200),
    "alive": ("/healthz", "nobody", 200),
    "ready": ("/readyz", "nobody", 200),
}


@pytest.fixture
def ask(db: None) -> Any:
    """What a path answers to someone over TLS."""

    def ask(path: str, who: str, **more: Any) -> Any:
        client = Client(raise_request_exception=False)
        if who == "staff":
            client.force_login(staff_with("view_room"))
        elif who != "nobody":
            user = get_user_model().objects.create_user("ann")
            profile_for(user)
            client.force_login(user)
        accept = "text/html" if who == "browser" else "application/json, */*"
        return client.get(path, secure=True, headers={"Accept": accept, **more})

    return ask


def hardened(answer: Any) -> None:
    """Hold an answer to what every answer has."""
    headers = answer.headers
    assert re.fullmatch(r"max-age=\d{8,}; includeSubDomains", headers["Strict-Transport-Security"])
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    policy = dict(
        part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";")
    )
    assert {policy[name] for name in ("object-src", "base-uri", "frame-ancestors")} == {"'none'"}
    assert "'unsafe-inline'" not in policy.get("script-src", policy["default-src"])
    assert "'unsafe-eval'" not in str(policy)
    assert not {"Server", "X-Powered-By"} & set(headers)
    assert not [name for name in headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize("name", ANSWERS)
def test_every_kind_of_answer_has_its_headers(ask: Any, name: str) -> None:
    path, who, status = ANSWERS[name]
    answer = ask(path, who)
    assert answer.status_code == status
    hardened(answer)
    public = ("/api/asyncapi/", "/api/schema/")
    open_to_all = status == 404 or path.startswith(public)
    if path.startswith(("/api/", "/admin/")) and not open_to_all:
        assert "no-store" in answer["Cache-Control"]


def test_a_defect_has_them_too_and_says_nothing_of_itself(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise KeyError("sesame")

    monkeypatch.setattr("chat.rest.people.people_for", fail)
    answer = ask("/api/users/", "person")
    assert answer.status_code == 500
    hardened(answer)
    told = answer.content.decode()
    assert not [word for word in ("sesame", "Traceback", "people_for", ".py") if word in told]


def test_another_origin_is_told_nothing_that_a_browser_would_hand_on(ask: Any) -> None:
    for origin in ("https://evil.example", "null", "https://testserver.evil.example"):
        hardened(ask("/api/", "nobody", Origin=origin))
    preflight = Client().options(
        "/api/groups/",
        secure=True,
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )
    hardened(preflight)


def test_what_comes_without_tls_is_sent_to_tls(settings: Any, db: None) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get("/api/users/me/?a=b")
    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/api/users/me/?a=b")
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", ["/api/docs/", "/api/console/"])
def test_a_page_for_someone_signed_in_is_not_kept(ask: Any, path: str) -> None:
    """It holds a CSRF token or a name."""
    assert "no-store" in ask(path, "browser")["Cache-Control"]


def test_the_icon_is_there_for_pages_that_name_none(ask: Any) -> None:
    icon = ask("/favicon.ico", "nobody")
    assert icon["Content-Type"] == "image/svg+xml"
    assert icon.content.startswith(b"<svg")
    assert "max-age=86400" in icon["Cache-Control"]


@pytest.mark.parametrize("path", ["/api-auth/login/", "/admin/login/"])
def test_signing_in_without_next_leads_to_a_page(db: None, path: str) -> None:
    user = get_user_model().objects.create_superuser("olga", password="tea-at-half-past-four")
    profile_for(user)
    form = {"username": "olga", "password": "tea-at-half-past-four"}
    answer = Client().post(path, form, secure=True, follow=True)
    assert answer.redirect_chain
    assert answer.status_code == 200


def test_a_listed_origin_has_every_security_header_and_no_cookies(ask: Any, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    headers = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "PATCH"}
    preflight = Client().options("/api/groups/", secure=True, headers=headers)
    assert preflight["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert "PATCH" in preflight["Access-Control-Allow-Methods"]
    assert "authorization" in preflight["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in preflight
    without_cors(preflight)
    # The rest of the site is for its own pages.
    for path in ("/admin/login/", "/healthz"):
        hardened(ask(path, "nobody", Origin="https://app.example.org"))


def without_cors(answer: Any) -> None:
    """Hold an answer to what every answer has, its CORS headers apart."""
    for name in [name for name in answer.headers if name.startswith("Access-Control-")]:
        del answer[name]
    hardened(answer)


def test_one_variable_lists_origins_for_rest_and_socket() -> None:
    shown = "print(s.CHAT['ORIGINS'], s.CORS_ALLOWED_ORIGINS, s.CORS_ALLOW_CREDENTIALS)"
    said = {
        value: subprocess.run(
            [sys.executable, "-c", f"from django.conf import settings as s; {shown}"],
            cwd=ROOT,
            env={**os.environ, **SECURE, "CHAT_ORIGINS": value},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for value in ("https://app.example.org", "")
    }
    listed = "['https://app.example.org']"
    assert said == {"https://app.example.org": f"{listed} {listed} False", "": "None [] False"}
