"""A bare client: what is sent and heard on one socket, frame by frame, with nothing done behind one's back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import jwt
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.documents import check_done, check_frame

Frame = dict[str, Any]

# Ample: what does not come within it does not come.
WITHIN = 30
PASSWORD = "of-all-the-tea-in-china"


class Wire:
    """One open socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.heard: list[Frame] = []

    async def send(self, frame: Any) -> None:
        """Send a frame: an object as JSON, text and bytes as they are."""
        raw = frame if isinstance(frame, (str, bytes)) else orjson.dumps(frame).decode()
        await self.connection.send(raw)

    async def hear(self, wanted: Callable[[Frame], bool] | str) -> Frame:
        """Return the next frame of a type, or that a condition holds for; keep those before it."""
        fits = (lambda frame: frame["type"] == wanted) if isinstance(wanted, str) else wanted
        async with asyncio.timeout(WITHIN):
            while True:
                frame = self._take(await self.connection.recv())
                if fits(frame):
                    return dict(frame)

    def _take(self, raw: str | bytes) -> Frame:
        frame: Frame = orjson.loads(raw)
        # Whatever a test is about, all that it hears is as the AsyncAPI document says.
        check_frame(frame)
        self.heard.append(frame)
        return frame

    async def ask(self, type: str, **fields: Any) -> Frame:
        """Send a command and return its answer, ``done`` or ``failed``."""
        ref = f"r{len(self.heard)}"
        await self.send({"type": type, "ref": ref, **fields})
        answer = await self.hear(lambda frame: frame.get("ref") == ref)
        if answer["type"] == "done":
            check_done(type, answer)
        return answer

    async def closed(self) -> int:
        """Read on until the server closes, and return its code."""
        async with asyncio.timeout(WITHIN):
            try:
                while True:
                    self._take(await self.connection.recv())
            except ConnectionClosed as end:
                return end.rcvd.code if end.rcvd else 1006

    def of(self, type: str) -> list[Frame]:
        """Return what was heard so far of a type."""
        return [frame for frame in self.heard if frame["type"] == type]


class Caller:
    """A person over REST, signed in on one device."""

    def __init__(self, address: str, name: str) -> None:
        self.address = address
        self.name = name
        self.id = ""
        self.token = ""

    @classmethod
    def registered(cls, address: str, name: str) -> Caller:
        """Make an account and sign in."""
        caller = cls(address, name)
        body = {"username": name, "password": PASSWORD}
        caller.id = caller.call("POST", "auth/register/", body)["id"]
        caller.sign_in()
        return caller

    def sign_in(self) -> str:
        """Sign in on one more device and go on as that one."""
        body = {"username": self.name, "password": PASSWORD}
        self.token = ""
        self.token = self.call("POST", "auth/token/", body)["access"]
        return self.token

    @property
    def device(self) -> str:
        """The id of the device that the token is of."""
        return str(jwt.decode(self.token, options={"verify_signature": False})["sid"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask, and return the answer; anything but success is an error."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"http://{self.address}/api/{path}"
        answer = httpx2.request(method, url, json=body, headers=headers, timeout=WITHIN)
        answer.raise_for_status()
        return orjson.loads(answer.content) if answer.content else None

    def group(self, visibility: str = "private", *members: Caller) -> str:
        """Open a group with some members and return its id."""
        people = [member.id for member in members]
        body = {"title": "Tea", "visibility": visibility, "members": people}
        return str(self.call("POST", "groups/", body)["id"])

    def says(self, room: str, text: str) -> Frame:
        """Send a message over REST."""
        return dict(self.call("POST", f"rooms/{room}/messages/", {"text": text}))


@asynccontextmanager
async def socket(address: str, token: str | None, path: str = "/ws/") -> AsyncIterator[Wire]:
    """Open a socket, signed in by subprotocol, or by nothing at all."""
    offered = ["chat.v1"] + ([f"bearer.{token}"] if token else [])
    async with connect(
        f"ws://{address}{path}",
        subprotocols=[Subprotocol(one) for one in offered],
        compression=None,
        proxy=None,
        open_timeout=WITHIN,
    ) as connection:
        yield Wire(connection)


@asynccontextmanager
async def greeted(address: str, token: str, path: str = "/ws/") -> AsyncIterator[Wire]:
    """Open a socket and wait for ``hello``."""
    async with socket(address, token, path) as wire:
        await wire.hear("hello")
        yield wire
