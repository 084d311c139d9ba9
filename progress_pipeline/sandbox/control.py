"""The control address: the truth, the clock and the switches over HTTP, for a test in another process.

GET /truth, /truth/updates, /truth/registrations, /truth/lost, /truth/pushes, /truth/calls, /clock, /switches;
POST /clock {"set": instant} or {"move_seconds": n}; POST /switches {name: value} changes switches while it runs;
POST /calls {"use": n} uses calls up, as another client would. A move answers when all that was due has been pushed.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import msgspec

from progress_pipeline.errors import UsageError
from progress_pipeline.sandbox.answering import Answer
from progress_pipeline.sandbox.config import SandboxConfig
from progress_pipeline.sandbox.moving import SandboxClock
from progress_pipeline.sandbox.switches import read_switches
from progress_pipeline.sandbox.truth import Truth


class Controlled(Protocol):
    """What the control address needs of a sandbox."""

    truth: Truth
    clock: SandboxClock
    config: SandboxConfig

    def change(self, **switches: Any) -> None:
        """Change switches."""

    def use_calls(self, number: int) -> None:
        """Count calls that another client made."""


def control_route(sandbox: Controlled) -> Callable[[str, str, bytes], Answer]:
    """Make the route of the control address."""
    truth = sandbox.truth
    tellers: dict[str, Callable[[], Any]] = {
        "/truth": truth.summary,
        "/truth/updates": truth.updates,
        "/truth/registrations": truth.registrations,
        "/truth/lost": truth.lost,
        "/truth/pushes": truth.pushes,
        "/truth/calls": truth.calls,
        "/calls": lambda: {"calls_today": truth.summary().calls_today},
        "/clock": lambda: {"clock": sandbox.clock()},
        "/switches": lambda: sandbox.config,
    }
    actors: dict[str, Callable[[dict[str, Any]], None]] = {
        "/calls": lambda asked: sandbox.use_calls(int(asked["use"])),
        "/clock": lambda asked: _move(sandbox, asked),
        "/switches": lambda asked: sandbox.change(**read_switches(asked)),
    }

    def route(method: str, path: str, body: bytes) -> Answer:
        try:
            if method == "POST" and path in actors:
                actors[path](msgspec.json.decode(body, type=dict[str, Any]))
            elif method != "GET" or path not in tellers:
                return _answer(HTTPStatus.NOT_FOUND, {"error": f"There is no {method} {path}", "paths": [*tellers]})
            return _answer(HTTPStatus.OK, tellers[path]())
        except (UsageError, msgspec.MsgspecError, ValueError, KeyError) as error:
            return _answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})

    return route


def _move(sandbox: Controlled, asked: dict[str, Any]) -> None:
    if "set" in asked:
        sandbox.clock.set(datetime.fromisoformat(asked["set"]))
    elif "move_seconds" in asked:
        sandbox.clock.move(timedelta(seconds=float(asked["move_seconds"])))
    else:
        raise UsageError('The clock takes {"set": instant} or {"move_seconds": number}.')


def _write_other(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"a value of type {type(value)}")


def _answer(status: int, value: Any) -> Answer:
    return Answer(status, msgspec.json.encode(value, enc_hook=_write_other))
