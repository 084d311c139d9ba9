"""Analysts ask the published file in a loop, each in a process of its own, while whole runs replace it.

nice -n 10 .venv/bin/python -m benchmarks.analyst_readers --readers 20 --runs 5

Each answer is several queries on one opening of the DuckDB file, and on one following of the link to the Parquet files.
Bounds: no error; the queries of an answer agree, and each answer is that of one version that was published;
every run ends well; no answer took longer than a second more than the longest took before the first run, when there was
nobody to wait for. The last bound says something only on a machine that does nothing else.
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import duckdb

from tests.e2e.plain_vendor import Switches, Vendor
from tests.e2e.playing import command, environment

QUIET_SECONDS, LONGEST_WAIT = 8.0, 1.0
QUERY = """
    select
        (select text from readme where topic = 'as_of'),
        (select count(*) from marts.fct_progress),
        (select cast(sum(registration_count) as bigint) from marts.agg_activities),
        (select count(distinct learner_id) from marts.fct_progress),
        (select count(*) from marts.dim_learners)
"""
Answer = tuple[Any, ...]


@dataclass
class Read:
    """What one reader met.

    Attributes:
        answers: The distinct answers, of the file and of the Parquet files.
        seconds: When each answer was there, and how long it took.
        errors: What went wrong.
    """

    answers: set[Answer] = field(default_factory=set)
    seconds: list[tuple[float, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main() -> None:
    """Play the runs among the readers, print, and hold the bounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two answers of a reader")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="analyst-readers-") as made, Vendor(Switches(days=60)) as vendor:
        published = Path(made) / "data" / "published" / "progress.duckdb"
        env = environment(Path(made) / "data", vendor.url)
        versions = {publish(vendor, env, published, 30)}
        ended = multiprocessing.Event()
        results: multiprocessing.Queue[Read] = multiprocessing.Queue()
        readers = [
            multiprocessing.Process(target=read, args=(published, ended, asked.pause, results), daemon=True)
            for _ in range(asked.readers)
        ]
        for reader in readers:
            reader.start()
        time.sleep(QUIET_SECONDS)
        began = time.time()
        for number in range(asked.runs):
            versions.add(publish(vendor, env, published, 31 + number))
        ended.set()
        reads: list[Read] = [results.get(timeout=60) for _ in readers]
        for reader in readers:
            reader.join()
    judge(reads, versions, began)


def publish(vendor: Vendor, env: dict[str, str], published: Path, day: int) -> Answer:
    """Do a whole run, and give the answer that its version has."""
    now = vendor.switches.start + timedelta(days=day, hours=5)
    vendor.move_to(now)
    began = time.time()
    done = command("run", "--as-of", now.isoformat(), env=env)
    assert done.exit_code == 0, done
    version = answer(published)
    print(f"run of day {day}: exit {done.exit_code} in {time.time() - began:.1f} s; {version}", flush=True)
    return version


def read(published: Path, ended: Event, pause: float, results: "multiprocessing.Queue[Read]") -> None:
    """Ask in a loop until the end."""
    told = Read()
    while not ended.is_set():
        began = time.time()
        try:
            told.answers |= {answer(published), answer_of_parquet(published)}
        except (duckdb.Error, OSError) as error:
            told.errors.append(repr(error))
        told.seconds.append((time.time(), time.time() - began))
        time.sleep(pause)
    results.put(told)


def answer(published: Path) -> Answer:
    """Ask the file."""
    connection = duckdb.connect(str(published), read_only=True)
    try:
        (row,) = connection.execute(QUERY).fetchall()
    finally:
        connection.close()
    return tuple(row)


def answer_of_parquet(published: Path) -> Answer:
    """Ask the Parquet files of one version, by following the link once."""
    folder = published.with_name("parquet").resolve()
    query = QUERY.replace("from readme", f"from '{folder}/readme.parquet'")
    for table in ("fct_progress", "agg_activities", "dim_learners"):
        query = query.replace(f"from marts.{table}", f"from '{folder}/marts/{table}.parquet'")
    with duckdb.connect() as connection:
        (row,) = connection.execute(query).fetchall()
    return tuple(row)


def judge(reads: list[Read], versions: set[Answer], began: float) -> None:
    """Say what the readers met, and hold the bounds."""
    errors = [error for one in reads for error in one.errors]
    answers = set().union(*(one.answers for one in reads))
    before = [seconds for one in reads for at, seconds in one.seconds if at < began]
    during = [seconds for one in reads for at, seconds in one.seconds if at >= began]
    print(f"{len(reads)} readers, {len(before) + len(during)} answers, {len(errors)} errors {errors[:3]}")
    print(f"{len(answers)} distinct answers, all of {len(versions)} versions: {answers <= versions}")
    for name, seconds in (("before the runs", before), ("during the runs", during)):
        hundredths = statistics.quantiles(seconds, n=100)
        print(f"{name}: median {hundredths[49]:.3f} s, 99 in 100 {hundredths[98]:.3f} s, longest {max(seconds):.3f} s")
    assert not errors
    assert answers <= versions
    assert all(count == by_activity and learners == known for _, count, by_activity, learners, known in answers)
    assert max(during) < max(before) + LONGEST_WAIT


if __name__ == "__main__":
    main()
