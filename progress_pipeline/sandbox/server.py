"""The sandbox as one thing: a world, the vendor's API over it, its pushes, a clock, and an address for the truth.

Assembly only; each part has a module of its own, and `config` holds every switch.
"""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Self, get_args

from progress_pipeline.errors import UsageError
from progress_pipeline.sandbox.answering import Answer, Api, Shown, not_found
from progress_pipeline.sandbox.chance import Whole, made_uuid
from progress_pipeline.sandbox.config import WORLD_SWITCHES, OddFact, Planted, SandboxConfig, WitnessFault
from progress_pipeline.sandbox.control import control_route
from progress_pipeline.sandbox.drift import Drift
from progress_pipeline.sandbox.instants import NEVER, span_us
from progress_pipeline.sandbox.listing import Listing
from progress_pipeline.sandbox.making import first_instant, make_world
from progress_pipeline.sandbox.moving import SandboxClock
from progress_pipeline.sandbox.payloads import Payloads
from progress_pipeline.sandbox.planting import befallen_rows
from progress_pipeline.sandbox.pushing import Pusher
from progress_pipeline.sandbox.rendering import Renderer
from progress_pipeline.sandbox.serving import Server
from progress_pipeline.sandbox.targets import make_target
from progress_pipeline.sandbox.truth import Truth

API_PATH = "/api/reports/progress"
TICK_SECONDS = 0.25


class Sandbox:
    """A double of the vendor on loopback. Entering it starts it, leaving it stops it.

        with Sandbox(SandboxConfig(push_folder=folder, shares={"push_lost": 0.01})) as sandbox:
            sandbox.clock.move(timedelta(days=1))
            ...  # ask sandbox.api_url with sandbox.token, load the folder
            assert my_gaps == {update.transaction_id for update in sandbox.truth.lost()}

    Args:
        config: Every switch.

    Attributes:
        config: The switches as they are now.
        token: The API's token.
        push_token: The value of the webhook's token.
        clock: Gives the sandbox's time; `set` and `move` move it and send what is due.
        truth: What happened, was told, was lost.
    """

    def __init__(self, config: SandboxConfig | None = None) -> None:
        self.config = config = config or SandboxConfig()
        self.token = config.token or made_uuid(config.seed, "api token")
        self.push_token = config.push_token_value or made_uuid(config.seed, "push token")
        self._world = make_world(config)
        start = first_instant(config, self._world)
        self._target = make_target(config, self.push_token)
        self._drift = Drift(self._world, config)
        self._pusher = Pusher(self._world, config, self._payloads(), self._target, start)
        self.clock = SandboxClock(start, self._pusher.advance)
        self._api = Api(config, self.token, self._show(), self.clock.microseconds)
        self.truth = Truth(self._world, self._api, self._pusher, self.clock.microseconds)
        self._api_server: Server | None = None
        self._control_server: Server | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Open both addresses."""
        config = self.config
        self._api_server = Server(config.api_port, self._answer, self.clock, lambda: self.config)
        self._control_server = Server(config.control_port, control_route(self), self.clock, lambda: self.config)
        self._api_server.start()
        self._control_server.start()

    def stop(self) -> None:
        """Close both addresses and all connections."""
        for server in (self._api_server, self._control_server):
            if server is not None:
                server.stop()
        self._api_server = self._control_server = None
        if self._target is not None:
            self._target.close()

    @property
    def api_url(self) -> str:
        """The API's full endpoint."""
        return _running(self._api_server).url + API_PATH

    @property
    def control_url(self) -> str:
        """The control address."""
        return _running(self._control_server).url

    def change(self, **switches: Any) -> None:
        """Change switches while it runs; what was already told stays told.

        Raises:
            UsageError: A switch shapes the world, or its value is none that it can have.
        """
        fixed = sorted(WORLD_SWITCHES & switches.keys())
        if fixed:
            raise UsageError(f"The sandbox's {', '.join(fixed)} cannot change while it runs; start another.")
        added = set(switches.get("planted", ())) - set(self.config.planted)
        if any(planted.fault in get_args(OddFact) for planted in added):
            raise UsageError("What is wrong in itself is planted before a sandbox starts; start another.")
        with self.clock.standing():
            config = replace(self.config, **switches)
            befallen_rows(self._world, config)  # refuses what cannot be planted
            self._apply(config, switches.keys())

    def _apply(self, config: SandboxConfig, changed: AbstractSet[str]) -> None:
        self.config = config
        if any(name.startswith("push_") for name in changed):
            if self._target is not None:
                self._target.close()
            self._target = make_target(config, self.push_token)
        if {"inserts_per_call", "held_back_share", "renames_per_call"} & changed:
            self._drift = Drift(self._world, config)
        self._pusher.change(config, self._payloads(), self._target)
        self._api.change(config, self._show())

    def plant(self, fault: WitnessFault, *, update_id: int | None = None, transaction_id: int | None = None) -> None:
        """Plant one fault on an update, or on all that is told under a transaction, and has not been told yet."""
        self.change(planted=(*self.config.planted, Planted(fault, transaction_id, update_id)))

    def use_calls(self, number: int) -> None:
        """Use some of the day's calls up, as another client with the same token would."""
        self._api.use_calls(number)

    def _answer(self, method: str, path: str, body: bytes) -> Answer:
        if path != API_PATH:
            return not_found()
        if method == "POST" and self.config.clock_step_per_call:
            self.clock.move(self.config.clock_step_per_call)
        return self._api.answer(method, body)

    def _show(self) -> Shown:
        """Make the API's list and what writes its rows, by the switches as they are now."""
        flags = self._pusher.flags
        renderer = Renderer(self._world, self.config)
        renderer.garbled, renderer.contradicting = flags["api_garbled"], flags["api_contradicts"]
        shown_from: Whole = self._world.at.copy()
        shown_from[flags["api_withheld"]] += span_us(self.config.api_withheld_for)
        shown_from[flags["api_never"]] = NEVER
        shown_from[self._drift.held_back] = NEVER
        return Shown(Listing(self._world, self.config, shown_from), renderer, self._drift)

    def _payloads(self) -> Payloads:
        differs = self.config.push_form_differs
        renderer = Renderer(self._world, self.config, salt="push" if differs else "", is_mixed=differs)
        return Payloads(self._world, self.config, renderer, self.push_token)


def _running(server: Server | None) -> Server:
    if server is None:
        raise UsageError("The sandbox is not running; enter it first (`with Sandbox(config) as sandbox:`).")
    return server


def serve(config: SandboxConfig, stop: threading.Event | None = None) -> None:
    """Run a sandbox in the foreground until it is interrupted; says its addresses and token on stdout.

    Args:
        config: Every switch. With `clock_speed` its clock runs by itself.
        stop: Ends it when set, for a caller that is not a terminal.
    """
    stop = stop or threading.Event()
    with _stopped_by_sigterm(stop), Sandbox(config) as sandbox:
        sys.stdout.write(
            f"API      {sandbox.api_url}\n"
            f"token    {sandbox.token}\n"
            f"control  {sandbox.control_url} (truth, clock, switches)\n"
            f"clock    {sandbox.clock().isoformat()}\n"
            f"pushes   {_describe_pushes(sandbox)}\n"
            "Stop with Ctrl-C.\n"
        )
        sys.stdout.flush()
        try:
            _run_clock(sandbox, config.clock_speed, stop)
        except KeyboardInterrupt:
            sys.stdout.write("Stopped.\n")


def _describe_pushes(sandbox: Sandbox) -> str:
    config = sandbox.config
    if config.push_url is None:
        return f"to the folder {config.push_folder}" if config.push_folder else "nowhere"
    return f"to {config.push_url} with {config.push_token_name}={sandbox.push_token} ({config.push_auth_by})"


@contextmanager
def _stopped_by_sigterm(stop: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run_clock(sandbox: Sandbox, speed: float, stop: threading.Event) -> None:
    before = time.monotonic()
    while not stop.wait(TICK_SECONDS):
        now = time.monotonic()
        if speed > 0:
            sandbox.clock.move(timedelta(seconds=(now - before) * speed))
        before = now
