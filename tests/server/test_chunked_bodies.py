"""A body in chunks is worth as much as one with a length, whichever server reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from rest_framework.test import APIClient

from tests.live.processes import Server, SetUp, begin, free_port, stop, wait_until_ready
from tests.server.raw import WITHIN
from tests.websocket.wire import Caller

COMMANDS = {
    "uvicorn alone": ["-m", "uvicorn", "project.asgi:application", "--port"],
    "runserver": ["manage.py", "runserver", "--noreload"],
}
_numbers = count()


@contextmanager
def started(command: list[str], setup: SetUp, log: Path) -> Iterator[Server]:
    port = free_port()
    one = begin(setup.environment, log, port, *command, str(port))
    try:
        wait_until_ready(one)
        yield one
    finally:
        stop(one)


@pytest.fixture(scope="module", params=["project.server", *COMMANDS])
def address(
    request: pytest.FixtureRequest, setup: SetUp, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    if request.param not in COMMANDS:
        yield setup.addresses[0]
        return
    log = tmp_path_factory.mktemp("chunked") / "server.log"
    with started(COMMANDS[request.param], setup, log) as server:
        yield server.address


@pytest.fixture
def caller(address: str) -> Caller:
    return Caller.registered(address, f"chunky{next(_numbers)}")


def call(caller: Caller, method: str, path: str, kind: str, *pieces: bytes) -> tuple[int, Any]:
    """Send a body in these chunks, and return the answer."""
    connection = HTTPConnection(caller.address, timeout=WITHIN)
    headers = {"Authorization": f"Bearer {caller.token}", "Content-Type": kind}
    headers["Transfer-Encoding"] = "chunked"
    try:
        connection.request(method, f"/api/{path}", iter(pieces), headers, encode_chunked=True)
        answer = connection.getresponse()
        return answer.status, orjson.loads(answer.read())
    finally:
        connection.close()


JSON = "application/json"


def test_a_patch_in_chunks_changes_what_it_names(caller: Caller) -> None:
    status, person = call(caller, "PATCH", "users/me/", JSON, b'{"display', b'_name": "Ann"}')
    assert (status, person["display_name"]) == (200, "Ann")
    assert caller.call("GET", "users/me/")["display_name"] == "Ann"


def test_a_group_is_made_of_a_body_in_chunks(caller: Caller) -> None:
    body = b'{"title": "Tea", "visibility": "public"}'
    status, room = call(caller, "POST", "groups/", JSON, body[:7], body[7:])
    assert (status, room["title"], room["visibility"]) == (201, "Tea", "public")


def test_a_sync_in_chunks_has_its_cursors_read(caller: Caller) -> None:
    room = caller.group()
    epoch = caller.call("POST", "sync/", {"cursors": {}})["epoch"]
    body = orjson.dumps({"epoch": epoch, "cursors": {room: 0}})
    status, answer = call(caller, "POST", "sync/", JSON, body)
    assert status == 200
    assert answer == caller.call("POST", "sync/", orjson.loads(body))
    assert room in orjson.dumps(answer).decode()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="display_name"\r\n\r\nBea\r\n--b--\r\n',
        ),
        ("application/x-www-form-urlencoded", b"display_name=Bea"),
    ],
    ids=["multipart", "urlencoded"],
)
def test_a_form_in_chunks_is_read(caller: Caller, kind: str, body: bytes) -> None:
    status, person = call(caller, "PATCH", "users/me/", kind, body[:30], body[30:])
    assert (status, person["display_name"]) == (200, "Bea")


def test_an_empty_body_in_chunks_is_empty(caller: Caller) -> None:
    status, person = call(caller, "PATCH", "users/me/", JSON)
    assert (status, person["username"]) == (200, caller.name)


def test_a_body_in_chunks_above_the_limit_is_too_large(caller: Caller) -> None:
    pieces = [b'{"display_name": "', *[b"x" * 60_000] * 50, b'"}']
    try:
        status, answer = call(caller, "PATCH", "users/me/", JSON, *pieces)
    except ConnectionError:
        pytest.fail("the connection was reset before the answer could be read")
    assert (status, answer["code"]) == (413, "too_large")


def test_a_server_that_cannot_read_it_asks_for_a_length(db: None) -> None:
    """Django reads nothing without `CONTENT_LENGTH` under WSGI."""
    answer = APIClient().generic("POST", "/api/auth/token/", b"", HTTP_TRANSFER_ENCODING="chunked")
    assert (answer.status_code, answer.json()["code"]) == (411, "invalid")
    assert "Content-Length" in answer.json()["detail"]
