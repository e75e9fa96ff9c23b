"""A path without its final slash leads to the one with it, whatever middleware the host has."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tests.rest.conftest import refused

pytestmark = [pytest.mark.django_db, pytest.mark.once]

PATHS = ["/api/rooms", f"/api/rooms/{uuid4()}/messages", "/api/auth/devices", "/api/schema"]


@pytest.fixture(params=["service", "host"])
def _site(request: Any, settings: Any) -> None:
    """The middleware of the service, or that of a host which has none that redirects."""
    if request.param == "host":
        settings.MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
        settings.APPEND_SLASH = False


@pytest.mark.usefixtures("_site")
@pytest.mark.parametrize("path", PATHS)
def test_get_is_redirected_with_its_query(path: str) -> None:
    answer = Client().get(f"{path}?limit=5&search=a%26b", headers={"accept": "application/json"})
    assert (answer.status_code, answer["Location"]) == (301, f"{path}/?limit=5&search=a%26b")
    assert answer["Cache-Control"] == "no-store"
    assert Client().head(path)["Location"] == f"{path}/"


@pytest.mark.usefixtures("_site")
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_other_methods_are_told_the_path(method: str) -> None:
    told = refused(getattr(APIClient(), method)("/api/rooms?limit=5"), 404, "not_found")
    assert told["detail"] == "Not found. The path ends with a slash: `/api/rooms/`."


@pytest.mark.usefixtures("_site")
@pytest.mark.parametrize(
    "path", ["/api/nowhere", "/api/rooms/x", "/api/nowhere/", "/api/rooms//", "/api//evil.example"]
)
def test_path_that_leads_nowhere_is_not_found(path: str) -> None:
    assert refused(APIClient().get(path), 404, "not_found")["detail"] == "Not found."
