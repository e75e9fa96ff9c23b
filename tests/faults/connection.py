"""One physical connection of a client, and what is awaited on it; what is lost with it is said so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

Frame = dict[str, Any]

OPENED_WITHIN = 10
# The server gives an answer, if a refusal, within ten; one that comes in more would be none.
ANSWERED_WITHIN = 15
# A server that has said nothing for so long, though it promises a sign of life every ten seconds, is gone.
SILENT_FOR = 25


class Lost(Exception):
    """No answer came: what was asked may have been done, or not."""


class Refused(Exception):
    """The server said no."""

    def __init__(self, error: Frame) -> None:
        super().__init__(error["code"])
        self.code: str = error["code"]
        self.retry_after: float = error.get("retry_after") or 0


class Connection:
    """An open socket; ``hear`` is given every frame that is not the answer to a command."""

    def __init__(self, number: int, address: str, hear: Callable[[Frame], None]) -> None:
        self.number = number
        self.address = address
        self.code = 0
        self._hear = hear
        self._refs = count(1)
        self._answers: dict[str, asyncio.Future[Frame]] = {}
        # Commands that had their answer.
        self.answered: set[str] = set()
        self._socket: ClientConnection | None = None

    async def open(self, token: str) -> None:
        """Open the socket. Raises Lost."""
        spoken = [Subprotocol("chat.v1"), Subprotocol(f"bearer.{token}")]
        try:
            self._socket = await connect(
                f"ws://{self.address}/ws/",
                subprotocols=spoken,
                compression=None,
                ping_interval=None,
                open_timeout=OPENED_WITHIN,
                close_timeout=1,
                proxy=None,
                max_size=None,
                max_queue=None,
            )
        except (OSError, TimeoutError, InvalidHandshake, EOFError) as error:
            raise Lost(type(error).__name__) from error

    async def listen(self) -> None:
        """Hear until the connection ends or is silent for too long."""
        assert self._socket is not None
        try:
            while True:
                async with asyncio.timeout(SILENT_FOR):
                    raw = await self._socket.recv()
                self._take(orjson.loads(raw))
        except ConnectionClosed as closed:
            self.code = closed.rcvd.code if closed.rcvd else 1006
        except TimeoutError:
            self.abort()
        finally:
            self._lose()

    def _take(self, frame: Frame) -> None:
        if frame["type"] in {"done", "failed"}:
            answer = self._answers.pop(frame.get("ref") or "", None)
            if answer is not None and not answer.done():
                answer.set_result(frame)
                self.answered.add(frame["ref"])
                return
        self._hear(frame)

    def _lose(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(Lost("the connection ended"))
        self._answers.clear()

    async def ask(self, command: str, **fields: Any) -> Frame:
        """Send a command and return its result. Raises Refused, Lost."""
        assert self._socket is not None
        ref = f"c{next(self._refs)}"
        answer = self._answers[ref] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                frame = {"type": command, "ref": ref, **fields}
                await self._socket.send(orjson.dumps(frame), text=True)
                frame = await answer
        except (ConnectionClosed, TimeoutError) as error:
            raise Lost(type(error).__name__) from error
        finally:
            self._answers.pop(ref, None)
            answer.cancel()
        if frame["type"] == "failed":
            raise Refused(frame["error"])
        return dict(frame["result"])

    def abort(self) -> None:
        """Break off as a failing network does."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
