"""Hands the environment, and an .env beside manage.py, to the settings; outside DEBUG it insists on keys and hosts."""

from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

# The schemes of the databases that are served, and of Redis.
DATABASES = frozenset({"postgres", "postgresql", "sqlite"})
REDIS = frozenset({"redis", "rediss", "unix"})

ROOT = Path(__file__).resolve().parent.parent

env = Env()
if (ROOT / ".env").exists():
    env.read_env(ROOT / ".env")

ON = frozenset({"on", "true", "yes", "y", "t", "ok", "1"})
OFF = frozenset({"off", "false", "no", "n", "f", "0"})


def switch(name: str, *, default: bool) -> bool:
    """Return whether a variable of the environment is on or off. Raises ImproperlyConfigured."""
    said = env.str(name, default="").strip()
    if said and said.lower() not in ON | OFF:
        raise ImproperlyConfigured(f"{name} must be on or off, not {said!r}.")
    return said.lower() in ON if said else default


def choice(name: str, options: Collection[str], *, default: str) -> str:
    """Return one of the options from the environment. Raises ImproperlyConfigured."""
    said = env.str(name, default="").strip() or default
    if said not in options:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(options)}, not {said!r}.")
    return said


DEBUG = switch("DEBUG", default=False)


def refuse(name: str, reason: str) -> None:
    if not DEBUG:
        raise ImproperlyConfigured(
            f"{name} {reason}. Set it in the environment, or DEBUG=on to develop."
        )


def secret(name: str, shortest: int) -> str:
    """A key from the environment; while developing, a throw-away one in its place."""
    value = env.str(name, default="")
    if len(value) < shortest:
        refuse(name, f"must have at least {shortest} characters" if value else "is not set")
    elif len(set(value)) < 5:
        refuse(name, "is not random")
    return value or token_urlsafe(64)


def hosts(name: str) -> list[str]:
    """The names this site answers to, each one spelt out."""
    names: list[str] = env.list(name, default=[])
    if not names:
        refuse(name, "is not set")
    if "*" in names:
        refuse(name, "must name the hosts; * would trust whatever a request claims")
    return names


def number(name: str, *, default: int, least: int, most: int | None = None) -> int:
    """A whole number from the environment. Raises ImproperlyConfigured."""
    said = env.str(name, default="").strip()
    if not said:
        return default
    value = int(said) if said.lstrip("-").isdecimal() else None
    if value is None or value < least or (most is not None and value > most):
        wanted = f"of {least} or more" if most is None else f"from {least} to {most}"
        raise ImproperlyConfigured(f"{name} must be a whole number {wanted}, not {said!r}.")
    return value


def seconds(name: str, *, default: float) -> float:
    """A time in seconds from the environment. Raises ImproperlyConfigured."""
    said = env.str(name, default="").strip()
    try:
        value = float(said) if said else default
    except ValueError:
        value = -1
    # Of what is no number every comparison is false.
    if not value > 0:
        raise ImproperlyConfigured(f"{name} must be seconds, a number above 0, not {said!r}.")
    return value


def database(name: str, *, default: str) -> dict[str, Any]:
    """A database from the URL in the environment. Raises ImproperlyConfigured, which never shows a password."""
    url = env.str(name, default="") or default
    scheme, _, rest = url.partition("://")
    if scheme not in DATABASES or not rest:
        raise ImproperlyConfigured(
            f"{name} must be postgres://user:password@host:5432/name or sqlite:////path/to/file."
        )
    try:
        found: dict[str, Any] = env.db_url_config(url)
    except ValueError as error:
        # The port is no number.
        raise ImproperlyConfigured(f"{name} has a part that cannot be read.") from error
    if not found["NAME"]:
        raise ImproperlyConfigured(f"{name} names no database: postgres://…/name.")
    return found


def redis(name: str) -> str:
    """The URL of a Redis from the environment, or nothing. Raises ImproperlyConfigured."""
    url = str(env.str(name, default="")).strip()
    scheme, _, rest = url.partition("://")
    if url and (scheme not in REDIS or not rest):
        raise ImproperlyConfigured(f"{name} must be redis://host:6379/0, or begin with rediss://.")
    if url and find_spec("channels_redis") is None:
        raise ImproperlyConfigured(
            f"{name} is set, and channels_redis is missing: pip install -r requirements/production.txt"
        )
    try:
        urlsplit(url).port  # noqa: B018  (it is read to be refused)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} has a port that is no number.") from error
    return url
