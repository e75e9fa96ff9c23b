"""The client's rule of the protocol: apply the next event, drop an old one, resume when one is missing."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.live.replay import Entry, entry_of

Frame = dict[str, Any]
Resume = Callable[[str, dict[str, int]], None]
ReadAgain = Callable[[str], None]


@dataclass
class Copy:
    """What one has of a room: events applied up to ``cursor``, and how far it is known to go."""

    cursor: int = 0
    head: int = 0
    applied: list[Entry] = field(default_factory=list)
    pushed: int = 0
    repeated: int = 0
    awaited: list[tuple[int, asyncio.Future[None]]] = field(default_factory=list)

    @property
    def behind(self) -> bool:
        return self.cursor < self.head

    def take(self, entry: Entry) -> None:
        if entry.seq == self.cursor + 1:
            self.cursor = entry.seq
            self.applied.append(entry)
            if self.awaited:
                self._tell()
        elif entry.seq <= self.cursor:
            self.repeated += 1
        self.head = max(self.head, entry.seq)

    def forget(self) -> None:
        self.cursor = 0
        self.applied.clear()

    def reached(self, seq: int) -> asyncio.Future[None]:
        """Return what is done once the events up to ``seq`` are applied."""
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.awaited.append((seq, reached))
        self._tell()
        return reached

    def give_up(self, reason: Exception) -> None:
        for _, reached in self.awaited:
            if not reached.done():
                reached.set_exception(reason)
        self.awaited.clear()

    def _tell(self) -> None:
        for seq, reached in self.awaited:
            if seq <= self.cursor and not reached.done():
                reached.set_result(None)
        self.awaited = [one for one in self.awaited if not one[1].done()]


class Following:
    """All rooms of one socket; asks for what is missing, once at a time, through ``resume``."""

    def __init__(self, resume: Resume, read_again: ReadAgain) -> None:
        self.epoch = ""
        self.rooms: defaultdict[str, Copy] = defaultdict(Copy)
        self.complaints: list[str] = []
        self.resumes = 0
        self.resets = 0
        self._resume = resume
        self._read_again = read_again
        self._resuming: set[str] = set()
        self._hearers: dict[str, Callable[[Frame], None]] = {
            "hello": self._on_hello,
            "heads": lambda heads: self._note_heads(heads["rooms"]),
            "resumed": self._on_resumed,
            "reset": self._on_reset,
        }

    def hear(self, frame: Frame) -> None:
        """Take whatever the server says; what does not concern a log is left to others."""
        if frame.get("seq") is not None:
            self._on_event(frame)
        elif hear := self._hearers.get(frame["type"]):
            hear(frame)

    def rebuild(self, room: str, entries: list[Entry]) -> None:
        """Begin a room anew from its log, read elsewhere after a ``reset``."""
        self.rooms[room].forget()
        for entry in entries:
            self.rooms[room].take(entry)
        self._settle(room)

    def give_up(self, reason: Exception) -> None:
        """Nothing more will come on this connection."""
        self._resuming.clear()
        for copy in self.rooms.values():
            copy.give_up(reason)

    def _on_event(self, event: Frame) -> None:
        copy = self.rooms[event["room"]]
        copy.pushed += 1
        copy.take(entry_of(event))
        if event["type"] == "room.joined":
            self._note_heads({event["joined"]: event["snapshot"]["head"]})
        if copy.behind:
            self._resume_if_behind()

    def _on_hello(self, hello: Frame) -> None:
        if self.epoch not in ("", hello["epoch"]):
            for copy in self.rooms.values():
                copy.forget()
        self.epoch = hello["epoch"]
        self._note_heads(hello["heads"])

    def _on_resumed(self, resumed: Frame) -> None:
        room, head = resumed["room"], resumed["head"]
        copy = self.rooms[room]
        if room in self._resuming and copy.cursor < head:
            self.complaints.append(f"resumed to {head}, yet nothing after {copy.cursor} had come")
        copy.head = max(copy.head, head)
        self._settle(room)

    def _on_reset(self, reset: Frame) -> None:
        self.resets += 1
        self._read_again(reset["room"])

    def _note_heads(self, heads: Mapping[str, int]) -> None:
        for room, head in heads.items():
            self.rooms[room].head = max(self.rooms[room].head, head)
        self._resume_if_behind()

    def _settle(self, room: str) -> None:
        self._resuming.discard(room)
        self._resume_if_behind()

    def _resume_if_behind(self) -> None:
        if self._resuming or not any(copy.behind for copy in self.rooms.values()):
            return
        self.resumes += 1
        self._resuming = set(self.rooms)
        self._resume(self.epoch, {room: copy.cursor for room, copy in self.rooms.items()})
