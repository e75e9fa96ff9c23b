"""A person who chats as the protocol says: it signs up, sends, breaks off, and comes back."""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from collections.abc import Coroutine
from itertools import count
from typing import Any

import httpx2
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.live.following import Copy, Following, Frame
from tests.live.replay import Entry, entry_of, entry_of_message

ANSWERED_WITHIN = 30.0
PAGE = 100
UNAVAILABLE = 503

# The server sends everyone the same encoded text, so hundreds of recordings share each frame.
_frames: dict[bytes, bytes] = {}


class Refused(Exception):
    """The server said no, over REST or on the socket."""


class Disconnected(Exception):
    """The connection ended while something was still awaited on it."""


class Behind(Exception):
    """Someone who is connected was not shown all there is, in ample time."""


class Person:
    """One user with at most one open socket; ``address`` is the process that person talks to."""

    def __init__(
        self, name: str, address: str, http: httpx2.AsyncClient, *, by_header: bool = True
    ) -> None:
        self.name = name
        self.address = address
        self.by_header = by_header
        self.password = secrets.token_urlsafe(18)
        self.token = ""
        self.frames: list[bytes] = []
        self.following = Following(self._resume, self._read_again)
        self.complaints = self.following.complaints
        self._http = http
        self._socket: ClientConnection | None = None
        self._lost: Disconnected | None = None
        self._leaving = False
        self._refs = count(1)
        self._answers: dict[str, asyncio.Future[Frame]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def copy(self, room: str) -> Copy:
        """What this person has of a room."""
        return self.following.rooms[room]

    async def sign_up(self) -> None:
        """Register, and sign in for the first time."""
        credentials = {"username": self.name, "password": self.password}
        await self.call("POST", "auth/register/", credentials)
        self.token = (await self.call("POST", "auth/token/", credentials))["access"]

    async def call(self, method: str, path: str, body: Any = None, *, at: str = "") -> Any:
        """Ask over REST, of this person's process or of the one named; a busy service is asked again."""
        async with asyncio.timeout(ANSWERED_WITHIN):
            while True:
                answer = await self._http.request(
                    method,
                    f"http://{at or self.address}/api/{path}",
                    json=body,
                    headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
                )
                if answer.status_code != UNAVAILABLE:
                    break
                await asyncio.sleep(answer.json()["retry_after"])
        if answer.status_code not in (200, 201, 204):
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return orjson.loads(answer.content) if answer.content else None

    async def log(self, room: str, *, at: str = "") -> list[Entry]:
        """Read the room's log page by page, from its first event to its head."""
        entries: list[Entry] = []
        while True:
            after = entries[-1].seq if entries else 0
            page = await self.call("GET", f"rooms/{room}/log/?after={after}&limit={PAGE}", at=at)
            entries += map(entry_of, page["events"])
            if page["reset"] or (not page["events"] and after < page["head"]):
                raise Refused(f"the log of {room} goes to {page['head']}, but not on after {after}")
            if not entries or entries[-1].seq >= page["head"]:
                return entries

    async def history(self, room: str, *, at: str = "") -> list[Entry]:
        """Read the room's messages page by page, from the first to the last."""
        entries: list[Entry] = []
        while True:
            after = entries[-1].seq if entries else 0
            page = await self.call(
                "GET", f"rooms/{room}/messages/?after={after}&limit={PAGE}", at=at
            )
            entries += map(entry_of_message, page["results"])
            if not page["has_after"]:
                return entries

    async def connect(self) -> None:
        """Open the socket, signing in by header or by subprotocol, and return after ``hello``."""
        spoken = Subprotocol("chat.v1")
        bearer = Subprotocol(f"bearer.{self.token}")
        self._socket = await connect(
            f"ws://{self.address}/ws/",
            subprotocols=[spoken] if self.by_header else [spoken, bearer],
            additional_headers={"Authorization": f"Bearer {self.token}"} if self.by_header else {},
            compression=None,
            ping_interval=None,
            open_timeout=ANSWERED_WITHIN,
            proxy=None,
        )
        self._lost, self._leaving = None, False
        hello = self._expect("hello")
        self._start(self._listen(self._socket))
        await self._answer(hello)

    async def reconnect_and_resume(self, address: str = "") -> None:
        """Come back, to another process if one is named, and return when nothing is missing."""
        self.address = address or self.address
        await self.connect()
        for room, copy in list(self.following.rooms.items()):
            await self.reach(room, copy.head)

    async def disconnect(self) -> None:
        """Leave as one should."""
        if self._socket:
            self._leaving = True
            await self._socket.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def drop(self) -> None:
        """Break the connection as a failing network does: a reset, and not one more word."""
        assert self._socket is not None
        self._leaving = True
        transport = self._socket.transport
        no_lingering = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, no_lingering
        )
        transport.abort()

    async def send(
        self, room: str, text: str, *, id: str | None = None, reply_to: str | None = None
    ) -> Entry:
        """Send a message, and return it as it was acknowledged."""
        wanted = {"room": room, "text": text, "id": id, "reply_to": reply_to}
        given = {name: value for name, value in wanted.items() if value is not None}
        return entry_of_message((await self.command("message.send", **given))["message"])

    async def command(self, type: str, **fields: Any) -> Frame:
        """Send a command and return its result; a refusal is raised."""
        ref = f"c{next(self._refs)}"
        answer = self._expect(ref)
        await self._post({"type": type, "ref": ref, **fields})
        return await self._answer(answer)

    async def reach(self, room: str, seq: int) -> None:
        """Return when the room's events are applied up to ``seq``."""
        if self._lost:
            raise self._lost
        copy = self.copy(room)
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                await copy.reached(seq)
        except TimeoutError:
            gone = f"{self.name} came to {copy.cursor} of {seq} in {room}: {self.complaints[:3]}"
            raise Behind(gone) from None

    def _expect(self, ref: str) -> asyncio.Future[Frame]:
        return self._answers.setdefault(ref, asyncio.get_running_loop().create_future())

    async def _answer(self, answer: asyncio.Future[Frame]) -> Frame:
        async with asyncio.timeout(ANSWERED_WITHIN):
            return await answer

    async def _post(self, frame: Frame) -> None:
        if self._socket is None:
            raise Disconnected(f"{self.name} has not connected")
        await self._socket.send(orjson.dumps(frame), text=True)

    async def _listen(self, connection: ClientConnection) -> None:
        try:
            while True:
                self._hear(await connection.recv(decode=False))
        except ConnectionClosed as closed:
            self._lose(str(closed))

    def _hear(self, frame: bytes) -> None:
        self.frames.append(_frames.setdefault(frame, frame))
        said = orjson.loads(frame)
        self.following.hear(said)
        if said["type"] in ("hello", "done", "failed"):
            self._on_answer(said)

    def _on_answer(self, said: Frame) -> None:
        answer = self._answers.pop(said.get("ref") or said["type"], None)
        if said["type"] == "failed":
            refusal = Refused(said["error"])
            if answer is None:
                self.complaints.append(repr(refusal))
            elif not answer.done():
                answer.set_exception(refusal)
        elif answer and not answer.done():
            answer.set_result(said.get("result", said))

    def _resume(self, epoch: str, cursors: dict[str, int]) -> None:
        ref = f"c{next(self._refs)}"
        frame = {"type": "resume", "ref": ref, "epoch": epoch, "cursors": cursors}
        self._start(self._post(frame))

    def _read_again(self, room: str) -> None:
        self._start(self._rebuild(room))

    async def _rebuild(self, room: str) -> None:
        self.following.rebuild(room, await self.log(room))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._lose(repr(error))

    def _lose(self, reason: str) -> None:
        self._lost = Disconnected(f"{self.name}: {reason}")
        if not self._leaving:
            self.complaints.append(f"disconnected: {reason}")
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(self._lost)
        self._answers.clear()
        self.following.give_up(self._lost)
