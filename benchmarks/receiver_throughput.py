"""What durability costs: the receiver against the same server answering at once without writing.

64 connections over TLS, kept alive, each sending a bundle of two updates as soon as its last one is answered (wrk, from
Debian). Both servers take turns in one run; the medians are compared. The bounds: at least half of the bare server's
requests per second, where one fdatasync takes up to 2 ms; p99 at most the bare server's plus five syncs; every answer
under a second, and every one a 200.

    .venv/bin/python -m benchmarks.receiver_throughput --turns 5 --seconds 8
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import time
from pathlib import Path

from benchmarks.receiver_rig import TOKEN, TOKEN_NAME, Rig, make_rig, read_ids

CONNECTIONS = 64

AT_ONCE = """
from progress_pipeline.receiver import answers, application
async def at_once(self, scope, body, content_type):
    return answers.stored(self._names.next()[0])
application.Application._store = at_once
"""
"""Runs before the bare server: the same, up to the whole body and the token, but nothing is written."""

RECORD = {
    "transactionId": 1,
    "firstName": "John",
    "lastName": "Doe",
    "email": "john.doe@gmail.com",
    "memberIdentifier": "111111111",
    "activityId": "https://ssm-activity-sample.azurewebsites.net/",
    "activityTitle": "77media Activity Sample",
    "registration": "80730e35-481a-4132-af54-1b8f4619abb6",
    "dateStarted": "2018-01-01T00:00:00",
    "progress": 50,
    "dateCompleted": "",
    "completionCode": "",
}
BODY = json.dumps({"started": [], "progressed": [RECORD], "completions": [RECORD]})

SCRIPT = f"""
wrk.method = "POST"
wrk.body = [==[{BODY}]==]
wrk.headers["Content-Type"] = "application/json"
wrk.headers["{TOKEN_NAME}"] = "{TOKEN}"
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency.max, summary.errors.status))
end
"""


def sync_seconds(folder: Path) -> float:
    """Measure one append of a line with its fdatasync; the median of many."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sync"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    taken = []
    for _ in range(300):
        os.write(descriptor, b"x" * 1_100)
        start = time.perf_counter()
        os.fdatasync(descriptor)
        taken.append(time.perf_counter() - start)
    os.close(descriptor)
    path.unlink()
    return statistics.median(taken)


def measure(rig: Rig, seconds: int, *, is_durable: bool) -> dict[str, float]:
    """Load one server, and give requests per second and latencies in milliseconds."""
    script = rig.folder / "post.lua"
    script.write_text(SCRIPT)
    with rig.receiver(before="" if is_durable else f"exec({AT_ONCE!r}); ") as running:
        url = f"https://127.0.0.1:{running.port}/hook"
        command = ["/usr/bin/wrk", "-t1", f"-c{CONNECTIONS}", "-s", str(script), url]
        subprocess.run([*command, "-d1"], check=True, capture_output=True)
        shown = subprocess.run([*command, f"-d{seconds}"], check=True, capture_output=True, text=True).stdout
        found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", shown)
        assert found, shown
        requests, duration, median, p99, longest, errors = map(int, found.groups())
        assert errors == 0
        assert "Socket errors" not in shown, shown
        running.process.terminate()
        assert running.process.wait(10) == 0
    return {"rate": requests / duration * 1e6, "p50": median / 1e3, "p99": p99 / 1e3, "max": longest / 1e3}


def main() -> None:
    """Let both servers take turns, and compare their medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    told = parser.parse_args()
    results: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    with make_rig() as rig:
        sync = sync_seconds(rig.landing) * 1e3
        print(f"one fdatasync {sync:.2f} ms, {len(BODY)} bytes a body, {CONNECTIONS} connections, TLS")
        print("server    turn  requests/s  p50 ms  p99 ms  max ms")
        for turn in range(told.turns):
            for is_durable in (False, True):
                one = measure(rig, told.seconds, is_durable=is_durable)
                results[is_durable].append(one)
                name = "durable" if is_durable else "bare"
                print(
                    f"{name:8}  {turn:4}  {one['rate']:10.0f}  {one['p50']:6.1f}  {one['p99']:6.1f}  {one['max']:6.1f}",
                    flush=True,
                )
        landed = len(read_ids(rig.landing))
    middle = {
        is_durable: {key: statistics.median(one[key] for one in ones) for key in ones[0]}
        for is_durable, ones in results.items()
    }
    ratio = middle[True]["rate"] / middle[False]["rate"]
    bound = middle[False]["p99"] + 5 * sync
    print(f"medians: {ratio:.2f} of the bare server's requests per second (bound 0.50)")
    longest = max(one["max"] for one in results[True])
    print(f"p99 {middle[True]['p99']:.1f} ms (bound {bound:.1f}); longest {longest:.0f} ms (bound 1000)")
    print(f"{landed} deliveries landed")
    assert ratio >= 0.5
    assert middle[True]["p99"] <= bound
    assert longest < 1_000


if __name__ == "__main__":
    main()
