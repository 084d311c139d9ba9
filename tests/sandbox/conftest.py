"""How the sandbox's tests ask it: over a real socket, as any client would."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, TypeAlias

import httpx
import pytest

from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.server import Sandbox

Start: TypeAlias = Callable[..., Sandbox]
Ask: TypeAlias = Callable[..., httpx.Response]
Rows: TypeAlias = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a sandbox by switches; all are stopped after the test."""
    with ExitStack() as stack:

        def _start(**switches: Any) -> Sandbox:
            small = {"registrations": 40, "days": 30} | switches
            return stack.enter_context(Sandbox(SandboxConfig(**small)))

        yield _start


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client that keeps its connections."""
    with httpx.Client(timeout=5, trust_env=False) as client:
        yield client


@pytest.fixture
def ask(client: httpx.Client) -> Ask:
    """Asks a sandbox's API, with its token and for many rows unless told otherwise."""

    def _ask(sandbox: Sandbox, **fields: Any) -> httpx.Response:
        return client.post(sandbox.api_url, json={"token": sandbox.token, "number": 100_000} | fields)

    return _ask


@pytest.fixture
def rows(ask: Ask) -> Rows:
    """Asks a sandbox that wraps its rows, and gives them."""

    def _rows(sandbox: Sandbox, **fields: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask(sandbox, **fields).json()["rows"]
        return found

    return _rows
