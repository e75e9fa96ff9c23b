"""Finds the days of #ubuntu to replay: real ones beside the repository, or one of our own making."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
SHARED = Path(
    os.environ.get("PARLEY_IRC_DATA") or HERE.parents[2] / "shared" / "data" / "ubuntu-irc"
)


@dataclass(frozen=True)
class Day:
    """A raw log and the annotation of which line answers which."""

    date: date
    raw: Path
    annotation: Path


OWN_DAY = Day(date(2024, 2, 28), HERE / "day.raw.txt", HERE / "day.annotation.txt")


def shared_day(name: str) -> Day | None:
    """Return the real day of this name, ``2007-06-04`` say, where it can be had."""
    raw, annotation = (SHARED / f"{name}.{kind}.txt" for kind in ("raw", "annotation"))
    return Day(date.fromisoformat(name), raw, annotation) if raw.exists() else None
