"""The pages for people: links lead somewhere, headings are unique, and .env.example names every variable."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [page.name for page in PAGES]
# How project/ reads its environment.
READ = re.compile(
    r"\b(?:env(?:\.\w+)?|switch|choice|number|seconds|secret|hosts|database|redis)\(\s*\"([A-Z_]+)\""
)
# A public page knows no plan; a part that is missing is a limit.
PLANS = re.compile(r"\b(?:first plan|the plan|not offered yet|first version|roadmap)\b", re.I)


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "```", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> list[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    words = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return [one.replace(" ", "-") for one in words]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_each_heading_is_there_once(page: Path) -> None:
    """A link to a heading that is there twice leads to the first one."""
    assert [name for name, times in Counter(anchors(page)).items() if times > 1] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_heading_and_a_paragraph_after_a_list_stand_apart(page: Path) -> None:
    lines = prose(page).splitlines()
    glued = [
        line
        for before, line in pairwise(lines)
        if before
        and (line.startswith("#") or (re.match(r"- |  \S", before) and re.match(r"[*\w]", line)))
    ]
    assert glued == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_each_link_leads_somewhere(page: Path) -> None:
    for path, anchor in re.findall(r"\]\((?!http)([^)#\s]*)#?([^)\s]*)\)", prose(page)):
        target = (page.parent / path) if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_page_speaks_of_plans(page: Path) -> None:
    assert PLANS.findall(prose(page)) == []


def test_the_example_names_every_variable_of_the_service() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "project").rglob("*.py"))
    named = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert set(READ.findall(code)) - set(named) == set()
