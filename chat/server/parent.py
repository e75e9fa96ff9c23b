"""Workers that do not outlive the process that started them."""

from __future__ import annotations

import logging
import signal
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from threading import Thread

logger = logging.getLogger("uvicorn.error")


def stop_with_parent() -> None:
    """Stop this process gracefully once its parent is gone, if it is a worker of another process.

    Otherwise workers would keep the port after a ``kill -9`` of the first process, with nobody to restart them.
    """
    parent = parent_process()
    if parent is not None:
        Thread(target=_stop_after, args=(parent,), name="parent", daemon=True).start()


def _stop_after(parent: BaseProcess) -> None:
    # A pipe that closes with the parent: it works on every platform, and however the parent ended.
    parent.join()
    logger.error("The first process is gone: this worker stops too.")
    signal.raise_signal(signal.SIGTERM)
