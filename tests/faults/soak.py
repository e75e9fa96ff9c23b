"""A long run with faults now and then, and what grows meanwhile: ``make soak MINUTES=20``."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from time import monotonic, monotonic_ns

from tests.faults.run import leave, table, told
from tests.faults.server import Cluster, cluster
from tests.faults.stage import HEADINGS, Stage, Verdict, judged, quieted, staged, window

MIB = 1_048_576
SAMPLED_EVERY = 5.0
# Seconds between two faults, and for which one lasts.
BETWEEN = (20.0, 40.0)
LASTS = 5.0
# Seconds between two columns of what is held.
TOLD_EVERY = 300.0
# Fewer than in the faults: all of it is kept in memory until it is judged.
PER_SECOND = 10.0
# What the last quarter may hold more than the second one.
MAY_GROW = {"RSS MiB": 24.0, "fds": 24.0, "PostgreSQL connections": 12.0, "Redis keys": 24.0}


@dataclass(frozen=True)
class Sample:
    """What a process that is never killed holds, and the services behind it; ``at`` is monotonic."""

    at: float
    values: dict[str, float]


async def kill_one(service: Cluster) -> None:
    """The first process is spared, so that what it holds can be followed."""
    server = service.servers[-1]
    server.kill()
    await asyncio.to_thread(server.restart)


async def restart_redis(service: Cluster) -> None:
    service.redis.kill()
    await asyncio.sleep(LASTS)
    await asyncio.to_thread(service.redis.start)


async def flush_redis(service: Cluster) -> None:
    await asyncio.to_thread(service.redis.flush)


async def hang_redis(service: Cluster) -> None:
    service.redis.hang()
    await asyncio.sleep(LASTS)
    service.redis.go_on()


async def hang_postgres(service: Cluster) -> None:
    service.postgres.hang()
    await asyncio.sleep(LASTS)
    service.postgres.go_on()


async def crash_postgres(service: Cluster) -> None:
    await asyncio.to_thread(service.postgres.kill)
    await asyncio.sleep(LASTS)
    await asyncio.to_thread(service.postgres.start)


TROUBLES: tuple[Callable[[Cluster], Awaitable[None]], ...] = (
    kill_one,
    restart_redis,
    flush_redis,
    hang_redis,
    crash_postgres,
    hang_postgres,
)


def sample(service: Cluster) -> Sample | None:
    """Look at what is held; None while a service is away."""
    import redis

    try:
        with redis.Redis.from_url(service.redis.url, socket_timeout=1) as client:
            keys = float(client.dbsize())
        ((connections,),) = service.query("SELECT count(*) FROM pg_stat_activity")
    except Exception:
        return None
    server = service.servers[0]
    return Sample(
        monotonic(),
        {
            "RSS MiB": server.resident / MIB,
            "fds": float(server.descriptors),
            "PostgreSQL connections": float(str(connections)),
            "Redis keys": keys,
        },
    )


def growth(samples: list[Sample]) -> dict[str, tuple[float, float]]:
    """The medians of the second quarter and of the last, by what was looked at."""
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter : 2 * quarter] or samples, samples[-quarter:]
    return {
        name: (median(s.values[name] for s in early), median(s.values[name] for s in late))
        for name in MAY_GROW
    }


def columns(samples: list[Sample]) -> list[Sample]:
    """The first sample, one for every few minutes, and the last."""
    told = samples[:1]
    for one in samples:
        if one.at >= told[-1].at + TOLD_EVERY:
            told.append(one)
    return [*told, samples[-1]]


async def soak(service: Cluster, minutes: float) -> tuple[Verdict, list[Sample]]:
    """Let people talk for so long, with trouble now and then."""
    async with staged(service, per_second=PER_SECOND) as stage:
        until = monotonic() + minutes * 60
        samples: list[Sample] = []
        stage.load.start()
        watching = asyncio.create_task(_watch(service, samples))
        troubles = await _trouble(stage, until)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await quieted(stage)
        held = growth(samples)
        stage.wrong += [
            f"{name} grew from {early:.0f} to {late:.0f}"
            for name, (early, late) in held.items()
            if late - early > MAY_GROW[name]
        ]
        return await judged(stage, "soak", f"{troubles} faults in {minutes:g} min"), samples


async def _watch(service: Cluster, samples: list[Sample]) -> None:
    while True:
        await asyncio.sleep(SAMPLED_EVERY)
        if seen := await asyncio.to_thread(sample, service):
            samples.append(seen)
            if seen in columns(samples)[:-1]:
                print(f"  held: {_held(seen)}", flush=True)


def _held(sample: Sample) -> str:
    return ", ".join(f"{name} {value:.0f}" for name, value in sample.values.items())


async def _trouble(stage: Stage, until: float) -> int:
    done = 0
    while True:
        await asyncio.sleep(min(random.uniform(*BETWEEN), max(0.0, until - monotonic())))
        if monotonic() >= until:
            return done
        trouble, began = TROUBLES[done % len(TROUBLES)], monotonic_ns()
        await trouble(stage.cluster)
        window(stage, trouble.__name__, began)
        print(f"  {until - monotonic():5.0f} s left: {trouble.__name__}", flush=True)
        done += 1


def main() -> int:
    signal.signal(signal.SIGTERM, leave)
    minutes = float(os.environ.get("MINUTES", "20"))
    with cluster() as service:
        verdict, samples = asyncio.run(soak(service, minutes))
    told(verdict)
    print("\n" + table(HEADINGS, [verdict.cells()]))
    some, began = columns(samples), samples[0].at
    rows = [[name, *(f"{one.values[name]:.0f}" for one in some)] for name in MAY_GROW]
    print("\n" + table(["held", *(f"{(one.at - began) / 60:.0f} min" for one in some)], rows))
    rows = [
        [name, f"{early:.0f}", f"{late:.0f}"] for name, (early, late) in growth(samples).items()
    ]
    print("\n" + table(["median", "second quarter", "last quarter"], rows))
    return int(not verdict.sound)


if __name__ == "__main__":
    sys.exit(main())
