"""Where the programs of a run are, and how they say that they could not do their work."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The exit code of a step that could not do its work: EX_TEMPFAIL of sysexits.h.
SKIPPED = 75


def tool(name: str, *arguments: str) -> list[str]:
    """Return the command of a program of the virtual environment."""
    return [str(Path(sys.executable).parent / name), *arguments]


def python(*arguments: str) -> list[str]:
    """Return a command of this Python."""
    return [sys.executable, *arguments]
