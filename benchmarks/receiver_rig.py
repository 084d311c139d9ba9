"""The rig of the receiver's long trials: a receiver as a process of its own, and many writers that remember.

Nothing here judges; each trial says in its own file what it shows. Run them as modules (`python -m benchmarks.…`), and
as root where they mount.
"""

import asyncio
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
import uvloop

from progress_pipeline.clock import system_clock
from progress_pipeline.landing import recovery
from progress_pipeline.landing.finding import find_files
from progress_pipeline.landing.reading import LandedDelivery, read_file

TOKEN_NAME = "access_token_name"  # noqa: S105 (it guards nothing)
TOKEN = "7f9c2ba4e88f827d616045507605853e"  # noqa: S105 (the same)

RUN = "from progress_pipeline.settings import load_settings; from progress_pipeline.receiver.server import serve; "
NO_SYNC = "import os; os.fdatasync = os.fsync = lambda descriptor: None; "


class Rig:
    """A folder with a certificate, in which receivers are started one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.landing = folder / "landing"
        self.log = folder / "log"
        self.trustme = trustme.CA()
        self.certificate, self.key, self.authority = folder / "cert.pem", folder / "key.pem", folder / "ca.pem"
        self.issue()
        self.trustme.cert_pem.write_to_path(str(self.authority))
        self.trust = ssl.create_default_context()
        self.trustme.configure_trust(self.trust)

    def issue(self) -> None:
        """Put a new certificate with a new key in place, one file after the other, as ACME clients do."""
        today = datetime.now(UTC)
        issued = self.trustme.issue_cert(
            "localhost", "127.0.0.1", not_before=today - timedelta(days=1), not_after=today + timedelta(days=89)
        )
        for path, content in (
            (self.key, issued.private_key_pem.bytes()),
            (self.certificate, b"".join(blob.bytes() for blob in issued.cert_chain_pems)),
        ):
            new = path.with_suffix(".new")
            new.touch(mode=0o600)
            new.write_bytes(content)
            new.replace(path)

    @contextmanager
    def receiver(self, *, before: str = "", wrapper: Sequence[str] = (), **environment: str) -> Iterator["Running"]:
        """Run a receiver, with code run before it or a program around it; it is killed at the end if it still lives."""
        told = {
            "PROGRESS_DATA_DIR": str(self.folder / "data"),
            "PROGRESS_LANDING_DIR": str(self.landing),
            "PROGRESS_WEBHOOK_TOKEN_NAME": TOKEN_NAME,
            "PROGRESS_WEBHOOK_TOKEN_VALUE": TOKEN,
            "PROGRESS_WEBHOOK_HOST": "127.0.0.1",
            "PROGRESS_WEBHOOK_PORT": "0",
            "PROGRESS_WEBHOOK_METRICS_PORT": "0",
            "PROGRESS_WEBHOOK_TLS_CERT": str(self.certificate),
            "PROGRESS_WEBHOOK_TLS_KEY": str(self.key),
            **environment,
        }
        start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("a") as stream:
            process = subprocess.Popen(
                [*wrapper, sys.executable, "-c", f"{RUN}{before}serve(load_settings())"],
                env={**os.environ, **told},
                cwd=self.folder,
                stderr=stream,
            )
        try:
            yield Running(process, self._port(process, start), self)
        finally:
            process.kill()
            process.wait()

    def _port(self, process: subprocess.Popen[bytes], start: int) -> int:
        for _ in range(2_000):
            found = re.search(r"receiving at https?://[^\s:]+:(\d+)", self.log.read_text()[start:])
            if found:
                return int(found[1])
            assert process.poll() is None, self.log.read_text()
            time.sleep(0.01)
        raise TimeoutError("the receiver does not start")


@dataclass
class Running:
    """A running receiver."""

    process: subprocess.Popen[bytes]
    port: int
    rig: Rig

    def peak_mib(self) -> float:
        """Tell the most memory that it ever held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)


@dataclass
class Told:
    """What the writers were told."""

    acknowledged: set[str] = field(default_factory=set)
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    broken_off: int = 0
    not_connected: int = 0


def request(body: bytes, token: str = TOKEN) -> bytes:
    """Make the bytes of one delivery."""
    head = f"POST /hook?{TOKEN_NAME}={token} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def write(  # noqa: PLR0913 (each is one thing that a writer must know)
    told: Told,
    port: int,
    trust: ssl.SSLContext,
    stop: asyncio.Event,
    make_body: Callable[[int], bytes],
    *,
    pause: float = 0.0,
    per_connection: int | None = None,
) -> None:
    """Deliver over one kept connection until told to stop; a connection that breaks is made anew."""
    number = 0
    while not stop.is_set():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust, server_hostname="localhost")
        except OSError:
            told.not_connected += 1
            await asyncio.sleep(0.02)
            continue
        sent = 0
        try:
            while not stop.is_set() and sent != per_connection:
                number += 1
                sent += 1
                start = time.perf_counter()
                writer.write(request(make_body(number)))
                head = await reader.readuntil(b"\r\n\r\n")
                found = re.search(rb"content-length: (\d+)", head)
                assert found
                content = await reader.readexactly(int(found[1]))
                told.seconds.append(time.perf_counter() - start)
                status = int(head.split(b" ", 2)[1])
                told.statuses[status] = told.statuses.get(status, 0) + 1
                if status == 200:
                    told.acknowledged.add(content.split(b'"')[3].decode())
                if pause or status == 503:
                    await asyncio.sleep(pause or 0.01)
        except (OSError, asyncio.IncompleteReadError):
            told.broken_off += 1
        finally:
            writer.transport.abort()


def run_writers(
    running: Running,
    count: int,
    act: Callable[[Told], None],
    make_body: Callable[[int], bytes] = lambda number: b'{"started": [], "number": %d}' % number,
    *,
    per_connection: int | None = None,
) -> Told:
    """Run writers while `act` (on another thread) does what the trial is about; then stop them."""
    told = Told()

    async def main() -> None:
        stop = asyncio.Event()
        writers = [
            asyncio.create_task(
                write(told, running.port, running.rig.trust, stop, make_body, per_connection=per_connection)
            )
            for _ in range(count)
        ]
        try:
            await asyncio.to_thread(act, told)
        finally:
            stop.set()
            _, late = await asyncio.wait(writers, timeout=3)
            for writer in late:
                writer.cancel()
            await asyncio.gather(*writers, return_exceptions=True)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
    return told


def read_ids(landing: Path, *, is_recovering: bool = True) -> list[str]:
    """Give the ids of all landed deliveries, after recovery as the next start would do it."""
    if is_recovering:
        recovery.recover(landing, clock=system_clock)
    now = datetime.now(UTC)
    return [
        each.delivery_id
        for file in find_files(landing, known={})
        for each in read_file(landing, file, now=now)
        if isinstance(each, LandedDelivery)
    ]


@contextmanager
def make_rig() -> Iterator[Rig]:
    """Give a rig in a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="receiver-") as folder:
        yield Rig(Path(folder))
