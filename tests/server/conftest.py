"""A server process of these tests alone, with limits and times that are soon reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.processes import (
    Server,
    SetUp,
    common_environment,
    serving,
)

BODY_MAX = 200_000
CONNECTIONS = 10
WAIT = 2


def environment(directory: Path) -> dict[str, str]:
    return {
        **common_environment(),
        "DATABASE_URL": f"sqlite:///{directory / 'parley.sqlite3'}",
        "REDIS_URL": "",
        "CHAT_BODY_MAX": str(BODY_MAX),
        "CHAT_REQUEST_WAIT": str(WAIT),
        "CHAT_LIMIT_CONNECTIONS_ADDRESS": str(CONNECTIONS),
    }


@pytest.fixture(scope="package")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    """One process on SQLite."""
    directory = tmp_path_factory.mktemp("limited")
    with serving("limited", environment(directory), directory, processes=1) as setup:
        yield setup


@pytest.fixture
def server(limited: SetUp) -> Server:
    return limited.servers[0]


@pytest.fixture
def port(server: Server) -> int:
    return server.port
