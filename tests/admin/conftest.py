"""Staff with more and with less to say, and a room with something of everything in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Model
from django.test import Client

from chat.actions.devices import open_device
from chat.models import Device, Message, Profile, Room
from tests.scene import say, staff_with

TABLES = (
    "profile",
    "device",
    "room",
    "membership",
    "ban",
    "message",
    "event",
    "moderationentry",
)
VIEW = tuple(f"view_{table}" for table in TABLES)

SignIn = Callable[..., Client]


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """The browser of a member of staff with these permissions."""

    def sign(*permissions: str, username: str = "mod") -> Client:
        browser = Client()
        browser.force_login(staff_with(*permissions, username=username))
        return browser

    return sign


@pytest.fixture
def mod(sign_in: SignIn) -> Client:
    """The browser of one who may look at everything and moderate."""
    return sign_in(*VIEW, "moderate_room")


@pytest.fixture
def message(bob: Profile, group: Room) -> Message:
    return say(bob, group, "Something foul.")


@pytest.fixture
def phone(bob: Profile) -> Device:
    return open_device(bob, None, name="phone", refresh_jti="the-refresh-jti", sid=uuid4())


def path(table: Any, place: str = "") -> str:
    """The address of a table, or of something below it."""
    name = table if isinstance(table, str) else table._meta.model_name
    return f"/admin/chat/{name}/{place}"


def page(row: Model) -> str:
    return path(row, f"{row.pk}/change/")


def chosen(action: str, *rows: Model, **said: Any) -> dict[str, Any]:
    """What a browser posts when rows are chosen for an action, or when its page is answered."""
    return {"action": action, "_selected_action": [str(row.pk) for row in rows], **said}
