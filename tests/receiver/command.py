"""Runs the receiver as the process that it is in earnest, to be signalled and killed; and writers that load it."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from progress_pipeline.settings import Settings
from tests.receiver.conftest import TOKEN, TOKEN_NAME, Authority

_RUN = "from progress_pipeline.settings import load_settings; from progress_pipeline.receiver.server import serve; "


class ReceiverProcess:
    """A receiver in a process of its own; killed with its context if it still lives."""

    def __init__(self, settings: Settings, log: Path, *, before: str = "", **environment: str) -> None:
        told = {
            f"PROGRESS_{name.upper()}": value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
            for name, value in settings
            if name.startswith("webhook") or name == "data_dir"
            if value is not None
        }
        self._log = log
        with log.open("a") as stream:
            start = log.stat().st_size
            self.process = subprocess.Popen(  # noqa: S603 (our own interpreter)
                [sys.executable, "-c", f"{_RUN}{before}serve(load_settings())"],
                env={**os.environ, **told, **environment},
                cwd=log.parent,
                stderr=stream,
            )
        self.url = self._wait_for(r"receiving at ([^\s\"]+)", start)
        self.metrics_url = self._wait_for(r"metrics at ([^\s\"]+)", start)

    def _wait_for(self, pattern: str, start: int) -> str:
        pause = threading.Event()
        for _ in range(1_000):
            found = re.search(pattern, self._log.read_text()[start:])
            if found:
                return found[1]
            if self.process.poll() is not None:
                raise RuntimeError(f"the receiver ended: {self._log.read_text()[start:]}")
            pause.wait(0.01)
        raise RuntimeError("the receiver does not start")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()


class Writers:
    """Threads that deliver until told to stop, and remember what was acknowledged."""

    def __init__(self, count: int, authority: Authority, url: str) -> None:
        self.acknowledged: set[str] = set()
        self.statuses: set[int] = set()
        self._url = url
        self._authority = authority
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._deliver, args=(number,)) for number in range(count)]

    def _deliver(self, number: int) -> None:
        with httpx.Client(verify=self._authority.trust, timeout=10) as client:
            sent = 0
            while not self._stop.is_set():
                sent += 1
                try:
                    body = b'{"writer": %d, "sent": %d}' % (number, sent)
                    answer = client.post(self._url, content=body, headers={TOKEN_NAME: TOKEN})
                except httpx.TransportError:
                    return
                self.statuses.add(answer.status_code)
                if answer.status_code == httpx.codes.OK:
                    self.acknowledged.add(answer.json()["delivery_id"])

    def wait_for(self, count: int) -> None:
        """Wait until so many deliveries were acknowledged."""
        for _ in range(2_000):
            if len(self.acknowledged) >= count:
                return
            self._stop.wait(0.01)
        raise RuntimeError(f"only {len(self.acknowledged)} of {count} were acknowledged; statuses {self.statuses}")

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
