"""uvicorn's HTTP protocol with the limits that it lacks where httptools parses: sizes, turns and deadlines."""

from __future__ import annotations

import asyncio
from typing import Any

from chat.conf import chat_settings
from chat.server import refusals
from chat.server.flow import Flow
from chat.server.quotas import connections
from chat.server.reading import ReadingProtocol
from chat.server.refusals import Refusal, response
from chat.server.stage import BODY, HEAD, REFUSED

# Bytes per second below which a body is ended once REQUEST_WAIT has passed.
BODY_RATE = 1_000
# Seconds in which a client has to take what is in a full write buffer.
WRITE_WAIT = 30
# Seconds that a refused client has for reading why, and between two reads of bytes that are dropped.
LINGER = 5
DISCARD_PAUSE = 0.05
# Seconds on shutdown for requests to arrive and for clients to take their answers; uvicorn waits for GRACE, 8.
LEAVE_WITHIN = 3
# Seconds between two looks at the deadlines of a connection.
TICK = 1


class HttpProtocol(ReadingProtocol):
    """One HTTP connection, up to its end or its upgrade to a WebSocket."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wait: float = chat_settings.REQUEST_WAIT
        # When the client has to have taken its answer.
        self._write_deadline: float | None = None
        self._leaving = False
        self._counted_as: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = Flow(transport, self.take_turn)
        self.deadline = self.loop.time() + self._wait
        self._timer = self.loop.call_later(TICK, self._tick)
        self._count_address()

    def _count_address(self) -> None:
        limit = chat_settings.LIMIT_CONNECTIONS_ADDRESS
        # Of a proxy, which has the connections of all people, uvicorn knows by `forwarded_allow_ips`.
        proxies = getattr(self.app, "trusted_hosts", ())
        if limit is None or chat_settings.PROXIES or not self.client or self.client[0] in proxies:
            return
        self._counted_as = connections.add(self.client[0], limit)
        if self._counted_as is None:
            self.refuse(refusals.TOO_MANY_CONNECTIONS)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection to the WebSocket protocol."""
        self._let_go()
        self.flow.release()
        super().handle_websocket_upgrade()

    def _let_go(self) -> None:
        self._timer.cancel()
        self.held_body.release()
        self._pending = b""
        if self._counted_as is not None:
            connections.remove(self._counted_as)
            self._counted_as = None

    # A request or an answer does not go on.

    def set_deadline(self, size: int = 0) -> None:
        """Give a request that is not complete REQUEST_WAIT, and its body a second more for each BODY_RATE bytes.

        It is never more than REQUEST_WAIT away: a client does not save up time by sending fast and then nothing.
        """
        if self._leaving:
            return
        if self.deadline is None:
            # Between two requests uvicorn's own timer runs, unless bytes have come since the answer.
            if self.stage is BODY or (self.stage is HEAD and self.timeout_keep_alive_task is None):
                self.deadline = self.loop.time() + self._wait
        elif size:
            furthest = self.loop.time() + self._wait
            self.deadline = min(self.deadline + size / BODY_RATE, furthest)

    def pause_writing(self) -> None:
        """Read nothing more from a client that does not take its answers."""
        super().pause_writing()
        self.flow.hold()
        wait = LEAVE_WITHIN if self._leaving else WRITE_WAIT
        self._write_deadline = self.loop.time() + wait

    def resume_writing(self) -> None:
        self._write_deadline = None
        super().resume_writing()

    def _tick(self) -> None:
        self._timer = self.loop.call_later(TICK, self._tick)
        now = self.loop.time()
        if self._write_deadline is not None and now >= self._write_deadline:
            self.transport.abort()
        elif self.transport.is_closing():
            # The rest of the answer is still to be sent; a client that does not take it is cut soon.
            self._write_deadline = self._write_deadline or now + LINGER
        elif self.deadline is not None and now >= self.deadline:
            self._expire()

    def _expire(self) -> None:
        if self.stage is REFUSED:
            self.transport.abort()
        elif self.stage is BODY and self.flow.blocked:
            # Not the client is slow, but the application.
            self.deadline = self.loop.time() + self._wait
        elif self.stage is BODY:
            self.refuse(
                refusals.LEAVING if self._leaving else refusals.too_slow("body", self._wait)
            )
        elif self.stage is HEAD and self.fed:
            self.refuse(refusals.too_slow("head", self._wait))
        elif self.stage is HEAD:
            self.transport.close()

    # The server ends a connection.

    def refuse(self, refusal: Refusal) -> None:
        """Answer in the application's place, if nobody has begun to, and end the connection."""
        address = self.client[0] if self.client else "unknown"
        self.logger.info("%s - refused with %d: %s", address, refusal.status, refusal.detail)
        begun = self.stage is BODY
        self.stage = REFUSED
        if begun and self.cycle.response_started:
            self.transport.close()
            return
        if begun:
            self.cycle.disconnected = True
            # An application that reads the body only now must not have the client told to send it.
            self.cycle.waiting_for_100_continue = False
            self.cycle.message_event.set()
        self.transport.write(response(refusal, self.server_state.default_headers))
        self.linger(reading=True)

    def linger(self, *, reading: bool) -> None:
        """Close only when the client has done so or LINGER has passed, because bytes that come later reset it at once.

        A client whose connection is reset may lose what it has not read.
        """
        self.stage, self._pending = REFUSED, b""
        # The headers of a refused head can be a thousand objects, and the connection may be collected late.
        self.headers.clear()
        self._unset_keepalive_if_required()
        self.held_body.release()
        if self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.deadline = self.loop.time() + (TICK if self._leaving else LINGER)
        self.flow.full = False
        if reading:
            self.flow.release()
        else:
            self.flow.hold()

    def discard(self) -> None:
        """Wait before reading again, so that bytes which are dropped take no time from other connections."""
        self.flow.hold()
        self.loop.call_later(DISCARD_PAUSE, self._read_on)

    def _read_on(self) -> None:
        if not self.transport.is_closing():
            self.flow.release()

    def shutdown(self) -> None:
        """End this connection: at once if no request is under way, else with the answer or within LEAVE_WITHIN."""
        self._leaving = True
        if self.stage is REFUSED:
            self.transport.close()
        else:
            super().shutdown()
        by = self.loop.time() + LEAVE_WITHIN
        if self.stage is BODY:
            self.deadline = min(self.deadline or by, by)
        if self._write_deadline is not None or self.transport.is_closing():
            self._write_deadline = min(self._write_deadline or by, by)
