"""What the service answers to."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

from project.health import alive, ready

urlpatterns = [
    path("", TemplateView.as_view(template_name="welcome.html"), name="welcome"),
    path("admin/", admin.site.urls),
    path("api/auth/", include("chat.rest.auth.urls")),
    path("api/", include("chat.rest.docs.urls")),
    path("api/", include("chat.rest.urls")),
    path("api-auth/", include("rest_framework.urls")),
    path("healthz", alive, name="alive"),
    path("readyz", ready, name="ready"),
]
