"""Run the checks and tests, and print one table of them: ``python -m tests.run [lint | quick | coverage]``."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from types import FrameType

from tests.suite import parts
from tests.suite.coverage import measured, report
from tests.suite.lint import lint
from tests.suite.steps import Outcome, clean, run, run_all
from tests.suite.table import table

MODES = ("", "lint", "quick", "coverage")


def chromium() -> None:
    """Install the browser of the page tests where that is possible; elsewhere those tests say that it is missing."""
    names = ("chromium", "chromium-browser", "google-chrome")
    if any(map(shutil.which, names)) or not shutil.which("apt-get") or os.geteuid():
        return
    print("\n==> Installing Chromium for the tests of the pages", flush=True)
    if run(["apt-get", "update", "--quiet"]):
        run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium"])


def proxies() -> None:
    """Install nginx and Caddy where that is possible; elsewhere their tests say that they are missing."""
    packages = {"nginx": "nginx-light", "caddy": "caddy"}
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    missing = [package for name, package in packages.items() if not shutil.which(name, path=path)]
    if not missing or not shutil.which("apt-get") or os.geteuid():
        return
    print(f"\n==> Installing {' and '.join(missing)} for the tests of docs/operating/", flush=True)
    # The packages would start the services themselves.
    quiet = ["--yes", "--quiet", "--no-install-recommends"]
    if run(["apt-get", "update", "--quiet"]):
        run(["apt-get", "install", *quiet, *missing], {"RUNLEVEL": "1"})


def tests(mode: str) -> list[Outcome]:
    """Run the tests of both set-ups, with the lint beside them; coverage leaves the lint out."""
    chromium()
    proxies()
    missing = parts.unreachable()
    steps = [one for one in parts.everything() if not (missing and one.name in parts.SERVER_PARTS)]
    steps = [measured(one) for one in steps] if mode == "coverage" else [*steps, *lint()]
    try:
        return [*run_all(steps), *(parts.not_run(missing) if missing else [])]
    finally:
        if not missing:
            parts.drop_databases()


def main() -> int:
    mode = " ".join(sys.argv[1:])
    if mode not in MODES:
        sys.exit(f"There is no {mode!r}; there are {', '.join(MODES[1:])}.")
    began = time.monotonic()
    if mode == "lint":
        outcomes = run_all(lint())
    elif mode == "quick":
        outcomes = run_all([*parts.quick(), *lint()])
    else:
        outcomes = tests(mode)
    if mode == "coverage":
        report()
    table(outcomes, time.monotonic() - began)
    return int(any(outcome.verdict == "FAILED" for outcome in outcomes))


def leave(number: int, frame: FrameType | None) -> None:
    """Exit as after an error, so that the databases of the run are dropped."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, leave)
    # A shell's background job ignores SIGINT, and so would the steps, which are interrupted by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.exit(main())
    finally:
        clean()
