"""The extras of the distribution: the docs name each of them, and each brings what the code looks for."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

from packaging.requirements import Requirement

from chat.extras import EXTRAS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]


def extras() -> dict[str, list[Requirement]]:
    read = ConfigParser()
    read.read(ROOT / "setup.cfg")
    found = dict(read["options.extras_require"])
    return {
        name: [Requirement(one) for one in said.split("\n") if one] for name, said in found.items()
    }


def test_all_is_every_extra_that_brings_more() -> None:
    (whole,) = extras()["all"]
    # What `limits` brings, `websocket` and `jwt` bring too.
    assert whole.extras == set(extras()) - {"all", "limits"}


def test_the_docs_have_a_line_for_each_extra() -> None:
    section = (
        (ROOT / "docs/hosting.md").read_text().partition("\n## Extras\n")[2].partition("\n## ")[0]
    )
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(extras())


def test_a_first_installation_is_from_a_clone_everywhere() -> None:
    lines = [line for page in PAGES for line in page.read_text().splitlines()]
    commands = [line for line in lines if re.match(r"\s*(For .*)?`?pip install", line)]
    assert len(commands) >= 2
    told = "\n".join(lines)
    for names in re.findall(r"pip install '\.\./parley\[([\w,]+)\]'", told):
        assert set(names.split(",")) <= set(extras())
    # By name it works once it is installed; the one place says so.
    assert told.count("pip install 'django-parley[") == 1


def test_a_package_that_is_missed_is_in_the_extra_that_is_named() -> None:
    brought = {
        name: {one.name.replace("-", "_") for one in said} for name, said in extras().items()
    }
    aliases = {"rest_framework_simplejwt": "djangorestframework_simplejwt"}
    # What a package of ours brings along.
    indirect = {"jwt", "redis"}
    for package, extra in EXTRAS.items():
        assert package in indirect or aliases.get(package, package) in brought[extra]
