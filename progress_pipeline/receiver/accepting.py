"""Accepts connections: as many as are allowed, each with the certificate of the moment and a bound on its handshake.

asyncio's own servers keep one certificate for life and do not count who is still shaking hands; so connections are
accepted here and handed to the loop one by one.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence

from progress_pipeline.errors import SettingsError
from progress_pipeline.receiver import refusals
from progress_pipeline.receiver.connections import Connections, Phase
from progress_pipeline.receiver.limits import Limits
from progress_pipeline.receiver.refusals import Refusals
from progress_pipeline.receiver.tls import CertificatePair

_BACKLOG = 1024
_CLOSING_SECONDS = 1.0
_BREATH_SECONDS = 0.05


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of a host; on `::` for IPv4 too.

    Raises:
        SettingsError: It is not this machine's, or the port is taken or not allowed.
    """
    listeners: list[socket.socket] = []
    try:
        for family, _, _, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            at = port or (listeners[0].getsockname()[1] if listeners else 0)
            is_all = address[0] == "::" and socket.has_dualstack_ipv6()
            listener = socket.create_server(
                (str(address[0]), at), family=family, backlog=_BACKLOG, dualstack_ipv6=is_all
            )
            listener.settimeout(0)
            listeners.append(listener)
    except OSError as error:
        for listener in listeners:
            listener.close()
        raise SettingsError(
            f"The receiver cannot listen on {host} port {port}: {error.strerror}. Set PROGRESS_WEBHOOK_HOST and "
            "PROGRESS_WEBHOOK_PORT to an address of this machine and a free port; ports below 1024 need a permission."
        ) from error
    return listeners


class _Handshake:
    """A connection whose handshake is under way; the loop bounds its time itself."""

    def __init__(self, connection: socket.socket) -> None:
        self.phase = Phase.HANDSHAKE
        self.since = 0.0
        self.is_crowded = False
        self._connection = connection

    def cut(self, *, is_crowded: bool) -> None:
        """End the connection, so that the handshake fails."""
        self.is_crowded = is_crowded
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)


class Acceptor:
    """Accepts on listening sockets until closed; to uvicorn it is a server like any other."""

    def __init__(  # noqa: PLR0913 (it joins the parts, and each has a name)
        self,
        listeners: Sequence[socket.socket],
        *,
        make_protocol: Callable[[], asyncio.Protocol],
        pair: CertificatePair | None,
        connections: Connections,
        refused: Refusals,
        limits: Limits,
    ) -> None:
        self._listeners = listeners
        self._make_protocol = make_protocol
        self._pair = pair
        self._connections = connections
        self._refused = refused
        self._limits = limits
        self._accepting: list[asyncio.Task[None]] = []
        self._handshakes: dict[asyncio.Task[None], _Handshake] = {}

    def start(self) -> None:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        self._accepting = [loop.create_task(self._accept(listener)) for listener in self._listeners]

    def close(self) -> None:
        """Accept no more, and end the handshakes under way."""
        for task in self._accepting:
            task.cancel()
        for handshake in list(self._handshakes.values()):
            handshake.cut(is_crowded=False)

    async def wait_closed(self) -> None:
        """Wait until nothing is under way, and the addresses are free."""
        await asyncio.gather(*self._accepting, *self._handshakes, return_exceptions=True)
        for listener in self._listeners:
            listener.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listener)
            except OSError:
                # No descriptor is left, or the client has gone: make room, and let others go on.
                self._connections.make_room()
                await asyncio.sleep(_BREATH_SECONDS)
                continue
            if len(self._connections) >= self._limits.connections and not self._connections.make_room():
                connection.close()
                continue
            handshake = _Handshake(connection)
            self._connections.enter(handshake, Phase.HANDSHAKE, loop.time())
            task = loop.create_task(self._welcome(connection, handshake, str(address[0])))
            self._handshakes[task] = handshake
            task.add_done_callback(self._handshakes.pop)

    async def _welcome(self, connection: socket.socket, handshake: _Handshake, host: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            if self._pair is None:
                await loop.connect_accepted_socket(self._make_protocol, connection)
            else:
                await loop.connect_accepted_socket(
                    self._make_protocol,
                    connection,
                    ssl=self._pair.context,
                    ssl_handshake_timeout=self._limits.handshake_seconds,
                    ssl_shutdown_timeout=_CLOSING_SECONDS,
                )
        except Exception as error:  # noqa: BLE001 (whatever one client does to its connection, the others go on)
            self._refused.note(host, None, _reason(error, is_crowded=handshake.is_crowded))
        finally:
            self._connections.leave(handshake)


def _reason(error: Exception, *, is_crowded: bool) -> str:
    """Say why a handshake failed, in OpenSSL's words: a vendor that does not trust the certificate shows here."""
    if is_crowded:
        return refusals.TOO_MANY
    if isinstance(error, ssl.SSLError) and error.reason:
        return f"handshake: {error.reason.lower().replace('_', ' ')}"
    return "handshake: too slow or broken off"
