"""What docs/operating.md says of PostgreSQL and Redis: a platform's own services, a schema of one's own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.live.processes import (
    ROOT,
    common_environment,
    free_port,
    private_database,
    private_prefix,
    serving,
)
from tests.test_operating import PAGE, on_a_platform, platform, two_people_chat
from tests.test_startup import SERVER, attempt, one_line


@pytest.mark.postgres
def test_database_that_does_not_exist_is_named(tmp_path: Path) -> None:
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path="/parley_not_here").geturl()
    for command, begin in ((SERVER, "Not started: "), (["manage.py", "migrate"], "Not run: ")):
        done = attempt(command, tmp_path, DATABASE_URL=url)
        one_line(done, begin, 'database "parley_not_here" does not exist')


@pytest.mark.postgres
@pytest.mark.redis
def test_the_variables_of_a_platform_are_enough_on_its_own_services(tmp_path: Path) -> None:
    redis_url = os.environ["REDIS_URL"]
    with private_database(os.environ["DATABASE_URL"]) as database_url:
        environment = platform(database_url, redis_url, free_port())
        prefix = f"platform-{os.getpid()}"
        environment |= {"REDIS_PREFIX": prefix, "WEB_CONCURRENCY": "2"}
        with private_prefix(redis_url, prefix):
            on_a_platform(environment, tmp_path / "web.log")


@pytest.fixture
def schema() -> Iterator[str]:
    """A database with a schema for the chat, and the address that the page tells for it."""
    (options,) = re.findall(r"\?(options=-csearch_path%3D\w+)", PAGE)
    name = options.rpartition("%3D")[2]
    with private_database(os.environ["DATABASE_URL"]) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        yield f"{url}?{options}"


@pytest.mark.postgres
@pytest.mark.redis
def test_all_tables_are_in_the_schema_that_is_named(schema: str, tmp_path: Path) -> None:
    prefix = f"schema-{os.getpid()}"
    environment = {**common_environment(), "DATABASE_URL": schema, "REDIS_PREFIX": prefix}
    with (
        private_prefix(os.environ["REDIS_URL"], prefix),
        serving("schema", environment, tmp_path, processes=1) as running,
    ):
        two_people_chat(running.addresses[0])
    plain = schema.partition("?")[0]
    with psycopg.connect(plain) as connection:
        places = dict(
            connection.execute(
                "SELECT schemaname, count(*) FROM pg_tables"
                " WHERE tablename LIKE 'chat%' OR tablename = 'django_migrations' GROUP BY 1"
            ).fetchall()
        )
    assert set(places) == {"parley"}
    assert places["parley"] > 5


@pytest.mark.postgres
def test_options_of_the_address_do_not_drop_the_timeouts(schema: str) -> None:
    code = "from django.db import connection as c; cursor = c.cursor()\n"
    for name in ("statement_timeout", "lock_timeout", "search_path"):
        code += f"cursor.execute('SHOW {name}'); print(cursor.fetchone()[0])\n"
    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{code}"],
        cwd=ROOT,
        env={**common_environment(), "DATABASE_URL": schema},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["5s", "2s", "parley"]
