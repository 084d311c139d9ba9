"""The receiver as a whole: its parts joined, started and stopped; in a command or, beside others, in a thread.

sockets ─> accepting ─> protocol ─> application ─> committing ─> landing/writing ─> an open segment
           tls          connections tokens                       keeping ─> sealed segments, the journal
"""

import asyncio
import logging
import threading
from types import TracebackType
from typing import Self

import uvicorn
import uvloop

from progress_pipeline.clock import Clock, system_clock
from progress_pipeline.landing.journal import RefusalJournal
from progress_pipeline.landing.writing import SegmentWriter
from progress_pipeline.receiver import logs, metrics, safety
from progress_pipeline.receiver.accepting import Acceptor, listen
from progress_pipeline.receiver.application import Application
from progress_pipeline.receiver.committing import GroupCommit
from progress_pipeline.receiver.connections import Connections
from progress_pipeline.receiver.counts import Counts
from progress_pipeline.receiver.keeping import Keeper
from progress_pipeline.receiver.limits import Limits
from progress_pipeline.receiver.naming import DeliveryNames
from progress_pipeline.receiver.protocol import BoundedProtocol
from progress_pipeline.receiver.refusals import Refusals
from progress_pipeline.receiver.tls import CertificatePair
from progress_pipeline.receiver.tokens import TokenCheck, TokenMask
from progress_pipeline.receiver.uvicorn_server import UvicornServer
from progress_pipeline.settings import Settings

logger = logging.getLogger("progress_pipeline.receiver")

_SWEEP_SECONDS = 0.1


class Receiver:
    """A webhook receiver. As a context manager it runs in a thread of its own, and is up when the context begins.

    Attributes:
        port: The port that it listens on, also where the system chose it.
        counts: What it counts about itself.
    """

    def __init__(self, settings: Settings, *, clock: Clock = system_clock, limits: Limits | None = None) -> None:
        """Join the parts, recover what a crash left, and listen.

        Raises:
            SettingsError: The settings are unsafe, or the address cannot be had.
            LandingError: The landing folder is not one that we may write. A disk that is only full or read-only now is
                no reason: the receiver starts, answers 503, and is there when it is mended.
        """
        safety.require_safe(settings)
        limits = limits or Limits()
        safety.require_folder(settings.landing_path)
        self._settings = settings
        self._limits = limits
        self.counts = Counts()
        self._journal = RefusalJournal(clock)
        self._refused = Refusals(self._journal, self.counts)
        self._pair: CertificatePair | None = None
        if settings.webhook_tls_cert and settings.webhook_tls_key:
            self._pair = CertificatePair(settings.webhook_tls_cert, settings.webhook_tls_key, clock)
        self.keeper = Keeper(
            settings.landing_path,
            clock=clock,
            journal=self._journal,
            pair=self._pair,
            counts=self.counts,
            limits=limits,
        )
        writer = SegmentWriter(
            settings.landing_path,
            clock=clock,
            on_closed=self.keeper.take,
            seal_bytes=limits.seal_bytes,
            seal_seconds=limits.seal_seconds,
        )
        self.commit = GroupCommit(writer, limits, self.counts)
        self.connections = Connections(limits, self.counts)
        self._names = DeliveryNames(clock)
        self.is_started = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._server = UvicornServer(
            self._config(),
            make_acceptor=self._make_acceptor,
            on_started=self.is_started.set,
            stop_seconds=limits.stop_seconds,
        )
        self._listeners = listen(settings.webhook_host, settings.webhook_port)
        self.port: int = self._listeners[0].getsockname()[1]

    @property
    def url(self) -> str:
        """Where deliveries are to be sent, without the token."""
        host = self._settings.webhook_host
        scheme = "http" if self._pair is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def collector(self) -> metrics.CountsCollector:
        """Give what names the receiver's counts for Prometheus."""
        pair = self._pair
        return metrics.CountsCollector(
            self.counts,
            queue_depth=lambda: self.commit.depth,
            connections=lambda: len(self.connections),
            certificate_end=lambda: pair.certificate.not_after if pair else None,
        )

    def run(self) -> None:
        """Serve until told to end; then drain, seal and return."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._run())

    def stop(self) -> None:
        """Tell the receiver to end; from any thread."""
        self._server.should_exit = True

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run_beside, name="receiver")
        self._thread.start()
        self.is_started.wait()
        self._raise_failure()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if self._thread is not None:
            self._thread.join()
            self._raise_failure()

    def _run_beside(self) -> None:
        """Run, and keep a failure for the thread that started this one."""
        try:
            self.run()
        except BaseException as failure:  # noqa: BLE001 (raised again on the other thread)
            self._failure = failure
        finally:
            self.is_started.set()

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def _run(self) -> None:
        self.keeper.take_what_was_left()
        await asyncio.to_thread(self.keeper.seal_closed)
        loop = asyncio.get_running_loop()
        self.commit.start(loop)
        beside = [loop.create_task(self._sweep()), loop.create_task(self.keeper.keep())]
        try:
            await self._server.serve()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await asyncio.to_thread(self.commit.stop)
            await asyncio.to_thread(self.keeper.seal_closed)
            await self.keeper.land_journal()
            for listener in self._listeners:
                listener.close()

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self.connections.sweep(loop.time())
            self.commit.look_for_stall()

    def _make_acceptor(self, server: uvicorn.Server) -> Acceptor:
        """Make what accepts connections for a server of uvicorn's."""

        def make_protocol() -> BoundedProtocol:
            return BoundedProtocol(
                server.config,
                server.server_state,
                connections=self.connections,
                refused=self._refused,
                limits=self._limits,
            )

        return Acceptor(
            self._listeners,
            make_protocol=make_protocol,
            pair=self._pair,
            connections=self.connections,
            refused=self._refused,
            limits=self._limits,
        )

    def _config(self) -> uvicorn.Config:
        settings = self._settings
        values = safety.token_values(settings)
        application = Application(
            check=TokenCheck(settings.webhook_token_name, values),
            mask=TokenMask(values),
            commit=self.commit,
            names=self._names,
            refused=self._refused,
            counts=self.counts,
            limits=self._limits,
            is_behind_proxy=settings.webhook_plain_http,
        )
        # uvicorn's own lines could repeat a URL with its token: none of them is written (log_config, log_level).
        return uvicorn.Config(
            application,
            interface="asgi3",
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=int(self._limits.idle_seconds) + 1,
        )


def serve(settings: Settings) -> None:
    """Run the receiver as a command, until SIGTERM or SIGINT: with its log on standard error, and its metrics.

    Raises:
        SettingsError: The settings are unsafe, or an address cannot be had.
    """
    receiver = Receiver(settings)
    mask = TokenMask(safety.token_values(settings))
    with (
        logs.written(settings.webhook_log_format, mask, receiver.counts),
        metrics.shown(receiver.collector(), settings.webhook_metrics_host, settings.webhook_metrics_port) as port,
    ):
        logger.info("receiving at %s", receiver.url)
        if port is not None:
            logger.info("metrics at http://%s:%s/metrics", settings.webhook_metrics_host, port)
        for doubt in safety.doubts(settings, system_clock()):
            logger.warning("%s", doubt)
        receiver.run()
        logger.info("ended in good order")
