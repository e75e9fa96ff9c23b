"""P10: what a bad neighbour does to the others' deliveries."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

import orjson

from tests.bench.crowd import Crowd, frame
from tests.bench.figures import percentile, ratio
from tests.bench.http import call, request
from tests.bench.machine import pin_free
from tests.bench.populate import PASSWORD
from tests.bench.report import Report, Row
from tests.bench.sends import Talk, talk
from tests.bench.stand import HOT, Product, Stand

SECONDS = 6.0
# Long messages, so that what a reader leaves unread fills its buffers.
FILLER = 4_900
LOGINS = 3


async def measure(stand: Stand, report: Report) -> None:
    """Measure P10: the 99th percentile of the others' deliveries, quiet and troubled in turn."""
    talking = await talk(stand, HOT)
    talking.filler = FILLER
    pace = (await talking.as_fast_as_it_goes(2)).rate / 3
    for what, trouble, limit in (
        ("a reader that stalls", stalled, 2.0),
        ("a client that floods", flooding, 2.0),
    ):
        await _compare(stand, report, talking, pace, what, trouble, limit)
    talking.crowd.leave()
    await _logins(stand, report)


async def _logins(stand: Stand, report: Report) -> None:
    """Three who sign in without end, with the password hashing of production and all cores for the server."""
    os.environ["BENCH_HASHER"] = "production"
    try:
        with Stand(stand.pairs) as apart:
            talking = await talk(apart, HOT, people=HOT + 1)
            pin_free(talking.product.place.pid)
            talking.filler = FILLER
            pace = (await talking.as_fast_as_it_goes(2)).rate / 3
            what = f"{LOGINS} login loops (server not pinned)"
            await _compare(apart, report, talking, pace, what, logging_in, 3.0)
            talking.crowd.leave()
    finally:
        del os.environ["BENCH_HASHER"]


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
    try:
        yield
    finally:
        reader.close()


@asynccontextmanager
async def flooding(product: Product) -> AsyncIterator[None]:
    """A socket of a member that sends commands as fast as the server takes them, half of them nonsense."""
    crowd = Crowd(b"\0", b'{"type":"hello"')
    crowd.forgive()
    await crowd.join(product.place.port, [product.knock(product.tokens[1])])
    burst = (
        frame(orjson.dumps({"type": "ping", "ref": "f"})) + frame(b'{"type":"nonsense"}')
    ) * 100
    transport = crowd.ears[0].transport

    async def flood() -> None:
        while not transport.is_closing():
            if transport.get_write_buffer_size() < len(burst):
                transport.write(burst)
            await asyncio.sleep(0.001)

    task = asyncio.create_task(flood())
    try:
        yield
    finally:
        task.cancel()
        crowd.leave()


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
