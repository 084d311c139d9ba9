"""Large bodies, many at once: memory stays bounded, who does not fit is told to come back, and small ones are served.

First every connection sends all but the last byte of the largest body and then nothing; then each sends largest bodies,
whole, of bytes that are no text, the dearest to prepare. Meanwhile two clients deliver small bodies.

    .venv/bin/python -m benchmarks.receiver_memory --connections 60
"""

import argparse
import asyncio
from collections import Counter

import uvloop

from benchmarks.receiver_bounds import Bounds
from benchmarks.receiver_rig import Running, make_rig, read_ids, request
from benchmarks.receiver_slow_clients import MEMORY_MIB, Good
from progress_pipeline.receiver.limits import Limits

PIECE = 256 * 1024


async def send(running: Running, *, is_whole: bool, statuses: Counter[int]) -> None:
    """Send one largest body, or all of it but a byte, and count the answer's status; 0 if there was none."""
    size = Limits().body_bytes
    head = request(b"").replace(b"content-length: 0", b"content-length: %d" % size)
    piece, status = b"\xff" * PIECE, 0
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", running.port, ssl=running.rig.trust, server_hostname="localhost"
        )
        answer = asyncio.create_task(reader.readuntil(b"\r\n"))
        try:
            writer.write(head)
            for start in range(0, size, PIECE):
                if answer.done():
                    break
                is_last = start + PIECE >= size
                writer.write(piece if is_whole or not is_last else piece[:-1])
                await writer.drain()
            status = int((await answer).split(b" ")[1])
        finally:
            answer.cancel()
            writer.transport.abort()
    except (OSError, asyncio.IncompleteReadError):
        pass
    statuses[status] += 1


def send_all(running: Running, count: int, *, is_whole: bool) -> Counter[int]:
    """Send from many connections at once; give the statuses."""
    statuses: Counter[int] = Counter()

    async def main() -> None:
        await asyncio.gather(*(send(running, is_whole=is_whole, statuses=statuses) for _ in range(count)))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
    return statuses


def main() -> None:
    """Send what is almost whole, then what is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=60)
    count = parser.parse_args().connections
    bounds = Bounds(f"{count} bodies of {Limits().body_bytes // 2**20} MiB at once, never ended and whole")
    with make_rig() as rig:
        with rig.receiver() as running:
            bounds.told("memory before", f"{running.peak_mib():.0f} MiB")
            with Good(running, is_kept=True) as kept, Good(running, is_kept=False) as new:
                slow = send_all(running, count, is_whole=False)
                whole = send_all(running, count, is_whole=True)
            bounds.at_most("peak of memory", running.peak_mib(), MEMORY_MIB, " MiB")
            running.process.terminate()
            bounds.holds("the receiver lived, and ended well", running.process.wait(20) == 0)
        landed = len(read_ids(rig.landing))
    bounds.holds("never ended: told 408 or 503", slow.keys() <= {408, 503}, dict(slow))
    bounds.holds("whole: told 200 or 503", whole.keys() <= {200, 503} and whole[200] > 0, dict(whole))
    for name, good in (("kept", kept), ("new", new)):
        bounds.none(f"small ones not answered 200, connection {name}", len(good.failures))
        bounds.told(f"longest answer to a small one, connection {name}", f"{max(good.seconds):.2f} s")
    bounds.none("answered 200 but not landed", len(kept.seconds) + len(new.seconds) + whole[200] - landed)
    bounds.end()


if __name__ == "__main__":
    main()
