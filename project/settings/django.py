"""Django itself: what is installed and where things are."""

import sys
from pathlib import Path

from project.env import DEBUG as DEBUG
from project.env import ROOT, env, hosts, number, secret

SECRET_KEY = secret("SECRET_KEY", shortest=50)
ALLOWED_HOSTS = hosts("ALLOWED_HOSTS")

INSTALLED_APPS = [
    "chat",  # above staticfiles: its runserver serves sockets too
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "rest_framework",
    "drf_spectacular_sidecar",  # Swagger UI from our own address
]

MIDDLEWARE = [
    # The redirect to https and the answer to a preflight come from further down and need these headers too.
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "project.urls"
# A sign-in page that was opened without `next` leads here.
LOGIN_REDIRECT_URL = "chat_rest:root"
ASGI_APPLICATION = "project.asgi.application"
WSGI_APPLICATION = "project.wsgi.application"
# Threads of each process that answer HTTP requests; read by project/handler.py.
HTTP_THREADS = number("HTTP_THREADS", default=16, least=1)

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "project" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(ROOT / "staticfiles")))
STATICFILES_DIRS = [ROOT / "project" / "static"]
# Names with hashes exist only once `collectstatic` has run; before that the pages come without their looks.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or not (STATIC_ROOT.is_dir() or "collectstatic" in sys.argv)
        else "servestatic.storage.CompressedManifestStaticFilesStorage",
    },
}

MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(ROOT / "media"))
