"""A suspended person at every path that changes something: refused, or named here as theirs to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chat.actions.members import mute_member
from chat.actions.moderation import suspend
from chat.models import Profile, Room
from tests.access_scene import Scene, stored
from tests.access_table import PLACES, REST, Row
from tests.rest.conftest import Api
from tests.scene import moderator, undone
from tests.test_access_matrix import ask

pytestmark = pytest.mark.django_db

# Signing in and out, reading, one's own cursors and choices, and leaving.
ALLOWED = {
    "POST /api/auth/register/",
    "POST /api/auth/token/",
    "POST /api/auth/token/refresh/",
    "POST /api/auth/ticket/",
    "POST /api/auth/logout/",
    "DELETE /api/auth/devices/",
    "DELETE /api/auth/devices/{device}/",
    "DELETE /api/auth/devices/{others_device}/",
    "POST /api/sync/",
    "POST /api/rooms/{room}/read/",
    "POST /api/rooms/{room}/unread/",
    "PATCH /api/rooms/{room}/me/",
    "POST /api/groups/{room}/leave/",
}
# There is no such path for a direct room, whoever asks; and one's own log is there already.
READS = {("POST /api/direct/", "{'user': '{me}'}")}
UNSAFE = [
    (row, place)
    for row in REST
    for place in PLACES
    if getattr(row, place) and not row.operation.startswith("GET ")
]


@pytest.mark.parametrize(("row", "place"), UNSAFE, ids=lambda one: getattr(one, "operation", one))
def test_every_unsafe_operation_refuses_or_is_allowed(
    house: tuple[Scene, Any], row: Row, place: str
) -> None:
    scene, _ = house
    role = "member" if place == "direct" else "owner"
    if (row.operation, str(row.body)) in READS:
        return
    with undone():
        suspend(scene.people["staff"], scene.people[role], "Threats.")
        before = stored()
        answer = ask(scene, row, role, place)
        if row.operation in ALLOWED:
            assert answer.status_code == row.cells(place)[role]
            assert b'"reason"' not in answer.content
        else:
            assert answer.status_code == 403
            assert answer.json()["reason"] == "suspended"
            assert stored() == before


def test_every_name_here_is_of_an_operation() -> None:
    assert {row.operation for row, _ in UNSAFE} >= ALLOWED


def test_oneself_sees_until_when_and_why_and_nobody_else_does(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    until = timezone.now() + timedelta(hours=1)
    assert api(bob).get("/api/users/me/").json()["suspended"] is None
    suspend(moderator(), bob, "Threats.", until, note="The third time.")
    ends = until.isoformat().replace("+00:00", "Z")
    told = api(bob).get("/api/users/me/").json()
    assert told["suspended"] == {"until": ends, "reason": "Threats."}
    for answer in (
        api(ann).get(f"/api/users/{bob.pk}/"),
        api(ann).get(f"/api/groups/{group.pk}/members/"),
    ):
        assert b"suspended" not in answer.content
        assert b"Threats" not in answer.content


def test_a_refused_write_has_its_reason_and_when_to_try_again(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    until = timezone.now() + timedelta(minutes=5)
    mute_member(ann, group.pk, bob.pk, until)
    answer = api(bob).post(f"/api/rooms/{group.pk}/messages/", {"text": "Hello."})
    told = answer.json()
    assert (answer.status_code, told["code"], told["reason"]) == (403, "forbidden", "muted")
    assert told["until"] == until.isoformat().replace("+00:00", "Z")
    assert answer["Retry-After"] == str(told["retry_after"])
    suspend(moderator(), bob, "Threats.")
    answer = api(bob).post(f"/api/rooms/{group.pk}/messages/", {"text": "Hello."})
    assert answer.json() == {
        "code": "forbidden",
        "detail": "Your account is suspended.",
        "reason": "suspended",
    }
    assert "Retry-After" not in answer
