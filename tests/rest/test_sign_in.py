"""Sign-in: a device begins with a name and a password, and ends at once, whatever ends it."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connections, router
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from chat.models import Device, Profile
from tests.rest.conftest import PASSWORD, SignIn, refresh, refused, with_token

pytestmark = pytest.mark.django_db

NEW = {"username": "Emil", "password": PASSWORD, "email": "emil@example.org"}


def test_registering_answers_the_own_profile_and_no_address() -> None:
    answer = APIClient().post("/api/auth/register/", NEW)
    assert answer.status_code == 201
    assert answer.json()["username"] == "Emil"
    assert "emil@example.org" not in answer.content.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "emil\n"}, None),
        ({"username": "<emil>"}, "username"),
        ({"username": "e\x00mil"}, "username"),
        ({"username": "e" * 65}, "username"),
        ({"username": ["emil"]}, "username"),
        ({"password": ""}, "password"),
        ({"password": "short"}, "password"),
        ({"password": "p\x00" * 9}, "password"),
        ({"password": "p" * 2000}, "password"),
        ({"email": "nowhere"}, "email"),
    ],
)
def test_a_sign_up_that_is_refused_says_where(change: dict[str, Any], field: str | None) -> None:
    answer = APIClient().post("/api/auth/register/", {**NEW, **change})
    if field is None:
        assert answer.json()["username"] == "emil"
    else:
        assert list(refused(answer, 400, "invalid")["fields"]) == [field]


def test_a_taken_name_is_a_conflict_whatever_its_case(dora: Profile) -> None:
    answer = APIClient().post("/api/auth/register/", {**NEW, "username": "DORA"})
    assert "username" in refused(answer, 409, "conflict")["fields"]


def test_registration_can_be_switched_off(configured: Any) -> None:
    configured(REGISTRATION=False)
    refused(APIClient().post("/api/auth/register/", NEW), 403, "forbidden")


def test_tokens_carry_what_they_promise(dora: Profile, sign_in: SignIn) -> None:
    client = sign_in()
    for token, kind in ((client.access, "access"), (client.refresh, "refresh")):
        claims = jwt.decode(token, options={"verify_signature": False})
        assert set(claims) == {"token_type", "sid", "iss", "aud", "jti", "exp", "iat"}
        assert claims["token_type"] == kind
        assert claims["sid"] == str(Device.objects.get().pk)
    assert client.get("/api/users/me/").json()["id"] == str(dora.pk)


def test_the_name_may_come_under_the_hosts_word_for_it(
    dora: Profile, monkeypatch: pytest.MonkeyPatch, django_user_model: Any
) -> None:
    monkeypatch.setattr(django_user_model, "USERNAME_FIELD", "email")
    django_user_model.objects.update(email="dora@example.org")
    credentials = {"email": "dora@example.org", "password": PASSWORD}
    assert APIClient().post("/api/auth/token/", credentials).status_code == 200


@pytest.mark.parametrize(
    ("named", "agent", "name"),
    [
        ({"device": "My phone"}, "Browser", "My phone"),
        ({}, "Browser\x00\x1b[31m" + "x" * 300, ("Browser[31m" + "x" * 300)[:200]),
        ({}, "", ""),
    ],
)
def test_a_device_is_named_by_itself_or_by_its_agent(
    dora: Profile, named: dict[str, str], agent: str, name: str
) -> None:
    credentials = {"username": "dora", "password": PASSWORD, **named}
    APIClient().post("/api/auth/token/", credentials, HTTP_USER_AGENT=agent)
    assert Device.objects.get().name == name


def test_who_may_not_sign_in_cannot_tell_why(
    dora: Profile, monkeypatch: pytest.MonkeyPatch, django_user_model: Any
) -> None:
    django_user_model.objects.create_user("idle", password=PASSWORD, is_active=False)
    work: list[str] = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher, "encode", lambda self, *args: work.append("") or encode(self, *args)
    )
    said = []
    for name, password in (("nobody", PASSWORD), ("dora", "wrong"), ("idle", PASSWORD)):
        answer = APIClient().post("/api/auth/token/", {"username": name, "password": password})
        said.append((refused(answer, 401, "unauthenticated"), len(work)))
        work.clear()
    assert said == [said[0]] * 3


def test_signing_in_does_not_look_at_an_old_token(dora: Profile, sign_in: SignIn) -> None:
    client = with_token("rotten")
    credentials = {"username": "dora", "password": PASSWORD}
    assert client.post("/api/auth/token/", credentials).status_code == 200


def test_a_refresh_token_works_once_and_used_again_ends_the_device(
    dora: Profile, sign_in: SignIn
) -> None:
    client = sign_in()
    renewed = refresh(client.refresh).json()
    assert with_token(renewed["access"]).get("/api/users/me/").status_code == 200
    assert client.get("/api/users/me/").status_code == 200
    refused(refresh(client.refresh), 401, "unauthenticated")
    refused(refresh(renewed["refresh"]), 401, "unauthenticated")
    refused(with_token(renewed["access"]).get("/api/users/me/"), 401, "unauthenticated")


def test_logging_out_ends_this_device_and_no_other(dora: Profile, sign_in: SignIn) -> None:
    phone, desk = sign_in(), sign_in()
    assert phone.post("/api/auth/logout/").status_code == 204
    refused(phone.get("/api/users/me/"), 401, "unauthenticated")
    refused(refresh(phone.refresh), 401, "unauthenticated")
    assert desk.get("/api/users/me/").status_code == 200


def test_logging_out_of_a_session_ends_the_session(dora: Profile) -> None:
    client = APIClient()
    client.force_login(dora.user)
    assert client.get("/api/users/me/").status_code == 200
    assert client.post("/api/auth/logout/").status_code == 204
    assert client.get("/api/users/me/").status_code == 401


@pytest.mark.parametrize("ending", ["password", "inactive", "gone"])
def test_what_ends_an_account_ends_its_tokens(
    dora: Profile, sign_in: SignIn, ending: str, django_user_model: Any
) -> None:
    client = sign_in()
    user = django_user_model.objects.get()
    if ending == "password":
        user.set_password("another long one")
        user.save()
    elif ending == "inactive":
        django_user_model.objects.update(is_active=False)
    else:
        user.delete()
    refused(client.get("/api/users/me/"), 401, "unauthenticated")
    refused(refresh(client.refresh), 401, "unauthenticated")


def test_devices_are_listed_and_ended(dora: Profile, ann: Profile, sign_in: SignIn) -> None:
    here, there = sign_in(), sign_in()
    listed = here.get("/api/auth/devices/").json()
    assert len(listed["results"]) == 2
    assert set(listed["results"][0]) == {"id", "name", "created_at", "seen_at"}
    mine = UUID(jwt.decode(here.access, options={"verify_signature": False})["sid"])
    other = next(one["id"] for one in listed["results"] if one["id"] != str(mine))
    assert here.delete(f"/api/auth/devices/{other}/").status_code == 204
    refused(here.delete(f"/api/auth/devices/{other}/"), 404, "not_found")
    refused(there.get("/api/users/me/"), 401, "unauthenticated")
    assert here.delete("/api/auth/devices/").status_code == 204
    refused(here.get("/api/users/me/"), 401, "unauthenticated")


def test_what_another_password_let_in_is_listed_no_longer_and_ends(
    dora: Profile, sign_in: SignIn, django_user_model: Any
) -> None:
    sign_in()
    old = Device.objects.get()
    user = django_user_model.objects.get()
    user.set_password("another long one")
    user.save()
    browser = APIClient()
    browser.force_login(user)
    assert browser.get("/api/auth/devices/").json()["results"] == []
    assert Device.objects.get().ended_at is None
    here = sign_in(password="another long one")
    assert len(here.get("/api/auth/devices/").json()["results"]) == 1
    old.refresh_from_db()
    assert old.ended_at


def test_a_device_of_another_person_is_not_found(
    dora: Profile, sign_in: SignIn, api: Any, ann: Profile
) -> None:
    sign_in()
    path = f"/api/auth/devices/{Device.objects.get().pk}/"
    refused(api(ann).delete(path), 404, "not_found")


def test_nobody_is_told_to_sign_in_and_how(db: None) -> None:
    answer = APIClient().get("/api/users/me/")
    refused(answer, 401, "unauthenticated")
    assert answer["WWW-Authenticate"]


def test_being_seen_is_noted_at_most_once_a_minute(dora: Profile, sign_in: SignIn) -> None:
    client = sign_in()
    long_ago = Device.objects.get().seen_at - timedelta(hours=1)
    Device.objects.update(seen_at=long_ago)
    client.get("/api/users/me/")
    assert Device.objects.get().seen_at > long_ago


def test_logs_hold_no_password_and_no_token(
    dora: Profile, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        client = sign_in()
        client.get("/api/rooms/nothing/")
        refresh(client.refresh)
        refresh(client.refresh)
        client.get("/api/users/me/")
        APIClient().post("/api/auth/token/", {"username": "dora", "password": "wrong but long"})
    for secret in (PASSWORD, client.access, client.refresh, "wrong but long"):
        assert secret not in caplog.text


def test_one_query_says_who_asks(dora: Profile, sign_in: SignIn) -> None:
    client = sign_in()
    beside = router.db_for_read(Device) == router.db_for_read(get_user_model())
    with CaptureQueriesContext(connections[router.db_for_read(Device)]) as asked:
        assert client.get("/api/users/me/").status_code == 200
    assert len(asked) == 1
    if beside:
        assert get_user_model()._meta.db_table in asked[0]["sql"]
