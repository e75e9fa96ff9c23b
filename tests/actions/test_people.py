"""People: seen for the first time, signed up, changed by themselves; never with their e-mail address."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model

from chat.actions.people import (
    add_person,
    handle_from,
    profile_for,
    register_person,
    update_profile,
)
from chat.errors import Conflict, Forbidden, Invalid
from chat.models import Membership, Profile, Room
from chat.serializers.people import ProfileChangeSerializer
from tests.conftest import Heard
from tests.scene import logged, own_log, say

pytestmark = pytest.mark.django_db

PASSWORD = "a long walk home"
User = get_user_model()


def test_a_person_has_a_log_of_their_own(ann: Profile) -> None:
    log = own_log(ann)
    assert logged(log) == ["room.created", "member.joined"]
    assert (log.kind, log.members_count, log.visibility) == ("self", 1, None)
    assert Membership.objects.get(room=log).user == ann


def test_an_account_is_seen_once(db: None, heard: Heard) -> None:
    user = User.objects.create_user("dora", first_name="Dora", last_name="Day")
    first = profile_for(user)
    assert heard.of(profile_for, user) == []
    assert profile_for(user) == first
    assert (first.username, first.display_name) == ("dora", "Dora Day")


@pytest.mark.parametrize("field", ["username", "email", "first_name"])
def test_no_address_is_ever_shown(db: None, field: str) -> None:
    address = "dora.day@example.org"
    profile = profile_for(User.objects.create_user(**{"username": "x1", field: address}))
    shown = f"{profile.username} {profile.display_name}"
    assert not {"dora", "day", "example", "@"} & set(shown.replace(".", " ").split()), shown
    assert "dora" not in shown
    assert "example" not in shown


@pytest.mark.parametrize(
    ("name", "handle"),
    [
        ("dora", "dora"),
        ("Dora Day", "Dora_Day"),
        ("Zoë Åström", "Zoe_Astrom"),
        ("  ", ""),
        ("日本", ""),
        ("a/../b", "a_.._b"),
        ("x" * 150, "x" * 50),
    ],
)
def test_a_handle_is_made_of_plain_letters(name: str, handle: str) -> None:
    assert handle_from(name) == handle


def test_any_name_a_host_allows_can_be_taken_in(db: None) -> None:
    user = User.objects.create_user("y" * 150, first_name="F" * 150, last_name="L" * 150)
    profile = profile_for(user)
    profile.full_clean()
    again = profile_for(User.objects.create_user("y" * 149))
    assert again.username != profile.username
    assert again.username.startswith("y" * 50)


def test_a_name_that_another_has_is_made_unique(ann: Profile, db: None) -> None:
    for name in ("ann", "ANN"):
        other = add_person(username=name)
        assert other.username.lower() != "ann"
        assert other.username.lower().startswith("ann-")


def test_who_has_no_name_gets_one(db: None) -> None:
    assert add_person(username="").username.startswith("user-")
    assert add_person(username="").username != add_person(username="").username


@pytest.mark.parametrize("key", ["user_id", "source_key"])
def test_nobody_is_added_twice(db: None, key: str) -> None:
    value = User.objects.create_user("dora").pk if key == "user_id" else "irc:dora"
    add_person(username="dora", **{key: value})
    before = Profile.objects.count(), Room.objects.count()
    with pytest.raises(Conflict):
        add_person(username="dora", **{key: value})
    assert (Profile.objects.count(), Room.objects.count()) == before


def test_the_hook_says_how_an_account_is_shown(db: None, configured: Callable[..., None]) -> None:
    configured(
        PROFILE=lambda user: {"username": f"p{user.pk}", "avatar_url": "https://example.org/a.png"}
    )
    profile = profile_for(User.objects.create_user("dora"))
    assert (profile.username, profile.avatar_url) == (
        f"p{profile.user_id}",
        "https://example.org/a.png",
    )


def test_signing_up_makes_an_account_and_a_person(db: None) -> None:
    profile = register_person(username="dora", password=PASSWORD, email="dora@example.org")
    assert profile.user is not None
    assert profile.user.check_password(PASSWORD)
    assert profile.user.email == "dora@example.org"
    assert profile.username == "dora"
    assert profile_for(profile.user) == profile


def test_a_taken_name_is_said_to_be_taken(db: None, ann: Profile) -> None:
    register_person(username="dora", password=PASSWORD)
    before = User.objects.count(), Profile.objects.count(), Room.objects.count()
    for name in ("dora", "DORA", "Ann"):
        with pytest.raises(Conflict) as refusal:
            register_person(username=name, password=PASSWORD)
        assert refusal.value.fields
        assert "username" in refusal.value.fields
    assert (User.objects.count(), Profile.objects.count(), Room.objects.count()) == before


@pytest.mark.parametrize("password", ["short", "12345678901", "password", "dora-the-dora"])
def test_a_weak_password_makes_nothing(db: None, password: str, settings: Any) -> None:
    settings.AUTH_PASSWORD_VALIDATORS = [
        {"NAME": f"django.contrib.auth.password_validation.{name}"}
        for name in (
            "MinimumLengthValidator",
            "CommonPasswordValidator",
            "NumericPasswordValidator",
            "UserAttributeSimilarityValidator",
        )
    ]
    with pytest.raises(Invalid) as refusal:
        register_person(username="dora-the-dora", password=password)
    assert refusal.value.fields
    assert "password" in refusal.value.fields
    assert not User.objects.exists()


def test_registration_may_be_closed(db: None, configured: Callable[..., None]) -> None:
    configured(REGISTRATION=False)
    with pytest.raises(Forbidden):
        register_person(username="dora", password=PASSWORD)


def test_a_change_of_profile_is_in_ones_own_log(ann: Profile, heard: Heard) -> None:
    (told,) = heard.of(update_profile, ann, display_name="Anna")
    shape = json.loads(told.text)
    assert (told.type, told.room) == ("profile.updated", str(own_log(ann).pk))
    assert shape["user"]["display_name"] == "Anna"
    assert heard.of(update_profile, ann, display_name="Anna") == []
    assert heard.of(update_profile, ann) == []


def test_what_others_see_is_the_profile_of_now(group: Room, ann: Profile) -> None:
    message = say(ann, group)
    update_profile(ann, display_name="Anna")
    assert message.sender
    message.sender.refresh_from_db()
    assert message.sender.display_name == "Anna"


@pytest.mark.parametrize("field", ["display_name", "avatar_url", "direct_from", "groups_from"])
def test_every_change_that_the_shape_lets_in_can_be_stored(ann: Profile, field: str) -> None:
    for value in (None, "", "nobody", "https://example.org/x.png"):
        shape = ProfileChangeSerializer(data={field: value})
        if shape.is_valid():
            update_profile(ann, **shape.validated_data)


def test_someone_without_an_account_is_a_person_too(db: None) -> None:
    old = add_person(username="dora", source_key=f"irc:{uuid4()}")
    assert old.user is None
    assert own_log(old)


@pytest.mark.django_db(transaction=True)
def test_when_an_account_goes_the_person_stays(group: Room, db: None) -> None:
    profile = register_person(username="dora", password=PASSWORD)
    message = say(profile, own_log(profile), "A note.")
    User.objects.get(pk=profile.user_id).delete()
    profile.refresh_from_db()
    message.refresh_from_db()
    assert profile.user is None
    assert message.sender == profile
