"""The settings of the tests, and a second database: SQLite, whatever the first one is."""

import os
import tempfile

from tests.settings import *
from tests.settings import CHAT, DATABASES

_place = f"{tempfile.gettempdir()}/parley-{os.getpid()}-apart.sqlite3"
DATABASES["chat"] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": _place,
    "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    "TEST": {"NAME": f"{_place}.test"},
}
CHAT["DATABASE"] = "chat"
DATABASE_ROUTERS = ["chat.routers.ChatRouter"]
