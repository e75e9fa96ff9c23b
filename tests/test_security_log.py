"""Security events are logged as one structured line each, without secrets."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from chat import security_log
from chat.actions.bans import ban_member, unban_member
from chat.actions.members import change_role, mute_member, remove_member
from chat.actions.moderation import lift_suspension, suspend
from chat.actions.rooms import delete_room
from chat.limits.store import storage_at
from chat.models import Profile, Room
from project.logs import JsonFormatter
from tests.rest.conftest import PASSWORD, dora, person, sign_in  # noqa: F401
from tests.scene import moderator

pytestmark = pytest.mark.django_db(transaction=True)


class Lines(list[dict[str, Any]]):
    """The security events that were logged so far, as the service writes them."""

    def events(self) -> list[str]:
        return [line["event"] for line in self]


@pytest.fixture
def lines(configured: Any) -> Iterator[Lines]:
    storage_at.cache_clear()
    security_log.refusals.clear()
    found = Lines()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(JsonFormatter().format(record)))

    handler, logger = Handler(), security_log.logger
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield found
    logger.removeHandler(handler)
    logger.setLevel(before)


def token(name: str, password: str, **extra: str) -> Any:
    return APIClient().post("/api/auth/token/", {"username": name, "password": password}, **extra)


def test_registering_and_signing_in_are_logged_with_ids(lines: Lines) -> None:
    body = {"username": "emil", "password": PASSWORD}
    profile = APIClient().post("/api/auth/register/", body).json()["id"]
    token("emil", PASSWORD)
    assert lines.events() == ["account.registered", "sign_in.succeeded"]
    assert {line["person"] for line in lines} == {profile}
    assert {line["address"] for line in lines} == {"127.0.0.1"}


def test_wrong_password_is_logged_without_what_was_typed(lines: Lines, dora: Profile) -> None:  # noqa: F811
    token("dora", "a wrong password")
    token("DORA", "a wrong password")
    token("somebody else", "a wrong password")
    assert lines.events() == ["sign_in.failed"] * 3
    names = [line["name"] for line in lines]
    assert names[0] == names[1] != names[2]
    assert "dora" not in json.dumps(lines).lower()
    assert "wrong" not in json.dumps(lines)


def test_limited_sign_in_is_logged(lines: Lines, configured: Any) -> None:
    configured(LIMIT_ADDRESS="1/minute")
    token("one", "wrong password")
    token("two", "wrong password")
    assert lines.events() == ["sign_in.failed", "rate.limited"]
    assert lines[1]["operation"] == "sign_in"


def test_failed_sign_in_with_an_old_token_is_logged_once(lines: Lines, dora: Profile) -> None:  # noqa: F811
    token("dora", "wrong password", HTTP_AUTHORIZATION="Bearer an.old.token")
    assert lines.events() == ["sign_in.failed"]


def test_login_page_is_logged(lines: Lines, dora: Profile) -> None:  # noqa: F811
    client = Client()
    client.post("/admin/login/", {"username": "dora", "password": "wrong password"})
    assert lines.events() == ["sign_in.failed"]


def test_forged_and_reused_tokens_are_logged(lines: Lines, dora: Profile, sign_in: Any) -> None:  # noqa: F811
    client = sign_in()
    APIClient().get("/api/rooms/", HTTP_AUTHORIZATION="Bearer forged.forged.forged")
    for _ in range(2):
        APIClient().post("/api/auth/token/refresh/", {"refresh": client.refresh})
    assert lines.events() == [
        "sign_in.succeeded",
        "token.refused",
        "refresh.reused",
        "device.ended",
        "token.refused",
    ]
    assert client.refresh not in json.dumps(lines)
    assert client.access not in json.dumps(lines)


def test_refused_access_is_logged_once_a_minute_with_its_repeats(
    lines: Lines, group: Room, bob: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = as_account(bob)
    for _ in range(3):
        client.patch(f"/api/groups/{group.pk}/", {"title": "Mine"})
    assert lines.events() == ["access.refused"]
    assert lines[0]["person"] == str(bob.pk)
    assert lines[0]["room"] == str(group.pk)
    assert lines[0]["operation"].startswith("PATCH:")
    assert str(group.pk) not in lines[0]["operation"]
    now = security_log.time.monotonic()
    monkeypatch.setattr("chat.security_log.time.monotonic", lambda: now + 61)
    client.patch(f"/api/groups/{group.pk}/", {"title": "Mine"})
    assert lines[1]["repeats"] == "2"


def as_account(profile: Profile) -> APIClient:
    client = APIClient()
    client.force_authenticate(profile.user)
    return client


def test_limited_writes_are_logged(
    lines: Lines, group: Room, ann: Profile, configured: Any
) -> None:
    configured(LIMIT_WRITES="1/minute")
    client = as_account(ann)
    for number in range(2):
        client.post(f"/api/rooms/{group.pk}/messages/", {"text": f"Hello {number}."})
    assert lines.events() == ["rate.limited"]
    assert lines[0]["person"] == str(ann.pk)
    assert "Hello" not in json.dumps(lines)


def test_changed_roles_and_moderation_are_logged_after_commit(
    lines: Lines, group: Room, ann: Profile, bob: Profile
) -> None:
    change_role(ann, group.pk, bob.pk, "admin")
    mute_member(ann, group.pk, bob.pk, None)
    remove_member(ann, group.pk, bob.pk)
    ban_member(ann, group.pk, bob.pk, "")
    unban_member(ann, group.pk, bob.pk)
    delete_room(ann, group.pk)
    assert lines.events() == [
        "member.role_changed",
        "member.removed",
        "member.banned",
        "member.unbanned",
        "room.deleted",
    ]
    assert (lines[0]["actor"], lines[0]["person"]) == (str(ann.pk), str(bob.pk))
    assert lines[0]["role"] == "admin"


def test_suspending_and_lifting_are_logged_by_ids(lines: Lines, bob: Profile) -> None:
    staff, until = moderator(), datetime(2999, 1, 1, tzinfo=UTC)
    suspend(staff, bob, "Threats.", until, note="The third time.")
    lift_suspension(staff, bob, "Enough.")
    told = {"actor": str(staff.pk), "person": str(bob.pk)}
    suspended, lifted = lines
    assert suspended["event"] == "person.suspended"
    assert told.items() <= suspended.items()
    assert suspended["until"] == "2999-01-01T00:00:00Z"
    assert lifted["event"] == "person.suspension_lifted"
    assert told.items() <= lifted.items()
    assert not [word for word in ("Threats", "third", "Enough") if word in str(lines)]


def test_a_value_cannot_forge_a_second_line_or_field(lines: Lines) -> None:
    security_log.log_security_event("device.ended", device="x\nat=now event=\x1b[31m", actor=None)
    assert lines[0]["device"] == "x_at_now_event___31m"
    assert "actor" not in lines[0]
    assert "\n" not in lines[0]["message"]


def test_every_event_is_named_in_the_docs() -> None:
    text = (Path(__file__).parent.parent / "docs" / "security.md").read_text()
    assert [name for name in security_log.EVENTS if f"`{name}`" not in text] == []
