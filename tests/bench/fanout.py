"""P1: one message to everyone in a room of 500, by the product, by the floor and by the tutorial."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from statistics import median
from uuid import uuid4

import orjson

from tests.bench.crowd import Crowd, Ear, frame, handshake
from tests.bench.figures import ratio
from tests.bench.machine import Meter
from tests.bench.profile import profiled
from tests.bench.report import Report, Row
from tests.bench.stand import EVERYONE, Stand

TEXT = "x" * 100
# Messages a second, below saturation; the tutorial would be drowned by as many as the others take.
PACE, TUTORIAL_PACE = 40.0, 3.0
# Messages on their way at once, when saturated.
WINDOW = 8
SECONDS = 2.5


@dataclass
class Slice:
    """What one contestant did in a few seconds."""

    sends: int
    deliveries: int
    cpu: float
    wall: float
    generator: float

    @property
    def per_delivery(self) -> float:
        """CPU of the server in µs, the sends' own cost included."""
        return self.cpu / self.deliveries * 1e6

    @property
    def rate(self) -> float:
        return self.deliveries / self.wall


@dataclass
class Contestant:
    """A server with a crowd in one room, and how the next message is sent there."""

    pid: int
    crowd: Crowd
    draft: Callable[[], bytes]
    listeners: int
    pace: float = PACE

    def __post_init__(self) -> None:
        self._turn = count()

    def say(self) -> None:
        ears = self.crowd.ears
        ears[next(self._turn) % len(ears)].transport.write(self.draft())

    async def run(self, seconds: float, *, saturated: bool) -> Slice:
        """Send for a while, evenly or as fast as it goes, and wait until every delivery has come."""
        crowd, base = self.crowd, self.crowd.total
        generator, meter = time.process_time(), Meter(self.pid)
        began, sends = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            if saturated:
                await crowd.reached(base + max(0, sends + 1 - WINDOW) * self.listeners)
            else:
                await asyncio.sleep(began + sends / self.pace - time.perf_counter())
            self.say()
            sends += 1
        deliveries = sends * self.listeners
        await crowd.reached(base + deliveries)
        cpu, wall = meter.read()
        share = (time.process_time() - generator) / wall
        return Slice(sends, deliveries, cpu, wall, share)


async def measure(stand: Stand, report: Report) -> None:
    """Measure P1 in interleaved rounds and add its rows."""
    product, alone = await _product(stand)
    size = await _frame_size(product)
    floor, tutorial = await floor_of(stand, size), await _tutorial(stand, size)
    report.notes.append(f"P1: frames of {size} bytes, everywhere; {EVERYONE} sockets.")
    for saturated in (False, True):
        slices: dict[str, list[Slice]] = {"product": [], "floor": [], "tutorial": [], "alone": []}
        for _ in range(stand.pairs):
            with profiled(stand, product.pid, f"p1-{'saturated' if saturated else 'paced'}") as on:
                slices["product"].append(await product.run(SECONDS, saturated=saturated))
                on.units = slices["product"][-1].deliveries
            slices["floor"].append(await floor.run(SECONDS, saturated=saturated))
            slices["tutorial"].append(await tutorial.run(SECONDS, saturated=saturated))
            slices["alone"].append(await alone.run(SECONDS / 2, saturated=False))
        _tell(report, "saturated" if saturated else "paced", slices)
    for contestant in (product, floor, tutorial, alone):
        contestant.crowd.leave()


def _tell(report: Report, how: str, slices: dict[str, list[Slice]]) -> None:
    costs = {name: [one.per_delivery for one in some] for name, some in slices.items()}
    raw = {name: [vars(one) for one in some] for name, some in slices.items()}
    mid = {name: median(values) for name, values in costs.items()}
    rates = {name: median(one.rate for one in some) for name, some in slices.items()}
    asked = max(one.generator for one in slices["product"])
    figure = f"{mid['product']:.2f} µs CPU ({rates['product']:,.0f}/s, generator {asked:.0%})"
    floor, tutorial = (ratio(costs["product"], costs[name]) for name in ("floor", "tutorial"))
    beside = f"floor {mid['floor']:.2f} µs ({rates['floor']:,.0f}/s)"
    what = f"delivery, {how}"
    report.add(Row("P1", what, figure, beside, floor, "≤ 1.5", floor <= 1.5, raw))
    beside = f"tutorial {mid['tutorial']:.1f} µs ({rates['tutorial']:,.0f}/s)"
    report.add(Row("P1", what, figure, beside, tutorial, "≤ 0.05", tutorial <= 0.05))
    if how == "paced":
        _tell_without_sends(report, what, slices)
    most = max(one.generator for one in slices["floor"])
    report.notes.append(
        f"P1 {how}: the generator took {rates['floor']:,.0f} deliveries/s from the floor with {most:.0%} of its core,"
        f" and was asked for {rates['product']:,.0f}/s by the product, with {asked:.0%}."
    )


def _tell_without_sends(report: Report, what: str, slices: dict[str, list[Slice]]) -> None:
    """Tell what a delivery costs where each message comes alone, as much as a message to oneself does taken off."""
    sends = [
        max(0.0, one.per_delivery - own.per_delivery / EVERYONE)
        for one, own in zip(slices["product"], slices["alone"], strict=True)
    ]
    alone = median(one.per_delivery for one in slices["alone"])
    less = ratio(sends, [one.per_delivery for one in slices["floor"]])
    beside = f"one send to oneself {alone:,.0f} µs"
    report.add(Row("P1", f"{what}, without the sends", f"{median(sends):.2f} µs CPU", beside, less))


async def _product(stand: Stand) -> tuple[Contestant, Contestant]:
    product = await stand.product()
    (room,), (own,) = product.groups_of(EVERYONE), product.groups_of(1)
    crowd = await product.crowd(room.members)
    only = await product.crowd(own.members)

    def draft(room: str) -> Callable[[], bytes]:
        said = {"type": "message.send", "ref": "1", "room": room, "text": TEXT}
        return lambda: frame(orjson.dumps({**said, "id": str(uuid4())}))

    pid = product.place.pid
    alone = Contestant(pid, only, draft(own.id), 1)
    return Contestant(pid, crowd, draft(room.id), EVERYONE), alone


async def _frame_size(product: Contestant) -> int:
    """Send once, and return the bytes of what everyone is told."""
    sizes: set[int] = set()

    def note(ear: Ear, payload: bytes) -> None:
        sizes.add(len(payload))

    product.crowd.watch = note
    product.say()
    await product.crowd.reached(product.crowd.total + EVERYONE)
    product.crowd.watch = None
    return max(sizes)


async def floor_of(stand: Stand, size: int) -> Contestant:
    """Return the floor with everyone in it, and frames of this size."""
    crowd = Crowd()
    await crowd.join(stand.floor.port, [handshake("/")] * EVERYONE)
    said = frame(b"x" * size)
    return Contestant(stand.floor.pid, crowd, lambda: said, EVERYONE)


async def _tutorial(stand: Stand, size: int) -> Contestant:
    crowd = Crowd()
    knock = handshake("/ws/chat/hot/", Origin="http://127.0.0.1")
    await crowd.join(stand.tutorial.port, [knock] * EVERYONE)
    said = frame(orjson.dumps({"message": "x" * (size - len('{"message": ""}'))}))
    return Contestant(stand.tutorial.pid, crowd, lambda: said, EVERYONE, TUTORIAL_PACE)
