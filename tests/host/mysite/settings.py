"""A host with opinions of its own about everything; what it says of the chat stands at the end, and nowhere else."""

import os
from datetime import timedelta

import environ

SECRET_KEY = "the host's own key, for a test only, and long enough: 0123456789"
ALLOWED_HOSTS = ["testserver", "127.0.0.1"]
INSTALLED_APPS = [
    "chat",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "accounts",
    "orders",
]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "mysite.urls"
ASGI_APPLICATION = "mysite.asgi.application"
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [], "APP_DIRS": True}
]
AUTH_USER_MODEL = "accounts.Account"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {
    "default": {**environ.Env().db_url("HOST_DATABASE_URL"), "ATOMIC_REQUESTS": True},
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE"}
    # A file, because threads share no memory of SQLite's without locking each other out.
    DATABASES["default"]["TEST"] = {"NAME": DATABASES["default"]["NAME"] + ".test"}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.PaysUs"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 2,
    "DEFAULT_RENDERER_CLASSES": ["accounts.shapes.EnvelopeRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
    "EXCEPTION_HANDLER": "accounts.shapes.refusal",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SIMPLE_JWT = {
    "SIGNING_KEY": "the key of the host's own tokens, for a test only: 1357924680",
    "ACCESS_TOKEN_LIFETIME": timedelta(hours=7),
    "AUTH_HEADER_TYPES": ("Host",),
    "USER_ID_CLAIM": "account",
}

CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CHAT = {
    "OUTLETS": ["chat.outlets.sockets.deliver"],
    "AUTHENTICATION": [
        "chat.rest.auth.authentication.DeviceAuthentication",
        "rest_framework_simplejwt.authentication.JWTAuthentication",
    ],
    "JWT": {
        "SIGNING_KEY": "the key of the chat's tokens, for a test only: 0246813579",
        "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    },
}
if os.environ.get("HOST_CHAT_DATABASE"):
    # The chat's tables apart from everything else: these few lines, and `migrate --database chat`.
    DATABASES["chat"] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["HOST_CHAT_DATABASE"],
        # What a view of the host says in a room is undone with the rest of its request.
        "ATOMIC_REQUESTS": True,
        "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        "TEST": {"NAME": os.environ["HOST_CHAT_DATABASE"] + ".test"},
    }
    CHAT["DATABASE"] = "chat"
    DATABASE_ROUTERS = ["chat.routers.ChatRouter"]
