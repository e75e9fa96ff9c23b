"""What the service answers to."""

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import include, path
from django.views.generic import TemplateView

from chat.limits.logins import limited_login
from project.favicon import favicon
from project.health import alive, ready

LOGIN = "login.html"

urlpatterns = [
    path("", TemplateView.as_view(template_name="welcome.html"), name="welcome"),
    # Wrong passwords count here as in the API, and as at the admin's own login.
    path("api-auth/login/", limited_login(LoginView.as_view(template_name=LOGIN))),
    path("admin/", admin.site.urls),
    path("api/auth/", include("chat.rest.auth.urls")),
    path("api/", include("chat.rest.docs.urls")),
    path("api/", include("chat.rest.urls")),
    path("api-auth/", include("rest_framework.urls")),
    path("favicon.ico", favicon),
    path("healthz", alive, name="alive"),
    path("readyz", ready, name="ready"),
]
