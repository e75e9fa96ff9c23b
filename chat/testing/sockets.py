"""A socket without a server: the chat's own ASGI application, in an event loop beside the test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import orjson
import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import get_user_model
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from chat.conf import authenticators
from chat.websocket import signin
from chat.websocket.routing import application

Frame = dict[str, Any]
T = TypeVar("T")

# Seconds; ample, for what does not come within it does not come.
WITHIN = 30
SCHEME = "Test-Account"


class TestAccount(BaseAuthentication):
    """Whoever the test says."""

    __test__ = False

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Take the account by its key."""
        scheme, _, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme != SCHEME:
            return None
        return get_user_model()._default_manager.get(pk=key), None


class Socket:
    """One open socket: what is sent and heard, frame by frame."""

    def __init__(self, wire: ApplicationCommunicator, run: Callable[..., Any]) -> None:
        self._wire = wire
        self._run = run
        self.heard: list[Frame] = []

    def send(self, frame: Frame) -> None:
        """Send a frame as JSON."""
        text = orjson.dumps(frame).decode()
        self._run(self._wire.send_input({"type": "websocket.receive", "text": text}))

    def hear(self, wanted: str | Callable[[Frame], bool]) -> Frame:
        """Return the next frame of a type, or that a condition holds for; those before it are in ``heard``."""
        while True:
            sent = self._run(self._wire.receive_output(WITHIN))
            if sent["type"] != "websocket.send":
                pytest.fail(f"the socket ended: {sent}")
            frame: Frame = orjson.loads(sent["text"])
            self.heard.append(frame)
            if frame["type"] == wanted if isinstance(wanted, str) else wanted(frame):
                return frame

    def ask(self, type: str, **fields: Any) -> Frame:
        """Send a command and return its answer, ``done`` or ``failed``."""
        ref = f"ask-{len(self.heard)}"
        self.send({"type": type, "ref": ref, **fields})
        return self.hear(lambda frame: frame.get("ref") == ref)


class Exchange:
    """The sockets of one test, in one event loop, which has one hub as a server process has."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(signin, "authenticators", lambda: [TestAccount(), *authenticators()])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chat-test-sockets")
        self._thread.start()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN + 1)

    @contextmanager
    def open(
        self, account: Any = None, *, token: str | None = None, path: str = "/ws/"
    ) -> Iterator[Socket]:
        """Open a socket and wait for ``hello``."""
        headers = [] if account is None else [(b"authorization", f"{SCHEME} {account.pk}".encode())]
        offered = ["chat.v1", *([f"bearer.{token}"] if token else [])]
        wire = self._run(_connected(path, headers, offered))
        try:
            socket = Socket(wire, self._run)
            socket.hear("hello")
            yield socket
        finally:
            self._run(_left(wire))

    def close(self) -> None:
        """End what still runs for the sockets, and the loop."""
        self._run(_end_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WITHIN)
        self._loop.close()


async def _connected(path: str, headers: Any, offered: list[str]) -> ApplicationCommunicator:
    scope = {"type": "websocket", "path": path, "headers": headers, "subprotocols": offered}
    wire = ApplicationCommunicator(application, scope)
    await wire.send_input({"type": "websocket.connect"})
    answer = await wire.receive_output(WITHIN)
    if answer["type"] != "websocket.accept":
        pytest.fail(f"the socket was refused: {answer}")
    return wire


async def _left(wire: ApplicationCommunicator) -> None:
    await wire.send_input({"type": "websocket.disconnect", "code": 1000})
    await wire.wait(WITHIN)


async def _end_all() -> None:
    running = asyncio.all_tasks() - {asyncio.current_task()}
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
