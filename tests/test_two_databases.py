"""No query of the chat reaches for the accounts' database: the suite passes with the chat in another one (F15)."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests import wheel

ROOT = Path(__file__).resolve().parent.parent
# What reads and writes: the domain, and of the doors the one that signs in and so meets accounts.
SUITE = ["tests/actions", "tests/queries", "tests/test_events.py", "tests/rest/test_sign_in.py"]
SUITE += ["tests/rest/test_people.py", "tests/rest/test_tokens.py", "tests/rest/test_groups.py"]


def test_the_suite_passes_with_the_chat_apart(tmp_path: Path) -> None:
    plugin = ["-p", "tests.apart.plugin", "-p", "no:cacheprovider", "--ds", "tests.apart.settings"]
    # On SQLite alone, whatever this run is on: a test for PostgreSQL's own ways is none for two databases.
    said = wheel.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, "-m", "not (redis or postgres)", *SUITE],
        ROOT,
        DATABASE_URL=f"sqlite:///{tmp_path / 'accounts.sqlite3'}",
        REDIS_URL="",
    ).stdout
    passed = re.search(r"(\d+) passed", said)
    assert passed
    assert int(passed.group(1)) > 300
