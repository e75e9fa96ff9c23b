"""A fault of a client is one line of the log, at most a warning, and no traceback."""

from __future__ import annotations

import re
import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress

import httpx2
import orjson
import pytest

from chat.websocket.server import without_queries
from tests.live.processes import ROOT, SetUp, common_environment, manage, serving
from tests.websocket.wire import PASSWORD, Caller

# With the cookie of a page before, so that the body is looked through for its token.
FORM = f"Host: 127.0.0.1\r\nCookie: csrftoken={'a' * 32}\r\n"
FORM += "Content-Type: application/x-www-form-urlencoded\r\n"
BIG = 3 * 1024 * 1024


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    place = tmp_path_factory.mktemp("faults")
    environment = {
        **common_environment(),
        "DATABASE_URL": f"sqlite:///{place / 'parley.sqlite3'}",
        "REDIS_URL": "",
        # Cookies over plain HTTP.
        "HTTPS": "off",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }
    with serving("faults", environment, place, processes=1) as running:
        who = ("--username", "olga", "--email", "olga@example.org")
        manage(environment, "createsuperuser", "--noinput", *who)
        yield running


def raw(site: SetUp, *parts: bytes) -> bytes:
    """Send bytes and read until the server closes, or has answered the last request."""
    host, _, port = site.addresses[0].partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        answer = b""
        # The server may refuse, and close, before it has read all.
        with suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
        with suppress(ConnectionError):
            while piece := connection.recv(65_536):
                answer += piece
        return answer


def foreign_host(site: SetUp) -> None:
    answer = raw(site, b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert b" 400 " in answer.splitlines()[0]


def doubled_host(site: SetUp) -> None:
    hosts = b"Host: 127.0.0.1\r\nHost: evil.example\r\n"
    answer = raw(site, b"GET / HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n")
    assert b" 400 " in answer.splitlines()[0]


def large_chunked_form(site: SetUp) -> None:
    chunked_form(site, "/admin/login/")


def large_chunked_form_of_the_api(site: SetUp) -> None:
    chunked_form(site, "/api/auth/token/")


def chunked_form(site: SetUp, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\n{FORM}"
    chunk = b"%x\r\n" % BIG + b"a" * BIG + b"\r\n0\r\n\r\n"
    raw(site, head.encode() + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n", chunk)


def large_form(site: SetUp) -> None:
    head = f"POST /admin/login/ HTTP/1.1\r\n{FORM}"
    raw(site, f"{head}Content-Length: {BIG}\r\nConnection: close\r\n\r\n".encode(), b"a" * BIG)


def foreign_filter(site: SetUp) -> None:
    with httpx2.Client(base_url=f"http://{site.addresses[0]}", follow_redirects=True) as browser:
        page = browser.get("/admin/login/").text
        (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[:1]
        form = {"username": "olga", "password": PASSWORD, "csrfmiddlewaretoken": token}
        assert browser.post("/admin/login/?next=/healthz", data=form).json() == {"status": "ok"}
        answer = browser.get("/admin/chat/room/?created_by__user__password__startswith=a")
        assert answer.status_code == 400


def forged_cursor(site: SetUp) -> None:
    ann = Caller.registered(site.addresses[0], "ann")
    cursor = b64encode(b"p=2020-01-01T00:00:00").decode()
    with pytest.raises(httpx2.HTTPStatusError, match="400"):
        ann.call("GET", f"rooms/?cursor={cursor}")


FAULTS = [
    foreign_host,
    doubled_host,
    large_form,
    large_chunked_form,
    large_chunked_form_of_the_api,
    foreign_filter,
    forged_cursor,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_fault_of_a_client_is_one_line(site: SetUp, fault: object) -> None:
    log = site.servers[0].log
    before = log.stat().st_size
    fault(site)  # type: ignore[operator]
    # The process has written all of it by the time it answers another request.
    assert httpx2.get(f"http://{site.addresses[0]}/healthz").status_code == 200
    with log.open("rb") as written:
        written.seek(before)
        lines = [orjson.loads(line) for line in written.read().splitlines()]
    assert not [line for line in lines if "traceback" in line or line["level"] == "ERROR"]
    warnings = [line for line in lines if line["level"] == "WARNING"]
    assert len(warnings) <= 1, warnings
    assert str(ROOT) not in str(lines)


def test_the_reason_is_in_the_line(site: SetUp) -> None:
    foreign_host(site)
    assert "Invalid HTTP_HOST header: 'evil.example'" in site.logs()


def test_the_log_filters_of_a_project_stay_under_their_names() -> None:
    own = {"()": "mysite.logs.Own"}
    named = {"without_query": own, "without_client_faults": own}
    config = without_queries({"filters": named, "loggers": {}})
    assert {name: config["filters"][name] for name in named} == named
