"""The audit at scale: what each side told, reconciled from nothing and by a day's increment.

nice -n 10 .venv/bin/python -m benchmarks.audit_scale --transactions 10000000

1. From nothing: all of `audit` with what it reads, against a bare full outer join of the same two raw tables on
   transaction_id, paired, each in a process of its own with the same limits. Bounds: 3 times its CPU, and 4 GB.
2. A day of 10,000 updates, told by both, onto that, against the same onto 100,000. Bound: 1.5 times.

The world: 10,000 updates a day in registrations of four steps, a transaction each, pushed in bundles of four; one push
of 10,000 lost, one update of 10,000 withheld by the API for ever (every other one of them the last of its registration,
so that it is owed), one name of 10,000 that differs.
"""

import argparse
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from progress_pipeline.ingest.raw_tables import RAW_TABLES
from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from tests.models.play import all_models, models_behind

A_DAY, SMALL = 10_000, 100_000
MEMORY, THREADS = "3GB", 2
AUDIT = tuple(model.name for model in all_models() if model.schema == "audit" and model.name != "audit.coverage_daily")

UPDATES = """
    create or replace temp table told as
    with numbered as (
        select
            i,
            timestamp '2015-01-01 00:00:00' + to_microseconds(cast(i * 8640000 as bigint)) as happened_at,
            (i // 4000) * 1000 + i % 1000 as learning,
            i // 1000 % 4 as step,
            i // 10000 + 1 as load_number
        from range($first, $last) as numbers(i)
    )
    select
        *,
        timestamp '2015-01-01 00:00:10' + to_days(cast(load_number as integer)) as run_at,
        i % 10000 = 4321 as is_lost,
        i % 10000 = 7543 as is_withheld,
        i % 10000 = 8765 as is_differing,
        cast(i as varchar) as transaction_id,
        'First' || cast(learning % 977 as varchar) as first_name,
        'Last' || cast(learning % 1999 as varchar) as last_name,
        'learner' || cast(learning % 250000 as varchar) || '@example.invalid' as email,
        'M' || cast(learning % 250000 as varchar) as member_identifier,
        'https://example.invalid/activity/' || cast(learning % 300 as varchar) as activity_id,
        'Activity ' || cast(learning % 300 as varchar) as activity_title,
        cast(cast(md5(cast(learning as varchar)) as uuid) as varchar) as registration,
        strftime(happened_at - to_seconds(8640 * step), '%Y-%m-%dT%H:%M:%S') as date_started,
        cast(step * 33 + step // 3 as varchar) as progress,
        case when step = 3 then strftime(happened_at, '%Y-%m-%dT%H:%M:%S') else '' end as date_completed,
        case when step = 3 then cast(cast(md5('c' || cast(i as varchar)) as uuid) as varchar) else '' end
            as completion_code
    from numbered
"""
LOADS = (
    """
    insert into raw.api_progress by name
    select
        * exclude (
            i, happened_at, learning, step, run_at, is_lost, is_withheld, is_differing
        ),
        i // 1000 + 1 as call_id,
        i % 1000 as position,
        run_at as observed_at
    from told
    where not is_withheld
    order by i
    """,
    """
    insert into raw.webhook_updates by name
    select
        * exclude (
            i, happened_at, learning, step, run_at, is_lost, is_withheld, is_differing,
            first_name
        ),
        if(is_differing, 'Eve', first_name) as first_name,
        case step when 0 then 'started' when 3 then 'completion' else 'progressed' end as kind,
        'delivery-' || cast(i // 4 as varchar) as delivery_id,
        i % 4 as position,
        happened_at + interval 1 second as received_at
    from told
    where not is_lost
    order by i
    """,
    """
    insert into raw.webhook_deliveries by name
    select
        'delivery-' || cast(i // 4 as varchar) as delivery_id,
        max(happened_at) + interval 1 second as received_at,
        'file' as file,
        1 as byte_count,
        '' as sha256,
        count(*) filter (where step = 0) as started_count,
        count(*) filter (where step in (1, 2)) as progressed_count,
        count(*) filter (where step = 3) as completion_count,
        0 as reject_count,
        max(load_number) as load_number
    from told
    where not is_lost
    group by i // 4
    order by i // 4
    """,
    """
    insert into raw.api_calls by name
    select distinct
        i // 1000 + 1 as call_id,
        'daily' as purpose,
        run_at - interval 3 day as window_start,
        run_at + interval 1 day as window_end,
        run_at as counted_at,
        'answered' as outcome,
        load_number
    from told
    order by call_id
    """,
    """
    insert into raw.api_windows by name
    select distinct
        cast(load_number as varchar) as window_id,
        'daily' as purpose,
        run_at - interval 2 day as window_start,
        run_at as window_end,
        run_at as covered_until,
        run_at as attempted_at,
        load_number * 10 - 9 as first_call_id,
        load_number * 10 as last_call_id,
        10 as call_count,
        10000 as distinct_rows,
        true as is_complete,
        'one answer' as proof,
        load_number
    from told
    order by load_number
    """,
    """
    insert into raw.runs by name
    select distinct
        'run ' || cast(load_number as varchar) as run_id,
        run_at as as_of,
        'daily' as purpose,
        timestamp '2015-01-01 00:00:00' as start_at,
        120 as settle_minutes,
        2 as lookback_days,
        500 as daily_calls,
        load_number
    from told
    order by load_number
    """,
)


@dataclass(frozen=True)
class Measure:
    """What a piece of work took.

    Attributes:
        seconds: Wall-clock seconds.
        cpu: CPU seconds of all threads.
        peak: The process's peak memory, GB.
        told: What it came to.
    """

    seconds: float
    cpu: float
    peak: float
    told: dict[str, Any]


def main() -> None:
    """Make the world, measure, print, and hold the bounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transactions", type=int, default=10_000_000)
    parser.add_argument("--pairs", type=int, default=3, help="times that each side is measured from nothing")
    parser.add_argument("--increments", type=int, default=5)
    parser.add_argument("--steps", action="store_true", help="print what each model took")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="audit-scale-") as made:
        folder = Path(made)
        large, small = folder / "large.duckdb", folder / "small.duckdb"
        for path, count in ((large, asked.transactions), (small, SMALL)):
            alone(make_world, path, count)
        print(f"{asked.transactions:,} transactions, {large.stat().st_size / 1e9:.1f} GB", flush=True)
        ratios, peaks = [], []
        for _ in range(asked.pairs):
            joined, audited = from_nothing(folder, large, join), from_nothing(folder, large, audit)
            ratios.append(audited.cpu / joined.cpu)
            peaks.append(audited.peak)
            print(f"join  {shown(joined)}\naudit {shown(audited)}: {ratios[-1]:.2f} times", flush=True)
            if asked.steps:
                print(msgspec.json.format(msgspec.json.encode(audited.told["steps"])).decode())
        for path in (large, small):
            alone(audit, path)
        pairs = []
        for number in range(asked.increments):
            after = {
                path: asked_count + number * A_DAY
                for path, asked_count in ((large, asked.transactions), (small, SMALL))
            }
            pair = [alone(increment, path, after[path]) for path in (large, small)]
            pairs.append(pair[0].cpu / pair[1].cpu)
            print(f"onto large {shown(pair[0])}\nonto small {shown(pair[1])}: {pairs[-1]:.2f} times", flush=True)
            if asked.steps:
                for one in pair:
                    print(msgspec.json.encode(one.told["steps"]).decode())
        print(
            f"from nothing: {statistics.median(ratios):.2f} times a bare join (bound 3), {max(peaks):.2f} GB (bound 4)"
        )
        print(f"an increment: {statistics.median(pairs):.2f} times the same onto {SMALL:,} (bound 1.5)")
        assert statistics.median(ratios) <= 3
        assert max(peaks) <= 4
        assert statistics.median(pairs) <= 1.5


def shown(one: Measure) -> str:
    """Write a measure in a line."""
    gaps = f", gaps {one.told['gaps']}" if "gaps" in one.told else ""
    return f"{one.cpu:7.2f} CPU s, {one.seconds:7.2f} s, {one.peak:.2f} GB{gaps}"


def from_nothing(folder: Path, world: Path, work: Callable[[Path], dict[str, Any]]) -> Measure:
    """Work on a copy of a world."""
    copy = folder / "copy.duckdb"
    shutil.copy(world, copy)
    try:
        return alone(work, copy)
    finally:
        copy.unlink()


def alone(work: Callable[..., dict[str, Any]], *arguments: Any) -> Measure:
    """Work in a process of its own, so that its memory is its own."""
    with get_context("spawn").Pool(1) as pool:
        measure: Measure = pool.apply(measured, (work, *arguments))
        return measure


def measured(work: Callable[..., dict[str, Any]], *arguments: Any) -> Measure:
    """Work, and say what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    told = work(*arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return Measure(time.perf_counter() - wall, time.process_time() - cpu, peak, told)


def make_world(path: Path, count: int) -> dict[str, Any]:
    """Make raw tables of so many transactions, loaded day by day."""
    with connect(path, memory_limit=MEMORY, threads=THREADS) as connection:
        connection.execute("create schema raw")
        for table in RAW_TABLES:
            connection.from_arrow(table.schema.empty_table()).create(f"raw.{table.name}")
        for first in range(0, count, 100 * A_DAY):
            tell(connection, first, min(count, first + 100 * A_DAY))
        connection.execute("checkpoint")
    return {}


def tell(connection: duckdb.DuckDBPyConnection, first: int, last: int) -> None:
    """Load the updates from one number up to another, each day's by the run right after it."""
    connection.execute("set enable_progress_bar = false")
    connection.execute(UPDATES, {"first": first, "last": last})
    for load in LOADS:
        connection.execute(load)


def join(path: Path) -> dict[str, Any]:
    """Do what is to be held against: a full outer join of the two raw tables, all their columns kept."""
    with connect(path, memory_limit=MEMORY, threads=THREADS) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(
            "create table joined as select * from raw.api_progress as api"
            " full outer join raw.webhook_updates as webhook on api.transaction_id = webhook.transaction_id"
        )
    return {}


def audit(path: Path) -> dict[str, Any]:
    """Bring the audit up to date with raw."""
    with connect(path, memory_limit=MEMORY, threads=THREADS) as connection:
        connection.execute("set enable_progress_bar = false")
        built = build(connection, models_behind(AUDIT))
        gaps = connection.execute("select kind, count(*) from audit.gaps group by all order by all").fetchall()
        ((loads,),) = connection.execute("select max(load_number) from raw.runs").fetchall()
    steps = {one.model: [round(one.seconds, 2), one.how] for one in built if one.seconds > 0.02}
    return {"gaps": dict(gaps), "loads": loads, "steps": steps}


def increment(path: Path, after: int) -> dict[str, Any]:
    """Load a day, and bring the audit up to date; the loading is part of it on both sides."""
    with connect(path, memory_limit=MEMORY, threads=THREADS) as connection:
        tell(connection, after, after + A_DAY)
    return audit(path)


if __name__ == "__main__":
    main()
