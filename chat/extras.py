"""Which extra of the distribution brings a package; the core needs none of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

EXTRAS = {
    "channels": "websocket",
    "rest_framework_simplejwt": "jwt",
    "jwt": "jwt",
    "channels_redis": "redis",
    "redis": "redis",
    "uvicorn": "server",
    "httptools": "server",
    "psycopg": "postgres",
    "limits": "jwt",
    "rich": "import",
    "prometheus_client": "metrics",
}


def remedy(error: ImportError) -> str | None:
    """Return the command that installs what an import missed, or None where no extra brings it."""
    extra = EXTRAS.get((error.name or "").partition(".")[0])
    return f"pip install 'django-parley[{extra}]'" if extra else None


@contextmanager
def named() -> Iterator[None]:
    """Import what a door needs. Raises ModuleNotFoundError that names the extra, where it is absent."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (command := remedy(error)) and command not in str(error):
            raise ModuleNotFoundError(f"{error}: {command}", name=error.name) from error
        raise
