"""One database, named by DATABASE_URL: SQLite beside manage.py when it is not set, PostgreSQL with a pool otherwise."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from project.env import ROOT, database, env, number, seconds


def _sqlite() -> dict[str, Any]:
    # IMMEDIATE takes the write lock first: a deferred transaction that has read cannot wait for it and fails.
    return {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }


def _postgresql(url_options: str) -> dict[str, Any]:
    try:
        # Imported only here, because psycopg is installed only where PostgreSQL is used.
        patient = import_string("project.postgresql.patient")
    except ImportError as error:
        raise ImproperlyConfigured(
            "DATABASE_URL names PostgreSQL, whose driver is missing: pip install -r requirements/production.txt"
        ) from error
    limits = {
        "statement_timeout": env.str("DATABASE_STATEMENT_TIMEOUT", default="5s"),
        "lock_timeout": env.str("DATABASE_LOCK_TIMEOUT", default="2s"),
        "idle_in_transaction_session_timeout": "10s",
    }
    try:
        connection_class = patient(limits["statement_timeout"])
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_STATEMENT_TIMEOUT: {error}.") from error
    pool_min = number("DATABASE_POOL_MIN", default=2, least=0)
    own = [f"-c {name}={value}" for name, value in limits.items()]
    return {
        "connect_timeout": 3,
        # The URL's options come last and win, such as a search_path, without dropping the timeouts.
        "options": " ".join([*own, url_options]).strip(),
        "pool": {
            "min_size": pool_min,
            "max_size": number(
                "DATABASE_POOL_MAX", default=max(20, pool_min), least=max(1, pool_min)
            ),
            "timeout": seconds("DATABASE_POOL_TIMEOUT", default=5),
            # A database that was away is tried anew by the next who asks, not after pauses that grow to minutes.
            "reconnect_timeout": 2,
            "connection_class": connection_class,
        },
    }


_database = database("DATABASE_URL", default=f"sqlite:///{ROOT / 'db.sqlite3'}")
_url_options: dict[str, Any] = _database.get("OPTIONS", {})
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = {**_sqlite(), **_url_options}
else:
    _session = str(_url_options.pop("options", ""))
    _database["OPTIONS"] = {**_postgresql(_session), **_url_options}

# A connection that broke while it lay in the pool is found before it is used, and not by whoever is given it.
_database["CONN_HEALTH_CHECKS"] = True

DATABASES = {"default": _database}
