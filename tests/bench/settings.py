"""The settings of the server under measurement: those of production, without limits on how much one person may do."""

import os

# Set before the settings are read, so that a developer's .env decides nothing here.
os.environ.update(
    DEBUG="off",
    HTTPS="off",
    SECRET_KEY="for measurements only, and long enough: 0123456789 abcdefgh",
    JWT_SIGNING_KEY="for measurements only as well, another one: 9876543210",
    JWT_ACCESS_MINUTES="600",
    ALLOWED_HOSTS="localhost,127.0.0.1",
)

from pathlib import Path

from chat.conf import DEFAULTS
from project.settings import *
from project.settings import CHAT
from tests.bench.counting import count_queries

# A load generator is one address and few people: what stops them stops the measurement. Unless it is measured.
_kept = {"LIMITS_STORAGE", "LIMITS_PREFIX", *os.environ.get("BENCH_LIMITS", "").split()}
CHAT.update({name: None for name in DEFAULTS if name.startswith("LIMIT") and name not in _kept})

# Hundreds of people sign in before each measurement. Where the hashing is what is measured, it is that of production.
if os.environ.get("BENCH_HASHER") != "production":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if path := os.environ.get("BENCH_QUERIES"):
    count_queries(Path(path))
