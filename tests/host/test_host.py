"""The host goes on as before the chat came."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client
from mysite import settings as written
from rest_framework.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken

pytestmark = pytest.mark.django_db(databases="__all__")

READ = copy.deepcopy((written.REST_FRAMEWORK, written.SIMPLE_JWT))


def test_what_the_host_wrote_is_what_holds() -> None:
    assert apps.is_installed("chat")
    assert settings.REST_FRAMEWORK is written.REST_FRAMEWORK
    assert settings.SIMPLE_JWT is written.SIMPLE_JWT
    import chat.rest.auth.urls
    import chat.rest.urls
    import chat.websocket.routing  # noqa: F401

    assert READ == (written.REST_FRAMEWORK, written.SIMPLE_JWT)
    assert api_settings.PAGE_SIZE == 2
    assert api_settings.user_settings is written.REST_FRAMEWORK


def test_its_lists_have_its_pages_and_its_envelope(account: Any, signed_in: Any) -> None:
    ann, *_ = [account(name) for name in ("ann", "bob", "cat")]
    answer = signed_in(ann).get("/orders/").json()["host"]
    assert answer["count"] == 3
    assert [one["email"] for one in answer["results"]] == ["ann@example.org", "bob@example.org"]


def test_its_permission_its_parser_and_its_errors(account: Any, signed_in: Any) -> None:
    ann = account("ann")
    client = signed_in(ann)
    assert client.post("/orders/asked/", {"a": "b"}).status_code == 415
    form = {"content_type": "application/x-www-form-urlencoded"}
    assert client.post("/orders/asked/", "a=b", **form).json() == {"host": {"a": "b"}}
    ann.pays = False
    ann.save()
    assert client.get("/orders/").json() == {"host": {"error": 403}}
    assert Client().get("/orders/").status_code == 401


def test_its_tokens_are_its_own(account: Any) -> None:
    token = AccessToken.for_user(account("ann"))
    assert AccessToken.lifetime == timedelta(hours=7)
    assert token["exp"] - token["iat"] == 7 * 3600
    assert "iss" not in token
