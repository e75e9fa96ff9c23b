"""What `startproject` gives, and the layer that the tutorial names."""

import os

SECRET_KEY = "for measurements only"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
ASGI_APPLICATION = "tests.bench.tutorial.asgi.application"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            # redis-py 8 gives up after 5 s of silence unless told otherwise, and the layer with it.
            "hosts": [{"address": os.environ["REDIS_URL"], "socket_timeout": 30}],
            "prefix": os.environ["REDIS_PREFIX"],
        },
    }
}
