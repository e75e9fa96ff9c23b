"""A bare API: Django REST framework and simplejwt, one viewset that stores one row. Served by uvicorn.

``python -m tests.bench.viewset`` makes its tables and one person, and prints that person's token.
With POOL=1 it keeps its connections, as the product does; without, each request opens one, as by Django's default.
"""

import os

import django
import environ
from django.conf import settings

SECRET_KEY = "for measurements only, and as long as HS256 wants it to be"

settings.configure(
    SECRET_KEY=SECRET_KEY,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    DATABASES={
        "default": {
            **environ.Env.db_url_config(os.environ["DATABASE_URL"]),
            "OPTIONS": {"pool": True} if os.environ.get("POOL") else {},
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework_simplejwt.authentication.JWTAuthentication"
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
)
django.setup()

from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.db import connection, models
from django.urls import include, path
from rest_framework import serializers, viewsets
from rest_framework.routers import SimpleRouter


class Note(models.Model):
    sender = models.ForeignKey(User, on_delete=models.CASCADE)
    room = models.UUIDField(db_index=True)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "viewset"

    def __str__(self) -> str:
        return str(self.pk)


class NoteSerializer(serializers.ModelSerializer):
    class Meta:
        model = Note
        fields = ["id", "room", "text", "created_at"]


class NoteViewSet(viewsets.ModelViewSet):
    queryset = Note.objects.all()
    serializer_class = NoteSerializer

    def perform_create(self, serializer: NoteSerializer) -> None:
        serializer.save(sender=self.request.user)


router = SimpleRouter()
router.register("notes", NoteViewSet)
urlpatterns = [path("api/", include(router.urls))]
application = get_asgi_application()


def main() -> None:
    from datetime import timedelta

    from django.core.management import call_command
    from rest_framework_simplejwt.tokens import AccessToken

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Note)
    token = AccessToken.for_user(User.objects.create_user("ann"))
    token.set_exp(lifetime=timedelta(hours=10))
    print(token)


if __name__ == "__main__":
    main()
