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
    path("register/", RegistrationViewSet.as_view(CREATE, name="Make an account"), name="register"),
    path("token/", TokenViewSet.as_view(CREATE, name="Sign in"), name="token"),
    path("token/refresh/", RefreshViewSet.as_view(CREATE, name="Renew tokens"), name="refresh"),
    path("ticket/", TicketViewSet.as_view(CREATE, name="Socket ticket"), name="ticket"),
    path("logout/", LogoutViewSet.as_view(CREATE, name="Sign out"), name="logout"),
    path(
        "devices/",
        DeviceViewSet.as_view({"get": "list", "delete": "destroy_all"}, name="My devices"),
        name="devices",
    ),
    path(
        "devices/<uuid:device>/",
        DeviceViewSet.as_view({"delete": "destroy"}, name="Device"),
        name="device",
    ),
]
