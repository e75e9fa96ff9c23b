"""P6 and P9: what reading and sending cost as tables and rooms grow."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median
from uuid import uuid4

import orjson

from tests.bench.counting import Counter
from tests.bench.figures import ratio
from tests.bench.http import call, request
from tests.bench.machine import Failed, cpu_of, told_by
from tests.bench.report import Report, Row
from tests.bench.stand import Place, Stand, signed_in

SMALL, LARGE = 10_000, int(os.environ.get("MESSAGES", "1000000"))
ROOMS = 1_000
WARM, TIMES = 5, 20
MEMBERS = (10, 10_000)


@dataclass
class Counted:
    """A server whose queries are counted."""

    place: Place
    counter: Counter
    token: str = ""

    async def ask(self, asked: bytes) -> tuple[int, bytes, float, float, int]:
        """Return status, body, seconds, CPU seconds and queries of one request."""
        got: list[tuple[int, bytes, float]] = []
        cpu, queries = cpu_of(self.place.pid), self.counter.read()
        await call(self.place.port, iter([asked]), lambda *answer: got.append(answer), 1)
        status, body, seconds = got[0]
        return status, body, seconds, cpu_of(self.place.pid) - cpu, self.counter.read() - queries


def counted_server(stand: Stand, name: str, environment: dict[str, str]) -> Counted:
    """Start the product on a database of its own, with its queries counted."""
    path = stand.directory / f"{name}.count"
    counter = Counter(path)
    place = stand.product_server(name, {**environment, "BENCH_QUERIES": str(path)})
    return Counted(place, counter)


async def measure_reads(stand: Stand, report: Report) -> None:
    """Measure P6: the same reads on a small and on a large database, in turn."""
    sizes: dict[int, tuple[Counted, str]] = {}
    for size in (SMALL, LARGE):
        environment, began = stand.migrated(), time.perf_counter()
        there = told_by(["tests.bench.grow", str(ROOMS), str(size)], environment)
        print(f"    {size:,} messages in {time.perf_counter() - began:.0f} s", flush=True)
        server = counted_server(stand, f"reads-{size}", environment)
        (token,) = await signed_in(server.place.port, [there["viewer"]])
        sizes[size] = (replace(server, token=token), there["room"])
    reads: dict[str, tuple[Callable[[str], str], float]] = {
        "history page of 50": (lambda room: f"rooms/{room}/messages/?limit=50", 1.5),
        f"inbox of {ROOMS:,} rooms": (lambda room: "rooms/?limit=100", 1.5),
        "search, 10 hits": (lambda room: "messages/?search=zebra", 3),
        "search, a tenth of all": (lambda room: "messages/?search=common", 3),
    }
    for what, (path, limit) in reads.items():
        await _read(report, what, path, limit, sizes)


async def _read(
    report: Report,
    what: str,
    path: Callable[[str], str],
    limit: float,
    sizes: dict[int, tuple[Counted, str]],
) -> None:
    times: dict[int, list[float]] = {size: [] for size in sizes}
    queries = 0
    for turn in range(WARM + TIMES):
        for size, (server, room) in sizes.items():
            asked = request("GET", f"/api/{path(room)}", token=server.token)
            status, body, seconds, _, used = await server.ask(asked)
            if status in (404, 405):
                report.add(Row("P6", what, "not there yet", target=f"≤ {limit} ×, ≤ 4 queries"))
                return
            if status != 200:
                raise Failed(f"{path(room)}: {status} {body[:300]!r}")
            if not orjson.loads(body)["results"]:
                raise Failed(f"{path(room)} found nothing")
            if turn >= WARM:
                times[size].append(seconds)
                queries = max(queries, used)
    small, large = (median(times[size]) * 1e3 for size in (SMALL, LARGE))
    grown = ratio(times[LARGE], times[SMALL])
    figure = f"{large:.1f} ms at {LARGE:,}, {queries} queries"
    beside, target = f"{small:.1f} ms at {SMALL:,}", f"≤ {limit} ×, ≤ 4 queries"
    met = grown <= limit and queries <= 4
    report.add(Row("P6", what, figure, beside, grown, target, met, {"queries": queries}))


async def measure_members(stand: Stand, report: Report) -> None:
    """Measure P9: sends to a small and to a large room, in turn, with nobody connected."""
    environment = stand.migrated()
    few, many = MEMBERS
    groups = [f"0:{few}", f"0:{many}"]
    there = told_by(["tests.bench.populate", f"1+{many - 1}", *groups], environment)
    server = counted_server(stand, "members", environment)
    (token,) = await signed_in(server.place.port, [there["people"][0]["name"]])
    costs: dict[int, list[float]] = {few: [], many: []}
    queries: dict[int, int] = {few: 0, many: 0}
    for turn in range(WARM + 10 * TIMES):
        for size, group in zip(MEMBERS, there["groups"], strict=True):
            body = {"id": str(uuid4()), "text": "x" * 100}
            path = f"/api/rooms/{group['id']}/messages/"
            status, said, _, cpu, used = await server.ask(request("POST", path, body, token))
            if status != 201:
                raise Failed(f"{path}: {status} {said[:300]!r}")
            if turn >= WARM:
                costs[size].append(cpu * 1e6)
                # The ticks of the hub ask too, so the least is what a send asks.
                queries[size] = min(queries[size] or used, used)
    grown = median(costs[many]) / median(costs[few])
    figure = f"{median(costs[many]):,.0f} µs CPU, {queries[many]} queries"
    beside = f"{median(costs[few]):,.0f} µs, {queries[few]} queries"
    what, target = f"send to {many:,} members, beside {few}", "≤ 1.2 ×, no query more"
    met = grown <= 1.2 and queries[many] == queries[few]
    report.add(Row("P9", what, figure, beside, grown, target, met))
