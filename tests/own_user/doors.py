"""The same host with every door open: what it then needs is more than the core."""

from tests.own_user.settings import *

ROOT_URLCONF = "tests.own_user.open_urls"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CHAT = {
    "OUTLETS": ["chat.outlets.sockets.deliver"],
    "AUTHENTICATION": ["chat.rest.auth.authentication.DeviceAuthentication"],
}
