"""A client that follows the protocol through faults, and writes down all it does, hears and shows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Sequence
from typing import Any
from uuid import uuid4

import httpx2

from tests.faults.connection import Connection, Frame, Lost, Refused
from tests.faults.person import Person
from tests.faults.record import Recorder, Row, digest, row_of, row_of_message

# Codes after which nothing is stored and the same again would fare the same.
FINAL = {"invalid", "forbidden", "not_found", "conflict", "too_large", "unsupported"}
PAGE = 100


class Client(Person):
    """One person with one socket, kept up through everything."""

    def __init__(
        self, name: str, addresses: Sequence[str], http: httpx2.AsyncClient, recorder: Recorder
    ) -> None:
        super().__init__(name, addresses, http, recorder)
        self.cursors: dict[str, int] = {}
        self.heads: dict[str, int] = {}
        self.epoch = ""
        self.reconnects = 0
        self.codes: list[int] = []
        # The planted fault of a client: taking "no answer" for "not stored".
        self.swallows = False
        # Errors of the harness itself, after which a run says nothing.
        self.broken: list[BaseException] = []
        self._leaving = False
        self._resuming = False
        self._behind = asyncio.Event()
        self._reading: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    # The connection: kept up for ever, with a jittered back-off.

    def start(self) -> None:
        """Be connected from now on."""
        self._leaving = False
        self.spawn(self._stay())
        self.spawn(self._keep_up())

    async def stop(self) -> None:
        self._leaving = True
        if self.connection is not None:
            self.connection.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.connection = None

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.broken.append(error)

    async def _stay(self) -> None:
        tries = 0
        while not self._leaving:
            connection = Connection(next(self.recorder.connections), self.address, self._hear)
            try:
                await connection.open(self.token)
            except Lost:
                tries += 1
            else:
                self.connection, self._resuming = connection, False
                self.note("event", "open")
                await connection.listen()
                self.connection = None
                self.codes.append(connection.code)
                self.note("event", "close", more={"code": connection.code})
                tries = 1 if connection.code in {1000, 1006, 1012} else tries + 1
                self.reconnects += 1
            self.at += 1
            await asyncio.sleep(random.uniform(0.05, min(3.0, 0.2 * 2**tries)))

    def hang_up(self) -> None:
        """Lose the connection."""
        if self.connection is not None:
            self.connection.abort()

    # What comes in.

    def _hear(self, frame: Frame) -> None:
        if frame.get("seq") is not None and frame["type"] != "room.read":
            self._on_event(frame)
        elif frame["type"] == "hello":
            self._on_hello(frame)
        elif frame["type"] == "heads":
            self._note_heads(frame["rooms"])
        elif frame["type"] in {"resumed", "reset"}:
            self._on_end_of_replay(frame)
        elif frame["type"] == "room.left":
            self._forget(frame["left"])
        elif frame.get("ref") in (self.connection.answered if self.connection else ()):
            self.note("event", "again")

    def _on_event(self, event: Frame) -> None:
        room, row = event["room"], row_of(event)
        via = "resume" if self._resuming else "live"
        self.note("event", "recv", room=room, via=via, **_as_fields(row))
        if room in self.cursors:
            self._apply(room, row, via)
        if event["type"] == "room.left":
            self._forget(event["left"])
        elif event["type"] == "room.joined" and event["joined"] not in self.cursors:
            self.cursors[event["joined"]] = event["snapshot"]["head"]

    def _apply(self, room: str, row: Row, via: str) -> None:
        if row.seq == self.cursors[room] + 1:
            self.cursors[room] = row.seq
            self.note("event", "apply", room=room, seq=row.seq, via=via)
        self._note_heads({room: row.seq})

    def _forget(self, room: str) -> None:
        self.cursors.pop(room, None)

    def _on_hello(self, hello: Frame) -> None:
        if self.epoch not in {"", hello["epoch"]}:
            self.cursors = dict.fromkeys(self.cursors, 0)
        self.epoch = hello["epoch"]
        self._note_heads(hello["heads"])

    def _note_heads(self, heads: dict[str, int]) -> None:
        for room, head in heads.items():
            self.heads[room] = max(self.heads.get(room, 0), head)
            if room in self.cursors and self.heads[room] > self.cursors[room]:
                self._behind.set()

    def _on_end_of_replay(self, frame: Frame) -> None:
        room, head = frame["room"], frame["head"]
        more = {"reason": frame["reason"]} if "reason" in frame else {}
        self.note("event", frame["type"], room=room, seq=head, more=more)
        if frame["type"] == "reset":
            self.spawn(self._read_on(room, anew=frame["reason"] != "too_far"))
        self._note_heads({room: head})

    # What is missing is asked for, one resume at a time.

    async def _keep_up(self) -> None:
        while True:
            await self._behind.wait()
            self._behind.clear()
            if not await self.resume():
                await asyncio.sleep(random.uniform(0.2, 1.0))
                self._behind.set()
            elif any(self.heads.get(room, 0) > seq for room, seq in self.cursors.items()):
                await asyncio.sleep(0.05)
                self._behind.set()

    async def resume(self) -> bool:
        """Ask for what the cursors miss; returns whether an answer came."""
        connection = self.connection
        if connection is None or self._resuming:
            return False
        self._resuming = True
        call, cursors = next(self.recorder.calls), dict(self.cursors)
        self.note("invoke", "resume", call=call, more={"cursors": cursors})
        try:
            await connection.ask("resume", epoch=self.epoch, cursors=cursors)
        except (Lost, Refused) as error:
            self.note("info", "resume", call=call, more={"why": str(error)})
            if isinstance(error, Lost):
                # Its answer may still come, and nothing would tell it from the next one's.
                connection.abort()
            return False
        finally:
            if self.connection in {connection, None}:
                self._resuming = False
        self.note("ok", "resume", call=call)
        return True

    async def _read_on(self, room: str, *, anew: bool) -> None:
        """Read the log over REST, after a reset."""
        if room in self._reading:
            return
        self._reading.add(room)
        try:
            if anew:
                self.cursors[room] = 0
            while room in self.cursors:
                after = self.cursors[room]
                page = await self.rest("GET", f"rooms/{room}/log/?after={after}&limit={PAGE}")
                for row in map(row_of, page["events"]):
                    self.note("event", "recv", room=room, via="log", **_as_fields(row))
                    self._apply(room, row, "log")
                if not page["events"] or self.cursors[room] >= page["head"]:
                    return
        except (Lost, Refused):
            self._behind.set()
        finally:
            self._reading.discard(room)

    # What goes out.

    async def send(
        self, room: str, text: str, deadline: float, *, id: str = "", elsewhere: bool = False
    ) -> Row | None:
        """Send a message, as often as it takes until ``deadline`` (of the loop's clock), under one id."""
        id = id or str(uuid4())
        clock = asyncio.get_running_loop().time
        tries = 0
        while True:
            row, final = await self._try(room, id, text, elsewhere)
            if final or clock() > deadline:
                return row
            tries += 1
            await asyncio.sleep(random.uniform(0.1, min(2.0, 0.2 * 2**tries)))

    async def _try(self, room: str, id: str, text: str, elsewhere: bool) -> tuple[Row | None, bool]:
        """Send once, by socket where there is one; returns what was acknowledged, and whether that settles it."""
        call, connection = next(self.recorder.calls), self.connection
        what = {"call": call, "room": room, "id": id, "hash": digest(text), "sender": self.name}
        by_rest = elsewhere or random.random() < 0.2
        via = "socket" if connection and not by_rest else "rest"
        at = random.choice(self.addresses) if elsewhere else self.address
        self.note("invoke", "send", via=via, **what)
        try:
            if connection and via == "socket":
                answer = await connection.ask("message.send", room=room, id=id, text=text)
                stored = answer["message"]
            else:
                stored = await self.rest(
                    "POST", f"rooms/{room}/messages/", {"id": id, "text": text}, at=at
                )
        except Refused as refusal:
            final = refusal.code in FINAL or self.swallows
            self.note("fail" if final else "info", "send", **what, more={"why": refusal.code})
            return None, final
        except Lost as lost:
            type = "fail" if self.swallows else "info"
            self.note(type, "send", **what, more={"why": str(lost)})
            return None, self.swallows
        row = row_of_message(stored)
        told = {"told": [row.id, row.hash]}
        self.note("ok", "send", **what, seq=row.seq, via=via, more=told)
        return row, True

    async def read(self, room: str, *, at: str = "") -> None:
        """Read the newest page of a room's history."""
        call = next(self.recorder.calls)
        self.note("invoke", "history", call=call, room=room, more={"limit": PAGE})
        try:
            page = await self.rest("GET", f"rooms/{room}/messages/?limit={PAGE}", at=at)
        except Refused as refusal:
            type = "fail" if refusal.code in FINAL else "info"
            self.note(type, "history", call=call, room=room, more={"why": refusal.code})
        except Lost as lost:
            self.note("info", "history", call=call, room=room, more={"why": str(lost)})
        else:
            rows = [list(row_of_message(message)) for message in page["results"]]
            more = {"rows": rows, "has_before": page["has_before"]}
            self.note("ok", "history", call=call, room=room, seq=page["head"], more=more)


def _as_fields(row: Row) -> dict[str, Any]:
    return {"seq": row.seq, "id": row.id, "sender": row.sender, "hash": row.hash}
