"""Every refusal has one shape, hostile input is refused, and the host's settings change nothing."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connections
from django.test import Client
from django.urls import resolve
from rest_framework.exceptions import APIException, Throttled
from rest_framework.test import APIClient

from chat.models import Profile, Room
from tests.rest.conftest import Api, refused

pytestmark = pytest.mark.django_db

JSON = "application/json"
UNKNOWN = uuid4()

# Every path that reads something from a signed-in person: method and path.
WRITES = [
    ("patch", "users/me/"),
    ("patch", "rooms/{room}/"),
    ("post", "rooms/{room}/messages/"),
    ("post", "rooms/{room}/read/"),
    ("post", "rooms/{room}/unread/"),
    ("patch", "rooms/{room}/me/"),
    ("post", "groups/"),
    ("patch", "groups/{room}/"),
    ("post", "groups/{room}/members/"),
    ("patch", "groups/{room}/members/{ann}/"),
    ("post", "direct/"),
    ("post", "messages/"),
    ("post", "sync/"),
    ("post", "auth/register/"),
    ("post", "auth/token/"),
    ("post", "auth/token/refresh/"),
]
LISTS = [
    "users/",
    "rooms/",
    "groups/",
    "groups/?search=",
    "groups/{room}/members/",
    "direct/",
    "auth/devices/",
    "rooms/{room}/messages/",
    "rooms/{room}/log/",
]

BODIES = {
    "deep array": b"[" * 100_000,
    "deep array, closed": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep below orjson's limit": b'{"title":' + b"[" * 900 + b"]" * 900 + b"}",
    "nan": b'{"seq": NaN}',
    "infinity": b'{"seq": -Infinity}',
    "long number": b'{"seq": ' + b"9" * 5_000 + b"}",
    "lone surrogate": b'{"title": "\\ud800", "text": "\\ud800"}',
    "not UTF-8": b'{"title": "\xff"}',
    "surrogate bytes": b'{"title": "\xed\xa0\x80"}',
    "cut short": b'{"title": ',
    "array": b"[]",
    "array of much": b"[" + b"1," * 9_999 + b"1]",
    "number": b"1",
    "text": b'"x"',
    "null": b"null",
    "blank": b" ",
}


def filled(path: str, room: Room, ann: Profile) -> str:
    return f"/api/{path.format(room=room.pk, ann=ann.pk)}"


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_hostile_body_is_invalid(
    api: Api, ann: Profile, group: Room, method: str, path: str, body: bytes
) -> None:
    ask = getattr(api(ann), method)
    refused(ask(filled(path, group, ann), body, content_type=JSON), 400, "invalid")


def test_odd_types_where_a_choice_is_expected_are_invalid(
    api: Api, ann: Profile, group: Room
) -> None:
    for odd in ([[[]]], {"a": {}}, 1.5, "\x00", True, "x" * 99_999):
        for name in ("visibility", "history", "frozen", "title", "slow_mode"):
            answer = api(ann).patch(f"/api/rooms/{group.pk}/", {name: odd}, format="json")
            assert answer.status_code in {200, 400}, (name, odd, answer.content)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("name", ["cursor", "limit", "search", "before", "after", "kind"])
@pytest.mark.parametrize("value", ["%00", "a%00b", "%ED%A0%80", "%FF"])
def test_no_character_in_a_query_breaks_a_list(
    api: Api, ann: Profile, group: Room, path: str, name: str, value: str
) -> None:
    path = filled(path, group, ann)
    path += f"{'&' if '?' in path else '?'}{name}={value}"
    answer = api(ann).get(path)
    if answer.status_code == 200:
        return
    refused(answer, 400, "invalid")


def test_nul_in_a_search_or_a_cursor_is_invalid(api: Api, ann: Profile) -> None:
    for query in ("search=%00", "cursor=%00", "cursor=cD0lMDA%3D"):
        for path in ("users/?", "rooms/?", "groups/?search=&"):
            refused(api(ann).get(f"/api/{path}{query}"), 400, "invalid")


@pytest.mark.parametrize(
    "path",
    [
        "nowhere/",
        "rooms/x/",
        "rooms/%00/",
        "rooms/%ED%A0%80/",
        "rooms/%0A/",
        f"rooms/{UNKNOWN}%00/",
        f"rooms/{UNKNOWN}/bans/",
        "nowhere",
        "auth/nowhere/",
        "messages/1/",
        f"groups/{UNKNOWN}/members/me/",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_a_path_that_is_none_is_not_found(db: None, path: str, method: str) -> None:
    refused(getattr(APIClient(), method)(f"/api/{path}"), 404, "not_found")


def test_a_method_that_is_not_spoken_is_unsupported(api: Api, ann: Profile) -> None:
    answer = api(ann).put("/api/users/me/", {})
    refused(answer, 405, "unsupported")
    assert set(answer["Allow"].split(", ")) >= {"GET", "PATCH"}


def test_a_kind_of_content_that_is_not_spoken_is_unsupported(api: Api, ann: Profile) -> None:
    for kind in ("text/plain", "application/xml", "application/msgpack"):
        refused(api(ann).post("/api/groups/", b"{}", content_type=kind), 415, "unsupported")
    refused(api(ann).get("/api/rooms/", HTTP_ACCEPT="image/png"), 406, "unsupported")
    refused(api(ann).get("/api/rooms/?format=xml"), 404, "not_found")


def test_an_unknown_charset_is_read_as_utf_8(api: Api, ann: Profile) -> None:
    body = '{"display_name": "Änn"}'.encode()
    answer = api(ann).patch("/api/users/me/", body, content_type=f"{JSON}; charset=klingon")
    assert answer.json()["display_name"] == "Änn"


@pytest.mark.parametrize("kind", [JSON, "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_above_the_hosts_limit_is_too_large(
    api: Api, ann: Profile, settings: Any, kind: str
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    if kind == "multipart/form-data":
        kind += "; boundary=b"
    body = b'{"title": "' + b"x" * 1_000 + b'"}'
    refused(api(ann).post("/api/groups/", body, content_type=kind), 413, "too_large")
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann.user)
    refused(client.post("/api/groups/", body, content_type=kind), 413, "too_large")


def test_a_form_of_too_many_fields_is_invalid(api: Api, ann: Profile) -> None:
    body = {f"f{number}": "x" for number in range(10_000)}
    refused(api(ann).post("/api/groups/", body, format="multipart"), 400, "invalid")
    answer = api(ann).post(
        "/api/groups/",
        "&".join(f"{name}=x" for name in body),
        content_type="application/x-www-form-urlencoded",
    )
    refused(answer, 400, "invalid")


def test_a_form_is_as_good_as_json(api: Api, ann: Profile) -> None:
    answer = api(ann).post(
        "/api/groups/",
        "title=Boats&visibility=public",
        content_type="application/x-www-form-urlencoded",
    )
    assert (answer.status_code, answer.json()["title"]) == (201, "Boats")
    broken = api(ann).post("/api/groups/", b"x", content_type="multipart/form-data; boundary=b")
    assert broken.status_code == 400


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (OperationalError("down"), 503, "unavailable"),
        (InterfaceError("down"), 503, "unavailable"),
        (Throttled(wait=1.2), 429, "rate_limited"),
        (PermissionDenied("secret"), 403, "forbidden"),
        (SuspiciousOperation("secret"), 400, "invalid"),
    ],
    ids=repr,
)
def test_what_others_raise_has_the_shape_too(
    api: Api,
    ann: Profile,
    monkeypatch: pytest.MonkeyPatch,
    raised: Exception,
    status: int,
    code: str,
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise raised

    monkeypatch.setattr("chat.rest.people.people_for", fail)
    answer = api(ann).get("/api/users/")
    body = refused(answer, status, code)
    assert "secret" not in answer.content.decode()
    if "retry_after" in body:
        assert answer["Retry-After"] == str(body["retry_after"]) == "2"
    assert ("retry_after" in body) == (status in {429, 503})


def test_a_defect_is_not_dressed_up(
    api: Api, ann: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    for defect in (KeyError("x"), APIException("x")):

        def fail(*args: Any, defect: Exception = defect, **kwargs: Any) -> None:
            raise defect

        monkeypatch.setattr("chat.rest.people.people_for", fail)
        with pytest.raises(type(defect)):
            api(ann).get("/api/users/")


def test_a_session_without_a_csrf_token_writes_nothing(ann: Profile) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann.user)
    assert client.get("/api/users/me/").status_code == 200
    refused(client.post("/api/groups/", {"title": "x"}, content_type=JSON), 403, "forbidden")
    refused(client.post("/api/groups/", "{}", content_type="text/plain"), 403, "forbidden")
    assert not Room.objects.filter(kind="group").exists()


def test_no_answer_is_kept_by_anyone(api: Api, ann: Profile) -> None:
    for path in ("/api/", "/api/users/me/", "/api/nowhere/", f"/api/rooms/{UNKNOWN}/"):
        answer = api(ann).get(path)
        assert answer["Cache-Control"] == "no-store"
        assert answer["Content-Type"] == JSON


def test_no_view_runs_inside_the_hosts_transactions() -> None:
    for path in ("/api/rooms/", "/api/auth/token/", "/api/nowhere/"):
        assert resolve(path).func._non_atomic_requests == set(connections)


def test_the_hosts_rest_framework_decides_nothing(
    api: Api, ann: Profile, group: Room, settings: Any
) -> None:
    path = f"/api/rooms/{group.pk}/"
    before = api(ann).get(path)
    settings.REST_FRAMEWORK = {
        "TEST_REQUEST_DEFAULT_FORMAT": "json",
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.StaticHTMLRenderer"],
        "DEFAULT_PARSER_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
        "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
        "DEFAULT_THROTTLE_RATES": {"user": "1/day"},
        "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
        "DEFAULT_PAGINATION_CLASS": None,
        "EXCEPTION_HANDLER": "nowhere.handler",
        "PAGE_SIZE": 1,
        "UNAUTHENTICATED_USER": None,
    }
    for _ in range(2):
        assert api(ann).get(path).content == before.content
    refused(APIClient().get(path), 401, "unauthenticated")
    refused(api(ann).post("/api/groups/", {}), 400, "invalid")


def test_without_a_word_of_ours_the_hosts_sign_in_counts(dora: Profile, settings: Any) -> None:
    settings.CHAT = {**settings.CHAT, "AUTHENTICATION": None}
    settings.REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"]
    }
    client = APIClient()
    answer = client.get("/api/users/me/")
    refused(answer, 401, "unauthenticated")
    assert answer["WWW-Authenticate"].startswith("Basic")
    client.credentials(HTTP_AUTHORIZATION="Basic ZG9yYTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=")
    assert client.get("/api/users/me/").json()["username"] == "dora"


def test_without_the_store_no_password_is_looked_at(
    dora: Profile, configured: Any, settings: Any
) -> None:
    configured(AUTHENTICATION=["rest_framework.authentication.BasicAuthentication"])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Basic ZG9yYTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=")
    assert client.get("/api/users/me/").status_code == 200
    configured(LIMITS_STORAGE="redis://127.0.0.1:1")
    refused(client.get("/api/users/me/"), 503, "unavailable")
    refused(client.get("/api/users/me/", HTTP_ACCEPT="application/json"), 503, "unavailable")
    assert client.get("/api/users/me/", HTTP_ACCEPT="text/html").status_code == 503
