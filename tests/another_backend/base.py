"""The module that Django loads of a backend."""

from django.db.backends.sqlite3.base import DatabaseWrapper as SQLiteWrapper


class DatabaseWrapper(SQLiteWrapper):
    """Works like SQLite and calls itself something else."""

    vendor = "another"
