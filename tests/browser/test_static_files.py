"""Static files pass Django by; what a browser is told of them is the same."""

from __future__ import annotations

import httpx2
import pytest

from tests.live.processes import SetUp


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("welcome/parley.svg", 200),
        ("chat/console/console.js", 200),
        ("admin/css/base.css", 200),
        ("chat/", 404),
        ("../manage.py", 404),
        ("%2e%2e/manage.py", 404),
        ("nothing.js", 404),
    ],
)
def test_a_static_file_has_its_headers_and_no_folder_is_listed(
    site: SetUp, path: str, status: int
) -> None:
    answer = httpx2.get(f"http://{site.addresses[0]}/static/{path}")
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "server" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers
    if status == 200:
        # Django adds it itself, where the request came over TLS.
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
