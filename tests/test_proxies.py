"""The files of docs/operating/ for nginx and Caddy, with the real programs: REST, sockets, leaving, limits, logs."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from secrets import token_urlsafe
from time import monotonic
from typing import Any

import anyio
import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.live.processes import GONE_WITHIN, READY_WITHIN, ROOT, Server, free_port, serving
from tests.websocket.wire import PASSWORD, WITHIN, Wire

FILES = ROOT / "docs" / "operating"
TRIES = 4
CLAIM = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "http"}
PATHS = "/usr/sbin:/usr/bin:/usr/local/bin"
_names = count(1)


@dataclass(frozen=True)
class Front:
    """A proxy, and the one server process behind it."""

    server: Server
    port: int
    plain_port: int
    tls: ssl.SSLContext
    log: Path

    def client(self, source: str = "127.0.0.1") -> httpx2.Client:
        """Return a browser at an address of this machine."""
        transport = httpx2.HTTPTransport(verify=self.tls, local_address=source)
        return httpx2.Client(base_url=f"https://localhost:{self.port}", transport=transport)

    @asynccontextmanager
    async def socket(self, token: str, query: str = "") -> AsyncIterator[Wire]:
        async with connect(
            f"wss://localhost:{self.port}/ws/{query}",
            subprotocols=[Subprotocol("chat.v1"), Subprotocol(f"bearer.{token}")],
            ssl=self.tls,
            compression=None,
            proxy=None,
            open_timeout=WITHIN,
        ) as connection:
            wire = Wire(connection)
            await wire.hear("hello")
            yield wire


def replaced(text: str, **changes: str) -> str:
    """Put another value in place of each of these, all of which must be there."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx(place: Path, web: int, port: int, plain: int, log: Path) -> list[str]:
    site = (FILES / "nginx.conf").read_text()
    changes = {
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{web};",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "chat.example.com;": "localhost;",
        "/etc/letsencrypt/live/chat.example.com/fullchain.pem": f"{place}/cert.pem",
        "/etc/letsencrypt/live/chat.example.com/privkey.pem": f"{place}/key.pem",
        "/var/log/nginx/parley.access.log": str(log),
        "/var/log/nginx/parley.error.log": f"{place}/error.log",
    }
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {place}/{kind};" for kind in kinds)
    conf = place / "nginx.conf"
    conf.write_text(
        f"daemon off; pid {place}/nginx.pid; error_log {place}/main.log;"
        f"events {{}} http {{ {temporary}\n{replaced(site, **changes)} }}"
    )
    return [program("nginx"), "-p", str(place), "-c", str(conf), "-e", f"{place}/main.log"]


def caddy(place: Path, web: int, port: int, plain: int, log: Path) -> list[str]:
    site = (FILES / "Caddyfile").read_text()
    changes = {
        "\n{\n\tservers {": f"\n{{\n\tadmin off\n\thttp_port {plain}\n\thttps_port {port}\n\tservers {{",
        "chat.example.com {": f"localhost {{\n\tbind 127.0.0.1\n\ttls {place}/cert.pem {place}/key.pem",
        "127.0.0.1:8000": f"127.0.0.1:{web}",
        "/var/log/caddy/parley.log": str(log),
    }
    conf = place / "Caddyfile"
    conf.write_text(replaced(site, **changes))
    return [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(conf)]


def program(name: str) -> str:
    """Return where a proxy is, or skip loudly."""
    found = shutil.which(name, path=PATHS)
    if found is None:
        # Where everything is expected to be there, what was not tried must not look as if it held.
        missing = f"docs/operating/ WAS NOT TRIED WITH {name.upper()}: it is not installed"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    return str(found)


PROXIES = {"nginx": nginx, "caddy": caddy}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("certificate")
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    key = ("-newkey", "rsa:2048", "-nodes", "-keyout", str(place / "key.pem"))
    command = ["openssl", "req", "-x509", *key, "-out", str(place / "cert.pem"), "-days", "2"]
    subprocess.run([*command, *names], check=True, capture_output=True)
    return place


@contextmanager
def fronted(name: str, place: Path, certificate: Path) -> Iterator[Front]:
    """Run the service as the files say, and the proxy in front of it."""
    program(name)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DEBUG": "off",
        "HTTPS": "on",
        "SECRET_KEY": token_urlsafe(64),
        "JWT_SIGNING_KEY": token_urlsafe(64),
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "FORWARDED_ALLOW_IPS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{place / 'parley.sqlite3'}",
        "REDIS_URL": "",
        "CHAT_LIMIT_ADDRESS": f"{TRIES}/hour",
    }
    for file in ("cert.pem", "key.pem"):
        shutil.copy(certificate / file, place)
    port, plain, log = free_port(), free_port(), place / "access.log"
    tls = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    with serving("fronted", environment, place, processes=1) as running:
        (server,) = running.servers
        command = PROXIES[name](place, server.port, port, plain, log)
        home = {**os.environ, "HOME": str(place), "XDG_DATA_HOME": str(place)}
        with (place / "proxy.log").open("wb") as output:
            process = subprocess.Popen(
                command, cwd=place, env=home, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            front = Front(server, port, plain, tls, log)
            answers(front, process, place / "proxy.log")
            yield front
        finally:
            process.send_signal(signal.SIGQUIT if name == "nginx" else signal.SIGTERM)
            process.wait(GONE_WITHIN)


def answers(front: Front, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the service answers through the proxy."""
    deadline = monotonic() + READY_WITHIN
    while monotonic() < deadline and process.poll() is None:
        try:
            with front.client() as client:
                client.get("/healthz").raise_for_status()
            return
        except httpx2.HTTPError:
            continue
    pytest.fail(f"the proxy does not serve:\n{log.read_text()}")


@pytest.fixture(scope="module", params=PROXIES)
def front(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificate: Path
) -> Iterator[Front]:
    with fronted(request.param, tmp_path_factory.mktemp(request.param), certificate) as running:
        yield running


def call(client: httpx2.Client, path: str, body: Any, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.post(f"/api/{path}", json=body, headers=headers).raise_for_status().json()


def signed_in(client: httpx2.Client) -> str:
    person = {"username": f"person{next(_names)}", "password": PASSWORD}
    call(client, "auth/register/", person)
    return str(call(client, "auth/token/", person)["access"])


def test_rest_and_sockets_pass_and_tls_is_known(front: Front) -> None:
    with front.client() as client:
        # What the client claims of itself changes nothing.
        root = client.get("/api/", headers={"Accept": "application/json", **CLAIM})
        assert root.json()["me"].startswith(f"https://localhost:{front.port}/")
        assert root.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        token = signed_in(client)
        room = call(client, "groups/", {"title": "Tea"}, token)["id"]

    async def chat() -> None:
        async with front.socket(token) as one, front.socket(token) as other:
            said = await one.ask("message.send", room=room, text="Two cups, please.")
            assert said["type"] == "done"
            assert (await other.hear("message.sent"))["message"]["text"] == "Two cups, please."

    anyio.run(chat)


def test_plain_http_is_redirected(front: Front) -> None:
    answer = httpx2.get(f"http://localhost:{front.plain_port}/api/rooms/?limit=1")
    assert answer.status_code in {301, 308}
    assert answer.headers["Location"].startswith("https://localhost")
    assert answer.headers["Location"].endswith("/api/rooms/?limit=1")


def test_limits_count_the_client_s_address_and_not_its_claims(front: Front) -> None:
    def tries(source: str, times: int) -> list[int]:
        found = []
        for number in range(times):
            wrong = {"username": f"nobody{next(_names)}", "password": "not-the-password"}
            claim = {"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.{number}"}
            with front.client(source) as client:
                found.append(client.post("/api/auth/token/", json=wrong, headers=claim).status_code)
        return found

    assert tries("127.0.3.1", TRIES + 1) == [401] * TRIES + [429]
    # Another address has its own count, so it is not the proxy's that is counted.
    assert tries("127.0.3.2", 1) == [401]


def test_large_body_is_refused_by_the_proxy(front: Front) -> None:
    with front.client() as client:
        answer = client.post("/api/too-large/", content=b"a" * 4_000_000)
    assert answer.status_code == 413
    assert "/api/too-large/" not in front.server.log.read_text()


def test_access_log_has_no_query_and_no_token(front: Front) -> None:
    with front.client() as client:
        token = signed_in(client)
        headers = {"Authorization": f"Bearer {token}"}
        client.get("/api/users/?search=sesame", headers=headers).raise_for_status()

    async def open_and_close() -> None:
        async with front.socket(token, "?unused=sesame"):
            pass

    anyio.run(open_and_close)
    with front.client() as client:
        client.get("/api/asyncapi/?last=sesame")
    deadline = monotonic() + WITHIN
    while "/api/asyncapi/" not in (written := front.log.read_text()):
        assert monotonic() < deadline
    assert "/api/users/" in written
    assert "/ws/" in written
    assert "sesame" not in written
    assert token not in written
    assert token.rpartition(".")[2] not in written


@pytest.mark.parametrize("name", PROXIES)
def test_leaving_reaches_the_sockets(name: str, tmp_path: Path, certificate: Path) -> None:
    """A stop of the server is announced, and the close code 1012 comes through."""
    with fronted(name, tmp_path, certificate) as front:
        with front.client() as client:
            token = signed_in(client)

        async def stay() -> int:
            async with front.socket(token) as wire:
                front.server.process.send_signal(signal.SIGTERM)
                await wire.hear("leaving")
                return await wire.closed()

        assert anyio.run(stay) == 1012


def test_the_files_forward_to_the_port_of_the_unit() -> None:
    written: Callable[[str], str] = lambda name: (FILES / name).read_text()  # noqa: E731
    assert "127.0.0.1:8000" in written("nginx.conf")
    assert "127.0.0.1:8000" in written("Caddyfile")
    assert "PORT" not in written("parley.service")
