"""Chromium uses REST and the socket from a page of another origin, by the service's list and by a host's recipe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests import wheel
from tests.browser.conftest import chromium
from tests.live.processes import ROOT, common_environment, serving
from tests.test_readme import PYTHON, new_project
from tests.websocket.wire import PASSWORD, Caller

# What a page elsewhere does. Each answer is its status, its headers that a script sees, and its body.
CLIENT = """
window.ask = async (method, url, body, headers = {}, credentials = "same-origin") => {
  const init = { method, headers: { ...headers }, credentials };
  if (body) { init.body = JSON.stringify(body); init.headers["Content-Type"] = "application/json"; }
  try {
    const answer = await fetch(url, init);
    const text = await answer.text();
    return { status: answer.status, headers: Object.fromEntries(answer.headers),
             body: text ? JSON.parse(text) : null };
  } catch (error) { return { refused: error.name }; }
};
window.open_socket = (url, protocols) => new Promise((resolve) => {
  const socket = new WebSocket(url, protocols);
  const heard = [];
  socket.onmessage = (event) => {
    heard.push(JSON.parse(event.data));
    if (heard.at(-1).type === "hello") resolve({ socket, heard });
  };
  socket.onclose = (event) => resolve({ code: event.code, heard });
});
"""


class Blank(BaseHTTPRequestHandler):
    """A page of another origin, with nothing on it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(
            f"<!doctype html><title>Elsewhere</title><script>{CLIENT}</script>".encode()
        )

    def log_message(self, *args: Any) -> None:
        """Stay silent."""


@contextmanager
def elsewhere(host: str) -> Iterator[str]:
    """Serve the page and yield its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Blank)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def listed() -> Iterator[str]:
    with elsewhere("localhost") as origin:
        yield origin


@pytest.fixture(scope="module")
def foreign() -> Iterator[str]:
    with elsewhere("localhost") as origin:
        yield origin


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def kept_tab(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A page of a profile that lets other sites' cookies through, which a private window never does."""
    preferences = tmp_path / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text(
        '{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}'
    )
    context = browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=chromium(), args=["--no-sandbox"]
    )
    yield context.new_page()
    context.close()


def ask(tab: Page, method: str, url: str, body: Any = None, **more: Any) -> dict[str, Any]:
    headers, credentials = more.get("headers", {}), more.get("credentials", "same-origin")
    script = "([method, url, body, headers, credentials]) => ask(method, url, body, headers, credentials)"
    return dict(tab.evaluate(script, [method, url, body, headers, credentials]))


def opened(tab: Page, url: str, *protocols: str) -> dict[str, Any]:
    """Open a socket and return what it heard until `hello`, or the code with which it was closed."""
    script = """async ([url, protocols]) => {
        const { code, heard, socket } = await open_socket(url, protocols);
        window.socket = socket;
        return { code, heard };
    }"""
    return dict(tab.evaluate(script, [url, protocols]))


# --- The service: CHAT_ORIGINS, and tokens.


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, listed: str) -> Iterator[str]:
    place = tmp_path_factory.mktemp("listed")
    environment = {
        **common_environment(),
        "DATABASE_URL": f"sqlite:///{place / 'parley.sqlite3'}",
        "REDIS_URL": "",
        "CHAT_ORIGINS": listed,
        "CHAT_LIMIT_ACCOUNT": "1/hour",
    }
    with serving("listed", environment, place, processes=1) as running:
        yield running.addresses[0]


def test_listed_page_uses_rest_and_socket_with_a_token(
    tab: Page, service: str, listed: str
) -> None:
    api, person = f"http://{service}/api", {"username": "lena", "password": PASSWORD}
    tab.goto(listed)
    assert ask(tab, "POST", f"{api}/auth/register/", person)["status"] == 201
    token = ask(tab, "POST", f"{api}/auth/token/", person)["body"]["access"]
    bearer = {"Authorization": f"Bearer {token}"}
    group = ask(tab, "POST", f"{api}/groups/", {"title": "Tea"}, headers=bearer)
    assert group["status"] == 201
    # A script of another origin sees these only because they are exposed.
    assert group["headers"]["location"].endswith(f"{group['body']['id']}/")
    room = f"{api}/groups/{group['body']['id']}/"
    assert ask(tab, "PATCH", room, {"title": "Coffee"}, headers=bearer)["status"] == 200
    socket = opened(tab, f"ws://{service}/ws/", "chat.v1", f"bearer.{token}")
    assert socket["heard"][-1]["user"]["username"] == "lena"
    assert ask(tab, "DELETE", room, headers=bearer)["status"] == 204


def test_listed_page_reads_when_to_try_again(tab: Page, service: str, listed: str) -> None:
    wrong = {"username": "nobody-of-this-name", "password": "not-the-password"}
    tab.goto(listed)
    answers = [ask(tab, "POST", f"http://{service}/api/auth/token/", wrong) for _ in range(2)]
    assert [one["status"] for one in answers] == [401, 429]
    assert int(answers[1]["headers"]["retry-after"]) > 0


def test_no_request_of_a_listed_page_carries_cookies(tab: Page, service: str, listed: str) -> None:
    tab.goto(listed)
    url = f"http://{service}/api/"
    assert ask(tab, "GET", url)["status"] == 200
    assert ask(tab, "GET", url, credentials="include") == {"refused": "TypeError"}


def test_foreign_page_gets_no_answer(tab: Page, service: str, foreign: str) -> None:
    lena = Caller.registered(service, "linus")
    bearer = {"Authorization": f"Bearer {lena.token}"}
    api = f"http://{service}/api"
    before = lena.call("GET", "rooms/")
    tab.goto(foreign)
    # A simple request, whose answer is withheld, and two that need a preflight, which are never sent.
    assert ask(tab, "GET", f"{api}/") == {"refused": "TypeError"}
    assert ask(tab, "GET", f"{api}/users/me/", headers=bearer) == {"refused": "TypeError"}
    assert ask(tab, "POST", f"{api}/groups/", {"title": "Tea"}, headers=bearer) == {
        "refused": "TypeError"
    }
    assert lena.call("GET", "rooms/") == before


# --- A host: the README's lines, and the recipe of docs/hosting.md word for word.


def recipe() -> list[tuple[str, str]]:
    """The blocks of code under the heading, each with the file that the line above it names."""
    page = (ROOT / "docs/hosting.md").read_text()
    section = page.partition("## A page on another origin\n")[2].partition("\n## ")[0]
    assert section
    return re.findall(r"`(\w+\.py)`[^\n]*:\n\n```python\n(.*?)```", section, re.DOTALL)


ADMIN = """
import sys, django
django.setup()
from django.contrib.auth import get_user_model
get_user_model().objects.create_superuser("olga", "olga@example.org", sys.argv[1])
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, listed: str) -> Iterator[str]:
    """A host of another site than the page: Chromium takes 127.0.0.1 and localhost for two sites."""
    more: dict[str, str] = {"settings.py": "", "urls.py": ""}
    for name, code in recipe():
        more[name] += code.replace(
            "https://app.example.com", listed.replace("localhost", "127.0.0.1")
        )
    with new_project(tmp_path_factory.mktemp("host"), more) as (address, environment):
        wheel.run([*PYTHON, "-c", ADMIN, PASSWORD], **environment)
        yield address.replace("127.0.0.1", "localhost")


def test_recipe_has_tokens_and_cookies() -> None:
    assert [name for name, _ in recipe()] == ["settings.py", "settings.py", "urls.py"]


def logged_in(tab: Page, host: str) -> None:
    """Log in at the host's own page, as a person does before they open the page elsewhere."""
    tab.goto(f"http://{host}/admin/login/?next=/admin/")
    tab.get_by_label("Username").fill("olga")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Log in").click()
    tab.wait_for_url("**/admin/")


def test_host_serves_listed_page_by_cookie(kept_tab: Page, host: str, listed: str) -> None:
    tab = kept_tab
    api = f"http://{host}/api"
    logged_in(tab, host)
    tab.goto(listed.replace("localhost", "127.0.0.1"))
    me = ask(tab, "GET", f"{api}/users/me/", credentials="include")["body"]
    # Staff do not show what they sign in with.
    assert me["username"].startswith("user-")
    # Without the token of the form a cookie changes nothing.
    group = {"title": "Tea"}
    assert ask(tab, "POST", f"{api}/groups/", group, credentials="include")["status"] == 403
    token = ask(tab, "GET", f"{api}/csrf/", credentials="include")["body"]["token"]
    headers = {"X-CSRFToken": token}
    made = ask(tab, "POST", f"{api}/groups/", group, credentials="include", headers=headers)
    assert made["status"] == 201
    socket = opened(tab, f"ws://{host}/ws/", "chat.v1")
    assert socket["heard"][-1]["user"]["id"] == me["id"]


def test_host_gives_foreign_page_nothing_although_its_cookie_comes_along(
    kept_tab: Page, host: str, foreign: str
) -> None:
    tab = kept_tab
    logged_in(tab, host)
    tab.goto(foreign.replace("localhost", "127.0.0.1"))
    for path in ("users/me/", "csrf/"):
        answer = ask(tab, "GET", f"http://{host}/api/{path}", credentials="include")
        assert answer == {"refused": "TypeError"}
    socket = opened(tab, f"ws://{host}/ws/", "chat.v1")
    assert (socket["code"], socket["heard"][-1]["error"]["code"]) == (4403, "forbidden")
