"""uvicorn's server on our acceptor, begun and ended our way.

uvicorn is kept for what it does well, the protocol. Its own way of ending raises the signal again, which would cut
short the draining and sealing that follow, and closes a loop on connections that still say goodbye.
"""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Generator
from types import FrameType

import uvicorn

from progress_pipeline.receiver.accepting import Acceptor

_TICK_SECONDS = 0.1
_LOOK_SECONDS = 0.02
_LAST_LOOKS = 50


class UvicornServer(uvicorn.Server):
    """Serves until a signal or `should_exit` tells it to end."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        make_acceptor: Callable[[uvicorn.Server], Acceptor],
        on_started: Callable[[], None],
        stop_seconds: float,
    ) -> None:
        super().__init__(config)
        self._make_acceptor = make_acceptor
        self._on_started = on_started
        self._stop_seconds = stop_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept."""
        del sockets
        acceptor = self._make_acceptor(self)
        self.servers = [acceptor]  # type: ignore[list-item]
        acceptor.start()
        self.started = True
        self._on_started()

    async def main_loop(self) -> None:
        """Keep the date in the answers' headers, until told to end."""
        tick = 0
        while not await self.on_tick(tick):
            for _ in range(int(_TICK_SECONDS / _LOOK_SECONDS)):
                await asyncio.sleep(_LOOK_SECONDS)
                if self.should_exit:
                    break
            tick = (tick + 1) % 10

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, let requests under way end, then cut off whoever is left."""
        del sockets
        connections, tasks = self.server_state.connections, self.server_state.tasks
        for server in self.servers:
            server.close()
        for connection in list(connections):
            connection.shutdown()
        for _ in range(int(self._stop_seconds / _LOOK_SECONDS)):
            if not connections and not tasks:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        for task in list(tasks):
            task.cancel()
        for _ in range(_LAST_LOOKS):
            if not connections and not tasks:
                break
            for connection in list(connections):
                connection.transport.abort()
            await asyncio.sleep(_LOOK_SECONDS)
        for server in self.servers:
            await server.wait_closed()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """End on SIGTERM and SIGINT, without raising them again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ask the server to end."""
        del sig, frame
        self.should_exit = True
