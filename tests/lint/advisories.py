"""Ask an index of advisories about everything that ``requirements/`` pins; no answer is a skip, never a success."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.suite.commands import ROOT, SKIPPED, tool

# The indexes that pip-audit can ask.
SERVICES = ("pypi", "osv")
# A release with many known advisories. An index that reports none for it would report none for ours.
CANARY = "django==3.0"


def audit(service: str, requirements: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pip-audit on a file of pinned requirements, without resolving or installing anything."""
    asked = ("--strict", "--disable-pip", "--progress-spinner", "off", "--timeout", "5")
    return subprocess.run(
        tool("pip-audit", *asked, "-s", service, "-r", str(requirements), *options),
        check=False,
        capture_output=True,
        text=True,
    )


def knows(service: str) -> bool:
    """Return whether an index answers: only its report of the canary's advisories proves it."""
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder) / "canary.txt"
        canary.write_text(CANARY)
        return reported(audit(service, canary, "--no-deps", "--format", "json").stdout)


def reported(answer: str) -> bool:
    """Return whether a JSON report names any advisory."""
    try:
        found = json.loads(answer)
    except ValueError:
        return False
    return any(one.get("vulns") for one in found.get("dependencies", []))


def main() -> int:
    for service in SERVICES:
        if knows(service):
            done = audit(service, ROOT / "requirements/bench.txt", "--require-hashes")
            print(done.stdout, done.stderr, sep="\n")
            return done.returncode
    print(f"No index of advisories answered ({', '.join(SERVICES)}): nothing was verified.")
    return SKIPPED


if __name__ == "__main__":
    sys.exit(main())
