"""Everything that is measured, started once when first asked for, private to the run, and gone at its end."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.bench.crowd import Crowd, handshake
from tests.bench.http import ask_all
from tests.bench.machine import Failed, running, told_by
from tests.bench.populate import PASSWORD
from tests.live.processes import (
    BadEnding,
    Unreachable,
    free_port,
    manage,
    private_database,
    private_name,
    private_prefix,
)

DATABASE_URL = os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
EVERYONE, SMALL, SMALL_GROUPS, HOT = 500, 10, 50, 50
# One group of everyone, fifty of ten, one of fifty, and one person more, alone.
GROUPS = (
    (0, EVERYONE),
    *((first, SMALL) for first in range(0, SMALL * SMALL_GROUPS, SMALL)),
    (0, HOT),
    (EVERYONE, 1),
)
EVENT, GREETING = b'{"type":"message.sent"', b'{"type":"hello"'


@dataclass
class Place:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def pid(self) -> int:
        return self.process.pid


@dataclass(frozen=True)
class Group:
    """A group of the product, with its members as places in the list of people."""

    id: str
    members: Sequence[int]


@dataclass
class Product:
    """The product's one process, with people who are signed in by password and groups that they are in."""

    place: Place
    names: Sequence[str]
    tokens: Sequence[str]
    groups: Sequence[Group]

    def groups_of(self, size: int) -> list[Group]:
        return [group for group in self.groups if len(group.members) == size]

    async def crowd(self, people: Sequence[int]) -> Crowd:
        """Open a socket for each of these people; their ears come in the same order."""
        crowd = Crowd(EVENT, GREETING)
        await crowd.join(self.place.port, [self.knock(self.tokens[one]) for one in people])
        return crowd

    @staticmethod
    def knock(token: str) -> bytes:
        return handshake("/ws/", Sec_WebSocket_Protocol="chat.v1", Authorization=f"Bearer {token}")


class Stand:
    """The contestants."""

    def __init__(self, pairs: int, profile: Path | None = None) -> None:
        self.pairs = pairs
        self.profile = profile
        self._open = ExitStack()

    def __enter__(self) -> Stand:
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)

    @cached_property
    def directory(self) -> Path:
        return Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-")))

    def database(self) -> str:
        """Return the address of a new database that is dropped at the end."""
        try:
            return self._open.enter_context(private_database(DATABASE_URL))
        except Unreachable as error:
            raise Failed(str(error)) from None

    @cached_property
    def redis(self) -> dict[str, str]:
        """The environment of a process that uses Redis under a prefix of this run."""
        prefix = f"parley-bench-{private_name()}"
        try:
            self._open.enter_context(private_prefix(REDIS_URL, prefix))
        except Unreachable as error:
            raise Failed(str(error)) from None
        return {"REDIS_URL": REDIS_URL, "REDIS_PREFIX": prefix}

    def server(
        self, name: str, arguments: Sequence[str], port: int, environment: dict[str, str]
    ) -> Place:
        """Start a server that stays until the end."""
        server = running(name, arguments, environment, self.directory, port)
        return Place(self._open.enter_context(server), port)

    @cached_property
    def product_environment(self) -> dict[str, str]:
        """The environment of the product that P1 to P5 share."""
        return self.migrated()

    def migrated(self) -> dict[str, str]:
        """Return the environment of a product, with a new database that is migrated."""
        environment = {
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
            "DATABASE_URL": self.database(),
            **self.redis,
            "HOST": "127.0.0.1",
        }
        try:
            manage({**os.environ, **environment}, "migrate", "--noinput")
        except BadEnding as error:
            raise Failed(str(error)) from None
        return environment

    def product_server(self, name: str, environment: dict[str, str]) -> Place:
        """Start one process of the product."""
        port = free_port()
        return self.server(name, ["project.server"], port, {**environment, "PORT": str(port)})

    async def product(self, people: int = 0) -> Product:
        """Return the product, filled and signed in to; the first who asks may want fewer people than all."""
        if not hasattr(self, "_product"):
            self._product = await self._started_product(people or EVERYONE + 1)
        return self._product

    async def _started_product(self, people: int) -> Product:
        environment = self.product_environment
        groups = [f"{first}:{size}" for first, size in GROUPS if first + size <= people]
        there = told_by(["tests.bench.populate", str(people), *groups], environment)
        place = self.product_server("product", environment)
        names = [person["name"] for person in there["people"]]
        tokens = await signed_in(place.port, names)
        groups = [Group(group["id"], group["members"]) for group in there["groups"]]
        return Product(place, names, tokens, groups)

    @cached_property
    def floor(self) -> Place:
        port = free_port()
        return self.server("floor", ["tests.bench.floor", str(port)], port, {})

    @cached_property
    def tutorial(self) -> Place:
        port = free_port()
        environment = {"DJANGO_SETTINGS_MODULE": "tests.bench.tutorial.settings", **self.redis}
        arguments = ["daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0"]
        application = "tests.bench.tutorial.asgi:application"
        return self.server("tutorial", [*arguments, application], port, environment)

    @cached_property
    def viewset_environment(self) -> tuple[dict[str, str], str]:
        """The environment of the bare API, and a token for it."""
        environment = {"DATABASE_URL": self.database()}
        return environment, told_by(["tests.bench.viewset"], environment)

    def viewset(self, **settings: str) -> Place:
        """Start the bare API."""
        port, (environment, _) = free_port(), self.viewset_environment
        arguments = ["uvicorn", "--port", str(port), "tests.bench.viewset:application"]
        return self.server("viewset", arguments, port, {**environment, **settings})

    @cached_property
    def loop_database(self) -> str:
        return self.database()

    def commit_loop(self, rooms: int, seconds: float) -> dict[str, float]:
        """Run the commit loop in the server's place."""
        asked = [self.loop_database, str(rooms), str(seconds)]
        return told_by(["tests.bench.commit_loop", *asked], {})

    def orm_batch(self, seconds: float) -> dict[str, float]:
        """Run bare ORM batches in the server's place, on the product's tables."""
        return told_by(["tests.bench.orm_batch", str(seconds)], self.product_environment)


async def signed_in(port: int, names: Sequence[str]) -> list[str]:
    """Sign in people by password; return their access tokens."""
    wanted = [
        ("POST", "/api/auth/token/", {"username": name, "password": PASSWORD}, "") for name in names
    ]
    return [answer["access"] for answer in await ask_all(port, wanted)]
