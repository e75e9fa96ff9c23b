"""The record of the security cases is complete, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

TESTS = Path(__file__).resolve().parent
DOCUMENT = TESTS.parent / "docs/security.md"
SECTIONS = {"A": (1, 14), "B": (15, 24), "C": (25, 36), "D": (37, 48), "E": (49, 52), "F": (53, 65)}
NUMBERS = [
    f"{letter} {number}"
    for letter, (first, last) in SECTIONS.items()
    for number in range(first, last + 1)
]
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
# A case without a test says why.
REASON = re.compile(r"^(waits for|not promised)")


def rows() -> dict[str, list[str]]:
    """Return the cells of each case by its number."""
    text = DOCUMENT.read_text().partition("## Cases")[2]
    cells = [re.split(r"\s*\|\s*", line.strip("| ")) for line in text.splitlines()]
    return {row[0]: row[1:] for row in cells if re.fullmatch(r"[A-F] \d+", row[0])}


@cache
def functions(file: str) -> set[str]:
    """Return the test functions of a file."""
    tree = ast.parse((TESTS / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_case_has_its_row_in_order() -> None:
    assert list(rows()) == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_a_case_is_held_by_tests_that_exist_or_says_why_not(number: str) -> None:
    case, held_by, result = rows()[number]
    named = NAMED.findall(held_by)
    missing = [f"{file}::{name}" for file, name in named if name not in functions(file)]
    assert case
    assert not missing
    assert named or REASON.match(result), f"{number} names no test and no reason"
    # Whatever stands there is the name of a test, and so was looked for.
    assert re.sub(NAMED, "", held_by).strip(" ,;–") == ""
