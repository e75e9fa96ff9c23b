"""One database, named by DATABASE_URL: SQLite beside manage.py when it is not set, PostgreSQL with a pool otherwise."""

from typing import Any

from django.utils.module_loading import import_string

from project.env import ROOT, env


def _sqlite() -> dict[str, Any]:
    # IMMEDIATE takes the write lock first: a deferred transaction that has read cannot wait for it and fails.
    return {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }


def _postgresql() -> dict[str, Any]:
    # Only here, because psycopg is there only where PostgreSQL is.
    patient = import_string("project.postgresql.patient")
    limits = {
        "statement_timeout": env.str("DATABASE_STATEMENT_TIMEOUT", default="5s"),
        "lock_timeout": env.str("DATABASE_LOCK_TIMEOUT", default="2s"),
        "idle_in_transaction_session_timeout": "10s",
    }
    return {
        "connect_timeout": 3,
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
        "pool": {
            "min_size": env.int("DATABASE_POOL_MIN", default=2),
            "max_size": env.int("DATABASE_POOL_MAX", default=20),
            "timeout": env.float("DATABASE_POOL_TIMEOUT", default=5),
            # A database that was away is tried anew by the next who asks, not after pauses that grow to minutes.
            "reconnect_timeout": 2,
            "connection_class": patient(limits["statement_timeout"]),
        },
    }


_options = {"django.db.backends.sqlite3": _sqlite, "django.db.backends.postgresql": _postgresql}

_database: dict[str, Any] = env.db_url("DATABASE_URL", default=f"sqlite:///{ROOT / 'db.sqlite3'}")
_database["OPTIONS"] = {
    **_options.get(_database["ENGINE"], dict)(),
    **_database.get("OPTIONS", {}),
}

# A connection that broke while it lay in the pool is found before it is used, and not by whoever is given it.
_database["CONN_HEALTH_CHECKS"] = True

DATABASES = {"default": _database}
