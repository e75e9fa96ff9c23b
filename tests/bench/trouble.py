"""P10: what a bad neighbour does to the others' deliveries."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from statistics import median

import orjson

from tests.bench.crowd import Crowd, Lost, frame
from tests.bench.figures import percentile, ratio
from tests.bench.http import call, request
from tests.bench.machine import pin_free
from tests.bench.populate import PASSWORD
from tests.bench.report import Report, Row
from tests.bench.sends import Talk, talk
from tests.bench.stand import HOT, Product, Stand

SECONDS = 6.0
LOGINS = 3
# Seconds: one's questions are not taken for so long; and it comes to that.
STUCK, STALLED_WITHIN = 1.0, 20.0


async def measure(stand: Stand, report: Report) -> None:
    """Measure P10: the 99th percentile of the others' deliveries, quiet and troubled in turn."""
    talking = await talk(stand, HOT)
    pace = (await talking.as_fast_as_it_goes(2)).rate / 3
    await _compare(stand, report, talking, pace, "a reader that stalls", stalled, 2.0)
    talking.crowd.leave()
    # What is sent too much of is what this limit refuses: here it holds.
    with _apart(stand, BENCH_LIMITS="LIMIT_FRAMES") as alone:
        await _beside(alone, report, "a client that floods", flooding, 2.0, pinned=True)
    # With the password hashing of production and all cores for the server.
    what = f"{LOGINS} login loops (server not pinned)"
    with _apart(stand, BENCH_HASHER="production") as alone:
        await _beside(alone, report, what, logging_in, 3.0, pinned=False)


@contextmanager
def _apart(stand: Stand, **environment: str) -> Iterator[Stand]:
    """A stand of its own, whose product is set up otherwise."""
    os.environ.update(environment)
    try:
        with Stand(stand.pairs) as apart:
            yield apart
    finally:
        for name in environment:
            del os.environ[name]


async def _beside(
    stand: Stand, report: Report, what: str, trouble, limit: float, *, pinned: bool
) -> None:
    talking = await talk(stand, HOT, people=HOT + 1)
    if not pinned:
        pin_free(talking.product.place.pid)
    pace = (await talking.as_fast_as_it_goes(2)).rate / 3
    await _compare(stand, report, talking, pace, what, trouble, limit)
    talking.crowd.leave()


async def _compare(
    stand: Stand, report: Report, talking: Talk, pace: float, what: str, trouble, limit: float
) -> None:
    quiet, troubled = [], []
    for _ in range(stand.pairs):
        quiet.append(percentile((await talking.at_pace(pace, SECONDS)).deliveries, 99) * 1e3)
        async with trouble(talking.product):
            outcome = await talking.at_pace(pace, SECONDS)
        troubled.append(percentile(outcome.deliveries, 99) * 1e3)
    worse = ratio(troubled, quiet)
    figure, beside = (
        f"p99 {median(troubled):.1f} ms at {pace:.0f}/s",
        f"quiet {median(quiet):.1f} ms",
    )
    raw = {"quiet": quiet, "troubled": troubled}
    report.add(Row("P10", what, figure, beside, worse, f"< {limit:.0f} ×", worse < limit, raw))


@asynccontextmanager
async def stalled(product: Product) -> AsyncIterator[None]:
    """A socket in the same room that takes four kilobytes and then reads no more."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(reader, ("127.0.0.1", product.place.port))
    await loop.sock_sendall(reader, product.knock(product.tokens[0]))
    await loop.sock_recv(reader, 200)
    # Answers that it does not read fill the buffers between; then the server takes no more of its questions.
    asked = frame(orjson.dumps({"type": "ping", "ref": "x" * 64})) * 200
    with suppress(TimeoutError):
        async with asyncio.timeout(STALLED_WITHIN):
            while True:
                await asyncio.wait_for(loop.sock_sendall(reader, asked), STUCK)
    try:
        yield
    finally:
        reader.close()


@asynccontextmanager
async def flooding(product: Product) -> AsyncIterator[None]:
    """A member who sends commands as fast as they are taken, half of them nonsense, and comes back when closed."""
    burst = (
        frame(orjson.dumps({"type": "ping", "ref": "f"})) + frame(b'{"type":"nonsense"}')
    ) * 100

    async def flood() -> None:
        while True:
            crowd = Crowd(b"\0", b'{"type":"hello"')
            with suppress(Lost, TimeoutError, OSError):
                await crowd.join(product.place.port, [product.knock(product.tokens[1])])
                crowd.forgive()
                transport = crowd.ears[0].transport
                while not transport.is_closing():
                    if transport.get_write_buffer_size() < len(burst):
                        transport.write(burst)
                    await asyncio.sleep(0.001)
            crowd.leave()
            await asyncio.sleep(0.001)

    task = asyncio.create_task(flood())
    try:
        yield
    finally:
        task.cancel()


@asynccontextmanager
async def logging_in(product: Product) -> AsyncIterator[None]:
    """Three connections that sign in, again and again."""
    body = {"username": product.names[0], "password": PASSWORD}
    ended = asyncio.Event()

    def drafts():
        while not ended.is_set():
            yield request("POST", "/api/auth/token/", body)

    loops = asyncio.create_task(call(product.place.port, drafts(), lambda *_: None, LOGINS))
    try:
        yield
    finally:
        ended.set()
        await loops
