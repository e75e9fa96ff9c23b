"""What a sign-in rests on: each part that falls is found, for many at once, and nothing else is."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model, login
from django.db import connection
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext

from chat.actions.devices import end_devices, end_fallen, open_device
from chat.actions.people import profile_for
from chat.models import Device, Profile
from chat.queries.grounds import Grounds, fallen, grounds_of

pytestmark = pytest.mark.django_db


class Auth:
    """What an authentication class may say beside the user."""

    def __init__(self, device: Any) -> None:
        self.device = device


def account(name: str) -> Any:
    return get_user_model().objects.create_user(name, password="a long walk home")


def on_device(user: Any) -> Grounds:
    person = profile_for(user)
    device = open_device(person, user, name="phone", refresh_jti="one", sid=uuid4())
    return grounds_of(person, user, Auth(device.pk), None)


def in_session(user: Any) -> tuple[Grounds, HttpRequest]:
    request = HttpRequest()
    request.session = import_module(django_settings.SESSION_ENGINE).SessionStore()
    login(request, user, "django.contrib.auth.backends.ModelBackend")
    request.session.save()
    return grounds_of(profile_for(user), user, None, request.session), request


def test_what_stands_stands() -> None:
    user = account("ann")
    assert not fallen([on_device(user), in_session(user)[0]]).grounds


@pytest.mark.parametrize("ending", ["password", "inactive", "deleted"])
def test_a_changed_account_takes_its_devices_with_it(ending: str) -> None:
    user, other = account("ann"), account("bob")
    changed, stays = on_device(user), on_device(other)
    if ending == "password":
        user.set_password("another long walk")
        user.save()
        kept = on_device(user)
    elif ending == "inactive":
        get_user_model().objects.filter(pk=user.pk).update(is_active=False)
        kept = stays
    else:
        user.delete()
        kept = stays
    assert end_fallen([changed, stays, kept]) == {changed}
    living = {str(pk) for pk in Device.objects.filter(ended_at=None).values_list("pk", flat=True)}
    assert living == {stays.device, kept.device}
    assert not end_fallen([stays, kept])


def test_a_device_ends_alone(ann: Profile) -> None:
    user = account("dora")
    first, second = on_device(user), on_device(user)
    end_devices(profile_for(user), [Device.objects.get(pk=first.device).pk])
    assert end_fallen([first, second]) == {first}
    assert Device.objects.get(pk=second.device).ended_at is None


@pytest.mark.parametrize("engine", ["db", "cached_db", "cache", "file"])
def test_a_session_ends_alone(engine: str, settings: Any, tmp_path: Any) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    user = account("ann")
    first, request = in_session(user)
    second, _ = in_session(user)
    assert first.session
    assert not fallen([first, second]).grounds
    request.session.flush()
    assert fallen([first, second]).grounds == {first}
    assert not fallen([first]).people


def test_a_session_kept_in_its_cookie_is_not_looked_for(settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    grounds, _ = in_session(account("ann"))
    assert grounds.session is None
    assert not fallen([grounds]).grounds


def test_a_user_of_no_table_rests_on_the_classs_word(ann: Profile) -> None:
    class Stateless:
        pk = 4711

    grounds = grounds_of(ann, Stateless(), None, None)
    assert grounds == Grounds(ann.pk, None, "")
    assert not fallen([grounds]).grounds


def test_many_cost_as_many_queries_as_one() -> None:
    several = [on_device(account(f"a{n}")) for n in range(7)]
    several += [in_session(account(f"b{n}"))[0] for n in range(7)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert not end_fallen(several)
    assert len(queries) <= 3
    assert not any("JOIN" in query["sql"] for query in queries)
