"""People over REST: oneself with what only oneself may know, others without."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from chat.models import Profile
from tests.rest.conftest import Api, refused

pytestmark = pytest.mark.django_db

USER = {"id", "username", "display_name", "avatar_url", "deleted"}


def test_oneself_is_made_on_first_sight(api: Api, django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("Ève", email="eve@example.org")
    answer = api(Profile(user=user)).get("/api/users/me/")
    assert set(answer.json()) == {*USER, "direct_from", "groups_from", "suspended"}
    assert Profile.objects.get().user_id == user.pk
    assert "eve@example.org" not in answer.content.decode()


def test_one_changes_what_may_be_changed_and_nothing_else(api: Api, ann: Profile) -> None:
    forged = {"username": "boss", "id": str(uuid4()), "user": 1, "email": "a@b.c", "password": "x"}
    answer = api(ann).patch("/api/users/me/", {"display_name": "Ann B.", **forged})
    assert refused(answer, 400, "invalid")["fields"].keys() == forged.keys()
    answer = api(ann).patch("/api/users/me/", {"display_name": "Ann B.", "x": 1})
    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(ann.pk),
        "username": "ann",
        "display_name": "Ann B.",
        "avatar_url": None,
        "deleted": False,
        "direct_from": "everyone",
        "groups_from": None,
        "suspended": None,
    }
    ann.refresh_from_db()
    assert (ann.username, ann.user.pk) == ("ann", ann.user_id)


def test_an_empty_change_changes_nothing(api: Api, ann: Profile) -> None:
    before = api(ann).get("/api/users/me/").json()
    assert api(ann).patch("/api/users/me/").json() == before
    assert api(ann).patch("/api/users/me/", {}).json() == before


@pytest.mark.parametrize(
    "change",
    [
        {"avatar_url": "javascript:alert(1)"},
        {"avatar_url": "https://x/" + "a" * 600},
        {"display_name": "a" * 101},
        {"display_name": "\x00"},
        {"display_name": None},
        {"direct_from": "mars"},
        {"direct_from": None},
        {"direct_from": "contacts"},
        {"groups_from": "contacts"},
        {"groups_from": ""},
        {"display_name": "Ad-min"},
    ],
    ids=repr,
)
def test_a_change_that_is_refused_says_where(
    api: Api, ann: Profile, change: dict[str, Any]
) -> None:
    answer = api(ann).patch("/api/users/me/", change, format="json")
    assert refused(answer, 400, "invalid")["fields"].keys() == change.keys()


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_address_takes_the_picture_away(api: Api, ann: Profile, nothing: Any) -> None:
    api(ann).patch("/api/users/me/", {"avatar_url": "https://example.org/a.png"})
    answer = api(ann).patch("/api/users/me/", {"avatar_url": nothing})
    assert (answer.status_code, answer.json()["avatar_url"]) == (200, None)


def test_others_are_found_by_the_beginning_of_their_name(
    api: Api, ann: Profile, bob: Profile, cat: Profile
) -> None:
    def found(search: str) -> list[str]:
        answer = api(ann).get("/api/users/", {"search": search}).json()
        assert set(answer) == {"results", "next", "previous"}
        return [one["username"] for one in answer["results"]]

    assert found("BO") == ["bob"]
    assert found("%a") == found("_a") == found("ob") == []


def test_another_person_is_shown_as_anyone_may_see_them(
    api: Api, ann: Profile, bob: Profile
) -> None:
    assert set(api(ann).get(f"/api/users/{bob.pk}/").json()) == USER
    refused(api(ann).get(f"/api/users/{uuid4()}/"), 404, "not_found")
