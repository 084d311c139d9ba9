"""An operator sees what happens, in numbers, lines and tables; and a token is nowhere among them."""

import io
import logging
import signal
import threading
from http import HTTPStatus
from pathlib import Path

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from progress_pipeline.clock import system_clock
from progress_pipeline.landing.journal import RefusalJournal
from progress_pipeline.landing.reading import LandedRefusal
from progress_pipeline.receiver import logs, tokens
from progress_pipeline.receiver.counts import Counts
from progress_pipeline.receiver.refusals import Refusals
from progress_pipeline.receiver.server import Receiver
from progress_pipeline.receiver.tokens import TokenMask
from progress_pipeline.settings import Settings
from tests.receiver.command import ReceiverProcess
from tests.receiver.conftest import NEXT_TOKEN, TOKEN, TOKEN_NAME, Authority, landed
from tests.receiver.raw import RawConnection


def test_it_says_that_it_is_alive_and_ready_to_get_and_head_alone(client: httpx.Client, shared: Receiver) -> None:
    """Without a token: a watchdog has none."""
    for path in ("healthz", "readyz"):
        assert client.get(shared.url + path).status_code == HTTPStatus.OK
        assert client.head(shared.url + path).content == b""
        answer = client.post(shared.url + path, headers={TOKEN_NAME: TOKEN})
        assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        assert answer.headers["allow"] == "GET, HEAD"


def test_the_journal_tells_who_was_refused_when_and_why(
    client: httpx.Client, receiver: Receiver, settings: Settings
) -> None:
    """Equal refusals in one row with their number."""
    for _ in range(3):
        client.post(f"{receiver.url}?{TOKEN_NAME}=wrong-wrong-wrong")
    client.get(receiver.url)
    receiver.__exit__(None, None, None)
    told = [each for each in landed(settings.landing_path) if isinstance(each, LandedRefusal)]
    assert [(each.client, each.http_status, each.reason, each.refusal_count) for each in told] == [
        ("127.0.0.1", 401, tokens.WRONG, 3),
        ("127.0.0.1", 405, "not POST", 1),
    ]


@pytest.mark.parametrize(
    ("forwarded", "client_told"),
    [("192.0.2.7", "192.0.2.7"), ("10.0.0.1, 192.0.2.8", "192.0.2.8"), ("2001:db8::1", "2001:db8::1"), (TOKEN, None)],
)
def test_behind_a_proxy_the_sender_is_the_one_that_the_proxy_saw(
    plain_settings: Settings, client: httpx.Client, forwarded: str, client_told: str | None
) -> None:
    """The last address that it adds; and nothing that is no address."""
    with Receiver(plain_settings) as receiver:
        client.post(receiver.url, headers={"x-forwarded-for": forwarded})
    (told,) = landed(plain_settings.landing_path)
    assert isinstance(told, LandedRefusal)
    assert told.client == client_told


@pytest.mark.parametrize(
    ("shown", "told"), [("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::1"), (None, None)]
)
def test_a_sender_is_named_as_it_is_known(shown: str | None, told: str | None) -> None:
    """A socket for IPv4 and IPv6 at once shows the one in the clothes of the other."""
    journal = RefusalJournal(system_clock)
    Refusals(journal, Counts()).note(shown, 401, tokens.NO_TOKEN)
    assert [refusal.client for refusal in journal.take()] == [told]


def test_a_direct_sender_cannot_give_another_address(
    client: httpx.Client, receiver: Receiver, settings: Settings
) -> None:
    """Without a proxy nobody is believed."""
    client.post(receiver.url, headers={"x-forwarded-for": "192.0.2.7"})
    receiver.__exit__(None, None, None)
    (told,) = landed(settings.landing_path)
    assert isinstance(told, LandedRefusal)
    assert told.client == "127.0.0.1"


@pytest.mark.parametrize("style", ["plain", "json"])
def test_as_a_process_it_logs_counts_and_lands_without_a_token_in_any_byte(
    settings: Settings, authority: Authority, client: httpx.Client, tmp_path: Path, style: str
) -> None:
    """Every way in which a token can come in, good or bad, and then every byte that came of it."""
    own = settings.model_copy(update={"webhook_log_format": style})
    log = tmp_path / "log"
    with ReceiverProcess(own, log) as process:
        for token in (TOKEN, NEXT_TOKEN, TOKEN[:-1]):
            send_token_everywhere(process.url, token, client, authority)
        numbers = client.get(process.metrics_url).text
        processes = b"".join(path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline"))
        process.process.send_signal(signal.SIGTERM)
        assert process.process.wait(10) == 0
    written = {str(path): path.read_bytes() for path in settings.landing_path.rglob("*") if path.is_file()}
    assert len(written) == 2
    written |= {"log": log.read_bytes(), "metrics": numbers.encode(), "processes": processes}
    for place, content in written.items():
        assert TOKEN.encode() not in content, place
        assert NEXT_TOKEN.encode() not in content, place
    lines = log.read_text().splitlines()
    assert sum("refused" in line for line in lines) == 14
    if style == "json":
        assert {msgspec.json.decode(line)["level"] for line in lines} == {"info"}
    families = text_string_to_metric_families(numbers)
    told = {sample.name: sample.value for family in families for sample in family.samples}
    assert told["progress_webhook_deliveries_total"] == 4
    assert told["progress_webhook_commit_seconds_count"] >= 1
    assert told["progress_webhook_certificate_expiry_timestamp_seconds"] > 0


def send_token_everywhere(url: str, token: str, client: httpx.Client, authority: Authority) -> None:
    """Send a token in every place where one may stand, rightly or wrongly."""
    client.post(f"{url}?{TOKEN_NAME}={token}", content=token)
    body = f'{{"token":"{token}"}}'
    client.post(url, headers={TOKEN_NAME: token, "content-type": token}, content=body)
    client.get(f"{url}{token}?{TOKEN_NAME}={token}")
    client.post(f"{url}?{TOKEN_NAME}={token}&{TOKEN_NAME}=x")
    for sent in (
        f"{token} /{token}\r\n\r\n",
        f"POST /?{TOKEN_NAME}={token} HTTP/1.1\r\ncontent-length: x\r\n\r\n",
    ):
        with RawConnection(int(url.rsplit(":", 1)[1].strip("/")), authority.trust) as connection:
            connection.send(sent.encode())
            connection.receive()


class StuckStream(io.StringIO):
    """A stream that nobody reads until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def write(self, text: str) -> int:
        """Wait, then write."""
        self.let_go.wait()
        return super().write(text)


def test_a_log_that_nobody_reads_stops_nothing() -> None:
    """It holds the log's own thread alone; what does not fit is counted."""
    counts = Counts()
    logger = logging.getLogger("progress_pipeline.receiver")
    stream = StuckStream()
    with logs.written("plain", TokenMask([]), counts, stream):
        for _ in range(12_000):
            logger.info("x")
        assert counts.log_lines_dropped > 0
        stream.let_go.set()


def test_a_token_that_stands_in_a_line_all_the_same_is_masked() -> None:
    """In the message, and in a traceback."""
    stream = io.StringIO()
    with logs.written("plain", TokenMask([TOKEN]), Counts(), stream):
        try:
            int(TOKEN)
        except ValueError:
            logging.getLogger("anything").exception("failed with %s", TOKEN)
    assert "failed with ********" in stream.getvalue()
    assert "base 10: '********" in stream.getvalue()
    assert TOKEN not in stream.getvalue()
