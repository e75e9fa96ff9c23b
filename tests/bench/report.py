"""What came out: one table, and the same as JSON."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Row:
    """One figure beside its yardstick. ``met`` is None where there is no target, or nothing to measure yet."""

    part: str
    what: str
    figure: str
    yardstick: str = ""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        return {None: "", True: "ok", False: "MISSED"}[self.met]


@dataclass
class Report:
    """The rows so far, and what must be known to read them."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        print(f"    {row.what}: {row.figure}  {row.verdict}", flush=True)

    def table(self) -> str:
        heads = ("", "what", "figure", "yardstick", "ratio", "target", "verdict")
        lines = [heads]
        for row in self.rows:
            ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
            cells = (row.part, row.what, row.figure, row.yardstick, ratio, row.target, row.verdict)
            lines.append(cells)
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        padded = (
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            for line in lines
        )
        return "\n".join(line.rstrip() for line in [*padded, "", *self.notes])

    def write(self, path: Path) -> None:
        whole = {
            "python": platform.python_version(),
            "rows": [{**asdict(row), "verdict": row.verdict} for row in self.rows],
            "notes": self.notes,
        }
        path.write_text(json.dumps(whole, indent=1) + "\n")
