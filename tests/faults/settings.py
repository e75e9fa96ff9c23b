"""The settings of production for servers that faults are done to, and a place where sabotage gets in."""

import os

from chat.conf import DEFAULTS
from project.settings import *
from project.settings import CHAT, INSTALLED_APPS, SILENCED_SYSTEM_CHECKS, STORAGES

# All who talk are of one address, and say more than people do; where limits are the point they are those of production.
if os.environ.get("FAULTS_LIMITS") != "on":
    _kept = {"LIMITS_STORAGE", "LIMITS_PREFIX"}
    CHAT.update({name: None for name in DEFAULTS if name.startswith("LIMIT") and name not in _kept})

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Nothing is collected here, so there is no manifest to look names up in.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.sabotage.SabotageConfig"]

# A planted bug takes the layer that this check refuses.
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "chat.E007"]
