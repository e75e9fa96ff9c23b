"""People with accounts, and the client that each of them asks with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from chat.actions.people import add_person, register_person
from chat.limits.store import storage_at
from chat.models import Profile
from tests.documents import check_answer

PASSWORD = "correct horse battery"

Api = Callable[[Profile], APIClient]
SignIn = Callable[..., APIClient]


@pytest.fixture(autouse=True)
def documented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold every answer of every test to the OpenAPI document."""
    ask = APIClient.request

    def request(client: APIClient, **kwargs: Any) -> Any:
        answer = ask(client, **kwargs)
        check_answer(kwargs["REQUEST_METHOD"], answer)
        return answer

    monkeypatch.setattr(APIClient, "request", request)


@pytest.fixture(autouse=True)
def _counts_begin_anew(configured: Callable[..., None]) -> None:
    """What one test got wrong at sign-in is not held against the next."""
    storage_at.cache_clear()
    configured(LIMITS_STORAGE="memory://")


@pytest.fixture
def person(db: None) -> Callable[..., Profile]:
    """Make a person with an account, so that they can ask."""

    def make(username: str, **fields: Any) -> Profile:
        user = get_user_model().objects.create(username=username)
        return add_person(username=username, user_id=user.pk, **fields)

    return make


@pytest.fixture
def api() -> Api:
    """The client of a person: ``api(ann).get(…)``; how they signed in is not the matter."""

    def ask(one: Profile) -> APIClient:
        client = APIClient()
        client.force_authenticate(one.user)
        return client

    return ask


@pytest.fixture
def dora(db: None) -> Profile:
    """A person who has a password."""
    return register_person(username="dora", password=PASSWORD)


@pytest.fixture
def sign_in() -> SignIn:
    """A client that sends an access token, and knows its refresh token."""

    def sign(name: str = "dora", password: str = PASSWORD) -> APIClient:
        client = APIClient()
        answer = client.post("/api/auth/token/", {"username": name, "password": password})
        assert answer.status_code == 200, answer.content
        client.refresh = answer.json()["refresh"]
        client.access = answer.json()["access"]
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {client.access}")
        return client

    return sign


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Return the body of a refusal that has the one error shape."""
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body.get("code")) == (status, code), body
    assert set(body) <= {"code", "detail", "reason", "until", "fields", "retry_after"}
    assert body["detail"]
    assert isinstance(body["detail"], str)
    return body


def with_token(token: str) -> APIClient:
    """A client that sends this token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def refresh(token: Any) -> Any:
    """Ask for new tokens."""
    return APIClient().post("/api/auth/token/refresh/", {"refresh": token})
