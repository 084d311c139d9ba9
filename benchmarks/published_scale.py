"""The published file and the report at 1,000,000 registrations, against a plain copy of the same tables.

nice -n 10 .venv/bin/python -m benchmarks.published_scale --registrations 1000000

The world: registrations of one to five updates over two years, four in ten of them completed, some at once and without
a start; learners with two or three registrations each; one push of 5,000 lost. It is built once and published several
times, each time beside a plain copy in a process of its own: `create table … as select * from` of every table that the
file has, whose views are computed already, into a new file, and a checkpoint; and, since a run publishes Parquet files
too, `copy … to` of the same. Bounds: either way publishing takes less than twice the CPU and the time of the copy in
the same form; the report takes less than 10 s and 3 MB.
"""

import argparse
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import duckdb

from progress_pipeline.ingest.raw_tables import RAW_TABLES, ddl
from progress_pipeline.reporting.writing import write_report
from progress_pipeline.warehouse.building import build
from progress_pipeline.warehouse.connection import connect
from progress_pipeline.warehouse.models import read_models
from progress_pipeline.warehouse.publishing import Form, publish
from progress_pipeline.warehouse.sql_folder import SQL_FOLDER

BEGAN, DAYS = datetime(2024, 1, 1, tzinfo=UTC), 730
AS_OF = BEGAN + timedelta(days=DAYS, hours=5)
COPIES, REPORT_SECONDS, REPORT_BYTES = 2.0, 10.0, 3_000_000

FIRST = f"timestamp '{BEGAN:%Y-%m-%d}'"
UPDATES = f"""
    with registrations as (
        select
            r,
            cast(hash(r) % 100 as bigint) as fate,
            cast(hash(r + 7) % ($count * 2 // 5) as bigint) as learner,
            cast(least(hash(r + 11) % 200, hash(r + 13) % 200) as bigint) as activity,
            {FIRST} + to_seconds(cast(hash(r + 17) % ({DAYS} * 86400) as bigint)) as started_at
        from range($count) as numbers(r)
    ),
    steps as (
        select
            *,
            unnest(range(if(fate < 3, 4, 0), if(fate < 40, 5, 1 + fate % 4))) as step
        from registrations
    ),
    happened as (
        select
            *,
            started_at + to_seconds(cast(step * (3600 + hash(r + 19) % 900000) as bigint)) as happened_at,
            case when step = 4 then 'completion' when step = 0 then 'started' else 'progressed' end as kind
        from steps
    )
    select *, row_number() over (order by happened_at, r, step) as i
    from happened
    where happened_at < {FIRST} + to_days({DAYS})
"""  # noqa: S608 - our own numbers
"""Fates: below 3 completed at once, below 40 completed in steps, else left somewhere on the way."""

RECORD = """
    i::varchar as transaction_id,
    'First' || (learner % 977) as first_name,
    'Last' || (learner % 1999) as last_name,
    'learner' || learner || '@example.invalid' as email,
    case when learner % 7 > 0 then 'M' || learner else '' end as member_identifier,
    'https://example.invalid/activity/' || activity as activity_id,
    'Activity ' || activity as activity_title,
    md5(r::varchar)::uuid::varchar as registration,
    case when fate < 3 then '' else strftime(started_at, '%Y-%m-%dT%H:%M:%S') end as date_started,
    (step * 25)::varchar as progress,
    case when step = 4 then strftime(happened_at, '%Y-%m-%dT%H:%M:%S') else '' end as date_completed,
    case when step = 4 then md5('c' || r)::uuid::varchar else '' end as completion_code,
    null as extra
"""
TOLD = {
    "api_progress": f"""
        select {RECORD}, i // 1000 + 1 as call_id, i % 1000 as position, run_at as observed_at, load_number""",
    "webhook_updates": f"""
        select {RECORD}, kind, 'd' || i as delivery_id, 0 as position, happened_at + interval 1 second as received_at,
            load_number""",
    "webhook_deliveries": """
        select 'd' || i as delivery_id, happened_at + interval 1 second as received_at, 1 as byte_count, '' as sha256,
            (kind = 'started')::bigint as started_count, (kind = 'progressed')::bigint as progressed_count,
            (kind = 'completion')::bigint as completion_count, 0 as reject_count, load_number""",
    "api_calls": """
        select i // 1000 + 1 as call_id, 'daily' as purpose, min(run_at) - interval 3 day as window_start,
            max(run_at) as window_end, max(run_at) as counted_at, 'answered' as outcome,
            max(load_number) as load_number""",
    "api_windows": """
        select load_number::varchar as window_id, 'daily' as purpose, run_at - interval 2 day as window_start,
            run_at as window_end, run_at as covered_until, run_at as attempted_at, min(i) // 1000 + 1 as first_call_id,
            max(i) // 1000 + 1 as last_call_id, 1 as call_count, count(*) as distinct_rows, true as is_complete,
            'one answer' as proof, load_number""",
    "runs": f"""
        select 'run ' || load_number as run_id, run_at as as_of, 'daily' as purpose, {FIRST} as start_at,
            120 as settle_minutes, 2 as lookback_days, 500 as daily_calls, load_number""",
}
GROUPED = {"api_calls": "group by i // 1000", "api_windows": "group by load_number, run_at", "runs": "group by all"}


@dataclass(frozen=True)
class Measure:
    """What a piece of work took: seconds, CPU seconds, the process's peak memory in GB, and what it came to."""

    seconds: float
    cpu: float
    peak: float
    told: Any


def main() -> None:
    """Make the world, measure, print, and hold the bounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--registrations", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--world", type=Path, help="a warehouse to keep, or one that was kept")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="published-scale-") as made:
        folder = Path(made)
        world = asked.world or folder / "world.duckdb"
        if not world.exists():
            print(f"built in {alone(make_world, world, asked.registrations).seconds:.0f} s", flush=True)
        print(f"{asked.registrations:,} registrations, warehouse of {world.stat().st_size / 1e9:.2f} GB", flush=True)
        rounds = [compare(world, folder) for _ in range(asked.pairs)]
        report = alone(told, folder / "progress.duckdb", folder / "report.html")
        size = (folder / "report.html").stat().st_size
        for place, name in enumerate(("the file alone", "the file and Parquet")):
            pairs = [one[place] for one in rounds]
            ratio = statistics.median(one.cpu / other.cpu for one, other in pairs)
            wall = statistics.median(one.seconds / other.seconds for one, other in pairs)
            print(f"{name}: {ratio:.2f} times a plain copy by CPU, {wall:.2f} by the clock (bound {COPIES:.0f})")
            assert max(ratio, wall) < COPIES
        print(f"report: {shown(report)}, {size / 1000:,.0f} KB (bounds {REPORT_SECONDS:.0f} s, {REPORT_BYTES:,} bytes)")
        assert report.seconds < REPORT_SECONDS
        assert size < REPORT_BYTES


def compare(world: Path, folder: Path) -> list[tuple[Measure, Measure]]:
    """Publish, and copy what was published: the file alone, then with Parquet."""
    pairs = []
    for has_parquet in (False, True):
        published = alone(published_from, world, folder / "progress.duckdb", has_parquet)
        copied = alone(copied_from, folder / "progress.duckdb", folder / "copy", has_parquet)
        print(f"Parquet {has_parquet}: publish {shown(published)}; copy {shown(copied)}", flush=True)
        pairs.append((published, copied))
    print(f"  {copied.told}", flush=True)
    return pairs


def shown(one: Measure) -> str:
    """Write a measure in a line."""
    return f"{one.cpu:.2f} CPU s, {one.seconds:.2f} s, {one.peak:.2f} GB"


def alone(work: Callable[..., Any], *arguments: Any) -> Measure:
    """Work in a process of its own, so that its memory is its own."""
    with get_context("spawn").Pool(1) as pool:
        measure: Measure = pool.apply(measured, (work, *arguments))
        return measure


def measured(work: Callable[..., Any], *arguments: Any) -> Measure:
    """Work, and say what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    came_to = work(*arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return Measure(time.perf_counter() - wall, time.process_time() - cpu, peak, came_to)


def make_world(path: Path, count: int) -> None:
    """Make raw tables, loaded day by day, and build everything."""
    with connect(path) as connection:
        connection.execute("create schema raw")
        for table in RAW_TABLES:
            connection.execute(ddl(table))
        connection.execute(
            f"create temp table told as select *, date_diff('day', {FIRST}, happened_at) + 1 as"  # noqa: S608 - our own
            f" load_number, date_trunc('day', happened_at) + interval 29 hour as run_at from ({UPDATES})",
            {"count": count},
        )
        for name, select in TOLD.items():
            where = "where i % 5000 > 0" if name.startswith("webhook") else ""
            rows = f"{select} from told {where} {GROUPED.get(name, '')} order by load_number"
            connection.execute(f"insert into raw.{name} by name {rows}")
        connection.execute("insert into raw.activity_validities by name select 0 as position, '*' as activity_id,"
                           " 12 as valid_months, 1 as load_number")  # fmt: skip
        build(connection, read_models(SQL_FOLDER))
        connection.execute("checkpoint")


def published_from(world: Path, path: Path, has_parquet: bool) -> dict[str, int]:
    """Publish as a run does."""
    made = publish(world, path, read_models(SQL_FOLDER), as_of=AS_OF, form=Form(has_parquet=has_parquet, keep=1))
    return {table.name: table.row_count for table in made.tables}


def copied_from(published: Path, folder: Path, has_parquet: bool) -> dict[str, int]:
    """Copy every table of a published file, plainly."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with duckdb.connect(str(folder / "copy.duckdb")) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"attach '{published}' as published (read_only)")
        listed = "select schema_name, table_name from duckdb_tables() where database_name = 'published'"
        counts = {}
        for schema, table in connection.execute(listed).fetchall():
            connection.execute(f"create schema if not exists {schema}")
            source = f"from published.{schema}.{table}"
            ((count,),) = connection.execute(f"create table {schema}.{table} as {source}").fetchall()
            counts[f"{schema}.{table}"] = count
            if has_parquet:
                connection.execute(f"copy ({source}) to '{folder}/{schema}.{table}.parquet'")
        connection.execute("checkpoint")
    return counts


def told(published: Path, report: Path) -> None:
    """Write the report."""
    write_report(published, report, calls={"left": 499, "granted": 500}, keep=0)


if __name__ == "__main__":
    main()
