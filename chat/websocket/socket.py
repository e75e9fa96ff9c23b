"""One open socket: the rooms it hears, how far it has been told in each, and what it has not yet taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chat import metrics
from chat.conf import chat_settings
from chat.events import Published, encode
from chat.queries.grounds import Grounds
from chat.queries.people import Person
from chat.queries.standings import Asked, Standings
from chat.server.state import LEAVE_WITHIN
from chat.websocket.run import Run, runs
from chat.websocket.signin import Credentials

Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]

# Sends texts at once, each as a frame, or says that it cannot.
Write = Callable[[tuple[str, ...]], bool]

TOO_SLOW = 1013
LEAVING = 1012
# Seconds that a close frame may take: a full buffer passes none.
CLOSE_TIMEOUT = 1


def size(text: str) -> int:
    """Return the bytes of a frame's text."""
    return len(text) if text.isascii() else len(text.encode())


@dataclass(slots=True)
class Seat:
    """A socket's place in a room: held, until :meth:`Socket.release` lets it hear.

    ``cursor`` is the last seq it was handed, or where the log stood when it was let in. A ``silent``
    seat hears only what concerns the socket itself: its device ended, its person removed.
    """

    history_from: int
    cursor: int
    held: list[Published] | None = field(default_factory=list)
    silent: bool = False


class Socket:
    """A signed-in socket as the hub sees it. All of it belongs to the event loop."""

    def __init__(
        self,
        send: Send,
        viewer: Person,
        *,
        own_log: str,
        only: str | None,
        write: Write | None = None,
    ) -> None:
        self.viewer = viewer
        self.own_log = own_log
        self.only = only
        self.seats: dict[str, Seat] = {}
        # Rooms of the person that this socket does not hear.
        self.left_out = 0
        # As they were read once it sat, for a resume that comes first and soon; then let go.
        self.standings: Standings | None = None
        self.signed_in(None, None)
        self.closing = False
        # Until it was said hello, which comes first, nothing else is told by the clock.
        self.greeted = False
        # One replay at a time: a room joined while a resume runs waits for it.
        self.replaying = asyncio.Lock()
        self._send = send
        self._write = write
        self._outbox: deque[str] = deque()
        self._outbox_bytes = 0
        self._sending: asyncio.Task[None] | None = None
        self._closed: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._working = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._main = asyncio.current_task()

    def signed_in(
        self,
        grounds: Grounds | None,
        expires_at: float | None,
        credentials: Credentials | None = None,
    ) -> None:
        """Note what the sign-in rests on, when it ends (unix seconds), if it does by itself, and what to show again."""
        self.grounds = grounds
        self.expires_at = expires_at
        self.credentials = credentials
        self.warned = False

    @property
    def asked(self) -> Asked:
        """Whose rooms it is about, and which."""
        return self.viewer.pk, UUID(self.only) if self.only else None

    def hold(self, room: str) -> Seat:
        """Let a room's live events wait, so that older ones can go first."""
        seat = self.seats[room]
        seat.held = [] if seat.held is None else seat.held
        return seat

    def release(self, room: str, cursor: int) -> None:
        """Go live in a room from ``cursor`` on: what waited goes out, but for what was told already."""
        seat = self.seats.get(room)
        if seat is None:
            return
        waiting, seat.held, seat.cursor = seat.held or [], None, cursor
        for some in runs(waiting):
            self.push(Run.of(some))

    def push(self, run: Run) -> None:
        """Take a room's next events from the hub; never blocks, never fails."""
        seat = self.seats.get(run.room)
        if seat is None or seat.silent:
            return
        if seat.held is not None:
            seat.held.extend(run.items)
            if len(seat.held) > chat_settings.RESUME_MAX:
                self._let_go()
        elif not run.first:
            self.tell(*run.texts)
        elif run.first > seat.cursor and seat.history_from <= run.since:
            seat.cursor = run.last
            self.tell(*run.texts)
        elif run.last > seat.cursor:
            new = [item for item in run.items if item.seq > seat.cursor]
            seat.cursor = run.last
            self.tell(*(item.text_for(seat.history_from) for item in new))

    def answer(self, shape: dict[str, Any]) -> None:
        """Send a frame that is for this socket alone."""
        self.tell(encode(shape))

    def tell(self, *texts: str) -> None:
        """Send frames, all at once if the socket takes them, else after those already waiting."""
        if self.closing:
            return
        if self._sending is None and self._write is not None and self._write(texts):
            return
        for text in texts:
            self._step(text)

    def _step(self, text: str) -> None:
        """Send a frame the ASGI way, stepped once by hand: one that does not have to wait costs no task."""
        if self.closing:
            return
        if self._sending is not None:
            self._wait_in_outbox(text)
            return
        sending = self._send({"type": "websocket.send", "text": text})
        try:
            waiting_for = sending.send(None)
        except StopIteration:
            return
        except Exception:
            # The peer is gone; the receiving side of this socket is being told so.
            self.closing = True
            return
        self._sending = asyncio.create_task(self._drain(_Rest(sending, waiting_for)))

    def _wait_in_outbox(self, text: str) -> None:
        self._outbox.append(text)
        self._outbox_bytes += size(text)
        over = len(self._outbox) > chat_settings.OUTBOX_EVENTS
        if over or self._outbox_bytes > chat_settings.OUTBOX_BYTES:
            self._let_go()

    def _let_go(self) -> None:
        if not self.closing:
            metrics.dropped("slow socket")
            self.close(TOO_SLOW)

    async def _drain(self, first: Awaitable[None]) -> None:
        try:
            await first
            while self._outbox:
                text = self._outbox.popleft()
                self._outbox_bytes -= size(text)
                await self._send({"type": "websocket.send", "text": text})
        except Exception:
            self.closing = True
        finally:
            self._sending = None

    async def flushed(self) -> None:
        """Return once nothing waits in the outbox: a replay goes only as fast as its reader."""
        while self._sending is not None and not self.closing:
            # Shielded: who waits may be cancelled, but not what is being sent.
            await asyncio.shield(self._sending)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Let the server, if it leaves now, wait until the command that runs in this block is answered."""
        self.begun()
        try:
            yield
        finally:
            self.ended()

    def begun(self) -> None:
        """Note that a command is under way, until :meth:`ended`."""
        self._working += 1
        self._idle.clear()

    def ended(self) -> None:
        """Note that a command under way was answered."""
        self._working -= 1
        if not self._working:
            self._idle.set()

    def leave(self, reconnect_in: float) -> None:
        """Say that the server leaves; answer the commands under way, take no more, and close."""
        if self._leaving is None and not self.closing:
            self.answer({"type": "leaving", "reconnect_in": reconnect_in})
            self._leaving = asyncio.create_task(self._leave())

    @property
    def leaving(self) -> bool:
        """Whether no more commands are taken."""
        return self._leaving is not None or self.closing

    async def _leave(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_WITHIN):
                await self._idle.wait()
                await self.flushed()
        self.close(LEAVING)

    def close(self, code: int) -> None:
        """End the socket, with a close frame if its buffer still takes one."""
        if not self.closing:
            self.closing = True
            self._outbox.clear()
            self._closed = asyncio.create_task(self._close(code))

    async def _close(self, code: int) -> None:
        if self._sending is not None:
            self._sending.cancel()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._send({"type": "websocket.close", "code": code})
        except Exception:
            # The peer takes nothing any more: let go of it without a word.
            if self._main is not None:
                self._main.cancel()


class _Rest:
    """What is left of a coroutine that was stepped once and is waiting for a future."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], waiting_for: Any) -> None:
        self._coroutine = coroutine
        self._waiting_for = waiting_for

    def __await__(self) -> Generator[Any, Any, None]:
        waiting_for = self._waiting_for
        while True:
            try:
                result = yield waiting_for
            except BaseException as error:
                step: Callable[[Any], Any] = self._coroutine.throw
                value: Any = error
            else:
                step, value = self._coroutine.send, result
            try:
                waiting_for = step(value)
            except StopIteration:
                return
