"""The admin shows the tables, writes nothing, and keeps words and secrets out of its lists."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat.actions.devices import open_device
from chat.models import Device, Event, Membership, Message, Profile, Room
from tests.scene import say

pytestmark = pytest.mark.django_db

TABLES = [Profile, Device, Room, Membership, Message, Event]
SECRETS = ["secret words", "the-refresh-jti", "digest", "auth_hash", "Auth hash"]


@pytest.fixture
def boss(client: Client, ann: Profile, group: Room, django_user_model: Any) -> Client:
    say(ann, group, "secret words")
    open_device(ann, ann.user, name="phone", refresh_jti="the-refresh-jti", sid=uuid4())
    client.force_login(django_user_model.objects.create_superuser("boss"))
    return client


def path(table: Any, place: str = "") -> str:
    return f"/admin/chat/{table._meta.model_name}/{place}"


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_listed_searched_and_shown(boss: Client, table: Any) -> None:
    for query in ("", "?q=ann", "?q=%00", "?o=1"):
        page = boss.get(path(table) + query)
        assert page.status_code == 200
        assert not any(secret in page.content.decode() for secret in SECRETS)
    row = boss.get(path(table, f"{table.objects.last().pk}/change/"))
    assert row.status_code == 200
    shown = row.content.decode()
    assert not any(secret in shown for secret in SECRETS[1:])
    assert "_save" not in shown


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_written(boss: Client, table: Any) -> None:
    row = table.objects.last()
    assert boss.get(path(table, "add/")).status_code == 403
    assert boss.post(path(table, f"{row.pk}/change/"), {}).status_code == 403
    assert boss.post(path(table, f"{row.pk}/delete/"), {"post": "yes"}).status_code == 403
    assert table.objects.filter(pk=row.pk).exists()
    assert "delete_selected" not in boss.get(path(table)).content.decode()


@pytest.mark.parametrize("table", TABLES)
def test_a_list_costs_the_same_however_long(
    boss: Client, ann: Profile, bob: Profile, group: Room, table: Any
) -> None:
    counts = []
    for _ in range(2):
        for number in range(5):
            say(bob, group)
            open_device(ann, ann.user, name="d", refresh_jti=str(number), sid=uuid4())
        with CaptureQueriesContext(connection) as queries:
            boss.get(path(table))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_every_table_of_people_is_there() -> None:
    assert all(admin.site.is_registered(table) for table in TABLES)
