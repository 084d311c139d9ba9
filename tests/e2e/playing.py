"""Plays days on a vendor with the real command, a process each, and holds what was published against the truth."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tests.e2e.plain_vendor import TOKEN, Vendor
from tests.e2e.plain_world import Record

PROGRESS_QUERY = """
    select registration_id, first_name, last_name, email, member_identifier, activity_id, activity_title, started_at,
        progress_percent, is_completed, completed_at, completion_code
    from marts.fct_progress
"""
COMPLETIONS_QUERY = """
    select registration_id, activity_id, activity_title, started_at, completed_at, completion_code
    from marts.fct_completions
"""


@dataclass(frozen=True)
class Spoken:
    """What a command said, and how it ended."""

    exit_code: int
    out: str
    err: str


def environment(data: Path, url: str, token: str = TOKEN, **settings: str) -> dict[str, str]:
    """Give a process's environment: the three settings that a stranger would make, and those named."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROGRESS_")}
    return kept | {
        "PROGRESS_API_URL": url,
        "PROGRESS_API_TOKEN": token,
        "PROGRESS_DATA_DIR": str(data),
        **{f"PROGRESS_{name.upper()}": value for name, value in settings.items()},
    }


def command(*words: str, env: Mapping[str, str]) -> Spoken:
    """Run `progress-pipeline` in a process of its own."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "progress_pipeline", *words],
        env=dict(env),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return Spoken(done.returncode, done.stdout, done.stderr)


def rows(file: Path, query: str) -> list[dict[str, Any]]:
    """Ask a DuckDB file."""
    with duckdb.connect(str(file), read_only=True) as connection:
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def differences(published: Path, vendor: Vendor) -> list[str]:
    """Say where the published facts differ from the vendor's truth; nothing if they are equal."""
    return [
        *_compare("fct_progress", rows(published, PROGRESS_QUERY), vendor.truth()),
        *_compare("fct_completions", rows(published, COMPLETIONS_QUERY), vendor.completions()),
    ]


def _compare(table: str, got: list[dict[str, Any]], truth: Mapping[str, Record]) -> list[str]:
    found: dict[str, dict[str, Any]] = {}
    told = []
    for row in got:
        if row["registration_id"] in found:
            told.append(f"{table}: {row['registration_id']} is there twice")
        found[row["registration_id"]] = row
    told += [f"{table}: {name} is missing" for name in truth.keys() - found.keys()]
    told += [f"{table}: {name} is invented" for name in found.keys() - truth.keys()]
    for name in truth.keys() & found.keys():
        expected = plain(truth[name])
        told += [
            f"{table}: {name}: {column} is {value!r}, not {expected[column]!r}"
            for column, value in found[name].items()
            if value != expected[column]
        ]
    return told


def plain(record: Record) -> dict[str, Any]:
    """Give a vendor's record as a mart should hold it."""
    return {
        "registration_id": record["registration"],
        "first_name": record["firstName"],
        "last_name": record["lastName"],
        "email": record["email"],
        "member_identifier": record["memberIdentifier"],
        "activity_id": record["activityId"],
        "activity_title": record["activityTitle"],
        "started_at": record["dateStarted"].replace(tzinfo=None),
        "progress_percent": float(record["progress"]),
        "is_completed": record["dateCompleted"] is not None,
        "completed_at": record["dateCompleted"] and record["dateCompleted"].replace(tzinfo=None),
        "completion_code": record["completionCode"],
    }
