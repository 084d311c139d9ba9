"""Shows the receiver's counts to Prometheus, on an address of their own.

Nothing is measured here: at each scrape the plain numbers of `counts` are read and named. Labels are the receiver's own
words, so their number is bounded and no token can be among them.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import start_wsgi_server
from prometheus_client.registry import Collector

from progress_pipeline.errors import SettingsError
from progress_pipeline.receiver.counts import COMMIT_BUCKETS, Counts

_PREFIX = "progress_webhook"


class CountsCollector(Collector):
    """Names the counts, the queue's depth, the number of connections and the certificate's end."""

    def __init__(
        self,
        counts: Counts,
        *,
        queue_depth: Callable[[], int],
        connections: Callable[[], int],
        certificate_end: Callable[[], datetime | None],
    ) -> None:
        self._counts = counts
        self._queue_depth = queue_depth
        self._connections = connections
        self._certificate_end = certificate_end

    def collect(self) -> Iterator[Metric]:
        """Give every metric as it stands."""
        counts = self._counts
        for name, text, value in (
            ("deliveries", "Deliveries stored for good and answered 200.", counts.deliveries),
            ("delivered_bytes", "Bytes of their bodies.", counts.delivered_bytes),
            ("masked_tokens", "Live tokens found in a body, and masked.", counts.masked_tokens),
            ("connections_cut", "Connections cut off to make room for others.", counts.connections_cut),
            ("commit_failures", "Groups of deliveries that could not be made durable.", counts.commit_failures),
            ("sealed_segments", "Segments sealed.", counts.sealed_segments),
            ("certificate_reloads", "Certificates taken into use while running.", counts.certificate_reloads),
            ("certificate_refusals", "Changed certificates that were refused.", counts.certificate_refusals),
            ("log_lines_dropped", "Log lines that nobody took in time.", counts.log_lines_dropped),
        ):
            yield CounterMetricFamily(f"{_PREFIX}_{name}", text, value=value)
        yield self._refusals()
        yield self._commit_seconds()
        yield GaugeMetricFamily(f"{_PREFIX}_queue_depth", "Deliveries waiting to be durable.", self._queue_depth())
        yield GaugeMetricFamily(f"{_PREFIX}_connections", "Connections.", self._connections())
        end = self._certificate_end()
        if end is not None:
            text = "When the certificate in use expires, in seconds since 1970."
            yield GaugeMetricFamily(f"{_PREFIX}_certificate_expiry_timestamp_seconds", text, end.timestamp())

    def _refusals(self) -> Metric:
        text = "Requests refused; status 0 is a connection that never became a request."
        family = CounterMetricFamily(f"{_PREFIX}_refusals", text, labels=("status", "reason"))
        for (status, reason), count in list(self._counts.refusals.items()):
            family.add_metric((str(status), reason), count)
        return family

    def _commit_seconds(self) -> Metric:
        text = "Time to write and sync one group of deliveries."
        family = HistogramMetricFamily(f"{_PREFIX}_commit_seconds", text)
        buckets: list[tuple[str, float]] = []
        total = 0
        for bound, count in zip((*map(str, COMMIT_BUCKETS), "+Inf"), self._counts.commit_buckets, strict=True):
            total += count
            buckets.append((bound, total))
        family.add_metric((), buckets, self._counts.commit_seconds)
        return family


@contextmanager
def shown(collector: Collector, host: str, port: int | None) -> Generator[int | None]:
    """Show a collector's metrics while the context lasts; gives the port, or None if there is to be none.

    Raises:
        SettingsError: The address cannot be had.
    """
    if port is None:
        yield None
        return
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        server, thread = start_wsgi_server(port, host, registry)
    except OSError as error:
        raise SettingsError(
            f"Metrics cannot be shown on {host} port {port}: {error.strerror}. Set PROGRESS_WEBHOOK_METRICS_PORT to a "
            "free port, or to nothing."
        ) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
