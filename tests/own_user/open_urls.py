"""REST, which the core brings."""

from django.urls import include, path

urlpatterns = [path("api/", include("chat.rest.urls"))]
