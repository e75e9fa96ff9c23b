"""A browser sends cookies whoever's page asks, so a change needs a token that another's page has not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.urls import URLPattern
from rest_framework.test import APIClient

from chat.models import Device, Profile
from chat.rest import urls as rest
from chat.rest.auth import urls as auth
from tests.live.processes import ROOT
from tests.rest.conftest import PASSWORD, refused

pytestmark = pytest.mark.django_db

SAFE = {"get", "head", "options"}
# These look at no sign-in, set no cookie and take no form from elsewhere that does anything for its sender.
OPEN = {"/api/auth/register/", "/api/auth/token/", "/api/auth/token/refresh/"}


def changes() -> Iterator[tuple[str, str]]:
    """Every path with a method that changes something."""
    for prefix, patterns in (("/api/auth/", auth.urlpatterns), ("/api/", rest.urlpatterns)):
        for pattern in patterns:
            assert isinstance(pattern, URLPattern)
            path = prefix + str(pattern.pattern)
            for name in pattern.pattern.converters:
                path = path.replace(f"<uuid:{name}>", str(uuid4()))
            for method in pattern.callback.actions:
                if method not in SAFE and path not in OPEN:
                    yield method, path


CHANGES = list(changes())


@pytest.mark.parametrize(("method", "path"), CHANGES, ids=[f"{m} {p[:30]}" for m, p in CHANGES])
def test_a_change_by_a_session_needs_the_csrf_token(dora: Profile, method: str, path: str) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(dora.user)
    assert client.get("/api/users/me/").status_code == 200
    refused(client.generic(method.upper(), path, "{}", "application/json"), 403, "forbidden")


@pytest.mark.parametrize("path", [*sorted(OPEN), "/api/groups/"])
def test_json_in_a_plain_form_is_not_read(dora: Profile, path: str) -> None:
    client = APIClient()
    client.force_login(dora.user)
    body = '{"username": "dora", "password": "' + PASSWORD + '", "title": "x"}'
    refused(client.generic("POST", path, body, "text/plain"), 415, "unsupported")


def test_signing_in_sets_no_cookie(dora: Profile) -> None:
    answer = APIClient().post("/api/auth/token/", {"username": "dora", "password": PASSWORD})
    assert answer.status_code == 200
    assert not answer.cookies


def test_nothing_changes_by_reading(dora: Profile) -> None:
    client = APIClient()
    client.force_login(dora.user)
    for path in ("token/", "register/", "token/refresh/", "logout/", "ticket/"):
        refused(client.get(f"/api/auth/{path}"), 405, "unsupported")
    assert not Device.objects.exists()


def test_cookies_of_the_service_are_for_this_site_and_tls_alone() -> None:
    names = ("SESSION", "CSRF")
    show = "; ".join(
        f"print(s.{n}_COOKIE_NAME, s.{n}_COOKIE_SECURE, s.{n}_COOKIE_SAMESITE)" for n in names
    )
    only = "print(s.SESSION_COOKIE_HTTPONLY, s.CSRF_COOKIE_HTTPONLY)"
    code = f"from django.conf import settings as s; {show}; {only}"
    environment: dict[str, Any] = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "HTTPS": "on",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:3] == [
        "__Host-sessionid True Lax",
        "__Host-csrftoken True Lax",
        "True True",
    ]
