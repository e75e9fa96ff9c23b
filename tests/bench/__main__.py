"""``python -m tests.bench [p1 p2 …]``: measure, print one table, say which targets were missed.

PAIRS=1 is a quick look; OUT=path writes the figures as JSON; ``--profile DIRECTORY`` says where the time goes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from tests.bench import fanout, masses, rest, sends, tables, trouble
from tests.bench.crowd import Lost
from tests.bench.machine import GENERATOR_CORE, SERVER_CORE, Failed, pin
from tests.bench.report import Report
from tests.bench.stand import Stand

Part = Callable[[Stand, Report], Awaitable[None]]

PARTS: dict[str, Part] = {
    "p1": fanout.measure,
    "p2": sends.measure_rooms,
    "p3": sends.measure_hot,
    "p4": sends.measure_latency,
    "p5": rest.measure,
    "p6": tables.measure_reads,
    "p7": masses.measure_memory,
    "p8": masses.measure_return,
    "p9": tables.measure_members,
    "p10": trouble.measure,
}
PINNED = (
    f"Pinned: each server on core {SERVER_CORE}, the generator on core {GENERATOR_CORE}. PostgreSQL and Redis are"
    " found running and are not pinned: they take of both cores."
)


def main() -> int:
    reader = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    reader.add_argument("parts", nargs="*", metavar="part")
    reader.add_argument("--profile", type=Path, metavar="DIRECTORY")
    asked = reader.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        reader.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    pairs = int(os.environ.get("PAIRS", "5"))
    pin(0, GENERATOR_CORE)
    report = Report(notes=[PINNED, f"Ratios are medians of {pairs} interleaved rounds."])
    try:
        uvloop.run(measure(asked.parts or list(PARTS)[:5], Stand(pairs, asked.profile), report))
    except (Failed, Lost) as error:
        print(f"\nFAILED: {error}", file=sys.stderr)
        return 1
    finally:
        if report.rows:
            print(f"\n{report.table()}", flush=True)
            if out := os.environ.get("OUT"):
                report.write(Path(out))
    return 0


async def measure(parts: list[str], stand: Stand, report: Report) -> None:
    with stand:
        for part in parts:
            began = time.perf_counter()
            print(f"==> {part.upper()}", flush=True)
            await PARTS[part](stand, report)
            print(f"    {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
