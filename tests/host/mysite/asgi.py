"""HTTP as before, and one line for sockets."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
http = get_asgi_application()

from chat.websocket.routing import application as sockets  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": sockets})
