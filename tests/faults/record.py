"""What clients write down while faults are done: every call, its answer, and every event as it came."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic_ns
from typing import Any, NamedTuple

import orjson


class Row(NamedTuple):
    """One place of a room's log, wherever it is shown; a ``hash`` stands for the words."""

    seq: int
    type: str
    id: str = ""
    sender: str = ""
    hash: str = ""


@dataclass(slots=True)
class Record:
    """One line of what happened.

    ``type`` is ``invoke`` (a call begins), ``ok``, ``fail`` (it was refused and nothing is stored), ``info`` (no
    answer: it may be stored or not) or ``event`` (something came by itself). A call and its answer share ``call``.
    ``t`` is in nanoseconds of the machine's monotonic clock.
    """

    t: int
    client: str
    conn: int
    proc: str
    type: str
    op: str
    call: int = 0
    room: str = ""
    id: str = ""
    seq: int = 0
    hash: str = ""
    sender: str = ""
    via: str = ""
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Window:
    """When a fault was done, in nanoseconds, and whether it had any effect."""

    name: str
    began: int
    ended: int
    redis_down: bool = False
    effective: bool = True


@dataclass
class History:
    """Everything that the checker judges.

    ``truth`` is each room's log as the database holds it; ``reads`` the same as shown at the end, by where it was
    read; ``members`` who may be in a room at all; ``followers`` those who must have come to its head; ``stored``
    until when a room's last event was not stored, where that was after the last answer.
    """

    records: list[Record]
    truth: dict[str, list[Row]]
    reads: dict[tuple[str, str], list[Row]]
    windows: list[Window] = field(default_factory=list)
    members: dict[str, set[str]] = field(default_factory=dict)
    followers: dict[str, set[str]] = field(default_factory=dict)
    stored: dict[str, int] = field(default_factory=dict)


class Recorder:
    """Takes down the records of all clients of a run."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.calls = count(1)
        self.connections = count(1)

    def note(self, client: str, conn: int, proc: str, type: str, op: str, **what: Any) -> Record:
        record = Record(monotonic_ns(), client, conn, proc, type, op, **what)
        self.records.append(record)
        return record

    def write(self, directory: Path) -> None:
        """Keep the records as JSON lines, one file for each client."""
        directory.mkdir(parents=True, exist_ok=True)
        lines: dict[str, list[bytes]] = {}
        for record in self.records:
            lines.setdefault(record.client, []).append(orjson.dumps(asdict(record)))
        for client, written in lines.items():
            (directory / f"{client}.jsonl").write_bytes(b"\n".join(written) + b"\n")


def digest(text: str) -> str:
    """Return what stands for a text in records."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def row_of(event: dict[str, Any]) -> Row:
    """Read an event, as pushed or from a log."""
    message = event.get("message")
    if message is None:
        return Row(event["seq"], event["type"], sender=_name(event.get("actor")))
    return Row(event["seq"], event["type"], *_words(message))


def row_of_message(message: dict[str, Any]) -> Row:
    """Read a message, as acknowledged or in a history."""
    return Row(message["seq"], "message.sent", *_words(message))


def _words(message: dict[str, Any]) -> tuple[str, str, str]:
    return message["id"], _name(message["sender"]), digest(message["text"])


def _name(user: dict[str, Any] | None) -> str:
    return user["username"] if user else ""
