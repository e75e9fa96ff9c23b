"""Which path is which socket; ``application`` is the line that a host's asgi.py adds."""

from __future__ import annotations

from typing import Any

from django.urls import path, re_path

from chat.extras import named
from chat.websocket.consumer import all_rooms, direct_room, nowhere, one_room

with named():
    from channels.routing import URLRouter

# Django's path() is typed for views; Channels routes ASGI applications by it.
_path: Any = path
_re_path: Any = re_path

websocket_urlpatterns = [
    _path("ws/", all_rooms),
    _path("ws/rooms/<uuid:room_id>/", one_room),
    _path("ws/direct/<uuid:user_id>/", direct_room),
    # Anything else is told so, instead of failing in the handshake; a path may even hold line breaks.
    _re_path("", nowhere),
]

application = URLRouter(websocket_urlpatterns)
