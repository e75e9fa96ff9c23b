"""Many rows in one statement, several questions in one journey: the ORM's way costs more than the database's work."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import orjson
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, Field, JSONField, Model

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Read(Generic[Row]):
    """The rows whose named fields together are one of the keys; ``then`` follows the condition."""

    model: type[Row]
    names: tuple[str, ...]
    keys: Collection[tuple[Any, ...]]
    then: str = ""

    def in_sql(self, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        table = self.model._meta
        by_name = {field.name: field for field in table.concrete_fields}
        fields = [by_name[name] for name in self.names]
        columns = ", ".join(f'"{field.column}"' for field in fields)
        every = ", ".join(f'"{field.column}"' for field in table.concrete_fields)
        place = f"({', '.join(['%s'] * len(fields))})"
        places = ", ".join([place] * len(self.keys))
        # Names of our own columns; the values go as parameters.
        statement = (
            f'SELECT {every} FROM "{table.db_table}" WHERE ({columns}) IN (VALUES {places}) {self.then}'  # noqa: S608  # nosec B608
        )
        values = [
            field.get_db_prep_value(value, connection)
            for key in self.keys
            for field, value in zip(fields, key, strict=True)
        ]
        return statement, values

    def rows(self, found: Sequence[tuple[Any, ...]], using: str) -> list[Row]:
        """Return what the database answered as instances."""
        names = [field.attname for field in self.model._meta.concrete_fields]
        connection, converters = connections[using], _converters(self.model, using)
        rows = [list(row) for row in found]
        for place, column, convert in converters:
            for row in rows:
                row[place] = convert(row[place], column, connection)
        return [self.model.from_db(using, names, row) for row in rows]


@cache
def _converters(model: type[Model], using: str) -> list[tuple[int, Any, Callable[..., Any]]]:
    """Return what makes a column's value one of Python's, by its place: nothing for most."""
    connection = connections[using]
    columns = [field.get_col(model._meta.db_table) for field in model._meta.concrete_fields]
    return [
        (place, column, convert)
        for place, column in enumerate(columns)
        for convert in (
            *connection.ops.get_db_converters(column),
            *column.get_db_converters(connection),
        )
    ]


def read(asked: Sequence[Read[Any]], using: str) -> list[list[Any]]:
    """Return the rows of each question, asked in order: in one journey to the database, where it can.

    For what every send asks. A question without keys is not asked.
    """
    connection = connections[using]
    answers: list[Sequence[tuple[Any, ...]]] = [() for _ in asked]
    with ExitStack() as cursors, _pipeline(connection):
        begun = []
        for place, one in enumerate(asked):
            if one.keys:
                cursor = cursors.enter_context(connection.cursor())
                cursor.execute(*one.in_sql(connection))
                begun.append((place, cursor))
        for place, cursor in begun:
            answers[place] = cursor.fetchall()
    return [one.rows(found, using) for one, found in zip(asked, answers, strict=True)]


@contextmanager
def _pipeline(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Send statements without waiting for the answers to those before, where the driver is psycopg 3."""
    begin = getattr(connection.connection, "pipeline", None)
    if begin is None:
        yield
        return
    with connection.wrap_database_errors, begin():
        yield


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
            f'INSERT INTO "{model.db_table}" ({columns})'  # noqa: S608  # nosec B608
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
            f'UPDATE "{model.db_table}" AS old SET {new}'  # noqa: S608  # nosec B608
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
