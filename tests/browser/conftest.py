"""A service with its static files collected, and Chromium to look at it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.live.processes import SetUp, common_environment, manage, serving
from tests.websocket.wire import Caller

NAMES = ("chromium", "chromium-browser", "google-chrome")
_numbers = count(1)


def chromium() -> str | None:
    """Return the path of the browser."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window. For one file: its loop runs on, and nothing else may run one meanwhile."""
    program = chromium()
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no Chromium")
        pytest.skip("THE PAGES WERE NOT TESTED: there is no Chromium")
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    """One process on SQLite, its static files collected as for production."""
    directory = tmp_path_factory.mktemp("site")
    environment = {
        **common_environment(),
        "DATABASE_URL": f"sqlite:///{directory / 'parley.sqlite3'}",
        "REDIS_URL": "",
        "STATIC_ROOT": str(directory / "static"),
    }
    manage(environment, "collectstatic", "--noinput")
    with ExitStack() as running:
        yield running.enter_context(serving("site", environment, directory, processes=1))


@pytest.fixture
def here(site: SetUp) -> str:
    return site.addresses[0]


@pytest.fixture
def ann(here: str) -> Caller:
    return Caller.registered(here, f"ann{next(_numbers)}")


@pytest.fixture
def complaints() -> list[str]:
    """What the browser had to say of the page: nothing, or the test fails."""
    return []


@pytest.fixture
def page(browser: Browser, here: str, complaints: list[str]) -> Iterator[Page]:
    """A fresh page; whatever its console says that is no mere word, and any defect, fails the test."""
    context = browser.new_context(
        base_url=f"http://{here}", viewport={"width": 1280, "height": 900}
    )
    one = context.new_page()
    one.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    one.on(
        "console", lambda said: said.type in {"error", "warning"} and complaints.append(said.text)
    )
    one.on("pageerror", lambda error: complaints.append(str(error)))
    yield one
    context.close()
    assert not complaints
