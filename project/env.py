"""Hands the environment, and an .env beside manage.py, to the settings; outside DEBUG it insists on keys and hosts."""

from pathlib import Path
from secrets import token_urlsafe

from django.core.exceptions import ImproperlyConfigured
from environ import Env

ROOT = Path(__file__).resolve().parent.parent

env = Env()
if (ROOT / ".env").exists():
    env.read_env(ROOT / ".env")

DEBUG = env.bool("DEBUG", default=False)


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
