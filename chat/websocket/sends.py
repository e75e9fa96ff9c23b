"""The sends of one socket: they may overlap, and each is answered when its batch is stored."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from itertools import count
from typing import Any

from chat import metrics
from chat.actions.group_commit import ANSWER_TIMEOUT, Result, group_commit
from chat.actions.sending import Draft, Sent
from chat.commands import sent_answer
from chat.errors import ChatError, Unavailable
from chat.websocket.frames import failed, log_failed
from chat.websocket.hub import Hub
from chat.websocket.socket import Socket

logger = logging.getLogger("chat.websocket.sends")

# Sends of one socket that may be under way; then it is not read until one of them is answered.
OVERLAP = 64


class Sends:
    """What a socket has sent and not been answered for. All of it belongs to the event loop."""

    def __init__(self, hub: Hub, socket: Socket) -> None:
        self._hub = hub
        self._socket = socket
        self._numbers = count()
        self._under_way: dict[int, tuple[Draft, dict[str, Any], float, asyncio.TimerHandle]] = {}
        self._fewer: asyncio.Future[None] | None = None

    def begin(self, draft: Draft, ref: dict[str, Any]) -> None:
        """Hand a draft to the writer; its answer will carry ``ref``. Raises Unavailable."""
        number = next(self._numbers)
        answer = partial(self._answer, number)
        group_commit().submit(draft, self._hub.hand_back, answer)
        loop = asyncio.get_running_loop()
        timer = loop.call_later(ANSWER_TIMEOUT, answer, Unavailable())
        self._under_way[number] = (draft, ref, loop.time(), timer)
        # The server, if it leaves now, waits for the answer.
        self._socket.begun()

    def _answer(self, number: int, result: Result) -> None:
        """Answer a send, once: what comes after its time is over is found by repeating it."""
        send = self._under_way.pop(number, None)
        if send is None:
            return
        draft, ref, began, timer = send
        timer.cancel()
        if isinstance(result, ChatError):
            log_failed(result, self._socket, "message.send", draft.room)
        metrics.acked(asyncio.get_running_loop().time() - began)
        self._socket.answer(_shape(result, ref))
        self._socket.ended()
        if self._fewer is not None and not self._fewer.done():
            self._fewer.set_result(None)

    async def at_most(self, number: int) -> None:
        """Return once no more than ``number`` sends are under way."""
        while len(self._under_way) > number:
            self._fewer = asyncio.get_running_loop().create_future()
            await self._fewer


def _shape(result: Result, ref: dict[str, Any]) -> dict[str, Any]:
    if isinstance(result, Sent):
        return {"type": "done", **ref, "result": sent_answer(result)}
    if isinstance(result, ChatError):
        return failed(result, ref)
    # Its message may quote what a person wrote.
    logger.error("a send failed: %s", type(result).__name__)
    return failed(Unavailable("Something went wrong here."), ref)
