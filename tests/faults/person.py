"""Who somebody is to the service: a name, a sign-in, and what they ask over REST."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import httpx2
import orjson

from tests.faults.connection import Connection, Frame, Lost, Refused
from tests.faults.record import Recorder

# Of a person who signs up among many others.
TRIES = 20
PASSWORD = "of-all-the-tea-in-china"


class Person:
    """Someone with an account. ``addresses`` are the processes they may talk to, their own first."""

    def __init__(
        self, name: str, addresses: Sequence[str], http: httpx2.AsyncClient, recorder: Recorder
    ) -> None:
        self.name = name
        self.id = ""
        self.token = ""
        self.addresses = list(addresses)
        self.at = 0
        self.connection: Connection | None = None
        self.recorder = recorder
        self._http = http

    @property
    def address(self) -> str:
        return self.addresses[self.at % len(self.addresses)]

    def note(self, type: str, op: str, **what: Any) -> None:
        conn = self.connection
        where = (conn.number, conn.address) if conn else (0, self.address)
        self.recorder.note(self.name, *where, type, op, **what)

    async def sign_up(self) -> None:
        """Register, and sign in."""
        answer = await self._when_free("auth/register/")
        self.id = answer["id"]
        self.token = (await self._when_free("auth/token/"))["access"]

    async def _when_free(self, path: str) -> Any:
        """Ask again for as long as the process hashes the passwords of too many others. Raises Refused, Lost."""
        for _ in range(TRIES):
            try:
                return await self.rest("POST", path, self._credentials)
            except Refused as refusal:
                if refusal.code != "unavailable":
                    raise
                await asyncio.sleep(random.uniform(0.5, 1) * (refusal.retry_after or 1))
        return await self.rest("POST", path, self._credentials)

    async def sign_in(self) -> None:
        self.token = ""
        self.token = (await self.rest("POST", "auth/token/", self._credentials))["access"]

    @property
    def _credentials(self) -> Frame:
        return {"username": self.name, "password": PASSWORD}

    async def rest(self, method: str, path: str, body: Any = None, *, at: str = "") -> Any:
        """Ask over REST, of the present process or of the one named. Raises Refused, Lost."""
        try:
            answer = await self._http.request(
                method,
                f"http://{at or self.address}/api/{path}",
                json=body,
                headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
            )
        except httpx2.HTTPError as error:
            raise Lost(type(error).__name__) from error
        if answer.status_code >= 400:
            raise Refused(_error_of(answer))
        return orjson.loads(answer.content) if answer.content else None


def _error_of(answer: httpx2.Response) -> Frame:
    try:
        return dict(orjson.loads(answer.content))
    except orjson.JSONDecodeError:
        code = "unavailable" if answer.status_code >= 500 else "invalid"
        return {"code": code, "detail": answer.text[:200]}
