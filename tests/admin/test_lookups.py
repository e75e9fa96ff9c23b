"""A list is asked by what it shows: no column beside that tells anything, and no value is an error of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client

from chat.models import Device, Event, Membership, Message, ModerationEntry, Profile, Room
from tests.admin.conftest import path
from tests.thorough import THOROUGH

pytestmark = pytest.mark.django_db

TABLES = [model for model in admin.site._registry if model._meta.app_label == "chat"]
WAYS = [
    "",
    "__exact",
    "__iexact",
    "__icontains",
    "__startswith",
    "__regex",
    "__in",
    "__gte",
    "__lt",
    "__isnull",
    "__year",
    "__has_key",
    "__length__gt",
]
# What the pages themselves link to.
SHOWN = {
    "room": {"kind__exact", "kind__isnull", "visibility__exact", "visibility__isnull"}
    | {"frozen__exact", "frozen__isnull"},
    "profile": {"direct_from__exact", "direct_from__isnull"},
    "moderationentry": {"verb__exact", "verb__isnull", "created_at__gte", "created_at__lt"},
}


def lookups(model: type[Model]) -> Iterator[str]:
    for field in model._meta.get_fields():
        for way in WAYS:
            yield field.name + way
        near = field.related_model
        if near is not None and not isinstance(near, str):
            for other in near._meta.get_fields():
                yield f"{field.name}__{other.name}"
                yield f"{field.name}__{other.name}__icontains"
                yield f"{field.name}__{other.name}__startswith"


@pytest.mark.once
@pytest.mark.parametrize("table", TABLES)
def test_no_column_is_asked_that_no_filter_shows(mod: Client, message: Message, table: Any) -> None:
    answered = {
        lookup
        for lookup in lookups(table)
        if mod.get(path(table) + f"?{lookup}=a").status_code != 400
    }
    assert answered == SHOWN.get(table._meta.model_name, set())
    assert len(list(lookups(table))) > 100


@pytest.mark.parametrize(
    ("table", "query"),
    [
        (Message, "text__icontains=foul"),
        (Message, "text__regex=("),
        (Message, "metadata__has_key=a%00"),
        (Message, "created_at__year=99999"),
        (Device, "auth_hash__startswith=a"),
        (Device, "refresh_jti__startswith=the"),
        (Device, "profile__user__password__startswith=p"),
        (Event, "data__icontains=a"),
        (Event, "message__text__icontains=foul"),
        (Membership, "room__messages__text__icontains=foul"),
    ],
)
def test_words_and_secrets_are_not_guessed_through_a_list(
    mod: Client, message: Message, phone: Device, table: Any, query: str
) -> None:
    assert mod.get(f"{path(table)}?{query}").status_code == 400
    # Nor beside a way that is shown.
    narrow = {Device: "profile", Message: "room", Event: "room", Membership: "room"}[table]
    key = phone.profile_id if table is Device else message.room_id
    assert mod.get(f"{path(table)}?{narrow}__id__exact={key}&{query}").status_code == 400


VALUES = [
    "",
    "(",
    "\x00",
    "a\x00",
    "99999",
    "-1",
    "9" * 400,
    "0001-01-01 00:00:00+14:00",
    "9999-12-31 23:59:59-14:00",
    "99999-01-01",
    "NaN",
    "😀",
    "x" * 5000,
    str(uuid4()),
]


@pytest.mark.parametrize("table", TABLES)
def test_no_value_of_a_shown_way_is_an_error_of_ours(mod: Client, group: Room, table: Any) -> None:
    rows: dict[Any, Model] = {Room: group, Profile: Profile.objects.first() or group}
    shown = admin.site._registry[table]
    narrow = getattr(shown, "narrowed_by", {})
    ways: list[dict[str, Any]] = [
        {name: None} for name in ("q", "o", "p", *SHOWN.get(table._meta.model_name, ()))
    ]
    for key, near in narrow.items():
        beside = {f"{key}__id__exact": rows[near].pk}
        names = ["type", "kind__exact", "role__exact", "deleted", "silenced", "q"]
        ways += [{f"{key}__id__exact": None}, *({**beside, name: None} for name in names)]
    for number, way in enumerate(ways):
        # Every other value for one way, the others for the next: each is tried on each table.
        for value in VALUES if THOROUGH else VALUES[number % 2 :: 2]:
            asked = {name: value if given is None else given for name, given in way.items()}
            answer = mod.get(f"{path(table)}?{urlencode(asked)}")
            assert answer.status_code in {200, 302, 400}, asked


def test_the_filters_and_links_of_the_pages_still_work(mod: Client, message: Message) -> None:
    for table in TABLES:
        narrow = getattr(admin.site._registry[table], "narrowed_by", {})
        starts = [""] + [
            f"?{key}__id__exact={message.room_id if near is Room else message.sender_id}"
            for key, near in narrow.items()
        ]
        for start in starts:
            shown = mod.get(path(table) + start).context["cl"]
            for spec in shown.filter_specs:
                for choice in spec.choices(shown):
                    assert mod.get(path(table) + choice["query_string"]).status_code == 200
    entries = path(ModerationEntry)
    assert mod.get(f"{entries}?verb__exact=read_message").status_code == 200


@pytest.mark.parametrize("key", ["x", "\x00", "9" * 40, "-1", ""])
@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_cannot_be_is_not_chosen(mod: Client, group: Room, table: Any, key: str) -> None:
    shown = mod.get(path(table)).context["action_form"]
    names = [name for name, _ in shown.fields["action"].choices if name] if shown else ["no_act"]
    for name in names:
        said = {"action": name, "_selected_action": key, "reason": "Why not.", "role": "member"}
        assert mod.post(path(table), said).status_code in {200, 302, 400}
