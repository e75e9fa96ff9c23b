"""All errors of a request come in one answer, and nothing that a client says is ignored in silence."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.serializers import Serializer

from chat.commands import COMMANDS, validated
from chat.errors import Invalid
from chat.models import Profile, Room
from chat.rest.auth.shapes import CredentialsSerializer
from chat.rest.base import ChatViewSet
from chat.serializers.names import known_names
from chat.serializers.reading import read
from tests.rest.conftest import Api, refused

pytestmark = [pytest.mark.django_db, pytest.mark.once]

NOWHERE = "00000000-0000-7000-8000-000000000000"


def fields(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = refused(answer, 400, "invalid")["fields"]
    return found


def command_errors(name: str, frame: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(Invalid) as refusal:
        validated(COMMANDS[name], {"type": name, "ref": "1", **frame})
    return refusal.value.fields or {}


# All errors at once.


def test_body_reports_field_type_and_foreign_errors_together(
    api: Api, ann: Profile, group: Room
) -> None:
    body = {"id": "x", "text": 5, "reply_to": True, "metadata": [], "kind": "system"}
    answer = api(ann).post(f"/api/rooms/{group.pk}/messages/", body, format="json")
    assert fields(answer).keys() == body.keys()
    errors = command_errors("message.send", {**body, "room": 7})
    assert errors.keys() == {*body, "room"}


def test_missing_fields_are_reported_beside_wrong_ones(api: Api, ann: Profile) -> None:
    answer = api(ann).post("/api/groups/", {"history": 1, "email": "a@b.c"}, format="json")
    assert fields(answer).keys() == {"title", "history", "email"}


def test_query_reports_all_errors_together(api: Api, ann: Profile, group: Room) -> None:
    query = {"before": "x", "after": "1", "around": "2", "limit": "0", "filter": ""}
    answer = api(ann).get(f"/api/rooms/{group.pk}/messages/", query)
    assert fields(answer).keys() == query.keys()
    query = {"search": "x" * 101, "limit": "x", "cursr": "1"}
    assert fields(api(ann).get("/api/rooms/", query)).keys() == query.keys()


# Query parameters.


def test_unknown_parameter_names_the_nearest(api: Api, ann: Profile, group: Room) -> None:
    answer = api(ann).get(f"/api/rooms/{group.pk}/messages/", {"befroe": 5})
    assert fields(answer) == {"befroe": ["Unknown parameter `befroe`. Did you mean `before`?"]}
    assert fields(api(ann).get("/api/rooms/", {"xyz": ""})) == {"xyz": ["Unknown parameter `xyz`."]}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "users/me/"),
        ("get", ""),
        ("get", "schema/"),
        ("get", "asyncapi/"),
        ("patch", "users/me/"),
        ("post", "sync/"),
        ("post", "auth/token/"),
        ("delete", "auth/devices/"),
    ],
)
def test_operations_without_parameters_refuse_them_too(
    api: Api, ann: Profile, method: str, path: str
) -> None:
    assert fields(getattr(api(ann), method)(f"/api/{path}?limt=5")).keys() == {"limt"}


def test_path_that_is_not_found_checks_no_parameters(api: Api, ann: Profile) -> None:
    refused(api(ann).get("/api/nowhere/?x=1"), 404, "not_found")


def test_many_unknown_parameters_cost_little(api: Api, ann: Profile) -> None:
    query = {f"x{number}" * 60: "1" for number in range(500)}
    told = fields(api(ann).get("/api/rooms/", query))
    assert len(told) == 10
    assert max(map(len, told)) == 50


def test_parameters_of_other_parts_of_the_site_are_let_through(
    api: Api, ann: Profile, configured: Any
) -> None:
    assert fields(api(ann).get("/api/rooms/?tenant=a")).keys() == {"tenant"}
    configured(PARAMETERS=["tenant"])
    assert api(ann).get("/api/rooms/?tenant=a").status_code == 200
    assert api(ann).get("/api/rooms/?format=json").status_code == 200
    assert api(ann).get("/api/schema/?format=json").status_code == 200
    refused(api(ann).get("/api/rooms/?format=xml"), 404, "not_found")


def test_a_host_may_switch_the_format_parameter_off(api: Api, ann: Profile, settings: Any) -> None:
    settings.REST_FRAMEWORK = {"URL_FORMAT_OVERRIDE": None}
    told = fields(api(ann).get("/api/rooms/?formats=json"))
    assert told == {"formats": ["Unknown parameter `formats`."]}


def test_a_form_on_a_page_with_parameters_still_writes(client: Any, ann: Profile) -> None:
    client.force_login(ann.user)
    form = {"title": "Boats", "visibility": "private"}
    answer = client.post("/api/groups/?search=", form, headers={"accept": "text/html"})
    assert answer.status_code == 201


# JSON types.

WRONG_TYPES: list[tuple[str, dict[str, Any]]] = [
    ("title", {"title": 5}),
    ("title", {"title": True}),
    ("title", {"title": ["x"]}),
    ("title", {"title": {"a": 1}}),
    ("visibility", {"visibility": 1}),
    ("frozen", {"frozen": "true"}),
    ("frozen", {"frozen": 1}),
    ("frozen", {"frozen": None}),
    ("slow_mode", {"slow_mode": True}),
    ("slow_mode", {"slow_mode": "5"}),
    ("slow_mode", {"slow_mode": 1.5}),
    ("avatar_url", {"avatar_url": 5}),
]


@pytest.mark.parametrize(("name", "change"), WRONG_TYPES, ids=repr)
def test_value_of_the_wrong_type_is_invalid(
    api: Api, ann: Profile, group: Room, name: str, change: dict[str, Any]
) -> None:
    answer = api(ann).patch(f"/api/rooms/{group.pk}/", change, format="json")
    assert fields(answer).keys() == {name}


@pytest.mark.parametrize(
    "change", [{"id": 5}, {"members": [5]}, {"members": "x"}, {"members": [True]}], ids=repr
)
def test_number_is_no_id(api: Api, ann: Profile, change: dict[str, Any]) -> None:
    answer = api(ann).post("/api/groups/", {"title": "Tea", **change}, format="json")
    assert fields(answer).keys() == change.keys()


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("message.send", {"room": NOWHERE, "text": 12345678901234567890}),
        ("message.send", {"room": NOWHERE, "text": True}),
        ("message.send", {"room": 5, "text": "x"}),
        ("message.edit", {"message": 5, "text": "x"}),
        ("room.read", {"room": NOWHERE, "seq": "5"}),
        ("room.read", {"room": NOWHERE, "seq": True}),
        ("room.read", {"room": NOWHERE, "seq": 5.0}),
        ("resume", {"epoch": 5, "cursors": {}}),
        ("resume", {"epoch": "x", "cursors": {NOWHERE: "5"}}),
        ("resume", {"epoch": "x", "cursors": [NOWHERE]}),
        ("auth", {"token": 5}),
    ],
)
def test_command_with_a_value_of_the_wrong_type_is_invalid(name: str, frame: Any) -> None:
    assert len(command_errors(name, frame)) == 1


def test_a_form_sends_all_values_as_strings(client: Any, ann: Profile, group: Room) -> None:
    client.force_login(ann.user)
    form = {"seq": "1"}
    assert client.post(f"/api/rooms/{group.pk}/read/", form).status_code == 200


def test_body_that_is_no_object_is_named_plainly(api: Api, ann: Profile) -> None:
    for body, name in ((b"[]", "a list"), (b"5", "a number"), (b'"x"', "a string")):
        answer = api(ann).post("/api/groups/", body, content_type="application/json")
        told = refused(answer, 400, "invalid")
        assert told["detail"] == f"Send an object, not {name}."
        assert "fields" not in told


# Fields.


def shapes() -> set[type[Serializer[Any]]]:
    found = {command.shape for command in COMMANDS.values()}
    pending: list[type[ChatViewSet]] = [ChatViewSet]
    while pending:
        view = pending.pop()
        pending += view.__subclasses__()
        found |= set(view.inputs.values())
    return found


def test_every_field_that_a_request_writes_is_known() -> None:
    unknown = {
        f"{shape.__name__}.{name}"
        for shape in shapes()
        for name in shape().fields
        if name not in known_names()
    }
    assert not unknown


def test_unknown_fields_stay_ignored(api: Api, ann: Profile, group: Room) -> None:
    answer = api(ann).post(
        f"/api/rooms/{group.pk}/messages/", {"text": "x", "colour": {"a": [1]}}, format="json"
    )
    assert answer.status_code == 201
    frame = {"type": "ping", "ref": 1, "colour": 1, "room": NOWHERE}
    assert validated(COMMANDS["ping"], frame) == {}


@pytest.mark.parametrize("name", ["attachments", "thread", "kind", "password", "role"])
def test_known_field_that_a_send_does_not_set_is_refused(
    api: Api, ann: Profile, group: Room, name: str
) -> None:
    body = {"text": "x", name: "x"}
    answer = api(ann).post(f"/api/rooms/{group.pk}/messages/", body, format="json")
    assert fields(answer) == {name: ["This request does not set this field."]}
    told = command_errors("message.send", {"room": NOWHERE, **body})
    assert told == {name: ["This request does not set this field."]}


def test_sign_in_takes_the_name_under_the_hosts_own_field(
    api: Api, monkeypatch: pytest.MonkeyPatch, django_user_model: Any
) -> None:
    body = {"email": "eve@example.org", "password": "x"}
    answer = api(Profile()).post("/api/auth/token/", body, format="json")
    assert fields(answer).keys() == {"email", "username"}
    monkeypatch.setattr(django_user_model, "USERNAME_FIELD", "email")
    assert read(CredentialsSerializer, body)["username"] == "eve@example.org"
    with pytest.raises(Invalid) as refusal:
        read(CredentialsSerializer, {"email": 5, "password": "x"})
    assert (refusal.value.fields or {}).keys() == {"username"}
