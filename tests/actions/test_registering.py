"""Signing up: one name, one address, and all that is wrong is said at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from chat.actions.people import profile_for, register_person, update_profile
from chat.errors import Conflict, Invalid
from chat.models import Profile
from tests.scene import staff_with, together

pytestmark = pytest.mark.django_db

PASSWORD = "a long walk home"
User = get_user_model()


@pytest.mark.parametrize("address", ["dora@example.org", "Dora@EXAMPLE.org"])
def test_an_address_in_use_is_refused_by_its_name(address: str) -> None:
    register_person(username="dora", password=PASSWORD, email="dora@example.org")
    with pytest.raises(Conflict, match=r"^This e-mail address is in use\.$") as refusal:
        register_person(username="eve", password=PASSWORD, email=address)
    assert refusal.value.fields == {"email": ["This e-mail address is in use."]}
    assert not User.objects.filter(username="eve").exists()
    assert register_person(username="eve", password=PASSWORD)
    assert register_person(username="fay", password=PASSWORD)


def test_all_that_is_taken_is_said_at_once() -> None:
    register_person(username="dora", password=PASSWORD, email="dora@example.org")
    with pytest.raises(Conflict) as refusal:
        register_person(username="DORA", password=PASSWORD, email="dora@example.org")
    assert set(refusal.value.fields or {}) == {"username", "email"}


def test_all_that_is_wrong_is_said_at_once(settings: Any) -> None:
    settings.AUTH_PASSWORD_VALIDATORS = [
        {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}
    ]
    register_person(username="dora", password=PASSWORD, email="dora@example.org")
    with pytest.raises(Invalid) as refusal:
        register_person(username="dora", password="short", email="dora@example.org")
    assert set(refusal.value.fields or {}) == {"username", "password", "email"}


@pytest.mark.django_db(transaction=True)
def test_an_address_that_many_want_goes_to_one() -> None:
    calls = [
        partial(register_person, username=f"x{number}", password=PASSWORD, email=address)
        for number, address in enumerate(["dora@example.org", "Dora@example.org"] * 3)
    ]
    answers = together(calls)
    assert sorted(type(one).__name__ for one in answers) == ["Conflict"] * 5 + ["Profile"]
    assert User.objects.count() == Profile.objects.count() == 1


@pytest.mark.parametrize("name", ["admin", "Admin", "a.d_m-i.n", "me", "null", "SUPPORT"])
def test_a_reserved_name_is_refused(ann: Profile, name: str) -> None:
    with pytest.raises(Invalid, match="not valid") as refusal:
        register_person(username=name, password=PASSWORD)
    assert refusal.value.fields == {"username": ["This name is reserved."]}
    with pytest.raises(Invalid):
        update_profile(ann, display_name=f" @{name}")
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["admin-ann", "media", "nullify"])
def test_a_name_that_only_begins_like_a_reserved_one_is_free(name: str) -> None:
    assert register_person(username=name, password=PASSWORD).username == name


def test_a_service_reserves_what_it_likes(configured: Callable[..., None]) -> None:
    configured(RESERVED_HANDLES=["harbourmaster"])
    assert register_person(username="admin", password=PASSWORD)
    with pytest.raises(Invalid):
        register_person(username="Harbour-Master", password=PASSWORD)
    configured(RESERVED_HANDLES=None)
    assert register_person(username="Harbour-Master", password=PASSWORD)


def test_staff_do_not_show_what_they_sign_in_with() -> None:
    for account in (staff_with(username="thea.t"), User.objects.create_superuser("otto")):
        shown = profile_for(account)
        assert shown.username.startswith("user-")
        assert account.username not in f"{shown.username} {shown.display_name}"


def test_an_account_with_a_reserved_name_gets_a_neutral_handle() -> None:
    assert profile_for(User.objects.create_user("Admin")).username.startswith("user-")


def test_the_hook_may_show_staff_as_it_likes(configured: Callable[..., None]) -> None:
    configured(PROFILE=lambda user: {"username": "support", "display_name": "Support"})
    assert profile_for(staff_with(username="thea")).username == "support"


def test_a_display_name_may_be_that_of_others(ann: Profile, bob: Profile) -> None:
    """People share names; the handle, which is shown beside it, is one person's alone."""
    assert update_profile(bob, display_name="Ann").display_name == "Ann"


def test_a_reserved_display_name_is_refused_as_it_would_be_shown(ann: Profile) -> None:
    with pytest.raises(Invalid) as refusal:
        update_profile(ann, display_name="ad\u200bmin")
    assert refusal.value.fields == {"display_name": ["This name is reserved."]}
