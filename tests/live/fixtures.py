"""Chooses the set-up by the environment, and says loudly when it cannot be had."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.live.processes import SetUp, Unreachable, embedded, servers


@pytest.fixture(scope="session")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    """Two processes where PostgreSQL and Redis are named, else one that needs nothing."""
    with ExitStack() as running:
        try:
            started = running.enter_context(chosen(tmp_path_factory.mktemp("live")))
        except Unreachable as reason:
            if os.environ.get("CI") == "true":
                pytest.fail(f"the set-up 'servers' cannot be had: {reason}")
            pytest.skip(f"THE SET-UP 'servers' WAS NOT TESTED: {reason}")
        yield started


def chosen(directory: Path) -> AbstractContextManager[SetUp]:
    database_url, redis_url = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    on_postgresql = urlsplit(database_url).scheme in {"postgres", "postgresql"}
    if on_postgresql != bool(redis_url):
        pytest.fail("name both a PostgreSQL in DATABASE_URL and a Redis in REDIS_URL, or neither")
    return servers(directory, database_url, redis_url) if redis_url else embedded(directory)
