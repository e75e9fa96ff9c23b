"""Groups, their members and direct rooms over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from chat.actions.members import add_member
from chat.models import Profile, Room
from tests.rest.conftest import Api, refused
from tests.rest.test_rooms import titles
from tests.scene import seat

pytestmark = pytest.mark.django_db


def member_path(room: Room, person: Profile) -> str:
    return f"/api/groups/{room.pk}/members/{person.pk}/"


def test_opening_a_group_again_answers_the_same_one(api: Api, ann: Profile, bob: Profile) -> None:
    body = {"id": str(uuid4()), "title": "Boats", "visibility": "public", "members": [str(bob.pk)]}
    first = api(ann).post("/api/groups/", body)
    assert first.status_code == 201
    assert first["Location"] == f"/api/groups/{body['id']}/"
    assert first.json()["me"]["role"] == "owner"
    assert first.json()["members_count"] == 2
    again = api(ann).post("/api/groups/", body)
    assert (again.status_code, again.json()) == (200, first.json())
    refused(api(ann).post("/api/groups/", {**body, "title": "Ships"}), 409, "conflict")
    refused(api(bob).post("/api/groups/", body), 409, "conflict")


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "  "},
        {"title": None},
        {"id": "x"},
        {"visibility": "mars"},
        {"members": "bob"},
        {"members": ["bob"]},
        {"members": [str(uuid4())] * 101},
        {"topic": "\x00"},
    ],
    ids=lambda wrong: repr(wrong)[:40],
)
def test_a_group_that_is_refused_says_why(api: Api, ann: Profile, wrong: dict[str, Any]) -> None:
    answer = api(ann).post("/api/groups/", {"title": "Boats", **wrong}, format="json")
    assert refused(answer, 400, "invalid")["fields"].keys() == wrong.keys()
    assert not Room.objects.filter(kind="group").exists()


def test_a_group_with_a_stranger_is_not_opened(api: Api, ann: Profile) -> None:
    body = {"title": "Boats", "members": [str(uuid4())]}
    refused(api(ann).post("/api/groups/", body), 404, "not_found")
    assert not Room.objects.filter(kind="group").exists()


def test_my_groups_and_the_directory_are_two_lists(
    api: Api, ann: Profile, bob: Profile, cat: Profile, group: Room, den: Room, pair: Room
) -> None:
    assert set(titles(api(bob).get("/api/groups/"))) == {"Harbour", "Den"}
    assert titles(api(cat).get("/api/groups/")) == []
    assert titles(api(cat).get("/api/groups/?search=")) == ["Harbour"]
    assert titles(api(cat).get("/api/groups/?search=arb")) == ["Harbour"]
    assert titles(api(bob).get("/api/groups/?search=den")) == []
    (seen,) = api(bob).get("/api/groups/?search=").json()["results"]
    assert seen["me"]["role"] == "member"


def test_a_direct_room_is_no_group(api: Api, ann: Profile, bob: Profile, pair: Room) -> None:
    path = f"/api/groups/{pair.pk}/"
    refused(api(bob).get(path), 404, "not_found")
    for answer in (
        api(bob).patch(path, {"title": "x"}),
        api(bob).delete(path),
        api(bob).post(f"{path}leave/"),
        api(bob).post(f"{path}members/", {"user": str(ann.pk)}),
        api(bob).delete(member_path(pair, ann)),
    ):
        refused(answer, 403, "forbidden")


def test_one_joins_and_leaves(api: Api, cat: Profile, group: Room) -> None:
    path = f"/api/groups/{group.pk}/"
    for _ in range(2):
        joined = api(cat).post(f"{path}join/")
        assert (joined.status_code, joined.json()["me"]["role"]) == (200, "member")
    assert joined.json()["members_count"] == 3
    assert api(cat).post(f"{path}leave/").status_code == 204
    refused(api(cat).post(f"{path}leave/"), 403, "forbidden")


def test_a_group_is_closed_by_its_owner_for_everyone(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    path = f"/api/groups/{group.pk}/"
    refused(api(bob).delete(path), 403, "forbidden")
    assert api(ann).delete(path).status_code == 204
    for one in (ann, bob):
        refused(api(one).get(path), 404, "not_found")
        refused(api(one).get(f"/api/rooms/{group.pk}/messages/"), 404, "not_found")


def test_the_last_owner_stays_until_there_is_another(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    leave = f"/api/groups/{group.pk}/leave/"
    refused(api(ann).post(leave), 409, "conflict")
    refused(api(ann).patch(member_path(group, ann), {"role": "member"}), 409, "conflict")
    assert api(ann).patch(member_path(group, bob), {"role": "owner"}).json()["role"] == "owner"
    assert api(ann).post(leave).status_code == 204


def test_members_are_listed_added_and_removed(
    api: Api, ann: Profile, bob: Profile, cat: Profile, group: Room
) -> None:
    path = f"/api/groups/{group.pk}/members/"
    listed = api(bob).get(path).json()["results"]
    assert [one["user"]["username"] for one in listed] == ["ann", "bob"]
    assert set(listed[0]) == {
        "user",
        "role",
        "joined_at",
        "history_from",
        "read_seq",
        "muted_until",
    }
    added = api(ann).post(path, {"user": str(cat.pk)})
    assert (added.status_code, added["Location"]) == (201, member_path(group, cat))
    again = api(ann).post(path, {"user": str(cat.pk), "role": "admin"})
    assert (again.status_code, again.json()) == (200, added.json())
    assert api(bob).get(member_path(group, cat)).json() == added.json()
    refused(api(bob).delete(member_path(group, cat)), 403, "forbidden")
    assert api(ann).delete(member_path(group, cat)).status_code == 204
    refused(api(ann).delete(member_path(group, cat)), 404, "not_found")
    refused(api(ann).post(path, {"user": str(uuid4())}), 404, "not_found")


def test_a_member_is_given_a_role_and_silenced(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    until = timezone.now() + timedelta(hours=1)
    change = {"role": "moderator", "muted_until": until.isoformat()}
    refused(api(ann).patch(member_path(group, bob), {**change, "read_seq": 99}), 400, "invalid")
    changed = api(ann).patch(member_path(group, bob), change)
    assert changed.status_code == 200
    assert changed.json()["role"] == "moderator"
    assert (seat(bob, group).muted_until, seat(bob, group).read_seq) == (until, group.head - 0)
    assert api(ann).patch(member_path(group, bob)).json() == changed.json()
    refused(api(bob).post(f"/api/rooms/{group.pk}/messages/", {"text": "x"}), 403, "forbidden")
    freed = api(ann).patch(member_path(group, bob), {"muted_until": None}, format="json")
    assert (freed.json()["muted_until"], freed.json()["role"]) == (None, "moderator")


@pytest.mark.django_db(transaction=True)
def test_a_change_of_a_member_that_is_refused_in_part_changes_nothing(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    head = group.head
    past = {"role": "moderator", "muted_until": "2001-01-01T00:00:00Z"}
    answer = api(ann).patch(member_path(group, bob), past, format="json")
    assert set(refused(answer, 400, "invalid")["fields"]) == {"muted_until"}
    group.refresh_from_db()
    assert (seat(bob, group).role, group.head) == ("member", head)


@pytest.mark.parametrize("until", ["never", "9999-12-31T23:59:59-23:59", "\x00", 7, [], "2" * 999])
def test_a_moment_that_is_none_is_refused(
    api: Api, ann: Profile, bob: Profile, group: Room, until: Any
) -> None:
    answer = api(ann).patch(member_path(group, bob), {"muted_until": until}, format="json")
    assert "muted_until" in refused(answer, 400, "invalid")["fields"]


def test_nobody_rises_by_themselves(
    api: Api, ann: Profile, bob: Profile, cat: Profile, group: Room
) -> None:
    add_member(ann, group.pk, cat.pk, "moderator")
    refused(api(bob).patch(member_path(group, bob), {"role": "owner"}), 403, "forbidden")
    refused(api(cat).patch(member_path(group, cat), {"role": "admin"}), 403, "forbidden")
    refused(api(cat).delete(member_path(group, ann)), 403, "forbidden")
    body = {"user": str(bob.pk), "role": "owner"}
    refused(api(cat).post(f"/api/groups/{group.pk}/members/", body), 403, "forbidden")


def test_a_pair_has_one_room_whoever_begins(api: Api, ann: Profile, bob: Profile) -> None:
    first = api(ann).post("/api/direct/", {"user": str(bob.pk)})
    assert first.status_code == 201
    assert first["Location"] == f"/api/rooms/{first.json()['id']}/"
    assert first.json()["peer"]["username"] == "bob"
    back = api(bob).post("/api/direct/", {"user": str(ann.pk)})
    assert (back.status_code, back.json()["id"]) == (200, first.json()["id"])
    assert back.json()["peer"]["username"] == "ann"
    assert titles(api(ann).get("/api/direct/")) == ["direct"]


def test_whoever_may_not_be_messaged_it_is_said_in_one_way(
    api: Api, ann: Profile, bob: Profile
) -> None:
    api(bob).patch("/api/users/me/", {"direct_from": "nobody"})
    answer = api(ann).post("/api/direct/", {"user": str(bob.pk)})
    assert refused(answer, 403, "forbidden")["detail"] == "This person cannot be messaged."
    refused(api(ann).post("/api/direct/", {"user": str(uuid4())}), 404, "not_found")
    refused(api(ann).post("/api/direct/", {"user": "bob"}), 400, "invalid")
    refused(api(ann).post("/api/direct/", {}), 400, "invalid")


def test_a_direct_room_with_oneself_is_ones_own_log(api: Api, ann: Profile) -> None:
    answer = api(ann).post("/api/direct/", {"user": str(ann.pk)})
    assert (answer.status_code, answer.json()["kind"]) == (200, "self")
