"""Passwords of the service are hashed as Django hashes them, in a thread that stands behind all others."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import Settings
from django.contrib.auth import hashers as django_hashers
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password, make_password

from project import hashers
from project.hashers import PatientPBKDF2PasswordHasher

pytestmark = pytest.mark.once


def test_the_service_uses_it_and_reads_what_django_hashed(settings: Any) -> None:
    settings.PASSWORD_HASHERS = Settings("project.settings").PASSWORD_HASHERS
    django_hashers.get_hashers.cache_clear()
    kept = make_password("one long password")
    assert isinstance(django_hashers.get_hasher(), PatientPBKDF2PasswordHasher)
    assert PBKDF2PasswordHasher().verify("one long password", kept)
    assert not check_password("another", PBKDF2PasswordHasher().encode("one", "salt"))
    assert check_password("one", PBKDF2PasswordHasher().encode("one", "salt"))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority")
def test_one_at_a_time_behind_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []

    def encode(self: object, *given: object) -> str:
        thread = threading.get_native_id()
        seen.append((thread, os.getpriority(os.PRIO_PROCESS, thread)))
        return "hashed"

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", encode)
    with ThreadPoolExecutor(4) as many:
        told = list(many.map(PatientPBKDF2PasswordHasher().encode, "abcd", "efgh"))
    assert told == ["hashed"] * 4
    assert len(set(seen)) == 1
    assert seen[0][1] == min(os.getpriority(os.PRIO_PROCESS, 0) + hashers.NICE, 19)
