"""The machine: which core does what, what a process has cost so far, and how one is started."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SERVER_CORE, GENERATOR_CORE = 0, 1
READY_WITHIN = 60.0
GONE_WITHIN = 15.0

Environment = Mapping[str, str]


class Failed(Exception):
    """A measurement that could not be made; the text says why."""


def pin(pid: int, core: int) -> None:
    """Keep a process, with all its threads to come, on one core; where there is only one there is nothing to keep."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(pid, {core})


def pin_free(pid: int) -> None:
    """Let a process and its threads run on every core."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), range(os.cpu_count() or 1))


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process so far, threads that ended included, to the nanosecond."""
    return time.clock_gettime(~pid << 3 | 2)


def rss_of(pid: int) -> int:
    """Return the resident memory of a process in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


class Meter:
    """CPU and wall time of a process from here on."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._cpu, self._wall = cpu_of(pid), time.perf_counter()

    def read(self) -> tuple[float, float]:
        """Return CPU seconds and wall seconds since the start."""
        return cpu_of(self.pid) - self._cpu, time.perf_counter() - self._wall


@contextmanager
def running(
    name: str, arguments: Sequence[str], environment: Environment, directory: Path, port: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server on the server's core until the block ends; it is there once its port takes a connection."""
    log = directory / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    pin(process.pid, SERVER_CORE)
    try:
        _wait_for(name, process, port, log)
        yield process
    finally:
        _end(process)


def _wait_for(name: str, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace")[-3000:]
                raise Failed(f"{name} did not start:\n{said}") from None
            time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(GONE_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def told_by(arguments: Sequence[str], environment: Environment, core: int = SERVER_CORE) -> Any:
    """Run a program on a core and return what its last line says, as JSON, or as text where it is none."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Before it has threads; those to come stay where it is.
    pin(process.pid, core)
    said, complained = process.communicate()
    if process.returncode:
        raise Failed(f"{arguments[0]} failed:\n{(said + complained)[-3000:]}")
    last = said.strip().rpartition("\n")[2]
    try:
        return json.loads(last)
    except ValueError:
        return last
