"""Look for requirements that are not pinned, have no hash, or name an index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.lint import end_with

FOLDER = Path(__file__).resolve().parents[2] / "requirements"
PINNED = re.compile(r"^(?P<name>[\w.-]+)(\[[\w,-]+\])?==(?P<version>[\w.]+)( *;.*)?$")
HASHED = re.compile(r"^--hash=sha256:[0-9a-f]{64}$")


def locked(text: str) -> Iterator[str]:
    """Find what a locked file must not have: an entry without version or hash, an option, an address."""
    for entry in re.sub(r"\\\n", "", text).splitlines():
        pin, *hashes = (part.strip() for part in re.split(r"\s(?=--hash)", entry))
        if not pin or pin.startswith("#"):
            continue
        if not PINNED.match(pin):
            yield f"{pin}: not pinned to a version"
        elif not hashes or not all(map(HASHED.match, hashes)):
            yield f"{pin}: no hash"


def wanted(text: str) -> Iterator[str]:
    """Yield the name and version of each direct requirement, in the form of a locked file."""
    for line in text.splitlines():
        if line and not line.startswith(("#", "-r ")):
            found = PINNED.match(line)
            yield normal(f"{found['name']}=={found['version']}") if found else line


def normal(pin: str) -> str:
    """Return a pin as indexes compare it."""
    name, _, version = pin.partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


def findings() -> Iterator[str]:
    """Compare each list of direct requirements with its locked file."""
    for source in sorted(FOLDER.glob("*.in")):
        lock = source.with_suffix(".txt")
        text = lock.read_text()
        yield from (f"{lock.name}: {found}" for found in locked(text))
        pins = {
            normal(line.split()[0])
            for line in text.splitlines()
            if PINNED.match(line.split(" \\")[0])
        }
        yield from (
            f"{lock.name}: {one} of {source.name} is missing; run `make lock`"
            for one in wanted(source.read_text())
            if one not in pins
        )


if __name__ == "__main__":
    end_with(findings())
