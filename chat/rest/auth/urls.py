"""Sign-in; to be included under ``api/auth/``, before the rest of the API."""

from __future__ import annotations

from django.urls import path

from chat.rest.auth.views import (
    DeviceViewSet,
    LogoutViewSet,
    RefreshViewSet,
    RegistrationViewSet,
    TicketViewSet,
    TokenViewSet,
)

app_name = "chat_auth"

CREATE = {"post": "create"}

urlpatterns = [
    path("register/", RegistrationViewSet.as_view(CREATE), name="register"),
    path("token/", TokenViewSet.as_view(CREATE), name="token"),
    path("token/refresh/", RefreshViewSet.as_view(CREATE), name="refresh"),
    path("ticket/", TicketViewSet.as_view(CREATE), name="ticket"),
    path("logout/", LogoutViewSet.as_view(CREATE), name="logout"),
    path(
        "devices/",
        DeviceViewSet.as_view({"get": "list", "delete": "destroy_all"}),
        name="devices",
    ),
    path("devices/<uuid:device>/", DeviceViewSet.as_view({"delete": "destroy"}), name="device"),
]
