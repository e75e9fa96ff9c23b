"""All faults by name, in the order in which they are done."""

from __future__ import annotations

from tests.faults.fault import Fault
from tests.faults.flood import Flooded
from tests.faults.hammer import Hammered
from tests.faults.herd import Thundering
from tests.faults.of_clients import Deafened, Shaken, Stalled, Vanished
from tests.faults.of_database import Crashed, Deadlocked, Exhausted, Frozen
from tests.faults.of_http import FloodedHeads, FloodedPipeline, HalfOpen, HugeBodies
from tests.faults.of_processes import Clock, Deployed, Killed, OnSqlite
from tests.faults.of_redis import Burst, CutOff, Flushed, Hung, Idle, Repeated, Restarted

FAULTS: dict[str, type[Fault]] = {
    kind.name: kind
    for kind in (
        Fault,
        Killed,
        Restarted,
        Flushed,
        Hung,
        CutOff,
        Idle,
        Burst,
        Crashed,
        Frozen,
        Exhausted,
        Deadlocked,
        Hammered,
        Stalled,
        Flooded,
        FloodedHeads,
        FloodedPipeline,
        HugeBodies,
        HalfOpen,
        Vanished,
        Deafened,
        Shaken,
        Thundering,
        Clock,
        Deployed,
        Repeated,
        OnSqlite,
    )
}
