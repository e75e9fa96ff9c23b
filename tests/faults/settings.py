"""The settings of production for servers that faults are done to, and a place where sabotage gets in."""

from project.settings import *
from project.settings import INSTALLED_APPS, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Nothing is collected here, so there is no manifest to look names up in.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.sabotage.SabotageConfig"]
