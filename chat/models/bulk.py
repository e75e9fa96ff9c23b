"""Many rows in one statement: on PostgreSQL as columns, where the ORM's own way costs more than the database's work."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, Field, JSONField, Model

Row = TypeVar("Row", bound=Model)


def rows_of(
    model: type[Row],
    names: tuple[str, ...],
    keys: Collection[tuple[Any, ...]],
    using: str,
    *,
    then: str = "",
) -> list[Row]:
    """Return the rows whose named fields together are one of the keys; ``then`` follows the condition.

    For what every send asks: the ORM takes several times as long to say it as the database to answer.
    """
    if not keys:
        return []
    by_name = {field.name: field for field in model._meta.concrete_fields}
    fields = [by_name[name] for name in names]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    place = f"({', '.join(['%s'] * len(fields))})"
    places = ", ".join([place] * len(keys))
    # Names of our own columns; the values go as parameters.
    statement = (
        f'SELECT * FROM "{model._meta.db_table}" WHERE ({columns}) IN (VALUES {places}) {then}'  # noqa: S608  # nosec B608
    )
    connection = connections[using]
    values = [
        field.get_db_prep_value(value, connection)
        for key in keys
        for field, value in zip(fields, key, strict=True)
    ]
    return list(model._base_manager.using(using).raw(statement, values))


@dataclass(frozen=True, slots=True)
class Insert:
    """New rows of one table. A key that the database gives is not read back."""

    rows: Sequence[Model]

    def by_orm(self, using: str) -> None:
        type(self.rows[0])._base_manager.using(using).bulk_create(self.rows)

    def in_sql(self, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        model = type(self.rows[0])._meta
        fields = [field for field in model.concrete_fields if not isinstance(field, AutoField)]
        columns, arrays, values = _spread(fields, self.rows, connection)
        statement = f'INSERT INTO "{model.db_table}" ({columns}) SELECT * FROM unnest({arrays})'  # noqa: S608  # nosec B608
        return statement, values


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
        columns, arrays, values = _spread((model.pk, *fields), self.rows, connection)
        new = ", ".join(f'"{field.column}" = new."{field.column}"' for field in fields)
        key = model.pk.column
        statement = (
            f'UPDATE "{model.db_table}" AS old SET {new} FROM unnest({arrays}) AS new ({columns})'  # noqa: S608  # nosec B608
            f' WHERE old."{key}" = new."{key}"'
        )
        return statement, values


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


def _spread(
    fields: Sequence[Field[Any, Any]], rows: Sequence[Model], connection: BaseDatabaseWrapper
) -> tuple[str, str, list[Any]]:
    """Return columns, places and values of rows, one array a column: the text is the same for any number of rows."""
    # Without a length: a cast to varchar(10) would cut what the column is to refuse.
    types = [(field.cast_db_type(connection) or "").partition("(")[0] for field in fields]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    arrays = ", ".join(f"%s::{type}[]" for type in types)
    return columns, arrays, [_column(field, rows) for field in fields]


def _column(field: Field[Any, Any], rows: Sequence[Model]) -> list[Any]:
    values = [getattr(row, field.attname) for row in rows]
    if isinstance(field, JSONField):
        return [json.dumps(value, cls=field.encoder) for value in values]
    return values
