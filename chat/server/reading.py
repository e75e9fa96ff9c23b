"""Reads HTTP requests piece by piece, one request at a time, within limits of their size.

A head is parsed up to its end, then its body, and nothing else before the request is answered. So a connection has
one request at a time, and what a client sends in advance waits in the kernel's buffer, not in this process.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chat.conf import chat_settings
from chat.limits.addresses import network
from chat.server import refusals
from chat.server.flow import Flow
from chat.server.quotas import HeldBody
from chat.server.refusals import Refusal
from chat.server.stage import ANSWER, BODY, HEAD, REFUSED, REPARSE, UPGRADE
from chat.server.turns import turns_of

# Bytes that one connection parses before all the others have their turn: as chunks of one byte, two milliseconds.
PIECE = 4_096
# Bytes of pipelined requests that are kept until they can be parsed.
AHEAD_MAX = 16_384
END = b"\r\n\r\n"
URL_MAX = 8_192
# As many as the library `websockets` accepts in a handshake.
HEADERS_MAX = 128
# Bodies above SMALL_BODY are counted; their total size in a process is limited to BODIES × BODY_MAX.
SMALL_BODY = 65_536
BODIES = 16


class ReadingProtocol(HttpToolsProtocol, ABC):
    """uvicorn's protocol, with its parser fed in pieces and stopped at the end of each request."""

    flow: Flow

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = b""
        self.stage = HEAD
        self._head_max: int = chat_settings.HEAD_MAX
        self._body_max: int = chat_settings.BODY_MAX
        # Bytes that have arrived and are not parsed, and the last ones that were.
        self._pending = b""
        self._tail = b""
        self._turns = turns_of(self.server_state, self.loop)
        self._has_turn = False
        # Some of what the client has sent in advance was dropped.
        self._overrun = False
        # When what the client is sending has to be here, in the loop's time.
        self.deadline: float | None = None
        # Bytes parsed since the head began or a part of the body came.
        self.fed = 0
        # Bytes of the body: still to come (0 if it is chunked), and received.
        self._body_left = 0
        self._body_came = 0
        self.held_body = HeldBody()

    @abstractmethod
    def refuse(self, refusal: Refusal) -> None:
        """Answer in the application's place, and end the connection."""

    @abstractmethod
    def linger(self, *, reading: bool) -> None:
        """End the connection once the client could read what was written; drop what it sends, or do not read it."""

    @abstractmethod
    def discard(self) -> None:
        """Take note that a refused client goes on sending."""

    @abstractmethod
    def set_deadline(self, size: int = 0) -> None:
        """Set the deadline of a request that is not complete, or put it off for so much of its body."""

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self.stage is REFUSED:
            self.discard()
        else:
            self._parse(self._pending + data if self._pending else data)

    def take_turn(self) -> None:
        """Parse on in a later turn of the loop."""
        if not self._has_turn:
            self._has_turn = True
            address = network(self.client[0]) if self.client else ""
            self._turns.add(address, self._parse_on)

    def _parse_on(self) -> None:
        self._has_turn = False
        if not self.transport.is_closing() and self.stage is not UPGRADE:
            self._unset_keepalive_if_required()
            self._parse(self._pending)

    def _parse(self, data: bytes) -> None:
        at = 0
        while at < PIECE and at < len(data) and self._may_parse():
            end = self._end_of_piece(data, at)
            self._feed(data[at:end])
            at = end
        if self.stage is not UPGRADE:
            self._keep(data[at:])
            self.set_deadline()
        elif at < len(data) and not self.transport.is_closing():
            # What came with the head is the WebSocket protocol's, as is all that comes after it.
            self.transport.get_protocol().data_received(data[at:])  # type: ignore[attr-defined]

    def _may_parse(self) -> bool:
        flow = self.flow
        return (self.stage is HEAD or self.stage is BODY) and not (flow.full or flow.write_paused)

    def _end_of_piece(self, data: bytes, at: int) -> int:
        """Return where to stop parsing, so that no piece ends one request and begins another."""
        if self._body_left:
            return at + min(len(data) - at, self._body_left, PIECE)
        if self._tail:
            # A part of END may have come before.
            found = (self._tail + data[at : at + 3]).find(END)
            if found >= 0:
                return at + found + len(END) - len(self._tail)
        found = data.find(END, at, at + PIECE)
        return found + len(END) if found >= 0 else min(len(data), at + PIECE)

    def _feed(self, piece: bytes) -> None:
        self.fed += len(piece)
        self._tail = piece[-3:]
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            if self.stage is REPARSE:
                self._reparse()
            elif self.stage is UPGRADE:
                self.handle_websocket_upgrade()
        except httptools.HttpParserError:
            if self.stage is not REFUSED:
                self.refuse(refusals.MALFORMED)
        else:
            self._refuse_endless()

    def _refuse_endless(self) -> None:
        """Refuse a URL, headers, trailers or extensions of a chunk that are too large before they have ended."""
        if self.stage is HEAD and len(self.url) > URL_MAX:
            self.refuse(refusals.url_too_long(URL_MAX))
        elif self.stage is HEAD and len(self.headers) > HEADERS_MAX:
            self.refuse(refusals.too_many_headers(HEADERS_MAX))
        elif self.fed > self._head_max and self._may_parse() and not self._body_left:
            self.refuse(refusals.head_too_large(self._head_max))

    def _reparse(self) -> None:
        """Parse a head again without its `Upgrade`, because the parser ignores the body of a request with `Upgrade`."""
        version = self.parser.get_http_version().encode()
        method = self.parser.get_method()
        lines = [method + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.stage, self.fed = HEAD, 0
        self._feed(b"\r\n".join(lines) + END)

    def _keep(self, rest: bytes) -> None:
        """Hold what cannot be parsed now, and read nothing more until it is."""
        if self.stage is REFUSED:
            return
        if self.stage is ANSWER and len(rest) > AHEAD_MAX:
            # So much in advance is not kept: the client has to send it again over another connection.
            self._overrun = True
            rest = rest[:AHEAD_MAX]
        self._pending = rest
        if rest:
            self.flow.hold()
            if self._may_parse():
                self.take_turn()
        elif self.flow.held and not self.flow.blocked:
            self.flow.release()

    # The parser calls these.

    def on_headers_complete(self) -> None:
        """Begin a request, or refuse it for its head or the length that it declares."""
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self.refuse(refusals.CONNECT)
                return
            if not self._should_upgrade():
                self.stage = REPARSE
                return
        if objection := self._objection():
            self.refuse(objection)
            return
        super().on_headers_complete()
        if self.parser.should_upgrade():
            self.stage = UPGRADE
            return
        self.stage, self.fed, self.deadline = BODY, 0, None
        # Trailers are not headers, and must not become some of a request that has begun.
        self.headers = []

    def _objection(self) -> Refusal | None:
        if len(self.url) > URL_MAX:
            return refusals.url_too_long(URL_MAX)
        if self.fed > self._head_max:
            return refusals.head_too_large(self._head_max)
        if len(self.headers) > HEADERS_MAX:
            return refusals.too_many_headers(HEADERS_MAX)
        self._body_left = self._body_came = 0
        for name, value in self.headers:
            if name == b"content-length":
                self._body_left = int(value)
                if self._body_left > self._body_max:
                    return refusals.body_too_large(self._body_max)
        return None

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on, unless the body or all bodies of the process become too large."""
        if self.stage is not BODY:
            return
        size = len(body)
        self.fed = 0
        self._body_came += size
        if self._body_left:
            self._body_left -= size
        if self._body_came > self._body_max:
            self.refuse(refusals.body_too_large(self._body_max))
        elif (
            self._body_came > SMALL_BODY
            # Of a request that is answered nothing is held.
            and not self.cycle.response_complete
            and not self.held_body.grow_to(self._body_came, BODIES * self._body_max)
        ):
            self.refuse(refusals.BUSY)
        else:
            self.set_deadline(size)
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that a request has arrived as a whole."""
        if self.stage is BODY:
            answered = self.cycle.response_complete
            self.stage = HEAD if answered else ANSWER
            self.fed, self._tail, self.deadline = 0, b"", None
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Read the next request, which may have arrived already."""
        super().on_response_complete()
        self.held_body.release()
        if self.stage is ANSWER:
            self.stage = HEAD
            if self._overrun:
                self.linger(reading=False)
            elif self._pending:
                self.take_turn()
