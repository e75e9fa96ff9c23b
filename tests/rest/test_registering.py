"""Signing up over REST: with a device it signs in as well, and an answer names everything that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from chat.models import Device, Profile
from tests.rest.conftest import PASSWORD, refresh, refused, with_token

pytestmark = pytest.mark.django_db

NEW = {"username": "eve", "password": PASSWORD, "email": "eve@example.org"}


def register(body: Any) -> Any:
    return APIClient().post("/api/auth/register/", body, format="json")


@pytest.mark.parametrize(("device", "name"), [("My phone", "My phone"), ("", "Browser")])
def test_with_a_device_one_is_signed_in(device: str, name: str) -> None:
    answer = APIClient().post(
        "/api/auth/register/", {**NEW, "device": device}, HTTP_USER_AGENT="Browser"
    )
    assert answer.status_code == 201
    told = answer.json()
    assert set(told) == {"user", "access", "refresh"}
    me = with_token(told["access"]).get("/api/users/me/")
    assert me.json() == told["user"]
    assert Device.objects.get().name == name
    assert refresh(told["refresh"]).status_code == 200


def test_without_one_the_answer_is_the_person_alone() -> None:
    answer = register(NEW)
    assert (answer.status_code, answer.json()["username"]) == (201, "eve")
    assert not Device.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code", "wrong"),
    [
        ({"username": "dora", "password": "short", "email": "no"}, 400, NEW),
        ({"username": "dora", "email": "no"}, 400, {"username", "email"}),
        ({"username": "!", "password": "short"}, 400, {"username", "password"}),
        ({"username": "x" * 65, "email": "DORA@example.org"}, 400, {"username", "email"}),
        ({"username": 7, "password": None, "email": "dora@example.org"}, 400, NEW),
        ({"username": "dora", "email": "dora@example.org"}, 409, {"username", "email"}),
        ({"username": "admin", "password": "", "email": "no"}, 400, NEW),
        (
            {"username": "!", "password": "short", "device": 7},
            400,
            {"username", "password", "device"},
        ),
        ({"username": "dora", "password": "short", "seq": 7}, 400, {"username", "password", "seq"}),
    ],
    ids=str,
)
def test_all_that_is_wrong_comes_in_one_answer(
    settings: Any, dora: Profile, changes: dict[str, Any], code: int, wrong: Any
) -> None:
    settings.AUTH_PASSWORD_VALIDATORS = [
        {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}
    ]
    assert dora.user
    dora.user.email = "dora@example.org"
    dora.user.save()
    if changes.get("username") == 7:
        changes = {**changes, "username": []}
    answer = register({**NEW, **changes})
    told = refused(answer, code, "invalid" if code == 400 else "conflict")
    assert set(told["fields"]) == set(wrong)
    assert Profile.objects.count() == 1


def test_closed_registration_tells_nothing_of_names(
    dora: Profile, configured: Callable[..., None]
) -> None:
    configured(REGISTRATION=False)
    said = [
        refused(register({**NEW, "username": name, "email": email}), 403, "forbidden")
        for name in ("dora", "eve")
        for email in ("no", "eve@example.org")
    ]
    assert said == [said[0]] * 4


def test_nothing_that_is_no_object_is_taken() -> None:
    refused(register([]), 400, "invalid")
    refused(register("x"), 400, "invalid")
