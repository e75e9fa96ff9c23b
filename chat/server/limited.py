"""uvicorn's WebSocket protocol with limits: what one client may send, hold back and delay."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from chat.extras import named
from chat.limits.frames import Flow

with named():
    from uvicorn.protocols.websockets.auto import AutoWebSocketsProtocol
    from websockets import http11
    from websockets.exceptions import InvalidState
    from websockets.frames import CloseCode, Opcode
    from websockets.http11 import Request, Response
    from websockets.protocol import OPEN

if TYPE_CHECKING:
    # The class that uvicorn chooses where websockets is installed, as it is with the extra.
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
else:
    WebSocketsSansIOProtocol = AutoWebSocketsProtocol

# The HTTP protocol has limited the head already, and cookies of real sites are longer than the library's 8 KiB.
http11.MAX_LINE_LENGTH = 65_536

# Bytes that are parsed in one turn of the event loop. In 4 KiB are 682 frames at most, which take about 5 ms.
PIECE = 4_096
# Seconds in which a message must be complete once it has begun.
MESSAGE_TIMEOUT = 30
# Seconds in which a client that was closed for a fault may still take the close frame.
LINGER = 2
# Pause between two reads of discarded input, so that it costs other connections nothing.
DISCARD_PAUSE = 0.05
# uvicorn's methods for the frames that are rare.
HANDLERS = {
    Opcode.CONT: "handle_cont",
    Opcode.BINARY: "handle_bytes",
    Opcode.PONG: "handle_pong",
    Opcode.CLOSE: "handle_close",
}
CONTROL = {Opcode.PING, Opcode.PONG, Opcode.CLOSE}
# Close codes.
TOO_MANY = 4429
TOO_LATE = 4408


class LimitedWebSocket(WebSocketsSansIOProtocol):
    """A connection whose client can neither hold up the event loop nor fill the process.

    Frames of every kind are counted, a flood is parsed in pieces, a message must be complete in time, and each
    refused handshake is answered.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.flow = Flow()
        # Not counted yet: frames that the application never receives, and bytes of all frames.
        self._unseen = self._size = 0
        # True while a frame or a message has begun and is not complete.
        self._begun = False
        # Bytes that were received but not parsed yet, and whether a turn of the loop is asked for to go on.
        self._rest = bytearray()
        self._feeding = False
        # The answer to the newest ping of a client that does not read.
        self._pong = b""
        self._deadline: asyncio.TimerHandle | None = None
        self._ended = False

    # What comes in.

    def data_received(self, data: bytes) -> None:
        """Parse what came: at once if it is short, else piece by piece with a turn of the loop between them."""
        if self._ended:
            # Read slowly and dropped until the client has closed too: a reset could overtake the close frame.
            self.transport.pause_reading()
            self.loop.call_later(DISCARD_PAUSE, self._drop_more)
            return
        if not self.handshake_initiated:
            self._open(data)
        elif self._rest or len(data) > PIECE or not self.handshake_complete:
            self._rest += data
            self.transport.pause_reading()
            self._go_on()
        else:
            self._parse(data)

    def _go_on(self) -> None:
        """Ask for the next piece, or for more data once all is parsed; wait while the application has messages."""
        if self._ended or self.read_paused or not self.handshake_complete:
            return
        if not self._rest:
            self.transport.resume_reading()
            if self._begun:
                self._expect_rest()
        elif not self._feeding:
            self._feeding = True
            self.loop.call_soon(self._feed)

    def _feed(self) -> None:
        self._feeding = False
        if self._ended or self.read_paused or self.transport.is_closing():
            return
        piece = bytes(self._rest[:PIECE])
        del self._rest[:PIECE]
        self._parse(piece)
        self._go_on()

    def _drop_more(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def _parse(self, data: bytes) -> None:
        self.conn.receive_data(data)
        if self.conn.parser_exc is not None:
            self.handle_parser_exception()
            return
        self.handle_events()
        self._size += len(data)
        # Skipped for short messages, because the application counts them and this code runs for each frame.
        if self._unseen or self._size > PIECE:
            self.flow.count(self._unseen, self._size)
            self._unseen = self._size = 0
            if self.flow.flooding:
                self._end(TOO_MANY)
        self._begun = bool(self.conn.reader.buffer) or self.conn.current_size is not None
        if self._begun:
            self._expect_rest()
        elif self._deadline is not None:
            self._expect_nothing()

    def handle_events(self) -> None:
        """Handle frames by their opcodes, and count those that never reach the application."""
        event: Any
        for event in self.conn.events_received():
            if self._ended:
                # A frame before it was a fault.
                return
            opcode = event.opcode
            if not event.fin or opcode in CONTROL or self.close_sent:
                self._unseen += 1
            elif self._deadline is not None:
                self._expect_nothing()
            if opcode is Opcode.TEXT:
                self.handle_text(event)
            elif opcode is Opcode.PING:
                self.handle_ping()
            else:
                getattr(self, HANDLERS[opcode])(event)

    def send_receive_event_to_app(self) -> None:
        """Queue a complete message; close for one that is not UTF-8, also where its client closes behind it."""
        try:
            super().send_receive_event_to_app()
        except InvalidState:
            self._end(CloseCode.INVALID_DATA)

    async def receive(self) -> Any:
        """Give the application its next message, and read on once it has taken all."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            if self._rest or self._begun:
                self._go_on()
            else:
                self.transport.resume_reading()
        return message

    def handle_ping(self) -> None:
        """Answer the pings of a piece, or keep the newest answer while the client does not read."""
        output = self.conn.data_to_send()
        if self.writable.is_set() or self.conn.state is not OPEN:
            self.transport.write(b"".join(output))
        elif output:
            self._pong = output[-1]

    def resume_writing(self) -> None:
        super().resume_writing()
        pong, self._pong = self._pong, b""
        if pong and not self.close_sent and not self.transport.is_closing():
            self.transport.write(pong)

    # What does not come in time.

    def _expect_rest(self) -> None:
        """Give a message that has begun its time to become complete."""
        if self._deadline is None and not self.read_paused and not self.close_sent:
            self._deadline = self.loop.call_later(MESSAGE_TIMEOUT, self._end, TOO_LATE)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    # The handshake.

    def _open(self, head: bytes) -> None:
        """Take the handshake, and answer one that the library drops without a word."""
        self.conn.receive_data(head)
        fault = self.conn.handshake_exc
        if fault is None:
            super().handle_events()
            return
        # The library answers heads that are too large, but not malformed ones.
        answer = b"".join(self.conn.data_to_send())
        if not answer:
            why = f"Failed to open a WebSocket connection: {fault.__cause__ or fault}.\n"
            answer = self.conn.reject(HTTPStatus.BAD_REQUEST, why).serialize()
            self.logger.info("connection rejected (400 Bad Request)")
        self._turn_away(answer)

    def handle_connect(self, event: Request) -> None:
        """Take a handshake that can be understood in one way only."""
        refusal = self._refusal(event)
        if refusal is None:
            super().handle_connect(event)
        else:
            self.conn.send_response(refusal)
            self._turn_away(b"".join(self.conn.data_to_send()))

    def _refusal(self, event: Request) -> Response | None:
        """Return the answer to a handshake that names several hosts, or a version that is not spoken here."""
        if len(event.headers.get_all("Host")) != 1:
            return self.conn.reject(HTTPStatus.BAD_REQUEST, "Exactly one Host header is needed.\n")
        version, *more = event.headers.get_all("Sec-WebSocket-Version") or ["13"]
        if version == "13" or more:
            return None
        refusal = self.conn.reject(
            HTTPStatus.UPGRADE_REQUIRED, "Sec-WebSocket-Version must be 13.\n"
        )
        refusal.headers["Sec-WebSocket-Version"] = "13"
        return refusal

    def _turn_away(self, answer: bytes) -> None:
        """Answer a refused handshake by HTTP, and close."""
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        self.transport.write(answer)
        self.transport.close()

    def start_keepalive(self) -> None:
        """Begin to read frames: uvicorn calls this once the application has accepted."""
        super().start_keepalive()
        self._go_on()

    # The end.

    def handle_parser_exception(self) -> None:
        """Close for a frame that breaks the protocol; the library has written the close frame."""
        sent = self.conn.close_sent
        self._end(sent.code if sent else CloseCode.PROTOCOL_ERROR)

    def _end(self, code: int) -> None:
        """Send a close frame unless one was sent, drop what still comes, and be gone within LINGER."""
        if self._ended or self.transport.is_closing():
            return
        self._ended = self.close_sent = self.disconnected = True
        self._expect_nothing()
        self.stop_keepalive()
        self._rest.clear()
        self.conn.fail(code)
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.transport.resume_reading()
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(LINGER, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        self._rest.clear()
        super().connection_lost(exc)
