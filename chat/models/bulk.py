"""Many rows in one statement: on PostgreSQL as columns, where the ORM's own way costs more than the database's work."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from django.db import connections
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


def insert_rows(rows: Sequence[Model], using: str) -> None:
    """Insert rows of one table. A key that the database gives is not read back. Raises IntegrityError."""
    if connections[using].vendor != "postgresql":
        type(rows[0])._base_manager.using(using).bulk_create(rows)
        return
    model = type(rows[0])._meta
    fields = [field for field in model.concrete_fields if not isinstance(field, AutoField)]
    statement = 'INSERT INTO "{table}" ({columns}) SELECT * FROM {rows}'
    _run(statement, fields, rows, using)


def update_rows(rows: Sequence[Model], names: Sequence[str], using: str) -> None:
    """Write the named fields of rows that are there."""
    if connections[using].vendor != "postgresql":
        type(rows[0])._base_manager.using(using).bulk_update(rows, names)
        return
    model = type(rows[0])._meta
    fields = [field for field in model.concrete_fields if field.name in names]
    new = ", ".join(f'"{field.column}" = new."{field.column}"' for field in fields)
    by_key = f'old."{model.pk.column}" = new."{model.pk.column}"'
    # Names of our own columns, no values.
    statement = (
        f'UPDATE "{{table}}" AS old SET {new} FROM {{rows}} AS new ({{columns}}) WHERE {by_key}'  # noqa: S608  # nosec B608
    )
    _run(statement, (model.pk, *fields), rows, using)


def _run(
    statement: str, fields: Sequence[Field[Any, Any]], rows: Sequence[Model], using: str
) -> None:
    """Run a statement over ``{rows}``: one array a column, so that its text is the same for any number of rows."""
    connection = connections[using]
    # Without a length: a cast to varchar(10) would cut what the column is to refuse.
    types = [(field.cast_db_type(connection) or "").partition("(")[0] for field in fields]
    arrays = ", ".join(f"%s::{type}[]" for type in types)
    columns = ", ".join(f'"{field.column}"' for field in fields)
    table = rows[0]._meta.db_table
    filled = statement.format(table=table, columns=columns, rows=f"unnest({arrays})")
    with connection.cursor() as cursor:
        cursor.execute(filled, [_column(field, rows) for field in fields])


def _column(field: Field[Any, Any], rows: Sequence[Model]) -> list[Any]:
    values = [getattr(row, field.attname) for row in rows]
    if isinstance(field, JSONField):
        return [json.dumps(value, cls=field.encoder) for value in values]
    return values
