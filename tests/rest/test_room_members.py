"""Who is in a room of any kind: searched by name, narrowed by role, with read positions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chat.actions.members import add_member
from chat.actions.people import update_profile
from chat.actions.reads import mark_read
from chat.models import Profile, Room
from tests.rest.conftest import Api, refused
from tests.scene import own_log, say

pytestmark = pytest.mark.django_db


def test_both_of_a_direct_room_see_how_far_the_other_has_read(
    api: Api, ann: Profile, bob: Profile, pair: Room
) -> None:
    place = say(ann, pair).seq
    mark_read(bob, pair.pk, place)
    found = api(ann).get(f"/api/rooms/{pair.pk}/members/").json()["results"]
    assert {one["user"]["username"]: one["read_seq"] for one in found}["bob"] == place
    refused(api(ann).get(f"/api/groups/{pair.pk}/members/"), 404, "not_found")
    refused(api(ann).get(f"/api/groups/{pair.pk}/members/{bob.pk}/"), 404, "not_found")


def test_ones_own_log_is_ones_own(api: Api, ann: Profile, bob: Profile) -> None:
    path = f"/api/rooms/{own_log(ann).pk}/members/"
    assert [one["user"]["id"] for one in api(ann).get(path).json()["results"]] == [str(ann.pk)]
    refused(api(bob).get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["ann", "bob", "cat", "dan"]),
        ({"search": "B"}, ["bob"]),
        ({"search": "o"}, []),
        ({"search": "%"}, []),
        ({"search": "zo"}, ["cat"]),
        ({"role": "member"}, ["bob", "cat"]),
        ({"role": "owner"}, ["ann"]),
        ({"role": "moderator", "search": "d"}, ["dan"]),
        ({"role": "moderator", "search": "c"}, []),
    ],
    ids=str,
)
def test_members_are_found_by_name_and_by_role(
    api: Api,
    ann: Profile,
    cat: Profile,
    group: Room,
    person: Callable[..., Profile],
    query: dict[str, str],
    names: list[str],
) -> None:
    add_member(ann, group.pk, cat.pk)
    update_profile(cat, display_name="Zoë")
    add_member(ann, group.pk, person("dan").pk, "moderator")
    person("bobby")
    found = api(cat).get(f"/api/rooms/{group.pk}/members/", query).json()["results"]
    assert [one["user"]["username"] for one in found] == names


def test_a_role_that_there_is_not_is_refused(api: Api, ann: Profile, group: Room) -> None:
    answer = api(ann).get(f"/api/rooms/{group.pk}/members/", {"role": "king"})
    assert refused(answer, 400, "invalid")["fields"].keys() == {"role"}
