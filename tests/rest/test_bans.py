"""Bans over REST: put, seen and lifted by a group's moderators."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from chat.actions.members import add_member, leave_room
from chat.models import Membership, Profile, Room
from tests.rest.conftest import Api, refused
from tests.scene import logged

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(group: Room) -> str:
    return f"/api/groups/{group.pk}/bans/"


def test_a_ban_is_put_repeated_seen_and_lifted(
    api: Api, ann: Profile, bob: Profile, group: Room, path: str
) -> None:
    first = api(ann).post(path, {"user": str(bob.pk), "reason": "Spam."})
    assert (first.status_code, first["Location"]) == (201, f"{path}{bob.pk}/")
    ban = first.json()
    assert set(ban) == {"user", "by", "reason", "created_at"}
    people = (ban["user"]["username"], ban["by"]["username"])
    assert (*people, ban["reason"]) == ("bob", "ann", "Spam.")
    assert not Membership.objects.filter(room=group, user=bob).exists()

    again = api(ann).post(path, {"user": str(bob.pk), "reason": "Noise."})
    assert (again.status_code, again.json()) == (200, ban)
    assert api(ann).get(path).json()["results"] == [ban]
    assert api(ann).get(first["Location"]).json() == ban

    lifted = api(ann).delete(first["Location"])
    assert (lifted.status_code, lifted.content) == (204, b"")
    refused(api(ann).delete(first["Location"]), 404, "not_found")
    refused(api(ann).get(first["Location"]), 404, "not_found")
    assert api(ann).get(path).json()["results"] == []
    assert logged(group)[-2:] == ["member.banned", "member.unbanned"]
    assert api(bob).post(f"/api/groups/{group.pk}/join/").status_code == 200


def test_a_reason_may_be_left_out(
    api: Api, ann: Profile, bob: Profile, cat: Profile, path: str
) -> None:
    for one, body in ((bob, {}), (cat, {"reason": " \u200b\n"})):
        answer = api(ann).post(path, {"user": str(one.pk), **body})
        assert (answer.status_code, answer.json()["reason"]) == (201, "")
    names = [one["user"]["username"] for one in api(ann).get(path).json()["results"]]
    assert names == ["cat", "bob"]


@pytest.mark.parametrize(
    "wrong",
    [{"user": "bob"}, {"user": None}, {"reason": "x" * 501}, {"reason": "\x00"}, {"reason": [7]}],
    ids=lambda wrong: repr(wrong)[:30],
)
def test_a_ban_that_is_no_ban_says_why(
    api: Api, ann: Profile, bob: Profile, path: str, wrong: dict[str, Any]
) -> None:
    answer = api(ann).post(path, {"user": str(bob.pk), **wrong}, format="json")
    assert refused(answer, 400, "invalid")["fields"].keys() == wrong.keys()


def test_nobody_and_oneself_are_not_banned(api: Api, ann: Profile, path: str) -> None:
    refused(api(ann).post(path, {"user": str(uuid4())}), 404, "not_found")
    refused(api(ann).post(path, {"user": str(ann.pk)}), 403, "forbidden")
    refused(api(ann).post(path, {}), 400, "invalid")


def test_moderators_and_no_others_have_the_list(
    api: Api, ann: Profile, bob: Profile, cat: Profile, path: str, group: Room
) -> None:
    add_member(ann, group.pk, cat.pk, "moderator")
    assert api(cat).get(path).status_code == 200
    refused(api(bob).get(path), 403, "forbidden")
    leave_room(cat, group.pk)
    refused(api(cat).get(path), 403, "forbidden")


def test_who_would_add_the_banned_is_told_what_is_in_the_way(
    api: Api, ann: Profile, bob: Profile, group: Room, path: str
) -> None:
    api(ann).post(path, {"user": str(bob.pk)})
    answer = api(ann).post(f"/api/groups/{group.pk}/members/", {"user": str(bob.pk)})
    assert "Lift the ban first" in refused(answer, 409, "conflict")["detail"]
    api(ann).delete(f"{path}{bob.pk}/")
    added = api(ann).post(f"/api/groups/{group.pk}/members/", {"user": str(bob.pk)})
    assert added.status_code == 201
