"""Where pushes go: a receiver over HTTP, or a folder that gets each body as a file."""

import os
import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

import httpx

from progress_pipeline.sandbox.config import SandboxConfig

POST_TIMEOUT_SECONDS = 10.0
WRONG_TOKEN = "not-the-token"  # noqa: S105 - wrong on purpose


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt.

    Attributes:
        status: The receiver's HTTP status; None if it did not answer.
        error: Why it did not.
        is_down: Whether the attempt failed by a switch, without leaving.
    """

    status: int | None = None
    error: str | None = None
    is_down: bool = False

    @property
    def is_taken(self) -> bool:
        """Whether the receiver took the delivery."""
        return self.status is not None and httpx.codes.is_success(self.status)

    @property
    def lost_because(self) -> Literal["receiver_down", "refused", "unreachable"]:
        """Why a delivery is lost whose last attempt ended so."""
        if self.is_down:
            return "receiver_down"
        return "unreachable" if self.status is None else "refused"


class Target(Protocol):
    """Something that takes deliveries."""

    def deliver(self, body: bytes, at: datetime, delivery_id: int, *, has_wrong_token: bool = False) -> Outcome:
        """Hand over one body."""

    def close(self) -> None:
        """Let go of connections."""


class Receiver:
    """A receiver over HTTP or HTTPS, authenticated by a token in the query string or a header."""

    def __init__(self, config: SandboxConfig, token: str) -> None:
        self._url = config.push_url or ""
        if self._url.startswith("https:"):
            context = ssl.create_default_context(cafile=config.push_ca_file)
        else:  # without loading the system's authorities, which takes a while
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client = httpx.Client(verify=context, timeout=POST_TIMEOUT_SECONDS, trust_env=False)
        self._name, self._token = config.push_token_name, token
        self._is_in_query = config.push_auth_by != "header"

    def deliver(self, body: bytes, at: datetime, delivery_id: int, *, has_wrong_token: bool = False) -> Outcome:
        """POST one body."""
        del at, delivery_id  # the vendor tells neither
        token = {self._name: WRONG_TOKEN if has_wrong_token else self._token}
        headers = {"Content-Type": "application/json"} | ({} if self._is_in_query else token)
        url = httpx.URL(self._url).copy_merge_params(token) if self._is_in_query else self._url
        try:
            return Outcome(status=self._client.post(url, content=body, headers=headers).status_code)
        except httpx.HTTPError as error:
            return Outcome(error=type(error).__name__)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class Folder:
    """A folder that gets each body as `<day>/<delivery>.json`, written at the delivery's own time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, body: bytes, at: datetime, delivery_id: int, *, has_wrong_token: bool = False) -> Outcome:
        """Write one body, whole or not at all."""
        if has_wrong_token:
            return Outcome(status=401)
        path = self._folder / at.date().isoformat() / f"{delivery_id:09}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part")
        aside.write_bytes(body)
        os.utime(aside, (at.timestamp(), at.timestamp()))
        aside.replace(path)
        return Outcome(status=200)

    def close(self) -> None:
        """Nothing is held open."""


def make_target(config: SandboxConfig, token: str) -> Target | None:
    """Make what the switches name, if they name one."""
    if config.push_folder:
        return Folder(config.push_folder)
    return Receiver(config, token) if config.push_url else None
