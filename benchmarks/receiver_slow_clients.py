"""Slow clients (slowhttptest, from Debian) in each of its three ways, while others are served.

Slow headers, slow bodies and slow reading, each with more connections than the receiver allows at once. Meanwhile one
client delivers over a kept connection and another over a new one each time; every answer must be a 200 within a second.

    .venv/bin/python -m benchmarks.receiver_slow_clients --seconds 20
"""

import argparse
import http.client
import re
import statistics
import subprocess
import threading
import time
from typing import Self

from benchmarks.receiver_bounds import Bounds
from benchmarks.receiver_rig import TOKEN, TOKEN_NAME, Running, make_rig, read_ids

CONNECTIONS = 1_500
MEMORY_MIB = 1_024
"""What the systemd unit allows."""

WAYS = {
    "slow headers": ["-H", "-i", "2"],
    "slow bodies": ["-B", "-i", "2", "-s", "8192"],
    "slow reading": ["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3"],
}


class Good:
    """A client that behaves, with the seconds that each of its deliveries took."""

    def __init__(self, running: Running, *, is_kept: bool) -> None:
        self.seconds: list[float] = []
        self.failures: list[str] = []
        self._running = running
        self._is_kept = is_kept
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._deliver)

    def _connect(self) -> http.client.HTTPSConnection:
        trust = self._running.rig.trust
        return http.client.HTTPSConnection("localhost", self._running.port, context=trust, timeout=10)

    def _deliver(self) -> None:
        connection = self._connect()
        while not self._stop.wait(0.02):
            start = time.perf_counter()
            try:
                if not self._is_kept:
                    connection.close()
                    connection = self._connect()
                connection.request("POST", "/hook", b"{}", {TOKEN_NAME: TOKEN})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failures.append(str(answer.status))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
                connection = self._connect()
            self.seconds.append(time.perf_counter() - start)
        connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def main() -> None:
    """Try each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    seconds = parser.parse_args().seconds
    bounds = Bounds(f"{CONNECTIONS} slow clients, {seconds} s a way")
    with make_rig() as rig, rig.receiver() as running:
        for way, options in WAYS.items():
            command = [
                *("/usr/bin/slowhttptest", *options, "-c", str(CONNECTIONS), "-r", "300", "-l", str(seconds)),
                *("-u", f"https://localhost:{running.port}/hook?{TOKEN_NAME}={TOKEN}", "-t", "POST", "-p", "3"),
            ]
            with Good(running, is_kept=True) as kept, Good(running, is_kept=False) as new:
                shown = subprocess.run(command, cwd=rig.folder, capture_output=True, text=True, check=False).stdout
            for name, good in (("kept", kept), ("new", new)):
                print(
                    f"{way}, {name} connection: median {statistics.median(good.seconds) * 1e3:.1f} ms",
                    *good.failures[:3],
                )
                bounds.at_least(f"{way}: deliveries, connection {name}", len(good.seconds), 10 * seconds)
                bounds.none(f"{way}: not answered 200, connection {name}", len(good.failures))
                bounds.at_most(f"{way}: longest answer, connection {name}", max(good.seconds), 1.0, " s")
            available = re.findall(r"service available:\W*(YES|NO)", re.sub(r"\x1b\[[\d;]*m", "", shown))
            bounds.none(f"{way}: times slowhttptest was not served", available.count("NO"))
        bounds.at_most("peak of memory", running.peak_mib(), MEMORY_MIB, " MiB")
        log = rig.log.read_text()
        running.process.terminate()
        bounds.holds("the receiver lived, and ended well", running.process.wait(10) == 0)
        print(f"{len(read_ids(rig.landing))} landed; refusals logged:")
        for reason in sorted(set(re.findall(r"refused: (.*) from", log))):
            print(f"  {log.count(f'refused: {reason} from'):6}  {reason}")
    bounds.end()


if __name__ == "__main__":
    main()
