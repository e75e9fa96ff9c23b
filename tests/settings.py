"""The settings of the tests and of the server processes that they start: those of production, made fast and private."""

import os
import tempfile

# Set before the settings are read, so that a developer's .env decides nothing here.
os.environ.update(
    DEBUG="off",
    SECRET_KEY="for tests only, and long enough to be let in: 0123456789",
    JWT_SIGNING_KEY="for tests only as well, and another one: 9876543210",
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1,[::1]",
)
# A process that a test starts inherits these three, and so meets the others.
os.environ.setdefault(
    "DATABASE_URL", f"sqlite:///{tempfile.gettempdir()}/parley-{os.getpid()}.sqlite3"
)
os.environ.setdefault("REDIS_URL", "")
# People of the tests write as fast as they can, but where a test starts a process with limits of its own.
os.environ.setdefault("CHAT_LIMIT_WRITES", "")
os.environ.setdefault("CHAT_LIMIT_READS", "")
os.environ.setdefault("CHAT_LIMIT_READS_ADDRESS", "")
os.environ.setdefault("CHAT_LIMIT_FRAMES", "")
os.environ.setdefault("CHAT_LIMIT_GROUPS", "")
os.environ.setdefault("CHAT_LIMIT_DIRECT", "")
os.environ.setdefault("CHAT_LIMIT_JOINS", "")
os.environ.setdefault("CHAT_LIMIT_CHANGES", "")
os.environ.setdefault("REDIS_PREFIX", f"parley-{os.getpid()}")

from project.settings import *
from project.settings import CHAT, DATABASES, LOGGING, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Servers under test speak plain HTTP on the loopback.
SECURE_SSL_REDIRECT = False

# But for the tests in a browser nothing is collected, so there is no manifest to look names up in.
if "STATIC_ROOT" not in os.environ:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# A file, because threads cannot share SQLite's memory as they share a file; a name of its own, for runs side by side.
_database = DATABASES["default"]
_pattern = "{}.test{}" if _database["ENGINE"].endswith("sqlite3") else "test_{}_{}"
_database["TEST"] = {"NAME": _pattern.format(_database["NAME"], os.getpid())}

# What happens by the clock happens soon, so that a test need not wait for it.
CHAT.update(HEARTBEAT=1, TICK=1, RECHECK=1)

# All the people of the tests come from one address.
CHAT.update(LIMIT_REGISTER="100000/hour")

# Tests fetch hundreds of pages; a line for each would bury what they say.
LOGGING["loggers"]["httpx2"] = {"level": "WARNING"}

# A host's own way to sign in, beside the service's.
CHAT["AUTHENTICATION"] = [*CHAT["AUTHENTICATION"], "tests.api_key.ApiKeyAuthentication"]
