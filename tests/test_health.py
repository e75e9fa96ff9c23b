"""Live and ready are told apart, and ready says what is lacking."""

from __future__ import annotations

import os
from threading import Event

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from project import health

pytestmark = pytest.mark.django_db(transaction=True)

LAYER = "ok" if os.environ["REDIS_URL"] else "in-process"
WHOLE = {"status": "ok", "database": "ok", "migrations": "ok", "layer": LAYER}


def fails() -> str:
    raise RuntimeError("the name of a host")


def test_a_whole_service_is_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, WHOLE)
    assert answer.headers["Cache-Control"].find("no-store") >= 0


@pytest.mark.parametrize(
    ("check", "status", "word"),
    [
        ("database", 503, "unavailable"),
        ("migrations", 503, "unavailable"),
        ("layer", 200, "degraded"),
    ],
)
def test_what_fails_is_named_and_only_what_is_needed_refuses(
    client: Client, monkeypatch: pytest.MonkeyPatch, check: str, status: int, word: str
) -> None:
    monkeypatch.setitem(health.CHECKS, check, fails)
    answer = client.get("/readyz")
    assert answer.status_code == status
    assert answer.json() == {**WHOLE, "status": word, check: "failed: RuntimeError"}
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_migration_that_is_not_applied_is_told(client: Client) -> None:

    rows = MigrationRecorder.Migration.objects.filter(app="chat")
    last = rows.order_by("-id")[0]
    last.delete()
    try:
        answer = client.get("/readyz")
    finally:
        last.save(force_insert=True)
    assert (answer.status_code, answer.json()["migrations"]) == (503, "1 not applied")


def test_a_check_that_hangs_is_not_waited_for_nor_begun_twice(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, begun = Event(), []

    def hangs() -> str:
        begun.append(None)
        over.wait()
        return "ok"

    monkeypatch.setattr(health, "WITHIN", 0.1)
    monkeypatch.setitem(health.CHECKS, "layer", hangs)
    try:
        answers = [client.get("/readyz").json()["layer"] for _ in range(3)]
    finally:
        over.set()
    assert answers == ["no answer"] * 3
    assert len(begun) == 1
