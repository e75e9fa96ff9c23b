"""``python -m tests.bench.picture DIRECTORY docs/performance.svg``: what one delivery and one send are made of.

Reads what ``--profile DIRECTORY`` left of P1 (saturated) and P2, and draws the server's CPU by what it is spent on.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

from tests.bench.profile import PER_SECOND

# In this order: the first that a sampled stack goes through has it.
PARTS = (
    ("the hub hands it to its sockets", ("Hub._own", "Hub.accept")),
    ("the answer to the sender", ("Sends._answer", "_call_each")),
    (
        "to the other processes",
        ("send_to_layer", "Hub.pass_on", "Hub.listen", "channels_redis", "redis/"),
    ),
    (
        "SQL: ours, Django's and psycopg's part",
        ("psycopg", "django/db/backends", "models/bulk.py", "models/fetch.py"),
    ),
    ("deciding and rendering", ("send_messages", "GroupCommit._write")),
    ("reading and validating the frame", ("_hear", "_converse", "data_received", "websockets/")),
)
REST, KERNEL = "loop, threads and the rest", "the kernel: sockets, switching"
COLOURS = ("#2f6f8f", "#3f9b8f", "#8fb339", "#d9a441", "#c8643c", "#8a4f7d", "#9aa0a6", "#c9ced3")
BARS = (
    ("p1-saturated", "one delivery, of 500 to each message"),
    ("p2", "one send, of which ten hear"),
)
WIDTH, LEFT, BAR = 640, 20, 34


def shares(directory: Path, name: str) -> tuple[float, dict[str, float]]:
    """Return the µs of a unit, and how many of them each part takes."""
    told = (directory / f"{name}.txt").read_text().splitlines()[0]
    found = re.match(r"([\d.]+) s CPU, (\d+) units: ([\d.]+) µs", told)
    if found is None:
        raise SystemExit(f"{name}.txt does not begin as --profile writes it")
    cpu, unit = float(found[1]), float(found[3])
    samples: Counter[str] = Counter()
    for line in (directory / f"{name}.folded").read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        samples[part_of(stack)] += int(count)
    # Only who holds the interpreter is sampled; the rest of the CPU time is the kernel's.
    interpreted = min(1.0, sum(samples.values()) / PER_SECOND / cpu)
    scale = unit * interpreted / sum(samples.values())
    parts = {name: samples[name] * scale for name, _ in PARTS} | {REST: samples[REST] * scale}
    return unit, parts | {KERNEL: unit * (1 - interpreted)}


def part_of(stack: str) -> str:
    return next((name for name, marks in PARTS if any(mark in stack for mark in marks)), REST)


def drawn(directory: Path) -> str:
    """Return the picture."""
    lines, top = [], 16
    for name, title in BARS:
        unit, parts = shares(directory, name)
        lines.append(text(LEFT, top + 8, f"{title}: {unit:.1f} µs of CPU", bold=True))
        top += 18
        at = float(LEFT)
        for colour, took in zip(COLOURS, parts.values(), strict=True):
            width = took / unit * WIDTH
            lines.append(
                f'<rect x="{at:.1f}" y="{top}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>'
            )
            at += width
        top += BAR + 8
        for number, (colour, (part, took)) in enumerate(zip(COLOURS, parts.items(), strict=True)):
            x, y = LEFT + (number % 2) * WIDTH // 2, top + number // 2 * 18
            lines.append(f'<rect x="{x}" y="{y}" width="11" height="11" fill="{colour}"/>')
            lines.append(text(x + 17, y + 10, f"{took:.1f} µs  {part}"))
        top += 18 * ((len(parts) + 1) // 2) + 20
    size = f'width="{WIDTH + 2 * LEFT}" height="{top}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *lines,
            "</svg>\n",
        ]
    )


def text(x: float, y: float, words: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" fill="#202124"{weight}>{words}</text>'


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(drawn(Path(sys.argv[1])))
