"""What a worker process begins with. It imports little: until this is loaded a worker answers no sign of life."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading

from starlette.types import ASGIApp

from fer_core.service.limits import Limits


def worker_app(limits: Limits, model: str | None) -> ASGIApp:
    """Return the application of a worker, which ends when the process that started it was killed.

    The arguments are those of `create_app`.
    """
    from fer_core.service.app import create_app

    if parent := multiprocessing.parent_process():

        def end_with_parent() -> None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=end_with_parent, daemon=True).start()
    return create_app(limits, model)
