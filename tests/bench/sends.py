"""P2, P3 and P4: durable sends over sockets, each acknowledged, each delivery received, in order and once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from uuid import uuid4

from tests.bench.crowd import Crowd, Ear, Lost, frame
from tests.bench.fanout import SECONDS as FLOOR_SECONDS
from tests.bench.fanout import floor_of
from tests.bench.figures import percentile, ratio
from tests.bench.machine import Meter
from tests.bench.profile import profiled
from tests.bench.report import Report, Row
from tests.bench.stand import HOT, SMALL, SMALL_GROUPS, Group, Product, Stand

SECONDS, LOOP_SECONDS, BATCH_SECONDS = 4.0, 2.0, 2.0
# Letters of a message after the time that it begins with.
FILLER = 80
_SEQ, _TEXT = b'"seq":', b'"text":"'


@dataclass
class Seat:
    """A socket that sends to the group it sits in."""

    ear: Ear
    group: Group
    seq: int = 0
    sent: int = 0
    base: int = 0


@dataclass
class Outcome:
    """What a few seconds of sending came to."""

    messages: int
    cpu: float
    wall: float
    generator: float
    acks: list[float] = field(repr=False)
    deliveries: list[float] = field(repr=False)

    @property
    def rate(self) -> float:
        return self.messages / self.wall

    @property
    def per_message(self) -> float:
        return self.cpu / self.messages * 1e6

    def told(self) -> dict[str, float]:
        shares = {"messages": self.messages, "cpu": self.cpu, "wall": self.wall}
        return {**shares, "generator": self.generator, "ack_p50": percentile(self.acks, 50)}


class Talk:
    """Sockets that send to their groups, and listen to what comes of it."""

    def __init__(self, product: Product, crowd: Crowd, groups: Sequence[Group]) -> None:
        self.product = product
        self.crowd = crowd
        ears = iter(crowd.ears)
        self.seats = [Seat(next(ears), group) for group in groups for _ in group.members]
        self.seat_of = {seat.ear: seat for seat in self.seats}
        self.acks: list[float] = []
        self.deliveries: list[float] = []
        self.timed = False
        self.filler = FILLER
        self.size = 0
        self.until = 0.0
        self.pending = 0
        for seat in self.seats:
            seat.ear.answered = self._answered
        crowd.watch = self._heard

    async def as_fast_as_it_goes(self, seconds: float) -> Outcome:
        """Keep one send in flight on every socket."""
        self._begin()
        self.until = time.perf_counter() + seconds
        for seat in self.seats:
            self._send(seat)
        await asyncio.sleep(seconds)
        return await self._end()

    async def at_pace(self, rate: float, seconds: float) -> Outcome:
        """Send evenly, on sockets in turn, whatever the answers take."""
        self._begin()
        self.timed, self.until = True, 0.0
        began, total = time.perf_counter(), int(rate * seconds)
        for number in range(total):
            wait = began + number / rate - time.perf_counter()
            # Yielding even when late, so that what comes is timed when it comes.
            await asyncio.sleep(max(0.0, wait))
            # Neighbours in turn sit in different groups.
            self._send(
                self.seats[
                    number * SMALL % len(self.seats) + number * SMALL // len(self.seats) % SMALL
                ]
            )
        outcome = await self._end()
        self.timed = False
        return outcome

    def _begin(self) -> None:
        self.acks, self.deliveries = [], []
        for seat in self.seats:
            seat.sent, seat.base = 0, seat.ear.deliveries
        self.before = self.crowd.total
        self.generator = time.process_time()
        self.meter = Meter(self.product.place.pid)

    async def _end(self) -> Outcome:
        deadline = time.perf_counter() + 60
        while self.pending:
            self.crowd.check()
            if time.perf_counter() > deadline:
                raise Lost(f"{self.pending} sends were never answered")
            await asyncio.sleep(0.002)
        sent: dict[str, int] = {}
        for seat in self.seats:
            sent[seat.group.id] = sent.get(seat.group.id, 0) + seat.sent
        due = sum(sent[seat.group.id] for seat in self.seats)
        await self.crowd.reached(self.before + due)
        cpu, wall = self.meter.read()
        share = (time.process_time() - self.generator) / wall
        wrong = [s for s in self.seats if s.ear.deliveries - s.base != sent[s.group.id]]
        if wrong:
            raise Lost(f"{len(wrong)} sockets were not told exactly what was sent to their groups")
        return Outcome(sum(sent.values()), cpu, wall, share, self.acks, self.deliveries)

    def _send(self, seat: Seat) -> None:
        said = f"{time.perf_counter_ns():020d}" + "x" * self.filler
        text = f'{{"type":"message.send","ref":"1","room":"{seat.group.id}","id":"{uuid4()}","text":"{said}"}}'
        seat.sent += 1
        self.pending += 1
        seat.ear.asked_at = time.perf_counter()
        seat.ear.transport.write(frame(text.encode()))

    def _answered(self, ear: Ear) -> None:
        now = time.perf_counter()
        self.acks.append(now - ear.asked_at)
        self.pending -= 1
        if now < self.until:
            self._send(self.seat_of[ear])

    def _heard(self, ear: Ear, payload: bytes) -> None:
        seat, self.size = self.seat_of[ear], len(payload)
        at = payload.index(_SEQ) + len(_SEQ)
        seq = int(payload[at : payload.index(b",", at)])
        if seat.seq and seq != seat.seq + 1:
            self.crowd.lost(ear, f"heard {seq} after {seat.seq}")
        seat.seq = seq
        if self.timed:
            at = payload.index(_TEXT) + len(_TEXT)
            self.deliveries.append(time.perf_counter() - int(payload[at : at + 20]) / 1e9)


async def talk(stand: Stand, size: int, people: int = 0) -> Talk:
    """Seat people in all groups of a size, one group for each, and listen; the first to ask says how many there are."""
    product = await stand.product(people)
    groups = product.groups_of(size)
    return Talk(
        product, await product.crowd([n for group in groups for n in group.members]), groups
    )


async def measure_rooms(stand: Stand, report: Report) -> None:
    """Measure P2."""
    talking = await talk(stand, SMALL)
    # Warm, and known how long a frame is, so that the floor's are as long.
    await talking.as_fast_as_it_goes(0.1)
    floor = await floor_of(stand, talking.size)
    outcomes, loops, batches, floors = [], [], [], []
    for _ in range(stand.pairs):
        with profiled(stand, talking.product.place.pid, "p2") as on:
            outcomes.append(await talking.as_fast_as_it_goes(SECONDS))
            on.units = outcomes[-1].messages
        loops.append(stand.commit_loop(SMALL_GROUPS, LOOP_SECONDS))
        batches.append(stand.orm_batch(BATCH_SECONDS))
        floors.append(await floor.run(FLOOR_SECONDS / 2, saturated=False))
    talking.crowd.leave()
    floor.crowd.leave()
    raw = {"product": [o.told() for o in outcomes], "loop": loops, "batch": batches}
    _tell_rate(report, "P2", f"{SMALL_GROUPS} rooms × {SMALL} senders", outcomes, loops, raw)
    shares = [b["cpu"] / b["messages"] * 1e6 for b in batches]
    due = [s + SMALL * f.per_delivery for s, f in zip(shares, floors, strict=True)]
    cost = ratio([o.per_message for o in outcomes], due)
    figure = f"{median(o.per_message for o in outcomes):,.0f} µs CPU"
    beside = f"batch {median(shares):.0f} + {SMALL} × floor {median(f.per_delivery for f in floors):.1f} µs"
    report.add(Row("P2", "server CPU per message", figure, beside, cost, "≤ 2.5", cost <= 2.5))


async def measure_hot(stand: Stand, report: Report) -> None:
    """Measure P3."""
    talking = await talk(stand, HOT)
    outcomes, loops = [], []
    for _ in range(stand.pairs):
        with profiled(stand, talking.product.place.pid, "p3") as on:
            outcomes.append(await talking.as_fast_as_it_goes(SECONDS))
            on.units = outcomes[-1].messages
        loops.append(stand.commit_loop(1, LOOP_SECONDS))
    talking.crowd.leave()
    raw = {"product": [o.told() for o in outcomes], "loop": loops}
    _tell_rate(report, "P3", f"one room, {HOT} senders", outcomes, loops, raw)
    cost = f"{median(o.per_message for o in outcomes):,.0f} µs CPU"
    report.add(Row("P3", f"server CPU per message ({HOT} deliveries)", cost))


def _tell_rate(
    report: Report, part: str, what: str, outcomes: list[Outcome], loops: list, raw: dict
) -> None:
    rates = [loop["commits"] / loop["seconds"] for loop in loops]
    reached = ratio([o.rate for o in outcomes], rates)
    busy = median(o.cpu / o.wall for o in outcomes)
    asked = max(o.generator for o in outcomes)
    figure = f"{median(o.rate for o in outcomes):,.0f} messages/s (server {busy:.0%}, generator {asked:.0%})"
    beside = f"commit loop {median(rates):,.0f}/s"
    report.add(Row(part, what, figure, beside, reached, "≥ 0.8", reached >= 0.8, raw))


async def measure_latency(stand: Stand, report: Report) -> None:
    """Measure P4: at a fifth of what P2 reaches, here and now."""
    talking = await talk(stand, SMALL)
    pace = (await talking.as_fast_as_it_goes(SECONDS / 2)).rate / 5
    over: dict[tuple[str, int], list[float]] = {}
    loops, outcomes = [], []
    for _ in range(stand.pairs):
        outcomes.append(await talking.at_pace(pace, SECONDS))
        loops.append(stand.commit_loop(SMALL_GROUPS, LOOP_SECONDS / 2))
        for name in ("acks", "deliveries"):
            for share in (50, 99):
                taken = percentile(getattr(outcomes[-1], name), share) - loops[-1]["p50"]
                over.setdefault((name, share), []).append(taken * 1e3)
    talking.crowd.leave()
    beside = f"one commit {median(loop['p50'] for loop in loops) * 1e3:.2f} ms"
    for (name, share), taken in over.items():
        limit = 8 if share == 50 else 40
        what = (
            f"{'ack' if name == 'acks' else 'delivery'} p{share} at {pace:,.0f}/s, over one commit"
        )
        figure, met = f"{median(taken):.2f} ms", median(taken) <= limit
        report.add(Row("P4", what, figure, beside, None, f"≤ {limit} ms", met, {"ms": taken}))
