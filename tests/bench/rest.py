"""P5: sending over REST, beside a bare viewset that stores one row."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from statistics import median
from uuid import uuid4

from tests.bench.figures import percentile, ratio
from tests.bench.http import call, request
from tests.bench.machine import Failed, Meter
from tests.bench.profile import profiled
from tests.bench.report import Report, Row
from tests.bench.stand import SMALL, SMALL_GROUPS, Stand

CONNECTIONS, SECONDS = 16, 3.0


@dataclass
class Posted:
    """What a few seconds of requests came to."""

    requests: int
    cpu: float
    wall: float
    generator: float
    p50: float

    @property
    def rate(self) -> float:
        return self.requests / self.wall

    @property
    def per_request(self) -> float:
        return self.cpu / self.requests * 1e6


async def post(pid: int, port: int, draft: Callable[[int], bytes]) -> Posted:
    """Keep all connections busy for a while."""
    taken: list[float] = []
    meter, generator = Meter(pid), time.process_time()
    until = time.perf_counter() + SECONDS

    def drafts() -> Iterator[bytes]:
        for number in count():
            if time.perf_counter() > until:
                return
            yield draft(number)

    def answer(status: int, body: bytes, seconds: float) -> None:
        if status != 201:
            raise Failed(f"{status}: {body[:300]!r}")
        taken.append(seconds)

    await call(port, drafts(), answer, CONNECTIONS)
    cpu, wall = meter.read()
    share = (time.process_time() - generator) / wall
    return Posted(len(taken), cpu, wall, share, percentile(taken, 50))


async def measure(stand: Stand, report: Report) -> None:
    """Measure P5."""
    product = await stand.product()
    groups = product.groups_of(SMALL)
    _, token = stand.viewset_environment
    bare, pooled = stand.viewset(), stand.viewset(POOL="1")
    room = str(uuid4())

    def message(number: int) -> bytes:
        group = groups[number % len(groups)]
        body = {"id": str(uuid4()), "text": "x" * 100}
        sender = product.tokens[group.members[0]]
        return request("POST", f"/api/rooms/{group.id}/messages/", body, sender)

    def note(number: int) -> bytes:
        return request("POST", "/api/notes/", {"room": room, "text": "x" * 100}, token)

    mine: list[Posted] = []
    theirs: list[Posted] = []
    with_pool: list[Posted] = []
    loops: list[float] = []
    for _ in range(stand.pairs):
        with profiled(stand, product.place.pid, "p5") as on:
            mine.append(await post(product.place.pid, product.place.port, message))
            on.units = mine[-1].requests
        theirs.append(await post(bare.pid, bare.port, note))
        with_pool.append(await post(pooled.pid, pooled.port, note))
        loop = stand.commit_loop(SMALL_GROUPS, 1)
        loops.append(loop["commits"] / loop["seconds"])
    _tell(report, mine, theirs, with_pool, loops)


def _tell(
    report: Report,
    mine: list[Posted],
    theirs: list[Posted],
    with_pool: list[Posted],
    loops: list[float],
) -> None:
    rates = [one.rate for one in mine]
    asked = max(one.generator for one in mine)
    figure = f"{median(rates):,.0f}/s (generator {asked:.0%})"
    what = f"REST send, {CONNECTIONS} connections"
    everyone = {"product": mine, "viewset": theirs, "viewset with a pool": with_pool}
    raw = {name: [vars(one) for one in some] for name, some in everyone.items()}
    beyond = ratio(rates, [one.rate for one in theirs])
    beside = f"bare viewset {median(one.rate for one in theirs):,.0f}/s"
    report.add(Row("P5", what, figure, beside, beyond, "≥ 1.5", beyond >= 1.5, raw))
    beyond = ratio(rates, [one.rate for one in with_pool])
    beside = f"the same with a pool {median(one.rate for one in with_pool):,.0f}/s"
    report.add(Row("P5", what, figure, beside, beyond))
    beyond = ratio(rates, loops)
    beside = f"commit loop {median(loops):,.0f}/s"
    report.add(Row("P5", what, figure, beside, beyond, "≥ 0.12", beyond >= 0.12))
    for name, some in list(everyone.items())[1:]:
        cost = ratio([one.per_request for one in mine], [one.per_request for one in some])
        figure = f"{median(one.per_request for one in mine):,.0f} µs CPU"
        beside = f"{name} {median(one.per_request for one in some):,.0f} µs"
        report.add(Row("P5", "server CPU per request", figure, beside, cost))
