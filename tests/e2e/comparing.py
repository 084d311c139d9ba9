"""What a warehouse holds, without what must differ between a run that was killed and one that was not.

Loads and calls are numbered as they happen, and a killed run leaves calls behind that brought nothing.
"""

from pathlib import Path
from typing import Any

from progress_pipeline.warehouse.connection import connect

NUMBERS = frozenset({"load_number", "call_id", "position", "run_id", "loaded_at", "modified_ns"})
OF_CALLS = frozenset(
    {"raw.api_calls", "raw.api_windows", "raw.runs", "audit.repairs", "audit.runs", "audit.repairs_due"}
)
"""Tables that tell of the asking itself."""

Held = dict[str, list[tuple[Any, ...]]]


def held(warehouse: Path) -> Held:
    """Give the rows of every table of raw, marts and audit, sorted, without numbers of loads and calls."""
    tables: Held = {}
    with connect(warehouse, read_only=True) as connection:
        names = connection.execute(
            "select schema_name, table_name, list(column_name order by column_index) from duckdb_columns() "
            "where schema_name in ('raw', 'marts', 'audit') and table_name not like '\\_dlt%' escape '\\' group by all"
        ).fetchall()
        for schema, table, columns in names:
            if f"{schema}.{table}" in OF_CALLS:
                continue
            shown = ", ".join(
                f'"{column}"' for column in columns if column not in NUMBERS and not column.endswith("call_id")
            )
            rows = connection.execute(f'select {shown} from "{schema}"."{table}"').fetchall()  # noqa: S608 - its own names
            tables[f"{schema}.{table}"] = sorted(rows, key=repr)
    return tables


def covered(warehouse: Path) -> list[tuple[Any, ...]]:
    """Give the unbroken spans that are proven covered."""
    with connect(warehouse, read_only=True) as connection:
        spans = connection.execute(
            "select window_start, window_end from raw.api_windows where is_complete and search is null order by 1, 2"
        ).fetchall()
    joined: list[tuple[Any, ...]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def unlike(one: Held, other: Held) -> list[str]:
    """Say where two warehouses differ; nothing if they are equal."""
    told = [f"{name} is in one alone" for name in sorted(one.keys() ^ other.keys())]
    for name in sorted(one.keys() & other.keys()):
        gone = [row for row in one[name] if row not in other[name]]
        come = [row for row in other[name] if row not in one[name]]
        if gone or come or len(one[name]) != len(other[name]):
            told.append(f"{name}: {len(one[name])} rows and {len(other[name])}; only in one {gone[:2]}, {come[:2]}")
    return told
