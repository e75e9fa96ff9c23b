"""An outage is one clear line a minute; what is no outage keeps its traceback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import InterfaceError, InternalError, OperationalError, connections, transaction
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from chat import outages
from chat.actions.locks import lock_room
from chat.events import database
from chat.models import Room
from chat.outages import Outages, SaidOnce, is_away
from chat.outlets import sockets as outlet
from chat.rest import refusals
from tests.scene import held

psycopg = pytest.importorskip("psycopg")
redis = pytest.importorskip("redis")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(outages, "monotonic", clock)
    return clock


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing was said lately."""
    monkeypatch.setattr(refusals, "_outages", Outages())
    monkeypatch.setattr(outlet, "_outages", Outages())
    return


def of_driver(kind: type[Exception], cause: Exception) -> Exception:
    """Return a failure as Django passes it on."""
    error = kind(*cause.args)
    error.__cause__ = cause
    return error


def context() -> dict[str, Any]:
    return {"request": Request(APIRequestFactory().get("/api/rooms/")), "view": SimpleNamespace()}


NOT_REACHED = of_driver(OperationalError, psycopg.OperationalError("connection refused\nhint"))
SHUT_DOWN = of_driver(OperationalError, psycopg.errors.AdminShutdown("terminating"))
STANDBY = of_driver(OperationalError, psycopg.errors.ObjectNotInPrerequisiteState("recovery"))
CLOSED = of_driver(InterfaceError, psycopg.InterfaceError("the connection is closed"))
READ_ONLY = of_driver(InternalError, psycopg.errors.ReadOnlySqlTransaction("read-only"))
DISK_FULL = of_driver(OperationalError, psycopg.errors.DiskFull("no space left"))


def test_the_same_is_said_once_a_minute(clock: Clock) -> None:
    said = Outages()
    assert [said.begins("a"), said.begins("a"), said.begins("b"), said.begins("a", "b")] == [
        True,
        False,
        True,
        True,
    ]
    clock.now += 61
    assert (said.begins("a"), said.begins("a")) == (True, False)


def test_records_of_one_kind_pass_once_a_minute(clock: Clock) -> None:
    once = SaidOnce()

    def passes(message: str, *values: object) -> bool:
        return once.filter(logging.LogRecord("pool", 30, "", 0, message, values, None))

    assert [passes("error in %s", "one"), passes("error in %s", "two"), passes("gave up")] == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize("error", [NOT_REACHED, SHUT_DOWN, STANDBY, READ_ONLY, CLOSED], ids=repr)
def test_request_without_a_database_is_one_line(
    error: Exception, anew: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert is_away(error)
    for _ in range(3):
        answer = refusals.refuse(error, context())
        assert answer is not None
        assert answer.status_code == 503
        # Else Django logs the answer as well.
        assert answer._has_been_logged
    (line,) = caplog.records
    assert line.getMessage().startswith("the database does not answer: ")
    assert "\n" not in line.getMessage()
    assert line.exc_info is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_statement_that_took_too_long_is_one_line_with_its_place(
    group: Room, anew: None, caplog: pytest.LogCaptureFixture
) -> None:
    def impatient() -> None:
        with transaction.atomic(database()), connections[database()].cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '50ms'")
            lock_room(group.pk)

    with held(group), pytest.raises(OperationalError) as caught:
        impatient()
    caplog.clear()
    answer = refusals.refuse(caught.value, context())
    assert answer is not None
    assert (answer.status_code, answer._has_been_logged) == (503, True)
    (line,) = caplog.records
    assert line.getMessage() == "a statement took too long in chat.actions.locks.lock_room"
    assert line.exc_info is None


@pytest.mark.parametrize("error", [DISK_FULL, OperationalError("locked")], ids=repr)
def test_statement_that_failed_keeps_its_traceback(
    error: Exception, anew: None, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        refusals.refuse(error, context())
    assert [bool(record.exc_info) for record in caplog.records] == [True, True]


def logged(error: Exception) -> None:
    try:
        raise error
    except Exception:
        logging.getLogger("channels_redis.pubsub").exception("Unexpected exception")


@pytest.fixture
def attached() -> Iterator[None]:
    def receive(items: Any) -> None:
        raise AssertionError

    outlet.attach(receive)
    yield
    outlet.detach(receive)


@pytest.mark.parametrize(
    "error",
    [redis.exceptions.ConnectionError("away"), redis.exceptions.TimeoutError(), OSError()],
    ids=repr,
)
def test_redis_that_is_away_is_one_line(
    error: Exception, attached: None, anew: None, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        logged(error)
    (line,) = caplog.records
    assert line.getMessage() == f"no events come from Redis: {type(error).__name__}"
    assert (line.levelname, line.exc_info) == ("WARNING", None)


@pytest.mark.parametrize(
    "error", [redis.exceptions.ResponseError("WRONGTYPE"), KeyError("channel")], ids=repr
)
def test_defect_in_the_layer_keeps_its_traceback(
    error: Exception, attached: None, anew: None, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        logged(error)
    assert [bool(record.exc_info) for record in caplog.records] == [True, True]
