"""Devices: a refresh token works once, a used one ends the device, and what has ended stays ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from chat.actions.devices import (
    end_devices,
    open_device,
    renew_device,
    touch_device,
    touch_devices,
)
from chat.errors import NotFound, Unauthenticated
from chat.models import Device, Profile
from chat.queries.grounds import auth_hash_of
from chat.queries.people import devices_of, living_device
from tests.conftest import Heard
from tests.scene import own_log

pytestmark = pytest.mark.django_db

SignIn = Callable[..., Device]


@pytest.fixture
def sign_in() -> SignIn:
    def open_one(person: Profile, jti: str = "one", name: str = "phone") -> Device:
        return open_device(person, None, name=name, refresh_jti=jti, sid=uuid4())

    return open_one


def test_each_sign_in_is_a_device_under_the_id_of_its_tokens(ann: Profile) -> None:
    sid = uuid4()
    device = open_device(ann, None, name="n" * 999, refresh_jti="one", sid=sid)
    assert (device.pk, len(device.name)) == (sid, 200)
    assert living_device(sid) == device


def test_a_token_is_followed_by_the_next(ann: Profile, sign_in: SignIn, heard: Heard) -> None:
    device = sign_in(ann)
    assert heard.of(renew_device, device.pk, old_jti="one", new_jti="two") == []
    renew_device(device.pk, old_jti="two", new_jti="three")
    assert Device.objects.get(pk=device.pk).refresh_jti == "three"


def test_a_token_in_two_hands_ends_the_device(ann: Profile, sign_in: SignIn, heard: Heard) -> None:
    device, other = sign_in(ann), sign_in(ann)
    renew_device(device.pk, old_jti="one", new_jti="two")

    def again() -> None:
        with pytest.raises(Unauthenticated):
            renew_device(device.pk, old_jti="one", new_jti="three")

    (told,) = heard.of(again)
    assert (told.type, told.room) == ("device.ended", str(own_log(ann).pk))
    assert living_device(device.pk) is None
    assert list(devices_of(ann)) == [other]
    with pytest.raises(Unauthenticated):
        renew_device(device.pk, old_jti="two", new_jti="four")


def test_an_unknown_device_is_not_renewed(ann: Profile) -> None:
    with pytest.raises(Unauthenticated):
        renew_device(uuid4(), old_jti="one", new_jti="two")


def test_a_person_ends_one_device_or_all(
    ann: Profile, bob: Profile, sign_in: SignIn, heard: Heard
) -> None:
    phone, laptop, desk, bobs = sign_in(ann), sign_in(ann), sign_in(ann), sign_in(bob)
    assert heard.types_of(end_devices, ann, [phone.pk]) == ["device.ended"]
    assert set(devices_of(ann)) == {laptop, desk}
    assert heard.types_of(end_devices, ann) == ["device.ended"] * 2
    assert heard.of(end_devices, ann) == []
    assert list(devices_of(bob)) == [bobs]


def test_nobody_ends_anothers_device(ann: Profile, bob: Profile, sign_in: SignIn) -> None:
    device = sign_in(bob)
    with pytest.raises(NotFound):
        end_devices(ann, [device.pk])
    assert living_device(device.pk)


def test_a_device_ends_once(ann: Profile, sign_in: SignIn) -> None:
    device = sign_in(ann)
    end_devices(ann, [device.pk])
    ended = Device.objects.get(pk=device.pk).ended_at
    with pytest.raises(NotFound):
        end_devices(ann, [device.pk])
    assert Device.objects.get(pk=device.pk).ended_at == ended
    assert Device.objects.get(pk=device.pk).refresh_jti == ""


def test_an_ended_device_has_no_empty_token_that_works(ann: Profile, sign_in: SignIn) -> None:
    device = sign_in(ann)
    end_devices(ann)
    with pytest.raises(Unauthenticated):
        renew_device(device.pk, old_jti="", new_jti="two")


def test_what_is_kept_of_the_account_changes_with_its_password(db: None) -> None:
    user = get_user_model().objects.create_user("dora", password="one long password")
    before = auth_hash_of(user)
    user.set_password("another long password")
    assert auth_hash_of(user) != before
    assert auth_hash_of(object()) == ""


def test_being_seen_is_noted_to_the_minute(ann: Profile, sign_in: SignIn) -> None:
    device = sign_in(ann)
    before = Device.objects.get(pk=device.pk).seen_at
    touch_device(device)
    assert Device.objects.get(pk=device.pk).seen_at == before
    Device.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    device.refresh_from_db()
    touch_device(device)
    assert Device.objects.get(pk=device.pk).seen_at > device.seen_at


def test_devices_are_noted_as_seen_together(ann: Profile, bob: Profile, sign_in: SignIn) -> None:
    now, old = timezone.now(), timezone.now() - timedelta(hours=1)
    first, second, ended, other = sign_in(ann), sign_in(bob), sign_in(ann), sign_in(ann)
    end_devices(ann, [ended.pk])
    Device.objects.update(seen_at=old)
    touch_devices({str(one.pk) for one in (first, second, ended)})
    seen = {one.pk: one.seen_at for one in Device.objects.all()}
    assert min(seen[first.pk], seen[second.pk]) >= now
    assert seen[ended.pk] == seen[other.pk] == old


def seen(device: Device, ago: timedelta) -> Device:
    Device.objects.filter(pk=device.pk).update(seen_at=timezone.now() - ago)
    return device


def test_device_with_expired_tokens_is_not_listed(ann: Profile, sign_in: SignIn) -> None:
    expired, living = sign_in(ann), sign_in(ann)
    seen(expired, timedelta(days=30, minutes=1))
    seen(living, timedelta(days=29))
    assert list(devices_of(ann)) == [living]


def test_sign_in_deletes_devices_whose_tokens_have_expired(
    ann: Profile, bob: Profile, sign_in: SignIn
) -> None:
    expired, ended, ended_lately, living = (sign_in(bob) for _ in range(4))
    end_devices(bob, [ended.pk, ended_lately.pk])
    seen(expired, timedelta(days=31))
    seen(ended, timedelta(days=31))
    seen(living, timedelta(days=29))
    new = sign_in(ann)
    assert set(Device.objects.all()) == {ended_lately, living, new}


def test_sign_in_deletes_a_bounded_number_of_devices(
    ann: Profile, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        seen(sign_in(ann), timedelta(days=29))
    Device.objects.update(seen_at=timezone.now() - timedelta(days=31))
    monkeypatch.setattr("chat.actions.devices.EXPIRED_AT_ONCE", 2)
    sign_in(ann)
    assert Device.objects.count() == 2


def test_sign_in_beyond_the_limit_ends_the_device_seen_longest_ago(
    ann: Profile, bob: Profile, sign_in: SignIn, configured: Callable[..., None], heard: Heard
) -> None:
    configured(LIMIT_DEVICES=2)
    oldest, older, other = sign_in(ann), sign_in(ann), sign_in(bob)
    seen(oldest, timedelta(hours=2))
    seen(older, timedelta(hours=1))
    assert heard.types_of(sign_in, ann) == ["device.ended"]
    assert living_device(oldest.pk) is None
    assert older in devices_of(ann)
    assert list(devices_of(bob)) == [other]
