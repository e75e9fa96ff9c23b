"""Passwords, hashed where it holds up nobody else: one at a time, behind whatever else wants the processor."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from django.contrib.auth.hashers import PBKDF2PasswordHasher

# To the system a thread that does nothing but hash is worth a tenth of one that answers: it waits, and still comes on.
NICE = 10


def _step_back() -> None:
    # A priority of one thread is Linux's own; elsewhere it would be that of the whole process.
    if sys.platform == "linux":
        thread = threading.get_native_id()
        nice = os.getpriority(os.PRIO_PROCESS, thread) + NICE
        os.setpriority(os.PRIO_PROCESS, thread, min(nice, 19))


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="hashing", initializer=_step_back)


class PatientPBKDF2PasswordHasher(PBKDF2PasswordHasher):
    """Django's own, and the same hashes. Who signs in waits for others who do, and no message waits for either."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        hashing = _thread().submit(super().encode, password, salt, iterations)
        return hashing.result()
