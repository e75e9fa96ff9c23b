"""The settings of the tests for a host that signs people in by other packages' classes alone."""

from tests.settings import *
from tests.settings import CHAT, INSTALLED_APPS, SIMPLE_JWT

INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework.authtoken"]
SIMPLE_JWT["SIGNING_KEY"] = "the key of the host's own tokens, for a test only: 1357924680"
SIMPLE_JWT["LEEWAY"] = 0
CHAT["AUTHENTICATION"] = [
    "rest_framework_simplejwt.authentication.JWTAuthentication",
    "rest_framework.authentication.TokenAuthentication",
    "rest_framework.authentication.BasicAuthentication",
]
CHAT["JWT"] = {"SIGNING_KEY": "the key of the chat's tokens, for a test only: 0246813579"}
CHAT["LIMIT_ADDRESS"] = ""
