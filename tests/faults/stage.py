"""One act: people on a service, a fault done to it while they talk, quiet, and what the checker says."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic_ns
from typing import Any

import httpx2

from tests.faults.checker import CHECKS, Violations, check
from tests.faults.client import PAGE, Client
from tests.faults.connection import Lost
from tests.faults.load import PEOPLE, PER_SECOND, ROOMS, Load
from tests.faults.measures import Sum, counted_wrong, sum_up, told_times
from tests.faults.record import History, Recorder, Row, Window, digest, row_of, row_of_message
from tests.faults.server import Cluster

# Seconds: of talk before a fault, of talk after it, and in which all must have converged.
BEFORE = 2.0
AFTER = 2.0
QUIET = 20.0

# People who register at once: a process refuses more password checks at a time than LIMIT_SIGN_INS.
SIGN_UPS = 4

_acts = count(1)

LOG = (
    "SELECT r.id, e.seq, e.type, m.id, s.username, m.text, a.username FROM chat_event e"
    " JOIN chat_room r ON r.id = e.room_id LEFT JOIN chat_message m ON m.id = e.message_id"
    " LEFT JOIN chat_profile s ON s.id = m.sender_id LEFT JOIN chat_profile a ON a.id = e.actor_id"
    " ORDER BY e.room_id, e.seq"
)


@dataclass
class Stage:
    """People and rooms on a running service, for one fault."""

    cluster: Cluster
    clients: list[Client]
    rooms: dict[str, list[Client]]
    recorder: Recorder
    http: httpx2.AsyncClient
    load: Load
    # What the processes had repaired before, by their pids.
    repaired: dict[int, int] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    # When a room's last event was not there yet, where it came after everybody had stopped waiting for it.
    stored: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    # Whatever a fault did wrong that only it can see.
    wrong: Violations = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """What became of one fault: a row of the table, and what was wrong."""

    name: str
    injected: str
    sum: Sum
    wrong: dict[str, Violations]
    # Of the processes that are there at the end: what one counted that was killed went with it.
    repairs: int
    notes: Sequence[str] = ()

    @property
    def sound(self) -> bool:
        return not self.wrong

    def cells(self) -> list[str]:
        numbers = counted_wrong(self.wrong)
        longest = "never" if self.sum.longest is None else f"{self.sum.longest:.1f} s"
        return [
            self.name,
            self.injected,
            str(self.sum.acked),
            *map(str, numbers.values()),
            f"{self.sum.stored}+{self.sum.not_stored}",
            longest,
            str(self.repairs),
            "ok" if self.sound else f"RED: {', '.join(self.wrong)}",
        ]


HEADINGS = [
    "fault",
    "injected",
    "acked",
    "lost",
    "doubled",
    "out of order",
    "unknown (stored+not)",
    "longest to converge",
    "repairs",
    "verdict",
]


@asynccontextmanager
async def staged(
    cluster: Cluster,
    *,
    people: int = PEOPLE,
    rooms: int = ROOMS,
    per_second: float = PER_SECOND,
    addresses: Sequence[str] = (),
) -> AsyncIterator[Stage]:
    """Have people in rooms, connected to all the processes (or to ``addresses`` in their stead), and talking."""
    act, at = next(_acts), list(addresses or cluster.addresses)
    limits = httpx2.Limits(max_connections=100, max_keepalive_connections=0)
    timeout = httpx2.Timeout(10, pool=None)
    async with httpx2.AsyncClient(timeout=timeout, limits=limits, trust_env=False) as http:
        recorder = Recorder()
        clients = [
            Client(f"p{act}-{number}", turned(at, number), http, recorder)
            for number in range(people * rooms)
        ]
        for group in range(0, len(clients), SIGN_UPS):
            await asyncio.gather(*(one.sign_up() for one in clients[group : group + SIGN_UPS]))
        gathered = {}
        for number in range(rooms):
            members = clients[number * people : (number + 1) * people]
            gathered[await _room_of(members)] = members
        stage = Stage(cluster, clients, gathered, recorder, http, Load(gathered))
        stage.load.per_second = per_second
        for one in clients:
            one.start()
        try:
            await settled(stage, 15)
            stage.repaired = cluster.repairs()
            yield stage
        finally:
            await stage.load.stop()
            await asyncio.gather(*(one.stop() for one in clients))


def turned(addresses: list[str], number: int) -> list[str]:
    """The same addresses, beginning with another one."""
    start = number % len(addresses)
    return addresses[start:] + addresses[:start]


async def _room_of(members: Sequence[Client]) -> str:
    owner, *others = members
    body = {"title": "Tea", "visibility": "private", "members": [one.id for one in others]}
    room = str((await owner.rest("POST", "groups/", body))["id"])
    for one in members:
        one.cursors[room] = 0
    return room


async def settled(stage: Stage, within: float) -> bool:
    """Wait until everyone is connected and has come to the same place in each room; returns whether they did."""
    deadline = asyncio.get_running_loop().time() + within
    while asyncio.get_running_loop().time() < deadline:
        cursors = [
            {one.cursors.get(room) for one in members if room in one.cursors}
            for room, members in stage.rooms.items()
        ]
        connected = all(one.connection for one in stage.clients)
        if connected and all(
            len(seen) == 1 and None not in seen and seen != {0} for seen in cursors
        ):
            return True
        await asyncio.sleep(0.1)
    return False


def window(stage: Stage, name: str, began: int, **more: Any) -> None:
    """Note that a fault was done from ``began`` until now."""
    stage.windows.append(Window(name, began, monotonic_ns(), **more))


async def quieted(stage: Stage, quiet: float = QUIET) -> None:
    """Stop talking, and wait until every client has every event; not longer than ``quiet``."""
    await stage.load.stop()
    truth = await _stored_at_last(stage)
    deadline = asyncio.get_running_loop().time() + quiet
    while asyncio.get_running_loop().time() < deadline:
        if all(
            one.cursors.get(room, len(rows)) >= len(rows)
            for room, rows in truth.items()
            for one in stage.rooms[room]
        ):
            return
        await asyncio.sleep(0.1)


async def _stored_at_last(stage: Stage) -> dict[str, list[Row]]:
    """Read the logs once they grow no more: what found no answer in time may still be stored."""
    at, truth, grown = monotonic_ns(), stored_logs(stage.cluster, stage.rooms), True
    for _ in range(int(QUIET)):
        await asyncio.sleep(1)
        since, before = at, truth
        at, truth = monotonic_ns(), stored_logs(stage.cluster, stage.rooms)
        grown = truth != before
        stage.stored |= {room: since for room, rows in truth.items() if rows != before[room]}
        if not grown:
            break
    if grown:
        stage.wrong.append(f"something was still being stored {QUIET:.0f} s after the last word")
    return truth


async def history_of(stage: Stage) -> History:
    """Gather all that the checker needs, once everything is quiet."""
    truth = stored_logs(stage.cluster, stage.rooms)
    reads = {}
    for room, members in stage.rooms.items():
        reader = next(one for one in members if (room, one.name) not in stage.load.gone)
        for address in stage.cluster.addresses:
            reads[f"log at {address}", room] = await read_log(reader, room, address)
            reads[f"history at {address}", room] = await read_history(reader, room, address)
    members = {room: {one.name for one in people} for room, people in stage.rooms.items()}
    gone = stage.load.gone
    followers = {
        room: {name for name in names if (room, name) not in gone}
        for room, names in members.items()
    }
    records, windows = stage.recorder.records, stage.windows
    return History(records, truth, reads, windows, members, followers, stage.stored)


def stored_logs(cluster: Cluster, rooms: dict[str, Any]) -> dict[str, list[Row]]:
    """Read the logs of rooms from the database itself."""
    if cluster.maybe_postgres is None:
        with sqlite3.connect(cluster.directory / "parley.sqlite3") as connection:
            found: list[Any] = connection.execute(LOG).fetchall()
    else:
        found = cluster.query(LOG)
    logs: dict[str, list[Row]] = {room: [] for room in rooms}
    plain = {room.replace("-", ""): room for room in rooms}
    for where, seq, type, id, sender, text, actor in found:
        room = plain.get(str(where).replace("-", ""))
        if room is None:
            continue
        if id is None:
            logs[room].append(Row(seq, type, sender=actor or ""))
        else:
            logs[room].append(Row(seq, type, dashed(str(id)), sender, digest(text)))
    return logs


def dashed(id: str) -> str:
    """A UUID as the protocol writes it, from whichever way a database does."""
    bare = id.replace("-", "")
    return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))


async def read_log(reader: Client, room: str, at: str) -> list[Row]:
    """Read a room's log at one process, page by page."""
    rows: list[Row] = []
    while True:
        after = rows[-1].seq if rows else 0
        page = await reader.rest("GET", f"rooms/{room}/log/?after={after}&limit={PAGE}", at=at)
        rows += map(row_of, page["events"])
        if not page["events"] or rows[-1].seq >= page["head"]:
            return rows


async def read_history(reader: Client, room: str, at: str) -> list[Row]:
    """Read a room's messages at one process, page by page."""
    rows: list[Row] = []
    while True:
        after = rows[-1].seq if rows else 0
        path = f"rooms/{room}/messages/?after={after}&limit={PAGE}"
        page = await reader.rest("GET", path, at=at)
        rows += map(row_of_message, page["results"])
        if not page["has_after"] or not page["results"]:
            return rows


async def judged(stage: Stage, name: str, injected: str, extra: str = "extra") -> Verdict:
    """Say what became of a fault. Raises what broke in the harness itself: then nothing can be said."""
    for one in stage.clients:
        for error in one.broken:
            raise error
    try:
        history = await history_of(stage)
    except Lost as lost:
        history = History(stage.recorder.records, stored_logs(stage.cluster, stage.rooms), {})
        stage.wrong.append(f"the rooms cannot be read at the end: {lost}")
    resets = Counter(one.more["reason"] for one in history.records if one.op == "reset")
    stage.notes += [f"{count} resets: {reason}" for reason, count in resets.items()]
    stage.notes.append(told_times(history))
    if keep := os.environ.get("KEEP"):
        stage.recorder.write(Path(keep) / name)
    wrong = check(history)
    if stage.wrong:
        wrong[extra] = list(stage.wrong)
    assert set(wrong) - {extra} <= set(CHECKS)
    repairs = sum(
        count - stage.repaired.get(pid, 0) for pid, count in stage.cluster.repairs().items()
    )
    return Verdict(name, injected, sum_up(history), wrong, repairs, tuple(stage.notes))
