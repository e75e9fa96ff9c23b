"""The chat itself."""

CHAT = {
    "OUTLETS": ["chat.outlets.sockets.deliver"],
    "AUTHENTICATION": [
        "chat.rest.auth.authentication.DeviceAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
}
