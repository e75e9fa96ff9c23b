"""The layer between processes: Redis where REDIS_URL is set, memory for a single process."""

from typing import Any

from project.env import env, redis

_url = redis("REDIS_URL")

# Without timeouts a Redis that hangs, rather than dies, holds every socket that sends.
_redis: dict[str, Any] = {
    "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
    "CONFIG": {
        "hosts": [
            {
                "address": _url,
                "socket_timeout": 3,
                "socket_connect_timeout": 3,
                "health_check_interval": 15,
            }
        ],
        "prefix": env.str("REDIS_PREFIX", default="chat"),
    },
}

CHANNEL_LAYERS = {
    "default": _redis if _url else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
