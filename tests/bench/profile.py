"""Where the microseconds go: py-spy on the server while a slice runs, told as CPU per unit and function.

Only who holds the interpreter is sampled: a thread that waits for the database would else look busy.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.machine import Failed, cpu_of

if TYPE_CHECKING:
    from tests.bench.stand import Stand

PER_SECOND = 400
SHOWN = 40


@dataclass
class Profiled:
    """A slice that is looked at; ``units`` is how much was done in it."""

    units: int = 0


@contextmanager
def profiled(stand: Stand, pid: int, name: str) -> Iterator[Profiled]:
    """Profile the process during the block, if the run was asked to."""
    on = Profiled()
    if stand.profile is None:
        yield on
        return
    stand.profile.mkdir(parents=True, exist_ok=True)
    raw, cpu = stand.profile / f"{name}.folded", cpu_of(pid)
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if spy is None:
        raise Failed("--profile needs py-spy (requirements/bench.txt).")
    command = [spy, "record", "--pid", str(pid), "--rate", str(PER_SECOND), "--duration", "3600"]
    recorder = subprocess.Popen(
        [*command, "--format", "raw", "--nonblocking", "--gil", "--output", str(raw)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield on
    finally:
        recorder.send_signal(2)
        recorder.wait(30)
    spent = cpu_of(pid) - cpu
    told = summary(raw.read_text(), spent, on.units)
    (stand.profile / f"{name}.txt").write_text(told)
    print(f"    profile: {stand.profile / name}.txt", flush=True)


def summary(folded: str, cpu: float, units: int) -> str:
    """Return CPU per unit by function, spread over the samples: of the function itself, and with what it calls."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for line in folded.splitlines():
        stack, _, samples = line.rpartition(" ")
        names = stack.split(";")
        own[names[-1]] += int(samples)
        for name in set(names):
            whole[name] += int(samples)
    total = own.total() or 1
    each = cpu / max(units, 1) * 1e6 / total
    lines = [
        f"{cpu:.3f} s CPU, {units} units: {cpu / max(units, 1) * 1e6:.2f} µs each, {total} samples"
    ]
    for title, counts in (("itself", own), ("with what it calls", whole)):
        lines += ["", f"{'µs':>9}  {'share':>6}  {title}"]
        lines += [
            f"{count * each:9.2f}  {count / total:6.1%}  {name}"
            for name, count in counts.most_common(SHOWN)
        ]
    return "\n".join(lines) + "\n"
