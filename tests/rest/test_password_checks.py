"""A burst of sign-ins occupies a few threads of a process; the rest are refused at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher, get_hashers
from django.db import connection
from rest_framework.test import APIClient

from chat.models import Profile
from tests.rest.conftest import PASSWORD, Api, refused

pytestmark = pytest.mark.django_db

WITHIN = 30


class BlockingHasher(MD5PasswordHasher):
    """A hasher that works until the test releases it."""

    begun = threading.Semaphore(0)
    released = threading.Event()

    def encode(self, password: str, salt: str) -> str:
        self.begun.release()
        assert self.released.wait(WITHIN)
        return super().encode(password, salt)


@pytest.fixture
def blocked(settings: Any) -> Iterator[type[BlockingHasher]]:
    settings.PASSWORD_HASHERS = [f"{__name__}.BlockingHasher"]
    get_hashers.cache_clear()
    BlockingHasher.begun = threading.Semaphore(0)
    BlockingHasher.released.clear()
    yield BlockingHasher
    BlockingHasher.released.set()
    get_hashers.cache_clear()


@contextmanager
def released_at_end() -> Iterator[None]:
    try:
        yield
    finally:
        BlockingHasher.released.set()


def sign_in(number: int, address: str = "127.0.0.1", **body: str) -> Any:
    body = {"username": f"nobody{number}", "password": "a wrong password", **body}
    return APIClient().post("/api/auth/token/", body, REMOTE_ADDR=address)


def sign_in_in_thread(number: int, address: str) -> Any:
    try:
        return sign_in(number, address)
    finally:
        connection.close()


def begin(threads: ThreadPoolExecutor, number: int, address: str | None = None) -> Future[Any]:
    running = threads.submit(sign_in_in_thread, number, address or f"192.0.2.{number}")
    assert BlockingHasher.begun.acquire(timeout=WITHIN)
    return running


def test_sign_in_beyond_the_limit_is_refused_at_once_and_requests_go_on(
    ann: Profile, api: Api, configured: Any, blocked: type[BlockingHasher]
) -> None:
    configured(LIMIT_SIGN_INS=2)
    with ThreadPoolExecutor(2) as threads, released_at_end():
        running = [begin(threads, number) for number in range(2)]
        answer = sign_in(3)
        assert refused(answer, 503, "unavailable")["retry_after"] == int(answer["Retry-After"])
        registering = {"username": "emil", "password": "a long new password"}
        refused(APIClient().post("/api/auth/register/", registering), 503, "unavailable")
        assert api(ann).get("/api/rooms/").status_code == 200
        blocked.released.set()
        assert [one.result(WITHIN).status_code for one in running] == [401, 401]
    assert sign_in(4).status_code == 401


def test_refused_sign_in_is_not_counted_as_a_wrong_password(
    db: None, configured: Any, blocked: type[BlockingHasher]
) -> None:
    configured(LIMIT_SIGN_INS=1, LIMIT_ADDRESS="2/minute")
    with ThreadPoolExecutor(1) as threads, released_at_end():
        running = begin(threads, 0, "127.0.0.1")
        assert {sign_in(number).status_code for number in range(5)} == {503}
        blocked.released.set()
        assert running.result(WITHIN).status_code == 401
    assert [sign_in(number).status_code for number in range(2)] == [401, 429]


def test_one_address_has_half_of_the_places(
    db: None, configured: Any, blocked: type[BlockingHasher]
) -> None:
    configured(LIMIT_SIGN_INS=4)
    with ThreadPoolExecutor(3) as threads, released_at_end():
        running = [begin(threads, number, "192.0.2.9") for number in range(2)]
        assert sign_in(2, "192.0.2.9").status_code == 503
        running.append(begin(threads, 3, "192.0.2.10"))
        blocked.released.set()
        assert [one.result(WITHIN).status_code for one in running] == [401] * 3


@pytest.mark.django_db(transaction=True)
def test_strangers_keep_nobody_out_who_signed_in_from_here_before(
    dora: Profile, configured: Any, settings: Any
) -> None:
    configured(LIMIT_SIGN_INS=2)
    right = {"username": "dora", "password": PASSWORD}
    assert sign_in(0, **right).status_code == 200
    # The stored password is still checked by the hasher that made it; one for a name that nobody has blocks.
    settings.PASSWORD_HASHERS = [f"{__name__}.BlockingHasher", *settings.PASSWORD_HASHERS]
    get_hashers.cache_clear()
    BlockingHasher.begun = threading.Semaphore(0)
    BlockingHasher.released.clear()
    with ThreadPoolExecutor(2) as threads, released_at_end():
        running = [begin(threads, number) for number in range(2)]
        assert sign_in(3, "198.51.100.7", **right).status_code == 503
        assert sign_in(4, **right).status_code == 200
        BlockingHasher.released.set()
        assert [one.result(WITHIN).status_code for one in running] == [401, 401]
    get_hashers.cache_clear()


def test_burst_of_sign_ins_is_no_error_in_the_log(
    db: None,
    configured: Any,
    blocked: type[BlockingHasher],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Anybody can cause it, and an alert on ERROR is for defects."""
    configured(LIMIT_SIGN_INS=1)
    monkeypatch.setattr(logging.getLogger("django"), "propagate", True)
    with ThreadPoolExecutor(1) as threads, released_at_end():
        running = begin(threads, 0)
        assert sign_in(1).status_code == 503
        lines = [one for one in caplog.records if getattr(one, "status_code", None) == 503]
        assert {(one.name, one.levelname) for one in lines} == {("django.request", "WARNING")}
        blocked.released.set()
        running.result(WITHIN)
