"""The least that a host needs for the core: no channels, no tokens, a user model of its own."""

import os
from pathlib import Path

SECRET_KEY = "for a test only, and long enough to be let in: 0123456789"
INSTALLED_APPS = [
    "chat",
    "tests.own_user",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
]
AUTH_USER_MODEL = "own_user.Account"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(os.environ["OWN_USER_DATABASE"]),
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
    }
}
USE_TZ = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ROOT_URLCONF = "tests.own_user.urls"
