"""The shell's handler: a request runs in one thread, and leaves nothing behind in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse
from django.urls import path

from project.handler import ThreadedHandler

pytestmark = pytest.mark.django_db(transaction=True)

seen: list[tuple[str, str]] = []


class Noting:
    """A middleware that is not written for ASGI, as nearly all are."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        seen.append(("before", threading.current_thread().name))
        response: HttpResponse = self.get_response(request)
        seen.append(("after", threading.current_thread().name))
        return response


def view(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert connection.connection is not None
    seen.append(("view", threading.current_thread().name))
    return HttpResponse(request.read())


def fault(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("A fault of ours.")


def still_open() -> bool:
    """Say whether this thread has a connection to a database."""
    return any(one.connection for one in connections.all(initialized_only=True))


urlpatterns = [path("view/", view), path("fault/", fault), path("healthz", view)]


@pytest.fixture
def handler(settings: Any) -> ThreadedHandler:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [f"{__name__}.Noting"]
    # One thread, so that one can look into it afterwards.
    settings.HTTP_THREADS = 1
    seen.clear()
    return ThreadedHandler()


def ask(handler: ThreadedHandler, url: str, body: bytes = b"") -> tuple[int, bytes]:
    async def scene() -> tuple[int, bytes]:
        scope = {"type": "http", "method": "POST", "path": url, "headers": [], "query_string": b""}
        asked = ApplicationCommunicator(handler, scope)
        await asked.send_input({"type": "http.request", "body": body})
        start = await asked.receive_output(timeout=10)
        answer = await asked.receive_output(timeout=10)
        await asked.wait()
        return start["status"], answer["body"]

    return asyncio.run(scene())


def test_middleware_and_view_run_in_one_thread(handler: ThreadedHandler) -> None:
    assert ask(handler, "/view/", b"words") == (200, b"words")
    assert [what for what, _ in seen] == ["before", "view", "after"]
    assert len({thread for _, thread in seen}) == 1
    assert seen[0][1].startswith("http")


def test_no_connection_is_left_in_the_thread(handler: ThreadedHandler) -> None:
    ask(handler, "/view/")
    assert not handler._threads.submit(still_open).result()


def test_a_fault_is_an_answer_and_the_next_request_is_served(handler: ThreadedHandler) -> None:
    assert ask(handler, "/fault/")[0] == 500
    assert ask(handler, "/view/")[0] == 200


def test_what_waited_too_long_for_a_thread_is_told_so(
    handler: ThreadedHandler, configured: Callable[..., None]
) -> None:
    configured(BRIDGE_WAIT=0)
    status, body = ask(handler, "/view/")
    assert (status, orjson.loads(body)["code"]) == (503, "unavailable")
    assert seen == []


def test_whether_it_lives_is_told_while_all_threads_wait(handler: ThreadedHandler) -> None:
    free = threading.Event()
    waiting = handler._threads.submit(free.wait, 30)
    try:
        assert ask(handler, "/healthz")[0] == 200
    finally:
        free.set()
    assert waiting.result()
