"""Error texts are for people: no word of the machinery in them, and all in one language."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from rest_framework.test import APIClient

from chat import errors
from chat.commands import COMMANDS, validated
from chat.errors import ChatError, Invalid
from chat.models import Profile, Room
from chat.rest.docs.refusals import KINDS
from chat.websocket import origins
from chat.websocket.frames import parsed, ref_of
from chat.websocket.signin import sign_in
from tests.documents import REST, found
from tests.rest.conftest import Api
from tests.scene import say, undone

pytestmark = [pytest.mark.django_db, pytest.mark.once]

ROOT = Path(__file__).resolve().parent.parent.parent
MACHINERY = re.compile(
    r"non_field_errors|dictionary|\bitems\b|CHAT\[|serializer|queryset|Traceback|NoneType|"
    r"\btype \"|django|rest_framework|orjson|psycopg|sqlite|\bNone\b|\bdict\b|\bint\b|\bstr\b|0x",
    re.IGNORECASE,
)
WRONG: list[Any] = [5, None, "", "\x00", "x" * 6_000]
JSON = "application/json"
BODIES = [b"[]", b"null", b"{", b"[" * 50 + b"]" * 50]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in REST["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def written(operation: dict[str, Any]) -> list[str]:
    """The fields of the body of an operation."""
    body = operation.get("requestBody")
    return list(found(body["content"][JSON]["schema"], REST)["properties"]) if body else []


def refusals(
    client: APIClient, names: dict[str, Any], *, signed_in: bool, **headers: str
) -> dict[str, str]:
    """The text of every refusal of many wrong requests, by request."""
    told: dict[str, str] = {}

    def ask(method: str, path: str, body: bytes, kind: str = JSON) -> None:
        with undone():
            answer = client.generic(method.upper(), path, body, kind, headers=headers)
        if answer.status_code >= 400:
            told[f"{method} {path} {kind} {body[:100]!r}"] = answer.content.decode()

    for method, template, operation in operations():
        path = template.format(**names)
        if not signed_in and {} not in operation["security"]:
            ask(method, path, b"")
            continue
        bodies = list(BODIES) if "requestBody" in operation else [b""]
        bodies += [json.dumps(dict.fromkeys(written(operation), one)).encode() for one in WRONG]
        for body in bodies:
            ask(method, path, body)
        ask(method, path, b"<a/>", "application/xml")
        ask("put", path, b"{}")
        for query in ("limit=x&befroe=1&archived=x&kind=x", "before=1&after=x", "cursor=x"):
            ask(method, f"{path}?{query}", b"")
    ask("get", "/api/nowhere/", b"")
    ask("post", "/api/rooms", b"")
    return told


@pytest.fixture
def names(ann: Profile, bob: Profile, group: Room) -> dict[str, Any]:
    return {"room": group.pk, "user": bob.pk, "message": say(ann, group).pk, "device": ann.pk}


@pytest.mark.parametrize("signed_in", [True, False])
def test_rest_names_no_machinery_and_speaks_one_language(
    api: Api, ann: Profile, names: dict[str, Any], settings: Any, signed_in: bool
) -> None:
    client = api(ann) if signed_in else APIClient()
    with translation.override("en"):
        told = refusals(client, names, signed_in=signed_in)
    assert len(told) > 60
    assert not {request: text for request, text in told.items() if MACHINERY.search(text)}
    # The site speaks German, and so does whoever asks.
    settings.LANGUAGE_CODE = "de"
    german = {"accept-language": "de"}
    with translation.override("de"):
        assert refusals(client, names, signed_in=signed_in, **german) == told


def frame_refusals() -> list[dict[str, Any]]:
    """The refusals of many wrong frames."""
    refused: list[ChatError] = []
    for name, command in COMMANDS.items():
        for wrong in WRONG:
            frame = {"type": name, **dict.fromkeys(command.shape().fields, wrong), "email": "x"}
            with pytest.raises(Invalid) as refusal:
                validated(command, frame)
            refused.append(refusal.value)
    for text in ("{", "[]", "{}", '{"type": 5}', None):
        with pytest.raises(ChatError) as told:
            parsed({"text": text})
        refused.append(told.value)
    with pytest.raises(Invalid) as odd:
        ref_of({"ref": []})
    return [one.as_dict() for one in [*refused, odd.value]]


def test_sockets_name_no_machinery_and_speak_one_language() -> None:
    with translation.override("en"):
        told = frame_refusals()
    assert not [one for one in told if MACHINERY.search(str(one).replace("None", ""))]
    with translation.override("de"):
        assert frame_refusals() == told


@pytest.fixture
def handshake() -> dict[str, Any]:
    return {
        "type": "websocket",
        "path": "/ws/",
        "query_string": b"",
        "client": ["127.0.0.1", 5],
        "headers": [(b"host", b"testserver"), (b"origin", b"https://elsewhere.example")],
    }


def test_foreign_page_is_told_what_it_can_do_and_the_log_what_the_operator_can(
    handshake: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    origins.foreign_pages.clear()
    handshake["headers"].append((b"authorization", b"Basic YTpi"))
    with pytest.raises(errors.Forbidden) as refusal:
        sign_in(handshake)
    # Once a minute from one address.
    with pytest.raises(errors.Forbidden):
        sign_in(handshake)
    assert not MACHINERY.search(refusal.value.detail)
    assert "token or ticket" in refusal.value.detail
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "https://elsewhere.example" in record.getMessage()
    assert "CHAT['ORIGINS']" in record.getMessage()


def test_refusal_of_a_hosts_sign_in_is_in_the_same_language(
    handshake: dict[str, Any], configured: Any
) -> None:
    configured(AUTHENTICATION=["rest_framework.authentication.BasicAuthentication"])
    handshake["headers"] = [(b"host", b"testserver"), (b"authorization", b"Basic x")]
    told = set()
    for language in ("en", "de"):
        with translation.override(language), pytest.raises(errors.Unauthenticated) as refusal:
            sign_in(handshake)
        told.add(refusal.value.detail)
    assert len(told) == 1


RAISED = {kind.__name__ for kind in KINDS} | {"ValidationError"}


def literals() -> Iterator[str]:
    """Every text that the code gives to a refusal."""
    for path in (ROOT / "chat").rglob("*.py"):
        if "checks" in path.parts or "management" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISED:
                inside = ast.walk(node)
                yield from (
                    one.value
                    for one in inside
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                )


def test_no_text_in_the_code_names_machinery() -> None:
    texts = list(literals()) + [kind.default_detail for kind in KINDS]
    assert len(texts) > 40
    assert not [text for text in texts if MACHINERY.search(text)]
