"""The WebSocket protocol class that uvicorn is given: limits, a short way out, and a graceful end."""

from __future__ import annotations

import logging
import os
from functools import lru_cache

from chat.extras import named
from chat.server.limited import LimitedWebSocket
from chat.server.state import FLOW, LEAVE, LEAVE_WITHIN, WRITE

with named():
    from websockets.frames import Frame, Opcode

logger = logging.getLogger("uvicorn.error")


@lru_cache(8)
def _framed(texts: tuple[str, ...]) -> bytes:
    """Return texts as whole frames: made once for all the sockets that are told the same."""
    return b"".join(Frame(Opcode.TEXT, one.encode()).serialize(mask=False) for one in texts)


class Protocol(LimitedWebSocket):
    """One WebSocket connection: the application is lent its counts and a faster ``write``, and closes it at the end."""

    async def run_asgi(self) -> None:
        """Serve; share the counts, and :meth:`write` where nothing is encrypted or compressed on the way."""
        self._descriptor = self.transport.get_extra_info("socket").fileno()
        self.scope["state"][FLOW] = self.flow
        if not self.transport.get_extra_info("sslcontext") and not self.conn.extensions:
            self.scope["state"][WRITE] = self.write
        await super().run_asgi()

    def write(self, texts: tuple[str, ...]) -> bool:
        """Send texts at once, where nothing waits before them; else do nothing and return False.

        Past the transport, whose own write costs half as much again.
        """
        transport = self.transport
        if self.close_sent or transport.is_closing() or transport.get_write_buffer_size():
            return False
        frame = _framed(texts)
        try:
            taken = os.write(self._descriptor, frame)
        except OSError:
            # The buffer is full or the peer gone: the transport finds out which.
            return False
        if taken < len(frame):
            transport.write(frame[taken:])
        return True

    def shutdown(self) -> None:
        """Begin to close this connection, because the server stops. Never raises: others wait for their turn."""
        # No close frame passes the full buffer of a client that does not read.
        self.loop.call_later(LEAVE_WITHIN + 2, self.transport.abort)
        try:
            self._leave()
        except Exception as error:
            logger.warning("a connection could not be closed gracefully: %s", type(error).__name__)
            self.transport.abort()

    def _leave(self) -> None:
        self.stop_keepalive()
        leave = getattr(self, "scope", {}).get("state", {}).get(LEAVE)
        if self.transport.is_closing() or self.disconnected:
            return
        if leave is None or self.close_sent:
            super().shutdown()
        else:
            leave()
