"""Run commands side by side, and keep what each of them said, took and counted."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tests.suite.commands import ROOT, SKIPPED, python

SCRATCH = Path(tempfile.mkdtemp(prefix="parley-"))
EMBEDDED = {"DATABASE_URL": f"sqlite:///{SCRATCH}/db.sqlite3", "REDIS_URL": ""}
# Sockets and faults wait most of their time, so two cores have work for three.
SIDE_BY_SIDE = 3

Environment = Mapping[str, str]


@dataclass
class Count:
    """The tests of a step by their outcome."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass(frozen=True)
class Step:
    """One command. ``tests`` says whether it is a run of pytest; ``shown`` whether a success prints its output."""

    name: str
    command: list[str]
    environment: Environment = field(default_factory=dict)
    tests: bool = False
    shown: bool = False


@dataclass
class Outcome:
    """The result of a step: seconds of the clock, and of the processor in the step's own processes."""

    name: str
    verdict: str
    seconds: float = 0
    cpu: float = 0
    count: Count = field(default_factory=Count)
    tests: bool = False


def pytest(name: str, environment: Environment, *arguments: str) -> Step:
    """Return a step that runs tests and leaves a report of them."""
    command = python("-m", "pytest", "--quiet", f"--junit-xml={_report(name)}", *arguments)
    return Step(name, command, environment, tests=True, shown=True)


def run_all(steps: Iterable[Step]) -> list[Outcome]:
    """Run the steps, a few at a time in the order given, and print what each said when it has ended."""
    todo = list(steps)
    found: dict[str, Outcome] = {}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as workers:
        running = {workers.submit(_run, one): one for one in todo}
        try:
            for done in as_completed(running):
                found[running[done].name] = done.result()
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            _interrupt()
            raise
    return [found[one.name] for one in todo]


def run(command: list[str], environment: Environment | None = None) -> bool:
    """Run a command whose output goes to the terminal; return whether it succeeded."""
    print(f"$ {shlex.join(command)}", flush=True)
    variables = {**os.environ, **(environment or {})}
    return subprocess.run(command, check=False, cwd=ROOT, env=variables).returncode == 0


def clean() -> None:
    """Remove the logs and reports of this run."""
    shutil.rmtree(SCRATCH, ignore_errors=True)


_printing = threading.Lock()
_processes: set[int] = set()


def _interrupt() -> None:
    """Interrupt the steps under way, so that each ends what it has started."""
    for pid in list(_processes):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)


def _run(step: Step) -> Outcome:
    log = SCRATCH / f"{step.name}.log"
    began = time.monotonic()
    print(f"... {step.name}", flush=True)
    with log.open("w") as output:
        process = subprocess.Popen(
            step.command,
            cwd=ROOT,
            env={**os.environ, **step.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _processes.add(process.pid)
        # `wait4` also reports the processor time of the process and of all children that it waited for.
        _, status, usage = os.wait4(process.pid, 0)
    _processes.discard(process.pid)
    process.returncode = os.waitstatus_to_exitcode(status)
    outcome = Outcome(
        step.name,
        {0: "ok", SKIPPED: "SKIPPED"}.get(process.returncode, "FAILED"),
        time.monotonic() - began,
        usage.ru_utime + usage.ru_stime,
        _counted(_report(step.name)),
        step.tests,
    )
    if step.tests and outcome.verdict == "FAILED" and not outcome.count.failed:
        outcome.count.failed = 1  # It ended before any test could fail.
    _print(step, outcome, log.read_text(errors="replace"))
    return outcome


def _print(step: Step, outcome: Outcome, said: str) -> None:
    with _printing:
        print(f"==> {step.name}: {outcome.verdict}, {outcome.seconds:.1f} s", flush=True)
        if step.shown or outcome.verdict != "ok":
            print(f"$ {shlex.join(step.command)}\n{said}", flush=True)


def _report(name: str) -> Path:
    return SCRATCH / f"{name}.xml"


def _counted(report: Path) -> Count:
    count = Count()
    if report.exists():
        for suite in ElementTree.parse(report).iter("testsuite"):
            tests, *other = (
                int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")
            )
            count += Count(tests - sum(other), other[0] + other[1], other[2])
    return count
