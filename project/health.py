"""Tells a supervisor whether this process lives, and whether it can serve."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock

from asgiref.sync import async_to_sync
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chat.outlets.sockets import group_of, shared_layer

# Seconds that all checks together may take; one that hangs goes on, and is not begun a second time meanwhile.
WITHIN = 2
OK = "ok"
# The layer is this process's memory: right for one process, and no other process hears through it.
IN_PROCESS = "in-process"


@never_cache
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """Live means that requests are answered; nothing else is asked."""
    return JsonResponse({"status": OK})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Ready means that the database answers and has its tables; without the layer the chat is slower, not wrong."""
    found = _checked()
    serves = found["database"] == found["migrations"] == OK
    whole = found["layer"] in {OK, IN_PROCESS}
    status = "unavailable" if not serves else OK if whole else "degraded"
    return JsonResponse({"status": status, **found}, status=200 if serves else 503)


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    lacking = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return f"{lacking} not applied" if lacking else OK


def _layer() -> str:
    layer = shared_layer()
    if layer is None:
        return IN_PROCESS
    # To a group in which nobody is.
    async_to_sync(layer.group_send)(group_of("health"), {"type": "chat.health"})
    return OK


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "layer": _layer,
}
_threads = ThreadPoolExecutor(len(CHECKS), thread_name_prefix="health")
_running: dict[str, Future[str]] = {}
_one_at_a_time = Lock()


def _checked() -> dict[str, str]:
    """Return for each check `ok` or what is wrong, within :data:`WITHIN` seconds."""
    with _one_at_a_time:
        for name, check in CHECKS.items():
            if name not in _running or _running[name].done():
                _running[name] = _threads.submit(_said, check)
        asked = dict(_running)
    done, _ = wait(asked.values(), timeout=WITHIN)
    return {name: one.result() if one in done else "no answer" for name, one in asked.items()}


def _said(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:
        # Its words may name hosts and accounts; whoever asks need not be one of us.
        return f"failed: {type(error).__name__}"
    finally:
        connection.close()
