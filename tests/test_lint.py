"""Each static check finds what it looks for, and nothing else: every one of them is shown red here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.views import APIView

from tests.lint import endpoints, requirements, secrets, source
from tests.lint.advisories import reported

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("from django.utils.safestring import mark_safe", "mark_safe"),
        ("safestring.mark_safe(text)", "mark_safe"),
        ("@csrf_exempt\ndef view(request): ...", "csrf_exempt"),
        ("Message.objects.raw(text)", ".raw()"),
        ("Message.objects.extra(where=[text])", ".extra()"),
        ("RawSQL(text, ())", "RawSQL"),
        ("eval(text)", "eval"),
        ("exec(text)", "exec"),
        ("import pickle", "pickle"),
        ("from pickle import loads", "pickle"),
        ("import marshal", "marshal"),
        ("requests.get(url, verify=False)", "verify=False"),
        ('class Meta:\n    fields = "__all__"', "__all__"),
    ],
)
def test_unsafe_code_is_found(code: str, word: str) -> None:
    (found,) = {said for _, said in source.in_python(code)}
    assert word in found


@pytest.mark.parametrize(
    "code",
    [
        '__all__ = ["name"]',
        "redis.eval(SCRIPT, 1, key)",
        "format_html('<b>{}</b>', text)",
        'fields = ("id", "text")',
        "requests.get(url, verify=True)",
        "text = 'mark_safe, pickle, eval(x)'",
    ],
)
def test_other_code_is_not(code: str) -> None:
    assert not list(source.in_python(code))


@pytest.mark.parametrize(
    "line",
    [
        "{{ text|safe }}",
        "{{ text | safe }}",
        "{% autoescape off %}",
        "box.innerHTML = text;",
        "document.write(text)",
    ],
)
def test_unsafe_markup_is_found(line: str) -> None:
    assert [number for number, _ in source.in_markup(f"<p>\n{line}")] == [2]


def test_other_markup_is_not() -> None:
    assert not list(source.in_markup("{{ text|safe_name }} {{ unsafe }} box.textContent = text;"))


# The parts are joined here, so that the scan of the history does not find them.
SECRETS = [
    ("key = 'AKIA" + "QYLPMN5HFIQR7XYA'", "AWS Access Key"),
    ("-----BEGIN RSA " + "PRIVATE KEY-----", "Private Key"),
    ("token = 'ghp_" + "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'", "GitHub Token"),
]


@pytest.mark.parametrize(("line", "kind"), SECRETS)
def test_a_secret_is_found(line: str, kind: str) -> None:
    for named in (False, True):
        assert kind in {found for _, found in secrets.kinds_in([line], named=named)}


@pytest.mark.parametrize(
    "line",
    ["DATABASE_PASSWORD = 'g7Kq" + "-x2Lw-93vT'", "redis://user:" + "9f86d081884c7d659a2f@cache"],
)
def test_a_password_by_its_name_or_place_is_found_in_the_code(line: str) -> None:
    assert list(secrets.kinds_in([line]))
    assert not list(secrets.kinds_in([line], named=False))


def test_what_is_allowed_is_not_found() -> None:
    assert not list(secrets.kinds_in(f'password = "{value}"' for value in secrets.ALLOWED))


def test_the_example_environment_holds_no_secret() -> None:
    lines = (requirements.FOLDER.parent / ".env.example").read_text().splitlines()
    set_here = dict(
        line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")
    )
    assert {name for name, value in set_here.items() if value} == {"DEBUG"}
    assert not list(secrets.kinds_in(lines))


HASH = " \\\n    --hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("django==5.2.19", "no hash"),
        ("django==5.2.19 \\\n    --hash=md5:0", "no hash"),
        (f"django>=5.2{HASH}", "not pinned"),
        ("--index-url https://example.org/simple", "not pinned"),
        ("https://example.org/django.whl", "not pinned"),
        ("-e .", "not pinned"),
    ],
)
def test_a_requirement_that_is_not_locked_is_found(text: str, word: str) -> None:
    (found,) = requirements.locked(text)
    assert word in found


def test_a_locked_requirement_is_not() -> None:
    text = f"# A comment.\ndjango==5.2.19{HASH}\nuvloop==0.23.0 ; sys_platform != 'win32'{HASH}"
    assert not list(requirements.locked(text))
    assert list(requirements.wanted("# Why.\n-r base.in\npsycopg[pool]==3.3.9\nA_b==1")) == [
        "psycopg==3.3.9",
        "a-b==1",
    ]


class Closed(APIView):
    permission_classes = [IsAuthenticated]


class Open(APIView):
    permission_classes = [AllowAny]


class Undecided(APIView):
    permission_classes = []


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def test_an_endpoint_without_sign_in_is_found() -> None:
    views: dict[str, Any] = {
        "closed/": Closed.as_view(),
        "open/": Open.as_view(),
        "undecided/": Undecided.as_view(),
        "plain/": plain,
        "admin/plain/": plain,
    }
    found = endpoints.open_endpoints([path(name, view) for name, view in views.items()])
    assert set(found) == views.keys() - {"closed/"}


def test_an_index_that_reports_nothing_has_not_answered() -> None:
    vulnerable = {"dependencies": [{"name": "django", "vulns": [{"id": "PYSEC-1"}]}]}
    assert reported(json.dumps(vulnerable))
    assert not reported(json.dumps({"dependencies": [{"name": "django", "vulns": []}]}))
    assert not reported(json.dumps({"dependencies": [{"name": "django", "skip_reason": "none"}]}))
    assert not reported("")
