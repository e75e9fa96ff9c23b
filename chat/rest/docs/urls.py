"""The documents and their pages; to be included under ``api/``, before the rest of the API.

The REST document and Swagger UI are there where drf-spectacular and its sidecar are installed.
"""

from __future__ import annotations

from importlib.util import find_spec

from django.apps import apps
from django.urls import path

from chat.rest.docs.views import AsyncApiViewSet, OpenApiViewSet, Page

app_name = "chat_docs"

ONE = {"get": "retrieve"}

urlpatterns = [
    path("asyncapi/", AsyncApiViewSet.as_view(ONE), name="asyncapi"),
    path("console/", Page.as_view(template_name="chat/console.html"), name="console"),
]

if find_spec("drf_spectacular"):
    urlpatterns.append(path("schema/", OpenApiViewSet.as_view(ONE), name="schema"))
    if apps.is_installed("drf_spectacular_sidecar"):
        urlpatterns.append(path("docs/", Page.as_view(template_name="chat/docs.html"), name="docs"))
