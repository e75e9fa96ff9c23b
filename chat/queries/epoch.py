"""The epoch: what every cursor of this installation belongs to."""

from __future__ import annotations

from functools import cache

from django.db import connections

from chat.events import database
from chat.models import Epoch

# The cluster's own marks change when it is restored elsewhere or rolled back in time.
READABLE = (
    "SELECT has_function_privilege('pg_control_system()', 'execute')"
    " AND has_function_privilege('pg_control_checkpoint()', 'execute')"
)
MARKS = "SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()"


def current_epoch() -> str:
    """Return the stored value, made on first use, with PostgreSQL's own marks where they are readable."""
    stored = Epoch.objects.filter(pk=1).first() or Epoch.objects.get_or_create(pk=1)[0]
    return stored.value.hex + _cluster_marks()


def _cluster_marks() -> str:
    connection = connections[database()]
    if connection.vendor != "postgresql" or not _marks_readable(connection.alias):
        return ""
    with connection.cursor() as cursor:
        cursor.execute(MARKS)
        identifier, timeline = cursor.fetchone()
    return f"-{identifier:x}-{timeline:x}"


@cache
def _marks_readable(alias: str) -> bool:
    with connections[alias].cursor() as cursor:
        cursor.execute(READABLE)
        return bool(cursor.fetchone()[0])
