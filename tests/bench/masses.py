"""P7 and P8: thousands of sockets, each in 20 rooms: what one weighs, and how all come back after a kill."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections import Counter as Tally
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from uuid import uuid4

import orjson

from tests.bench.crowd import EARS_OPEN_WITHIN, Crowd, Ear, Lost, frame
from tests.bench.http import ask_all
from tests.bench.machine import Failed, cpu_of, rss_of, told_by
from tests.bench.report import Report, Row
from tests.bench.stand import EVENT, GREETING, Product, Stand, signed_in
from tests.bench.tables import Counted, counted_server

SOCKETS = int(os.environ.get("SOCKETS", "5000"))
ROOMS_EACH, MEMBERS = 20, 100
SETTLED = 3.0
# Messages that everyone misses, each in a room of its own.
MISSED = 50
ALL_BACK = 30.0
AT_ONCE = 200


@dataclass
class Returning:
    """What one client holds: its cursors, moved on as the protocol says, and whether it is back."""

    token: str
    epoch: str = ""
    cursors: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    back: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, payload: bytes) -> None:
        """Take a frame."""
        said = orjson.loads(payload)
        match said["type"]:
            case "hello":
                if not self.cursors:
                    self.epoch, self.cursors = said["epoch"], said["heads"]
            case "resumed":
                if self.cursors.get(said["room"]) != said["head"]:
                    self.wrong.append(f"{said['room']} resumed at {said['head']}")
            case "reset":
                self.wrong.append(f"{said['room']} was reset: {said['reason']}")
            case "done":
                self.back.set()
            case _ if "seq" in said and said["seq"] > self.cursors.get(said["room"], 0):
                if said["seq"] != self.cursors[said["room"]] + 1:
                    self.wrong.append(f"{said['room']}: {said['seq']} came early")
                self.cursors[said["room"]] = said["seq"]


@dataclass
class Masses:
    """Thousands of people who are signed in, and the server that they are on."""

    server: Counted
    environment: dict[str, str]
    clients: list[Returning]
    groups: list[dict]

    async def enter(self, clients: Iterable[Returning]) -> Crowd:
        """Open a socket for each client; each hears everything."""
        crowd = Crowd(EVENT, GREETING)
        clients = list(clients)
        requests = [Product.knock(client.token) for client in clients]
        await crowd.join(self.server.place.port, requests, on_frame=[c.hear for c in clients])
        return crowd


async def masses(stand: Stand) -> Masses:
    """Return the masses, made once: P7 and P8 are about the same people."""
    if not hasattr(stand, "masses"):
        stand.masses = await _gathered(stand)
    return stand.masses


async def _gathered(stand: Stand) -> Masses:
    allow_files()
    environment, began = stand.migrated(), time.perf_counter()
    bands = range(0, SOCKETS, MEMBERS)
    groups = [f"{first}:{MEMBERS}" for first in bands for _ in range(ROOMS_EACH)]
    there = told_by(["tests.bench.populate", str(SOCKETS), *groups], environment)
    server = counted_server(stand, "masses", environment)
    tokens = await signed_in(server.place.port, [person["name"] for person in there["people"]])
    took = time.perf_counter() - began
    print(f"    {SOCKETS} people in {ROOMS_EACH} rooms each, in {took:.0f} s", flush=True)
    return Masses(server, environment, [Returning(token) for token in tokens], there["groups"])


def allow_files() -> None:
    """Let this process and those that it starts hold as many sockets as the machine allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < SOCKETS + 500:
        raise Failed(f"{SOCKETS} sockets need as many open files; this machine allows {most}.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def measure_memory(stand: Stand, report: Report) -> None:
    """Measure P7."""
    many = await masses(stand)
    pid = many.server.place.pid
    # What the first sockets make the process load is not what a socket costs.
    first = await many.enter(many.clients[:20])
    await asyncio.sleep(SETTLED)
    before = rss_of(pid)
    rest = await many.enter(many.clients[20:])
    await asyncio.sleep(SETTLED)
    each = (rss_of(pid) - before) / (len(many.clients) - 20) / 1024
    first.check()
    rest.check()
    first.leave()
    rest.leave()
    figure = f"{each:.1f} KB RSS each ({SOCKETS:,} sockets, process {rss_of(pid) / 2**20:.0f} MB)"
    what = f"idle socket in {ROOMS_EACH} rooms"
    report.add(Row("P7", what, figure, target="≤ 45 KB", met=each <= 45, raw={"kb": each}))


async def measure_return(stand: Stand, report: Report) -> None:
    """Measure P8: all are on, the process is killed, something is said meanwhile, and all come back."""
    many = await masses(stand)
    crowd = await many.enter(many.clients)
    crowd.forgive()
    await _say(many, "said before the kill")
    many.server.place.process.kill()
    many.server.place.process.wait()
    killed = time.perf_counter()
    again = counted_server(stand, "masses-again", many.environment)
    many.server = replace(many.server, place=again.place, counter=again.counter)
    started = time.perf_counter() - killed
    await _say(many, "said while all were away")
    pid = again.place.pid
    queries, began, cpu = again.counter.read(), time.perf_counter(), cpu_of(pid)
    gate = asyncio.Semaphore(AT_ONCE)
    crowds = await asyncio.gather(*(_come_back(many, one, gate) for one in many.clients))
    took = time.perf_counter() - began
    each = (cpu_of(pid) - cpu) / len(many.clients) * 1e3
    asked = (again.counter.read() - queries) / len(many.clients)
    heads = await _heads(many)
    short = sum(
        client.cursors[room] < head
        for client in many.clients
        for room, head in heads.items()
        if room in client.cursors
    )
    wrong = Tally(reason for client in many.clients for reason in client.wrong)
    for crowd in crowds:
        crowd.leave()
    lost = short + wrong.total()
    figure = (
        f"{took:.1f} s after a start of {started:.1f} s;"
        f" {asked:.2f} queries and {each:.1f} ms CPU each; {lost} lost"
    )
    target = f"≤ {ALL_BACK:.0f} s, ≤ 3 queries, none lost"
    met = took + started <= ALL_BACK and asked <= 3 and not lost
    raw = {"seconds": took, "queries": asked, "wrong": dict(wrong.most_common(5))}
    report.add(
        Row("P8", f"{SOCKETS:,} come back and resume", figure, target=target, met=met, raw=raw)
    )


async def _say(many: Masses, text: str) -> None:
    groups = many.groups[:: max(1, len(many.groups) // MISSED)]
    wanted = [
        (
            "POST",
            f"/api/rooms/{group['id']}/messages/",
            {"id": str(uuid4()), "text": text},
            many.clients[group["members"][0]].token,
        )
        for group in groups
    ]
    await ask_all(many.server.place.port, wanted)


async def _come_back(many: Masses, client: Returning, gate: asyncio.Semaphore) -> Crowd:
    """Connect and resume as a client does, and return when nothing is missing."""
    client.back.clear()
    resume = {"type": "resume", "ref": "r", "epoch": client.epoch, "cursors": client.cursors}
    async with gate:
        crowd = await many.enter([client])
        ear: Ear = crowd.ears[0]
        ear.transport.write(frame(orjson.dumps(resume)))
        try:
            await asyncio.wait_for(client.back.wait(), EARS_OPEN_WITHIN)
        except TimeoutError:
            raise Lost("a client that came back was never told that it has everything") from None
    return crowd


async def _heads(many: Masses) -> dict[str, int]:
    """Where the rooms stand, as one member of each is told."""
    firsts = {group["members"][0]: group for group in many.groups}
    wanted = [("GET", "/api/rooms/?limit=100", None, many.clients[place].token) for place in firsts]
    answers = await ask_all(many.server.place.port, wanted)
    return {room["id"]: room["head"] for answer in answers for room in answer["results"]}
