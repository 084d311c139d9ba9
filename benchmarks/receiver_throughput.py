"""What durability costs: the receiver against the same server answering at once without writing.

64 connections over TLS, kept alive, each sending a bundle of two updates as soon as its last one is answered (wrk, from
Debian). Both servers take turns in one run, and each pair is compared. The bounds: at least half of the bare server's
requests per second, where one fdatasync takes up to 2 ms; p99 at most the bare server's plus five syncs; every answer
under a second, and every one a 200. A sync is measured twice: alone, and in each turn beside the load.

That wrk is not what bounds the rate is seen from the scheduler: the server's event loop runs or waits for a core all
the time, while wrk's thread sleeps between answers.

    .venv/bin/python -m benchmarks.receiver_throughput --turns 9 --seconds 4
"""

import argparse
import json
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.receiver_bounds import Bounds, sync_seconds, wait_for_quiet
from benchmarks.receiver_rig import TOKEN, TOKEN_NAME, Rig, make_rig, read_ids

CONNECTIONS = 64
GROUP_BYTES = CONNECTIONS * 1_100
LOOK_SECONDS = 0.3
SYNC_MS = 2.0
"""The bounds presume a disk that syncs within this time."""

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


@dataclass(frozen=True)
class Measured:
    """What one turn of one server showed.

    Attributes:
        rate: Requests per second.
        p50: Median latency in ms.
        p99: 99th percentile of it.
        longest: The longest answer in ms.
        server_share: Share of the time in which the server's busiest thread ran or waited for a core.
        loader_share: The same of wrk's.
        loop_micros: CPU time of the server's busiest thread for each request, in microseconds.
        sync_ms: One append of a group with its fdatasync, measured beside the load.
    """

    rate: float
    p50: float
    p99: float
    longest: float
    server_share: float
    loader_share: float
    loop_micros: float
    sync_ms: float


def thread_times(pid: int) -> dict[str, tuple[int, int]]:
    """Give each thread's nanoseconds on a core, and those in which it waited for one (proc(5), schedstat)."""
    times = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        ran, waited, _ = (task / "schedstat").read_text().split()
        times[task.name] = int(ran), int(waited)
    return times


def busiest(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> tuple[float, float]:
    """Give the seconds that the busiest thread ran between two looks, and those that it waited for a core."""
    spans = [
        ((ran - before[name][0]) / 1e9, (waited - before[name][1]) / 1e9)
        for name, (ran, waited) in after.items()
        if name in before
    ]
    return max(spans)


def measure(rig: Rig, seconds: int, *, is_durable: bool) -> Measured:
    """Load one server, and look at both sides' threads and at the disk meanwhile."""
    script = rig.folder / "post.lua"
    script.write_text(SCRIPT)
    with rig.receiver(before="" if is_durable else f"exec({AT_ONCE!r}); ") as running:
        url = f"https://127.0.0.1:{running.port}/hook"
        command = ["/usr/bin/wrk", "-t1", f"-c{CONNECTIONS}", "-s", str(script), url]
        subprocess.run([*command, "-d1"], check=True, capture_output=True)
        with subprocess.Popen([*command, f"-d{seconds}"], stdout=subprocess.PIPE, text=True) as loader:
            time.sleep(LOOK_SECONDS)
            pids = running.process.pid, loader.pid
            before, start = [thread_times(pid) for pid in pids], time.perf_counter()
            time.sleep(seconds - 3 * LOOK_SECONDS)
            after, span = [thread_times(pid) for pid in pids], time.perf_counter() - start
            sync = sync_seconds(rig.folder / "beside", GROUP_BYTES, 20)
            shown, _ = loader.communicate()
        found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", shown)
        assert found, shown
        requests, duration, median, p99, longest, errors = map(int, found.groups())
        assert errors == 0
        assert "Socket errors" not in shown, shown
        running.process.terminate()
        assert running.process.wait(10) == 0
    (server_ran, server_waited), (loader_ran, loader_waited) = map(busiest, before, after)
    rate = requests / duration * 1e6
    return Measured(
        rate,
        median / 1e3,
        p99 / 1e3,
        longest / 1e3,
        (server_ran + server_waited) / span,
        (loader_ran + loader_waited) / span,
        server_ran / span / rate * 1e6,
        sync * 1e3,
    )


def main() -> None:
    """Let both servers take turns, and compare them pair by pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--patience", type=float, default=0, help="seconds to wait for a quiet machine, each turn")
    told = parser.parse_args()
    idle: list[float] = []
    pairs: list[tuple[Measured, Measured]] = []
    with make_rig() as rig:
        idle_sync = sync_seconds(rig.landing) * 1e3
        print("turn  server   requests/s  p50 ms  p99 ms  max ms  server busy  wrk busy  us a request  sync ms")
        for turn in range(told.turns):
            idle.append(wait_for_quiet(told.patience))
            bare, durable = measure(rig, told.seconds, is_durable=False), measure(rig, told.seconds, is_durable=True)
            pairs.append((bare, durable))
            for name, one in (("bare", bare), ("durable", durable)):
                print(
                    f"{turn:4}  {name:7}  {one.rate:10.0f}  {one.p50:6.1f}  {one.p99:6.1f}  {one.longest:6.1f}"
                    f"  {one.server_share:11.2f}  {one.loader_share:8.2f}  {one.loop_micros:12.1f}  {one.sync_ms:7.2f}",
                    flush=True,
                )
        landed = len(read_ids(rig.landing))
    bounds = Bounds(f"{CONNECTIONS} TLS connections, {len(BODY)} bytes a body, {told.turns} pairs of {told.seconds} s")
    bounds.told("idle time of all cores before each pair", " ".join(f"{share:.0%}" for share in idle))
    judge(bounds, pairs, idle_sync)
    bounds.told("deliveries landed", landed)
    bounds.end()


def judge(bounds: Bounds, pairs: Sequence[tuple[Measured, Measured]], idle_sync: float) -> None:
    """Hold the medians of those pairs against the bounds in which the disk was as fast as the bounds presume."""
    quick = [pair for pair in pairs if pair[0].sync_ms <= SYNC_MS]
    bounds.told("one fdatasync before the load, ms", f"{idle_sync:.2f}")
    bounds.told(
        "one fdatasync of a group beside the bare server's load, ms", f"{middle(pairs, lambda b, _: b.sync_ms):.2f}"
    )
    bounds.at_least(f"pairs with one fdatasync up to {SYNC_MS:.0f} ms, which are judged", len(quick), 3)
    quick = quick or list(pairs)
    bounds.told("bare server: requests per second", f"{middle(quick, lambda bare, _: bare.rate):.0f}")
    bounds.told("receiver: requests per second", f"{middle(quick, lambda _, durable: durable.rate):.0f}")
    bounds.at_least(
        "the same, of the bare server's", middle(quick, lambda bare, durable: durable.rate / bare.rate), 0.5
    )
    bounds.told("the same by CPU of the event loop", f"{middle(quick, lambda b, d: b.loop_micros / d.loop_micros):.2f}")
    bounds.told("bare server: p99, ms", f"{middle(quick, lambda bare, _: bare.p99):.1f}")
    allowed = middle(quick, lambda bare, _: bare.p99 + 5 * bare.sync_ms)
    bounds.at_most("receiver: p99, with five syncs", middle(quick, lambda _, durable: durable.p99), allowed, " ms")
    bounds.at_most("longest answer of all pairs", max(durable.longest for _, durable in pairs), 1_000, " ms")
    share = middle(pairs, lambda bare, _: bare.loader_share / bare.server_share)
    bounds.at_most("time in which wrk's thread runs or wants a core, of the bare server's", share, 0.9)


def middle(pairs: Sequence[tuple[Measured, Measured]], of: Callable[[Measured, Measured], float]) -> float:
    """Give the median of something over pairs."""
    return statistics.median(of(bare, durable) for bare, durable in pairs)


if __name__ == "__main__":
    main()
