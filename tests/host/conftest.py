"""The host's people, and how they sign in; what is of the chat comes from its plugin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from accounts.models import Account
from django.test import Client

PASSWORD = "a long walk home"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def account(db: None) -> Callable[[str], Any]:
    return lambda name: Account.objects.create_user(f"{name}@example.org", PASSWORD)


@pytest.fixture
def signed_in() -> Callable[[Any], Client]:
    """Sign in as the host does."""

    def sign(one: Any) -> Client:
        said = urlencode({"email": one.email, "password": PASSWORD})
        pair = Client().post("/login/", said, content_type=FORM).json()["host"]
        return Client(headers={"authorization": f"Host {pair['access']}"})

    return sign
