"""Rows by their keys, in plain SQL: for what every send and every request asks.

The ORM takes several times as long to say it as the database to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, ForeignKey, Model
from django.db.models.constants import LOOKUP_SEP
from django.db.models.sql import Query

Row = TypeVar("Row", bound=Model)
Converters = list[tuple[int, Any, Callable[..., Any]]]

# What the model's own table is called in a statement.
OWN = "own"


@dataclass(frozen=True, slots=True)
class Fetch(Generic[Row]):
    """The rows of a model whose named fields together are one of the keys, with what they point to.

    ``related`` names relations as select_related() does, each after the one that it begins with;
    ``then`` follows the condition, where the model's own table is called ``own``.
    """

    model: type[Row]
    names: tuple[str, ...]
    keys: Collection[tuple[Any, ...]]
    then: str = ""
    related: tuple[str, ...] = ()

    def in_sql(self, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        """Return the statement and its values."""
        fields = _fields(self.model, self.names)
        values = [
            field.get_db_prep_value(value, connection)
            for key in self.keys
            for field, value in zip(fields, key, strict=True)
        ]
        text = _statement(
            self.model, self.names, len(self.keys), self.related, self.then, connection.alias
        )
        return text, values

    def rows(self, found: Sequence[tuple[Any, ...]], using: str) -> list[Row]:
        """Return what the database answered as instances."""
        tables = _tables(self.model, self.related)
        return [self._row(iter(one), tables, using) for one in found]

    def _row(self, values: Iterator[Any], tables: Sequence[Table], using: str) -> Row:
        made: dict[str, Any] = {}
        for table in tables:
            one = made[table.path] = _instance(table.model, values, using)
            origin = made[table.origin] if table.link else None
            if table.link and origin is not None:
                # Not by assignment, which would empty the key of what leads nowhere.
                table.link.set_cached_value(origin, one)
        own: Row = made[""]
        return own


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a statement, and the relation that led there from another; the first has none."""

    path: str
    model: type[Model]
    link: ForeignKey[Any, Any] | None = None

    @property
    def alias(self) -> str:
        return self.path or OWN

    @property
    def origin(self) -> str:
        return self.path.rpartition(LOOKUP_SEP)[0]

    def join(self, quote: Callable[[str], str]) -> str:
        table = quote(self.model._meta.db_table)
        if self.link is None:
            return f"{table} {OWN}"
        key = f'"{self.alias}".{quote(str(self.model._meta.pk.column))}'
        origin = f'"{self.origin or OWN}".{quote(self.link.column)}'
        return f'LEFT JOIN {table} "{self.alias}" ON {key} = {origin}'

    def columns(self, using: str) -> Iterator[str]:
        """Return what is selected: of a host's model too, whose fields may say how they want to be."""
        compiler = Query(self.model).get_compiler(using)
        for field in self.model._meta.concrete_fields:
            column = f'"{self.alias}".{compiler.connection.ops.quote_name(field.column)}'
            yield field.select_format(compiler, column, ())[0]


@cache
def _tables(model: type[Model], related: tuple[str, ...]) -> tuple[Table, ...]:
    found = {"": Table("", model)}
    for path in related:
        origin, _, name = path.rpartition(LOOKUP_SEP)
        link: Any = found[origin].model._meta.get_field(name)
        found[path] = Table(path, link.related_model, link)
    return tuple(found.values())


def _instance(model: type[Model], values: Iterator[Any], using: str) -> Model | None:
    """Take the next values for an instance; None where a relation leads nowhere."""
    names, key, converters = _columns(model, using)
    own = [next(values) for _ in names]
    if own[key] is None:
        return None
    for place, column, convert in converters:
        own[place] = convert(own[place], column, connections[using])
    return model.from_db(using, names, own)


@cache
def _columns(model: type[Model], using: str) -> tuple[tuple[str, ...], int, Converters]:
    """Return the attributes of a model's columns, the place of its key, and what makes a value one of Python's."""
    operations, fields = connections[using].ops, model._meta.concrete_fields
    columns = [field.get_col(model._meta.db_table) for field in fields]
    converters = [
        (place, column, convert)
        for place, column in enumerate(columns)
        for convert in operations.get_db_converters(column)
        + column.get_db_converters(connections[using])
    ]
    return tuple(field.attname for field in fields), fields.index(model._meta.pk), converters


@lru_cache(maxsize=1024)
def _statement(
    model: type[Model],
    names: tuple[str, ...],
    keys: int,
    related: tuple[str, ...],
    then: str,
    using: str,
) -> str:
    # Names of tables and columns; the values go as parameters.
    tables, quote = _tables(model, related), connections[using].ops.quote_name
    columns = ", ".join(column for table in tables for column in table.columns(using))
    named = ", ".join(f"{OWN}.{quote(str(field.column))}" for field in _fields(model, names))
    places = ", ".join([f"({', '.join(['%s'] * len(names))})"] * keys)
    source = " ".join(table.join(quote) for table in tables)
    return f"SELECT {columns} FROM {source} WHERE ({named}) IN (VALUES {places}) {then}"  # noqa: S608


@cache
def _fields(model: type[Model], names: tuple[str, ...]) -> list[Field[Any, Any]]:
    by_name = {field.name: field for field in model._meta.concrete_fields}
    return [by_name[name] for name in names]


def fetch(asked: Sequence[Fetch[Any]], using: str) -> list[list[Any]]:
    """Return the rows of each question, asked in order: in one journey to the database, where it can.

    A question without keys is not asked.
    """
    connection = connections[using]
    answers: list[Sequence[tuple[Any, ...]]] = [() for _ in asked]
    with ExitStack() as cursors, _together(connection) if len(asked) > 1 else nullcontext():
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
def _together(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Send statements without waiting for the answers to those before, where the driver is psycopg 3."""
    begin = getattr(connection.connection, "pipeline", None)
    if begin is None:
        yield
        return
    with connection.wrap_database_errors, begin() as pipeline:
        try:
            yield
        except Exception:
            # That what followed was not asked either would else be logged, at every lock that is waited for in vain.
            with suppress(Exception):
                pipeline.sync()
            raise
