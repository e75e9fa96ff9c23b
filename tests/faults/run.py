"""Does every fault to a service of its own, and says in one table what became of it: ``make faults ONLY=F1,F3``."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from types import FrameType

from tests.faults.fault import Fault, act
from tests.faults.kinds import FAULTS
from tests.faults.planted import PLANTED, Planted, sought
from tests.faults.server import Cluster, cluster, embedded
from tests.faults.stage import HEADINGS, Verdict

# Complaints of one kind that are shown; the rest are counted.
SHOWN = 3


def chosen(names: Sequence[str], only: str) -> list[str]:
    """Those of the names that ``ONLY`` asks for, all where it asks for nothing. Raises SystemExit."""
    wanted = [one for one in only.replace(" ", ",").split(",") if one]
    if unknown := set(wanted) - set(names):
        sys.exit(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return [one for one in names if one in wanted] if wanted else list(names)


def faults(kinds: Sequence[type[Fault]]) -> Iterator[Verdict]:
    """Do the faults one after the other, first those on PostgreSQL and Redis, then those on SQLite."""
    for small in (False, True):
        some = [kind for kind in kinds if kind.embedded == small]
        if not some:
            continue
        with embedded() if small else cluster() as service:
            for kind in some:
                yield told(asyncio.run(act(kind(), service)))


def planted(names: Sequence[str]) -> list[Planted]:
    """Have the checker look for bugs that are there."""
    if not names:
        return []
    with cluster() as service:
        return [asyncio.run(_sought(name, service)) for name in names]


async def _sought(name: str, service: Cluster) -> Planted:
    found = await sought(name, service)
    print(
        f"  {name}: {'seen' if found.seen else 'NOT SEEN'} ({', '.join(found.red) or 'all green'})",
        flush=True,
    )
    return found


def told(verdict: Verdict) -> Verdict:
    """Say what became of a fault as soon as it is known."""
    print(f"  {' | '.join(verdict.cells())}  {'; '.join(verdict.notes)}", flush=True)
    for check, wrong in verdict.wrong.items():
        for complaint in wrong[:SHOWN]:
            print(f"      {check}: {complaint}")
        if len(wrong) > SHOWN:
            print(f"      {check}: and {len(wrong) - SHOWN} more", flush=True)
    return verdict


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out under headings."""
    lines = [headings, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def leave(number: int, frame: FrameType | None) -> None:
    """End as an error does, so that what was started is ended too."""
    raise SystemExit(128 + number)


def main() -> int:
    signal.signal(signal.SIGTERM, leave)
    began = time.monotonic()
    names = chosen([*FAULTS, *PLANTED], os.environ.get("ONLY", ""))
    print("==> Faults", flush=True)
    verdicts = list(faults([FAULTS[name] for name in names if name in FAULTS]))
    print("==> Planted bugs, which the checker must see", flush=True)
    bugs = planted([name for name in names if name in PLANTED])
    if verdicts:
        print("\n" + table(HEADINGS, [verdict.cells() for verdict in verdicts]))
    if bugs:
        rows = [
            [one.name, one.wanted, ", ".join(one.red), "ok" if one.seen else "NOT SEEN"]
            for one in bugs
        ]
        print("\n" + table(["planted bug", "must turn red", "turned red", "verdict"], rows))
    red = sum(not one.sound for one in verdicts) + sum(not one.seen for one in bugs)
    print(
        f"\n{len(verdicts)} faults, {len(bugs)} planted bugs, {red} not as they should be, "
        f"{time.monotonic() - began:.0f} s"
    )
    return int(red > 0)


if __name__ == "__main__":
    sys.exit(main())
