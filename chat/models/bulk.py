"""Many rows stored in one statement: on PostgreSQL as one JSON text, for the ORM's way costs more than its work."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, Field, JSONField, Model


@dataclass(frozen=True, slots=True)
class Insert:
    """New rows of one table. A key that the database gives is not read back."""

    rows: Sequence[Model]

    def by_orm(self, using: str) -> None:
        type(self.rows[0])._base_manager.using(using).bulk_create(self.rows)

    def in_sql(self, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        model = type(self.rows[0])._meta
        fields = [field for field in model.concrete_fields if not isinstance(field, AutoField)]
        columns, types = _described(fields, connection)
        statement = (
            f'INSERT INTO "{model.db_table}" ({columns})'  # noqa: S608
            f" SELECT {columns} FROM json_to_recordset(%s::json) AS new({types})"
        )
        return statement, [_as_json(fields, self.rows)]


@dataclass(frozen=True, slots=True)
class Update:
    """The named fields of rows that are there."""

    rows: Sequence[Model]
    names: Sequence[str]

    def by_orm(self, using: str) -> None:
        type(self.rows[0])._base_manager.using(using).bulk_update(self.rows, self.names)

    def in_sql(self, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        model = type(self.rows[0])._meta
        fields = [field for field in model.concrete_fields if field.name in self.names]
        _, types = _described((model.pk, *fields), connection)
        new = ", ".join(f'"{field.column}" = new."{field.column}"' for field in fields)
        key = model.pk.column
        # The limit tells the planner how few they are: it would else guess a hundred, and read the whole table.
        statement = (
            f'UPDATE "{model.db_table}" AS old SET {new}'  # noqa: S608
            f" FROM (SELECT * FROM json_to_recordset(%s::json) AS row({types}) LIMIT %s) AS new"
            f' WHERE old."{key}" = new."{key}"'
        )
        return statement, [_as_json((model.pk, *fields), self.rows), len(self.rows)]


def store(changes: Sequence[Insert | Update], using: str) -> None:
    """Make changes that have rows, in one statement where the database can. Raises IntegrityError."""
    connection = connections[using]
    changes = [change for change in changes if change.rows]
    if connection.vendor != "postgresql":
        for change in changes:
            change.by_orm(using)
        return
    *before, (last, values) = [change.in_sql(connection) for change in changes]
    parts = ", ".join(f"part{number} AS ({text})" for number, (text, _) in enumerate(before))
    statement = f"WITH {parts} {last}" if parts else last
    with connection.cursor() as cursor:
        cursor.execute(statement, [one for _, some in before for one in some] + values)


def _described(
    fields: Sequence[Field[Any, Any]], connection: BaseDatabaseWrapper
) -> tuple[str, str]:
    """Return the names of columns, and the names with their types."""
    # Without a length: a cast to varchar(10) would cut what the column is to refuse.
    types = [(field.cast_db_type(connection) or "").partition("(")[0] for field in fields]
    names = [f'"{field.column}"' for field in fields]
    typed = [f"{name} {type}" for name, type in zip(names, types, strict=True)]
    return ", ".join(names), ", ".join(typed)


def _as_json(fields: Sequence[Field[Any, Any]], rows: Sequence[Model]) -> str:
    """Return rows as one JSON text: one value to quote, however many columns and rows."""
    of_json = {field.attname: field.encoder for field in fields if isinstance(field, JSONField)}
    columns = [(field.column, field.attname) for field in fields]
    told = [{column: getattr(row, name) for column, name in columns} for row in rows]
    for one in told:
        for name, encoder in of_json.items():
            one[name] = orjson.Fragment(json.dumps(one[name], cls=encoder))
    return orjson.dumps(told, default=_as_text).decode()


def _as_text(value: Any) -> str:
    """Return what JSON has no word for as PostgreSQL writes it."""
    return f"\\x{bytes(value).hex()}" if isinstance(value, (bytes, memoryview)) else str(value)
